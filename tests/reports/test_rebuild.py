"""The committed reports belong to their tables, their studies and the README; what does not is named."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from reports.rebuild import BEGIN, MANIFEST, PAGE, REPORTS, TABLE, problems, write_readme
from reports.side_by_side import contest, side_by_side_part
from simstudy.report.document import lay_out

PROJECT = Path(__file__).parents[2]
COMMITTED, README = PROJECT / "reports", PROJECT / "README.md"


@pytest.fixture
def copied(tmp_path):
    """The committed reports and the README, to be spoiled."""
    shutil.copytree(COMMITTED, tmp_path / "reports")
    shutil.copy(README, tmp_path)
    return tmp_path / "reports", tmp_path / "README.md"


def test_the_committed_reports_are_fresh():
    """Every page belongs to its table and its study, the README quotes them, and all are small."""
    assert list(problems(COMMITTED, README)) == []


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_a_protocol_names_the_estimands_that_a_report_has(report):
    """What is registered before there is a number is what is scored later, no more and no less."""
    for name, table in report.tables.items():
        scored = pd.read_parquet(COMMITTED / report.name / table)["estimand"].dropna()
        assert {row["estimand"] for row in report.study(name).estimand_rows()} == {*scored[~scored.str.contains(", ")]}


def spoil_table(reports, readme):
    table = pd.read_parquet(reports / "samplers" / TABLE)
    table.assign(value=table["value"] * 1.01).to_parquet(reports / "samplers" / TABLE)


def spoil_page(reports, readme):
    page = reports / "pooling" / PAGE
    page.write_text(page.read_text().replace("RMSE", "error"))


def spoil_readme(reports, readme):
    fits = json.loads((reports / "precision" / MANIFEST).read_text())["fits"]
    readme.write_text(readme.read_text().replace(f"({fits:,} fits)", f"({fits + 1:,} fits)"))


def spoil_study(reports, readme):
    path = reports / "parameterization" / MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"studies": {"parameterization": "0"}}))


def lose_report(reports, readme):
    shutil.rmtree(reports / "samplers")


def swell(reports, readme):
    (reports / "pooling" / "draws.bin").write_bytes(b"0" * 7_000_000)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_table, "samplers: performance.parquet is not the one that belongs to the report"),
        (spoil_page, "pooling: report.html is not the one"),
        (spoil_readme, "README.md: does not quote the reports as they are"),
        (spoil_study, "parameterization: the study is another one now"),
        (lose_report, "samplers: there is no report"),
        (swell, "expected at most 7"),
    ],
)
def test_what_is_stale_is_named(copied, spoil, said):
    """A table, page, README, study or size that is not the report's own is said in a line."""
    spoil(*copied)
    assert any(said in line for line in problems(*copied)), list(problems(*copied))


def test_the_readme_is_written_between_its_marks(copied):
    """Writing the block again changes nothing; an emptied one is filled."""
    reports, readme = copied
    whole = readme.read_text()
    begin, end = whole.index(BEGIN) + len(BEGIN), whole.index("<!-- end of reports -->")
    readme.write_text(whole[:begin] + "\n" + whole[end:])
    assert list(problems(reports, readme))
    write_readme(reports, readme)
    assert readme.read_text() == whole


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
