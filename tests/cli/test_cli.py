"""The command line: what it prints, and how it refuses."""

import contextlib
import io
import re
import shutil
import subprocess
import sys
from importlib import metadata
from unittest import mock

import pandas as pd
import pytest

from simstudy.cli import main
from simstudy.cli.run import time_for_fits

SIMSTUDY = [sys.executable, "-c", "from simstudy.cli import main; main()"]

STUDY = """
[study]
name = "tiny"
replicates = 2
[mechanism]
kind = "exchangeable"
groups = 3
group_size = 3
[[method]]
name = "complete"
structure = "complete"
[sampler]
kind = "nuts"
chains = 2
warmup = 60
draws = 60
"""


def simstudy(*arguments, cwd):
    """Run the command line in this process, which has imported everything already."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["simstudy", *arguments]),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return subprocess.CompletedProcess(arguments, ended.value.code, out.getvalue(), err.getvalue())


def simstudy_in_a_shell(*arguments, cwd):
    return subprocess.run([*SIMSTUDY, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def shell_run(tmp_path_factory):
    """What `simstudy run tiny.toml` printed in a shell, and the folder that it ran in."""
    place = tmp_path_factory.mktemp("shell")
    (place / "tiny.toml").write_text(STUDY)
    return simstudy_in_a_shell("run", "tiny.toml", cwd=place), place


@pytest.fixture
def place(shell_run, tmp_path):
    """A folder with the study and its finished run."""
    return shutil.copytree(shell_run[1], tmp_path / "place")


def test_a_study_ends_with_the_path_of_its_report(shell_run):
    """`simstudy run` makes the run and its report, says what the page leads with, and where the page is."""
    done, place = shell_run
    *found, last = done.stdout.splitlines()
    assert (done.returncode, last) == (0, "report: runs/tiny/report.html"), done.stderr
    page = (place / "runs/tiny/report.html").read_text()
    lead = page[page.index('class="lead-in"') :].partition("</div>")[0]
    told = re.sub(r'<b class="method"[^>]*>(.*?)</b>', r"“\1”", lead).replace("\u00a0", " ")
    assert 1 <= len(found) <= 3
    assert re.findall("<p>(.*?)</p>", told) == found
    assert "2 of 2 fits" in done.stderr
    assert "<html" in (place / "runs/tiny/report.html").read_text()
    assert len(pd.read_parquet(place / "runs/tiny/fits")) == 2
    assert len(pd.read_parquet(place / "runs/tiny/performance.parquet")) > 10


def test_the_page_is_opened_when_asked(place):
    """`--open` gives the page to the browser, as an address, once it is there."""
    with mock.patch("webbrowser.open") as opened:
        done = simstudy("run", "tiny.toml", "--workers", "0", "--open", cwd=place)
    assert done.returncode == 0, done.stderr
    opened.assert_called_once_with((place / "runs/tiny/report.html").resolve().as_uri())


def test_a_report_is_made_of_a_run(place):
    """`simstudy report` writes the page anew, where it is told."""
    report = simstudy("report", "runs/tiny", "--out", "other.html", cwd=place)
    assert (report.returncode, report.stdout) == (0, "report: other.html\n")
    both = simstudy("report", "runs/tiny", "runs/tiny", cwd=place)
    assert (both.returncode, both.stdout) == (0, "report: runs/report.html\n")
    assert 'id="tiny-tiny-2"' in (place / "runs/report.html").read_text()


def test_a_run_goes_on_until_its_target(tmp_path):
    """`--until` starts with 200 replicates, says how many are needed, and stops when they are there."""
    (tmp_path / "tiny.toml").write_text(STUDY)
    done = simstudy("run", "tiny.toml", "--workers", "0", "--until", "coverage:theta:0.014", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "200 replicates: MCSE of coverage" in done.stderr
    performance = pd.read_parquet(tmp_path / "runs/tiny/performance.parquet")
    coverage = performance.query("measure == 'coverage' and estimand == 'theta' and level == 0.95 and bin.isna()")
    assert (coverage["mcse"] <= 0.0145).all()
    assert len(pd.read_parquet(tmp_path / "runs/tiny/fits")) > 200


def test_estimates_made_elsewhere_are_scored(tmp_path):
    """`simstudy score` writes CSV to standard output."""
    pd.DataFrame({"x": [1.1, 0.8, 1.3, 0.9], "se": 0.2}).to_csv(tmp_path / "x.csv", index=False)
    done = simstudy("score", "x.csv", "--estimate", "x", "--se", "se", "--truth", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in done.stdout.splitlines()]
    bias = dict(zip(rows[0], next(r for r in rows if "bias" in r), strict=True))
    assert float(bias["value"]) == pytest.approx(0.025)


def test_a_protocol_is_written_before_there_is_a_run(tmp_path):
    """`simstudy protocol` writes Markdown to standard output or a file, the same, and needs no run."""
    shown = simstudy("protocol", "pooling", "--replicates", "400", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("# Protocol of the study pooling\n")
    assert "400 replicates of each scenario" in shown.stdout
    written = simstudy("protocol", "pooling", "--replicates", "400", "--out", "docs/pooling.md", cwd=tmp_path)
    assert (written.returncode, written.stdout) == (0, "protocol: docs/pooling.md\n"), written.stderr
    assert (tmp_path / "docs/pooling.md").read_text() == shown.stdout


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("studies", "pooling"),
        ("mechanisms", "two_component"),
        ("likelihoods", "binomial"),
        ("structures", "partial"),
        ("samplers", "numpyro"),
        ("measures", "conditional_bias"),
        ("priors", "tau"),
        ("estimands", "theta"),
        ("figures", "zip"),
        ("keys", "[study]"),
    ],
)
def test_what_there_is_is_listed(tmp_path, what, words):
    """Every registered part has a line with a description."""
    done = simstudy("list", what, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert len(lines[words].split()) > 2


def test_everything_is_listed_by_name(tmp_path):
    """Without a word `list` names all there is; `--version` says which simstudy it is."""
    listed = simstudy("list", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    for words in ("studies: baseball", "samplers: nuts, numpyro, exact", "structures: none"):
        assert words in listed.stdout
    assert simstudy("--version", cwd=tmp_path).stdout == f"{metadata.version('simstudy')}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("simstudy proto", ["protocol"]),
        ("simstudy run --keep", ["--keep-draws"]),
        ("simstudy show lect", ["lecture"]),
        ("simstudy new mine --like eight", ["eight_schools"]),
        ("simstudy list k", ["keys"]),
    ],
)
def test_a_shell_completes_commands_options_and_names(monkeypatch, capsys, line, expected):
    """What bash asks after a tab is answered with all that begins so."""
    monkeypatch.setattr(sys, "argv", ["simstudy"])
    asked = {"_SIMSTUDY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.split() == expected


def test_draws_of_stored_fits_are_not_kept_in_silence(place):
    """Asking for the draws of fits that are stored without them is answered with what to do."""
    done = simstudy("run", "tiny.toml", "--keep-draws", "1", cwd=place)
    assert done.returncode == 0
    assert "1 fits of the first 1 replicates are stored without their draws" in done.stderr
    assert "simstudy refit" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "poolin"], "did you mean 'pooling'"),
        (["run", "no/such.toml"], "no/such.toml: cannot read"),
        (["run", "pooling", "--replicates", "0"], "replicates"),
        (["run", "pooling", "--max-failed", "lots"], "--max-failed lots: expected a share such as 5%"),
        (
            ["run", "pooling", "--platform", "tpu"],
            "--platform: got 'tpu'; did you mean 'gpu'?; expected one of cpu, gpu",
        ),
        (["run", "pooling", "--executor", "cloud"], "--executor: got 'cloud'"),
        (["run", "pooling", "--executor", "dask://h:1", "--workers", "2"], "a cluster has its own"),
        (["run", "pooling", "--time-limit", "soon"], "--time-limit soon: expected a duration such as 90s, 30m"),
        (["run", "pooling", "--load", "none.py"], "--load none.py"),
        (["run", "pooling", "--until", "coverag:0.01"], "did you mean 'coverage'"),
        (["run", "pooling", "--until", "coverage:0.01", "--replicates", "9"], "give one of them"),
        (["report", "nowhere"], "nowhere is no run folder"),
        (["protocol", "poolin"], "did you mean 'pooling'"),
        (["protocol", "pooling", "--out", "."], "expected a file ending in .md, .tex, .docx"),
        (["list", "samplerz"], "did you mean 'samplers'"),
        (["score", "none.csv", "--estimate", "x", "--truth", "0"], "none.csv: no such file"),
        (["frobnicate"], "No such command"),
        (["run"], "Missing argument"),
    ],
)
def test_misuse_is_one_message(tmp_path, arguments, words):
    """Exit code 2, one message on standard error, no traceback, nothing written."""
    done = simstudy(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_a_time_limit_ends_with_the_report(place):
    """Too short for all replicates, it stops with what is done, reports it, says how to go on, and has done its job."""
    arguments = ("run", "tiny.toml", "--workers", "0", "--replicates", "50000", "--time-limit", "1s")
    done = simstudy(*arguments, cwd=place)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "report: runs/tiny/report.html"), done.stderr
    assert (
        "stopped: no further block would end within the time limit; what is finished is stored: run the same command "
        "again to go on" in done.stderr
    )
    assert 2 <= len(pd.read_parquet(place / "runs/tiny/fits")) < 50_000


def test_the_report_has_its_share_of_the_time():
    """A tenth, and a minute at most."""
    assert (time_for_fits(100.0), time_for_fits(7200.0)) == (90.0, 7140.0)


def test_quiet_and_verbose(place):
    """Verbose says a line for every block, quiet nothing, and run.log has all sessions, each line with its time."""
    arguments = ("run", "tiny.toml", "--workers", "0")
    verbose = simstudy(*arguments, "--replicates", "3", "--verbose", cwd=place)
    assert "1 fits of 'complete'" in verbose.stderr
    assert "2 fits are stored already and stay; 1 to come" in verbose.stderr
    quiet = simstudy(*arguments, "--replicates", "3", "--quiet", cwd=place)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "report: runs/tiny/report.html\n", "")
    lines = (place / "runs/tiny/run.log").read_text().splitlines()
    assert [line.split("; ")[-1] for line in lines if "replicates" in line] == [
        "fits to come: 2, programs: 1",
        "fits to come: 1, programs: 1",
        "fits to come: 0, programs: 0",
    ]
    assert all(pd.Timestamp(" ".join(line.split()[:2]).replace(",", ".")) for line in lines)


def test_a_run_whose_fits_fail_is_a_bad_answer(tmp_path):
    """More failed fits than --max-failed: everything is stored and reported, and the exit code is 1."""
    (tmp_path / "mine.py").write_text(
        "import simstudy\n"
        "def simulate(key, scenario):\n    return {'y': 1.0}, {'a': 1.0}\n"
        "def broken(data):\n    raise ValueError('no such thing')\n"
        "simstudy.register_mechanism('constant', simulate)\n"
        "simstudy.register_model('broken', broken, estimands=lambda posterior: {'a': posterior['a']})\n"
    )
    (tmp_path / "s.toml").write_text(
        '[study]\nname = "s"\nreplicates = 2\n[mechanism]\nkind = "constant"\n'
        '[[method]]\nname = "b"\nmodel = "broken"\n[sampler]\nkind = "numpyro"\n'
    )
    done = simstudy("run", "s.toml", "--workers", "0", "--load", "mine.py", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "100.0% of the fits failed" in done.stderr
    assert set(pd.read_parquet(tmp_path / "runs/s/fits")["reason"]) == {
        "ValueError: no such thing (in broken, mine.py line 5)"
    }
