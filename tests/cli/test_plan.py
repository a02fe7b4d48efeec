"""``simstudy plan``: the answer on standard output, what was looked at on standard error, misuse in one sentence."""

import signal

import pytest

from simstudy.cli import main
from simstudy.planning import experiment

STUDY = """
[study]
name = "asked"

[mechanism]
kind = "exchangeable"
groups = 4
group_size = "?"
mu = 1.0
tau = 1.0
sigma = 2.0

[[method]]
name = "partial"
structure = "partial"
priors = { mu = "Normal(0, 100)", tau = 1.0, sigma = 2.0 }

[sampler]
kind = "nuts"
"""


def command(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "asked.toml"
    path.write_text(STUDY)
    return path


def test_the_answer_is_sentences_and_a_page(study, tmp_path, capsys):
    page = tmp_path / "plan.html"
    options = ["--width", "theta", "2.5", "--workers", "0", "--replicates", "200", "--out", page]
    assert command("plan", study, *options) == 0
    out, err = capsys.readouterr()
    assert out.startswith("4 groups with ")
    assert "observations each are enough: the 95 % interval of θ is then " in out
    assert out.endswith(f"page: {page}\n")
    assert "replicates)" in err
    assert "What is assumed" in page.read_text()


def test_a_quiet_plan_says_the_answer_alone(study, capsys):
    assert command("plan", study, "--power", "tau > 0", "--workers", "0", "--replicates", "200", "--quiet") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert err == ""


def test_run_says_that_an_open_design_is_planned(study, capsys):
    assert command("run", study) == 2
    said = capsys.readouterr().err
    assert '[mechanism] group_size = "?": the design is open; "simstudy plan" finds the number' in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected exactly one goal: --width, --power, --rank-best or --regret"),
        (["--width", "theta", "0"], "--width theta: expected a width above 0"),
        (["--width", "theta"], "Option '--width' requires 2 arguments"),
        (["--power", "mu"], '--power: expected a claim such as "mu > 0"'),
        (["--power", "mu > 0", "--assurance"], "every hyperparameter of [mechanism] is a number"),
        (["--width", "theta", "2", "--prior", "tau"], "--prior tau: expected a parameter and its prior"),
        (["--width", "theta", "2", "--value", "y"], "--value: is of data"),
        (["--width", "theta", "2", "--out", "nowhere/x.html"], "there is no folder 'nowhere'"),
    ],
)
def test_misuse_is_one_sentence_with_code_2(study, arguments, message, capsys):
    assert command("plan", study, *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_column_that_is_not_there_is_named(tmp_path, capsys):
    table = tmp_path / "scores.csv"
    table.write_text("school,score\na,1\na,2\nb,3\nb,4\n")
    assert command("plan", table, "--group", "scool", "--value", "score", "--width", "theta", "1") == 2
    said = capsys.readouterr().err
    assert "group: no column 'scool'" in said
    assert "did you mean 'school'?" in said
    assert "[mechanism]" not in said


def test_an_interrupted_search_leaves_nothing(study, tmp_path, monkeypatch, capsys):
    """Its folder would refuse the same command, which the message says begins anew."""
    monkeypatch.setattr(experiment, "scores", lambda *_: signal.raise_signal(signal.SIGINT))
    options = ["--width", "theta", "2.5", "--workers", "0", "--replicates", "200", "--keep", tmp_path / "kept"]
    assert command("plan", study, *options) == 130
    assert not (tmp_path / "kept").exists()
    assert capsys.readouterr().err.endswith("interrupted; nothing is kept: the same command begins anew\n")


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ("sd = HalfNormal(2)", "priors.sd: there is no such parameter; did you mean 'tau'?; expected mu"),
        ("theta ~ Normal(0, 1)", "priors.theta: there is no such parameter"),
        ("tau ~ HalfNormal(1,5)", "priors.tau: HalfNormal takes 1 number (scale), got 2"),
    ],
)
def test_a_prior_of_data_is_refused_in_their_words(tmp_path, capsys, prior, message):
    """As of partial pooling of a table, not of a section of a study file."""
    (tmp_path / "scores.csv").write_text("group,value\na,1\na,2\nb,3\nb,4\n")
    assert command("plan", tmp_path / "scores.csv", "--width", "theta", "2", "--prior", prior) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "[" not in err
