"""``simstudy show``: a study file again, and every prior that it takes."""

import tomllib
from pathlib import Path

import pytest

from simstudy.cli import main

STUDIES = sorted(Path("studies").glob("*.toml"))


def show(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["show", str(name)])
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_what_is_printed_is_the_study_file(path, capsys):
    """By name, with comments that leave it the same study."""
    code, out, err = show(path.stem, capsys)
    assert (code, err) == (0, "")
    assert tomllib.loads(out) == tomllib.loads(path.read_text("utf-8"))


def test_priors_of_a_table_are_printed_with_where_they_come_from(tmp_path, capsys, monkeypatch):
    """Those scaled to the data say so; one that the data contradict is a warning."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").write_text(
        "school,score\n" + "".join(f"s{i % 4},{500 + 7 * i % 31}\n" for i in range(20))
    )
    (tmp_path / "mine.toml").write_text(
        '[study]\nname = "mine"\nreplicates = 3\n[mechanism]\nkind = "dataset"\ndata = "scores.csv"\ngroup = "school"\n'
        'value = "score"\n[[method]]\nname = "ours"\nstructure = "partial"\n[[method]]\nname = "far"\n'
        'structure = "partial"\npriors = { mu = "Normal(0, 10)" }\n[sampler]\nkind = "exact"\n'
    )
    code, out, _ = show("mine.toml", capsys)
    assert code == 0
    assert "# 1 scenario x 2 methods x 3 replicates: 6 fits" in out
    (ours,) = [line for line in out.splitlines() if line.startswith("# priors of ours")]
    assert "mu ~ Normal(51" in ours
    assert ours.endswith("(scaled to the data)")
    assert "# warning: far: the data contradict the prior mu ~ Normal(0, 10)" in out


def test_an_unknown_study_is_one_message(capsys):
    """With the names that there are."""
    code, out, err = show("pooled", capsys)
    assert (code, out) == (2, "")
    assert "did you mean 'pooling'" in err
