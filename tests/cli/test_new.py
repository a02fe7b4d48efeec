"""``simstudy new``: a study file to begin from."""

import tomllib

import pytest

from simstudy.cli import main
from simstudy.study.built_in_studies import built_in_studies


def new(*arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["new", *arguments])
    return ended.value.code, *capsys.readouterr()


def test_a_file_is_written_that_shows_and_names_itself(tmp_path, capsys, monkeypatch):
    """The study of another name, ready to run, at the path that is told."""
    monkeypatch.chdir(tmp_path)
    assert new("mine", "--like", "lecture", capsys=capsys) == (0, "study: mine.toml\n", "")
    written = tomllib.loads((tmp_path / "mine.toml").read_text("utf-8"))
    lecture = tomllib.loads(built_in_studies()["lecture"].read_text("utf-8"))
    assert written["study"]["name"] == "mine"
    assert written["method"] == lecture["method"]


def test_like_a_file_of_ones_own(tmp_path, capsys, monkeypatch):
    """A study file serves as well as a built-in study, and the ending may be given."""
    monkeypatch.chdir(tmp_path)
    new("first.toml", capsys=capsys)
    code, out, _ = new("second", "--like", "first.toml", capsys=capsys)
    assert (code, out) == (0, "study: second.toml\n")
    first, second = (tomllib.loads((tmp_path / f"{name}.toml").read_text("utf-8")) for name in ("first", "second"))
    assert first["mechanism"] == second["mechanism"]


def test_nothing_is_written_over(tmp_path, capsys, monkeypatch):
    """A file that is there stays as it is, and so does the folder when anything else is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("mine")
    assert new("mine", capsys=capsys)[0] == 2
    assert new("a b", capsys=capsys)[0] == 2
    assert new("other", "--like", "lectur", capsys=capsys)[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]
    assert (tmp_path / "mine.toml").read_text() == "mine"
