"""``simstudy choose``: what stands on the terminal, where the page goes, and what is refused."""

import signal
from dataclasses import replace

import pytest

from simstudy.choosing import choose as choosing
from simstudy.cli import main
from tests.choosing.made import made


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two schools of two scores, in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").write_text("school,class,score\nNorth,1,5\nNorth,2,7\nHill,1,9\nHill,2,6\n")
    return tmp_path / "scores.csv"


@pytest.fixture
def asked(monkeypatch):
    """What ``choose`` is asked, in place of the fits; the answer is a made one with a warning."""
    calls = []

    def answer(data, **options):
        calls.append((data, options))
        return choosing.Choice(made([4.0, 2.0, 1.0], conflicts=("complete pooling: the data contradict its prior",)))

    monkeypatch.setattr(choosing, "choose", answer)
    return calls


def run(*words):
    """Return the exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        main(["choose", *map(str, words)])
    return ended.value.code


def test_three_sentences_a_page_and_the_warnings(table, asked, capsys):
    """Sentences on standard output, a conflict first and not again beside; the page is named after the table."""
    assert run(table.name, "--group", "school", "--value", "score", "--prior", "tau = HalfNormal(3)") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    assert out.splitlines()[-1] == "page: choose-scores.html"
    assert (table.parent / "choose-scores.html").read_text().startswith("<!doctype html>")
    assert out.startswith("complete pooling: the data contradict its prior.\n")
    assert "contradict" not in err
    data, options = asked[0]
    assert (data, options["group"], options["value"]) == ("scores.csv", "school", "score")
    assert options["priors"] == {"tau": "HalfNormal(3)"}


def test_several_factors_are_answered_one_by_one(table, asked, capsys):
    """On one page."""
    assert run(table.name, "--group", "school", "--group", "class", "--value", "score", "--out", "page.html") == 0
    assert [options["group"] for _, options in asked] == ["school", "class"]
    out = capsys.readouterr().out
    assert "school:\n" in out
    assert "class:\n" in out
    assert out.endswith("page: page.html\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.csv"], "nothing.csv"),
        (["scores.csv", "--group", "skool", "--value", "score"], "no column 'skool'"),
        (["scores.csv", "--group", "score", "--value", "school"], "'school'"),
        (["scores.csv", "--group", "school", "--group", "klass", "--value", "score"], "no column 'klass'"),
        (["scores.csv", "--prior", "tau"], "expected a parameter and its prior"),
        (["scores.csv", "--group", "school", "--value", "score", "--prior", "tau = Gauss(1)"], "Gauss"),
        (["scores.csv", "--out", "nowhere/page.html"], "there is no folder 'nowhere'"),
    ],
)
def test_misuse_is_one_message(table, capsys, monkeypatch, words, message):
    """Exit code 2, nothing written, no section of a study file spoken of."""
    before = sorted(table.parent.iterdir())
    monkeypatch.setattr(choosing, "fit_data", None)  # what is misused is found before anything is fitted
    assert run(*words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert "[mechanism]" not in err
    assert sorted(table.parent.iterdir()) == before


def test_what_no_sentence_says_is_a_warning(table, monkeypatch, capsys):
    """A prior that decides what tau is does not stand among the three sentences."""
    found = made([4.0, 2.0, 1.0])
    sensitive = replace(found.sensitivity, table=found.sensitivity.table.assign(of_prior=0.2))
    answer = choosing.Choice(replace(found, sensitivity=sensitive))
    monkeypatch.setattr(choosing, "choose", lambda data, **options: answer)
    assert run(table.name, "--group", "school", "--value", "score") == 0
    out, err = capsys.readouterr()
    assert "warning: τ is sensitive to its prior" in err
    assert "sensitive" not in out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_answer_promises_nothing(table, monkeypatch, capsys, number, code):
    """Nothing is kept to go on with, and the message says so; a signal in the middle of the fits ends them at once."""
    monkeypatch.setattr(choosing, "fit_data", lambda *_: signal.raise_signal(number))
    before = sorted(table.parent.iterdir())
    assert run(table.name, "--group", "school", "--value", "score") == code
    err = capsys.readouterr().err
    assert err.endswith("simstudy: interrupted; nothing is kept: the same command begins anew\n")
    assert "stored" not in err
    assert sorted(table.parent.iterdir()) == before
