"""The committed reports belong to their tables, their studies and the pages that quote them; what does not is named."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from reports.rebuild import BEGIN, FINDINGS, MANIFEST, PAGE, README, REPORTS, TABLE, problems, write_quotes
from reports.side_by_side import contest, side_by_side_part
from simstudy.report.document import lay_out

PROJECT = Path(__file__).parents[2]
COMMITTED = PROJECT / "reports"


@pytest.fixture
def copied(tmp_path):
    """The committed reports and the pages that quote them, to be spoiled."""
    shutil.copytree(COMMITTED, tmp_path / "reports")
    (tmp_path / "docs").mkdir()
    for name in (README, FINDINGS):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def test_the_committed_reports_are_fresh():
    """Every page belongs to its table and its study, README and findings quote them, and all are small."""
    assert list(problems(PROJECT)) == []


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_a_protocol_names_the_estimands_that_a_report_has(report):
    """What is registered before there is a number is what is scored later, no more and no less."""
    for name, table in report.tables.items():
        scored = pd.read_parquet(COMMITTED / report.name / table)["estimand"].dropna()
        assert {row["estimand"] for row in report.study(name).estimand_rows()} == {*scored[~scored.str.contains(", ")]}


def spoil_table(project):
    table = pd.read_parquet(project / "reports" / "samplers" / TABLE)
    table.assign(value=table["value"] * 1.01).to_parquet(project / "reports" / "samplers" / TABLE)


def spoil_page(project):
    page = project / "reports" / "pooling" / PAGE
    page.write_text(page.read_text().replace("RMSE", "error"))


def spoil_findings(project):
    fits = json.loads((project / "reports" / "precision" / MANIFEST).read_text())["fits"]
    page = project / FINDINGS
    page.write_text(page.read_text().replace(f"({fits:,} fits)", f"({fits + 1:,} fits)"))


def spoil_readme(project):
    page = project / README
    page.write_text(page.read_text().replace("Root mean square error of the group effects.", ""))


def spoil_study(project):
    path = project / "reports" / "parameterization" / MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"studies": {"parameterization": "0"}}))


def lose_report(project):
    shutil.rmtree(project / "reports" / "samplers")


def swell(project):
    (project / "reports" / "pooling" / "draws.bin").write_bytes(b"0" * 7_000_000)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_table, "samplers: performance.parquet is not the one that belongs to the report"),
        (spoil_page, "pooling: report.html is not the one"),
        (spoil_findings, "docs/findings.md: does not quote the reports as they are"),
        (spoil_readme, "README.md: does not quote the reports as they are"),
        (spoil_study, "parameterization: the study is another one now"),
        (lose_report, "samplers: there is no report"),
        (swell, "expected at most 7"),
    ],
)
def test_what_is_stale_is_named(copied, spoil, said):
    """A table, page, quotation, study or size that is not the report's own is said in a line."""
    spoil(copied)
    assert any(said in line for line in problems(copied)), list(problems(copied))


def test_the_quotations_are_written_between_their_marks(copied):
    """Writing the block again changes nothing; an emptied one is filled."""
    page = copied / FINDINGS
    whole, readme = page.read_text(), (copied / README).read_text()
    begin, end = whole.index(BEGIN) + len(BEGIN), whole.index("<!-- end of reports -->")
    page.write_text(whole[:begin] + "\n" + whole[end:])
    assert list(problems(copied))
    write_quotes(copied)
    assert page.read_text() == whole
    assert (copied / README).read_text() == readme


def test_the_side_by_side_part_shows_what_was_measured():
    """Rates are fits over seconds, the fastest comes first, and every contestant stands on the page."""
    outcome = {"how": "how", "compile_seconds": 1.0, "n_leapfrog": None, "peak_memory_mb": 1.0, "z_rms": 1.0}
    one = {"name": "simstudy, 2 workers", "n_fits": 300, "seconds": 2.0, "ess": 40.0, **outcome}
    slow = {"name": "nutpie, <raw>", "n_fits": 3, "seconds": 2.0, "ess": 8.0, **outcome}
    floor = {"structure": "partial", "groups": 8, "observations": 80, "lanes": 256, "slots_used": 0.9}
    values = {
        "nutpie": {"outcomes": [slow]},
        "ours": {"outcome": one},
        "gradient": {"floor": [{**floor, "ns_per_leapfrog": 50.0, "ns_per_gradient": 10.0}]},
        "provenance": {"versions": {"jax": "0.0"}},
    }
    table = contest(values)
    assert table["fits_per_second"].tolist() == [150.0, 1.5]
    assert table["times"].tolist() == [1.0, 100.0]
    part = side_by_side_part(values)
    assert part.answers["How fast"] == [
        "simstudy made 150 fits per second, simulation and storage included: 100 times as many as nutpie."
    ]
    page = lay_out([part])
    assert "nutpie, &lt;raw&gt;" in page
    assert "<raw>" not in page
