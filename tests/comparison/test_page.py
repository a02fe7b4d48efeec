"""What a reader sees: sentences, page, JSON and exit codes."""

import dataclasses
import json
import re
import subprocess
import sys

import pytest

import simstudy
from simstudy.cli import main
from simstudy.report import figures, write_comparison
from simstudy.report.comparing import answers, headline
from tests.comparison.runs import METHODS, moved, small_run, store, with_fits
from tests.report.test_document import Outline
from tests.report.test_tables import embedded

EVIL = '<b>"evil" & =1+1</b></script>'


@pytest.fixture(scope="module")
def run():
    """Two scenarios under two methods."""
    return small_run(replicates=60)


@pytest.fixture(scope="module")
def worse(run):
    """One method with moved draws and one with more leapfrogs."""
    other = with_fits(run, n_leapfrog=lambda fits: fits["n_leapfrog"] * (1 + (fits["method"] == "none")))
    return simstudy.compare(run, moved(other, 0.5, noise=0.02, method=METHODS[1]))


def test_the_first_sentence_is_the_answer(run, worse):
    """Identical, worse, nothing shown to be worse, and nothing to be told: each is said."""
    assert headline(simstudy.compare(run, run)).startswith("The runs are identical")
    assert re.match(r"\d+ of \d+ comparisons changed for the worse", headline(worse))
    other = simstudy.compare(run, small_run(replicates=60, seed=2))
    assert headline(other).startswith("Nothing is shown to be worse: ")
    nothing = simstudy.compare(run, small_run(replicates=60, seed=2), margins={"measures": ["coverage"]})
    assert headline(nothing).startswith("Nothing can be told")
    assert nothing.exit_code == 2
    better = headline(simstudy.compare(run, with_fits(run, n_leapfrog=0.5, n_leapfrog_warmup=0.5)))
    same, more = map(
        int, re.fullmatch(r"Nothing is .*: (\d+) of \d+ .* same, (\d+) changed .* better.*", better).groups()
    )
    assert more == 12
    assert same > more


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("replicate < 15", "45 replicates are in the candidate alone and were not compared."),
        ("replicate < 59", "1 replicate is in the candidate alone and was not compared."),
        ("method == 'none' or replicate < 50", "20 fits are in the candidate alone and were not compared."),
    ],
)
def test_identical_holds_for_what_both_have(run, kept, told):
    """Where one run has fits that the other lacks, they are counted beside the answer, whichever run has them."""
    part = dataclasses.replace(run, **{name: getattr(run, name).query(kept) for name in ("fits", "estimates")})
    lead = "The runs are identical where both have fits: every number behind every measure has the same bits. "
    assert headline(simstudy.compare(part, run)) == lead + told
    assert headline(simstudy.compare(run, part)) == lead + told.replace("candidate", "baseline")
    assert headline(simstudy.compare(part, part)).endswith("has the same bits in both.")


def test_identical_names_methods_and_data_that_are_not_compared(run):
    """A method that one run alone has, and data sets that differ between them, are said beside the answer."""
    fewer = {name: getattr(run, name).query("method == 'none'") for name in ("methods", "fits", "estimates")}
    told = headline(simstudy.compare(run, dataclasses.replace(run, **fewer)))
    assert told.endswith(f"Left out, since the baseline alone has them: {METHODS[1]} (methods).")
    other = run.groups["replicate"] == 3
    groups = run.groups.assign(
        data_digest=run.groups["data_digest"].astype(object).mask(other, "other"),
        y_mean=run.groups["y_mean"].mask(other, 100.0),
    )
    told = headline(simstudy.compare(run, dataclasses.replace(run, groups=groups)))
    assert told.startswith("The runs are identical where both have fits")
    assert told.endswith("2 data sets are not the same in both and were not compared.")


def test_what_is_worse_is_named(worse):
    """Method, measure, estimand, both values, the difference with its MCSE and the margin stand in the sentences."""
    told = " ".join(answers(worse)["Is anything worse"])
    assert "“none” is worse: ESS per leapfrog of θ" in told
    assert "“partial, centered” is worse: " in told
    assert re.search(r"from .* to .* at groups=4, group_size=5, tau=0.* ± .*, margin", told)


def test_what_is_worse_comes_first(run):
    """Among the changes, what a gate does not pass stands before what is better, each by its size in margins."""
    factor = {"none": 3.0, METHODS[1]: 0.8}
    other = with_fits(run, n_leapfrog=lambda fits: fits["n_leapfrog"] * fits["method"].astype(str).map(factor))
    rows = simstudy.compare(run, other).changed
    size = (rows["difference"] / rows["margin"]).abs()
    assert rows["direction"].tolist() == sorted(rows["direction"], reverse=True)
    assert set(rows["direction"]) == {"worse", "better"}
    assert all(size[rows["direction"] == d].is_monotonic_decreasing for d in ("worse", "better"))


def test_the_page_is_whole_and_says_so(worse, tmp_path):
    """Every element closes, nothing outside is asked for, every row is in the CSV, the answer stands first."""
    text = write_comparison(worse, tmp_path / "page.html").read_text("utf-8")
    outline = Outline(text)
    assert outline.open == []
    bare = re.sub(r"http://www\.w3\.org/(2000/svg|1999/xlink)", "", text)
    assert not re.search(r"https?:|@import|url\((?!#)", bare.split("<script>")[0])
    csv = embedded(text)["all-comparisons"]
    assert len(csv.splitlines()) == len(worse.table) + 1
    words = "".join(outline.text)
    assert words.index(headline(worse)) < words.index("Verdicts by method and measure")


def test_names_are_escaped(run, tmp_path):
    """A method whose name is HTML shows as text."""
    tables = {
        name: getattr(run, name).assign(method=lambda t: t["method"].astype(str).replace("none", EVIL))
        for name in ("methods", "fits", "estimates", "chains", "timings")
    }
    evil = type(run)(**{**vars(run), **tables})
    text = write_comparison(simstudy.compare(evil, moved(evil, 0.5)), tmp_path / "page.html").read_text("utf-8")
    assert EVIL not in text
    assert EVIL in "".join(Outline(text).text)


def test_the_picture_holds_the_differences(worse):
    """Lines span the differences in margins, losses to the right; marks are the changes."""
    (ax,) = figures.changes(worse.table).axes
    lines = [line for line in ax.lines if line.get_marker() in ("^", "s", "D")]
    n_drawn = sum(len(line.get_xdata()) for line in lines)
    assert n_drawn == min(worse.counts["changed"], n_drawn) > 0
    orange = [line for line in lines if line.get_marker() == "^"]
    assert all((line.get_xdata() > 0).all() for line in orange)


def command(monkeypatch, capsys, *arguments):
    """Run the command line and return its exit code and outputs."""
    monkeypatch.setattr(sys, "argv", ["simstudy", "compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code, *capsys.readouterr()


def test_exit_codes(run, tmp_path, monkeypatch, capsys):
    """0: nothing worse; 1: something worse; 2: nothing could be compared; files hold what was printed."""
    first = store(run, tmp_path / "first")
    second = store(moved(run, 0.5, noise=0.02, method=METHODS[1]), tmp_path / "second")
    other = store(small_run(tau=(1.0,)), tmp_path / "other")
    code, out, err = command(monkeypatch, capsys, first, first)
    assert (code, err) == (0, "")
    assert "The runs are identical" in out
    page, data = tmp_path / "page.html", tmp_path / "comparison.json"
    code, out, err = command(monkeypatch, capsys, first, second, "--out", page, "--json", data)
    assert (code, err) == (1, "")
    assert "changed for the worse" in out
    assert page.read_text("utf-8").startswith("<!doctype html>")
    stored = json.loads(data.read_text())
    assert stored["exit_code"] == 1
    assert stored["counts"]["changed"] == sum(row["verdict"] == "changed" for row in stored["rows"]) > 0
    code, out, err = command(monkeypatch, capsys, first, other, "--out", tmp_path / "none.html")
    assert (code, out) == (2, "")
    assert err.startswith("simstudy: the runs have no scenario in common")
    assert not (tmp_path / "none.html").exists()
    (tmp_path / "m.toml").write_text("[margins]\nrmsee = { relative = 0.1 }")
    code, _, err = command(monkeypatch, capsys, first, second, "--margins", tmp_path / "m.toml")
    assert code == 2
    assert "did you mean 'rmse'?" in err
    names = ("--baseline-method", METHODS[0], "--candidate-method", METHODS[1])
    code, out, _ = command(monkeypatch, capsys, first, first, *names)
    assert code in (0, 1)
    assert "Verdicts" in out


def test_what_is_printed_names_its_questions(run, tmp_path, monkeypatch, capsys):
    """Every answer of the page stands in one line after its question, and a row of the tables is one line too."""
    half = dict.fromkeys(("n_leapfrog", "n_leapfrog_warmup"), lambda fits: fits["n_leapfrog"] // 2)
    runs = run, with_fits(moved(run, 0.5, noise=0.02, method=METHODS[1]), **half)
    folders = [store(each, tmp_path / name) for name, each in zip(("first", "second"), runs, strict=True)]
    _, out, _ = command(monkeypatch, capsys, *folders)
    lines, comparison = out.splitlines(), simstudy.compare(*folders)
    assert lines[0] == headline(comparison)
    told = answers(comparison)
    assert list(told) == [
        "Is anything worse",
        "Is anything better",
        "What is the same",
        "What cannot be told",
        "What was compared with what",
    ]
    for question, sentences in list(told.items())[1:-1]:
        assert f"{question}? {' '.join(sentences)}" in lines
    assert set(told["What was compared with what"]) < set(lines)
    assert sum(line.startswith(("worse", "better", "unclear")) for line in lines) == min(20, len(comparison.changed))
    assert not any(line.startswith("   ") and line.split()[0] != "method" for line in lines)


def test_neither_jax_nor_numpyro_is_imported():
    """Comparing and writing the page of it import neither."""
    program = (
        "import sys, simstudy.comparison, simstudy.report.comparing, simstudy.cli.compare\n"
        "assert not {'jax', 'numpyro'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
