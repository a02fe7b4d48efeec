"""``simstudy score``: what it prints, says and writes."""

import io

import numpy as np
import pandas as pd
import pytest

from simstudy.measures.score import score
from tests.cli.test_cli import simstudy

NAMED = ["--estimate", "x", "--truth", "truth", "--method", "m", "--by", "site", "--replicate", "rep"]
ASKED = {"estimate": "x", "truth": "truth", "method": "m", "by": "site", "replicate": "rep"}


@pytest.fixture
def table(tmp_path):
    """Two methods at two sites with skewed errors, as ``t.csv`` and ``t.parquet`` in the folder."""
    rng = np.random.default_rng(6)
    index = pd.MultiIndex.from_product([["01", "1"], range(40), ["a", "b"]], names=["site", "rep", "m"])
    table = index.to_frame(index=False)
    error = rng.exponential(size=160) - 1
    table = table.assign(
        truth=2.0, x=(2 + error).round(6), se=0.5, df=7.0, p=rng.random(160).round(6), lo=error.round(6), hi=9.0
    )
    table.loc[3, "x"] = np.nan
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    return table


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (["--se", "se", "--df", "df"], {"se": "se", "df": "df"}),
        (["--se", "se", "--p-value", "p", "--level", "0.9"], {"se": "se", "p_value": "p", "level": 0.9}),
        (["--se", "se", "--mcse", "normal"], {"se": "se", "mcse_method": "normal"}),
        (["--mcse", "bootstrap"], {"mcse_method": "bootstrap"}),
        (["--pairs", "complete", "--ref", "a"], {"pairs": "complete", "ref": "a"}),
        (["--trim", "0.2"], {"trim": 0.2}),
        (["--lower", "lo", "--upper", "hi", "--null", "1"], {"lower": "lo", "upper": "hi", "null": 1}),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_standard_output_is_the_answer_of_python(table, tmp_path, words, options, end):
    """Every option means what its argument means, for both kinds of files; sites 01 and 1 are two."""
    done = simstudy("score", f"t.{end}", *NAMED, *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    ours = pd.read_csv(io.StringIO(done.stdout), dtype={"site": str})
    expected = score(table, **ASKED, **options)
    assert list(dict.fromkeys(ours["site"])) == ["01", "1"]
    assert ours["measure"].tolist() == expected["measure"].tolist()
    for name in ("value", "mcse", "n_used"):
        np.testing.assert_allclose(ours[name], expected[name])


def test_a_reference_that_a_site_lacks_is_one_line(table, tmp_path):
    """It names the sites on standard error; the answer stands on standard output."""
    table[(table["m"] != "a") | (table["site"] != "1")].to_csv(tmp_path / "t.csv", index=False)
    done = simstudy("score", "t.csv", *NAMED, "--ref", "a", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == (
        "simstudy: ref: 'a' has no usable estimate in 1 scenario (site=1), where comparisons with it have no value\n"
    )
    rows = pd.read_csv(io.StringIO(done.stdout), dtype={"site": str}).query("measure == 'mse_ratio'").set_index("site")
    assert rows["n_used"].to_dict() == {"01": 39, "1": 0}
    assert np.isnan(rows.loc["1", "value"])


def test_a_report_is_written(table, tmp_path):
    """With --report a page is, and its path is the answer; the table goes to --out, if anywhere."""
    done = simstudy("score", "t.csv", *NAMED, "--se", "se", "--report", "page.html", "--out", "out.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "report: page.html\n", "")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<title>t · scored estimates</title>" in page
    assert len(pd.read_csv(tmp_path / "out.csv")) == len(score(table, **ASKED, se="se"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--p-value", "se", "--df", "df"], "t.csv: df: intervals are made of standard errors and degrees of freedom"),
        (
            ["--p-value", "hi"],
            "t.csv: p_value: expected probabilities from 0 to 1 in column 'hi', got 9 in row 1 of 160",
        ),
        (
            ["--se", "see"],
            "t.csv: se: no column 'see' in the table, which has site, rep, m, truth, x, se, df, p, lo, hi",
        ),
        (["--mcse", "norml"], "'norml' is not one of 'influence', 'normal', 'bootstrap'"),
        (["--trim", "0.5"], "t.csv: trim: expected a share from 0 up to, but not, 0.5, got 0.5"),
        (["--report", "none/page.html"], "--report none/page.html: there is no folder 'none'; make it first"),
        (["--out", "none/out.csv"], "--out none/out.csv: there is no folder 'none'; make it first"),
    ],
    ids=" ".join,
)
def test_misuse_is_one_message(table, tmp_path, words, message):
    """It names the file, the option and what is expected, on one line, with exit code 2; nothing is written."""
    done = simstudy("score", "t.csv", *NAMED, *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", "t.parquet"}


def test_truths_that_differ_are_refused(table, tmp_path):
    """Methods of a replicate share its truth: the first that do not are named with both."""
    table.loc[5, "truth"] = 3.0
    table.to_csv(tmp_path / "t.csv", index=False)
    done = simstudy("score", "t.csv", *NAMED, cwd=tmp_path)
    assert done.returncode == 2
    assert (
        "truth: expected one truth of all methods of a replicate, got 2 and 3 for a and b at site=01, rep=2"
        in done.stderr
    )
