"""The command line: what it prints, and how it refuses."""

import subprocess
import sys

import pandas as pd
import pytest

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
    return subprocess.run([*SIMSTUDY, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_a_study_ends_with_the_path_of_its_report(tmp_path):
    """`simstudy run` makes the run and its report, and says where it is; again, it only says so."""
    (tmp_path / "tiny.toml").write_text(STUDY)
    first = simstudy("run", "tiny.toml", cwd=tmp_path)
    assert (first.returncode, first.stdout) == (0, "report: runs/tiny/report.html\n"), first.stderr
    assert "2 of 2 fits" in first.stderr
    assert "<html" in (tmp_path / "runs/tiny/report.html").read_text()
    assert len(pd.read_parquet(tmp_path / "runs/tiny/fits")) == 2
    assert len(pd.read_parquet(tmp_path / "runs/tiny/performance.parquet")) > 10
    again = simstudy("run", "tiny.toml", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    report = simstudy("report", "runs/tiny", "--out", "other.html", cwd=tmp_path)
    assert (report.returncode, report.stdout) == (0, "report: other.html\n")


def test_a_run_goes_on_until_its_target(tmp_path):
    """`--until` starts with 200 replicates, says how many are needed, and stops when they are there."""
    (tmp_path / "tiny.toml").write_text(STUDY)
    done = simstudy("run", "tiny.toml", "--until", "coverage:theta:0.014", cwd=tmp_path)
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


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("studies", "pooling"),
        ("mechanisms", "two_component"),
        ("likelihoods", "binomial"),
        ("structures", "partial"),
        ("samplers", "numpyro"),
        ("measures", "conditional_bias"),
    ],
)
def test_what_there_is_is_listed(tmp_path, what, words):
    """Every registered part has a line with a description."""
    done = simstudy("list", what, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert len(lines[words].split()) > 2


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
        (["run", "pooling", "--load", "none.py"], "--load none.py"),
        (["run", "pooling", "--until", "coverag:0.01"], "did you mean 'coverage'"),
        (["run", "pooling", "--until", "coverage:0.01", "--replicates", "9"], "give one of them"),
        (["report", "nowhere"], "nowhere is no run folder"),
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
    done = simstudy("run", "s.toml", "--load", "mine.py", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "100.0% of the fits failed" in done.stderr
    assert set(pd.read_parquet(tmp_path / "runs/s/fits")["reason"]) == {
        "ValueError: no such thing (in broken, mine.py line 5)"
    }
