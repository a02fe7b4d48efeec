"""Margins files: what they may hold, and how they are refused."""

import pytest

import simstudy
from simstudy.comparison import Margin, read_rules
from simstudy.comparison.rules import MARGINS
from simstudy.errors import ComparisonError
from tests.comparison.runs import moved, small_run

FILE = """
alpha = 0.01
level = 0.8
measures = ["bias", "rmse"]
estimands = ["theta"]
[margins]
bias = { absolute = 0.5 }
rmse = { relative = 0.2 }
"""


def test_a_file_sets_what_it_names(tmp_path):
    """A file's values are taken, all else keeps its default, and what is compared follows."""
    path = tmp_path / "margins.toml"
    path.write_text(FILE)
    rules = read_rules(path)
    assert (rules.alpha, rules.level, rules.estimands) == (0.01, 0.8, ("theta",))
    assert rules.margins["bias"] == Margin(size=0.5, unit="absolute")
    assert rules.margins["crps"] == MARGINS["crps"]
    table = simstudy.compare(small_run(), small_run(seed=2), margins=path).table
    assert set(table["measure"]) == {"bias", "rmse"}
    assert set(table["estimand"]) == {"theta"}
    bias, rmse = (table[table["measure"] == name] for name in ("bias", "rmse"))
    assert set(bias["margin"]) == {0.5}
    assert (rmse["margin"] / rmse["baseline"]).tolist() == pytest.approx([0.2] * len(rmse))


def test_margins_decide_what_matters():
    """The same moved means are a change or the same, as the margin is below or above the move."""
    run = small_run(methods=("none",), failure_rate=0.0)
    for size, verdict in ((0.2, "changed"), (0.4, "same")):
        margins = {"measures": ["bias"], "estimands": ["mu", "theta"][1:], "margins": {"bias": {"posterior_sd": size}}}
        table = simstudy.compare(run, moved(run, 0.3, noise=0.03), margins=margins).table
        assert set(table["verdict"]) == {verdict}


def test_the_level_is_that_of_the_intervals():
    """Coverage and interval score are compared at the level asked for."""
    for level in (0.5, 0.95):
        table = simstudy.compare(small_run(), small_run(), margins={"level": level}).table
        assert set(table["level"].dropna()) == {level}
        assert set(table.loc[table["level"].notna(), "measure"]) == {"coverage", "interval_score"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alfa = 0.1", "unknown key 'alfa'; did you mean 'alpha'?; expected some of alpha, level"),
        ("alpha = 5", "alpha: expected a number between 0 and 1, got 5"),
        ("alpha = true", "alpha: expected a number between 0 and 1, got True"),
        ("[margins]\ncoverag = { absolute = 0.1 }", "margins: unknown key 'coverag'; did you mean 'coverage'?"),
        ("[margins]\nbias = 0.1", "margins.bias: expected one of absolute, relative, posterior_sd, such as"),
        ("[margins]\nbias = { absolut = 0.1 }", "margins.bias: unknown key 'absolut'; did you mean 'absolute'?"),
        ("[margins]\nbias = { absolute = -1 }", "margins.bias.absolute: expected a positive number, got -1"),
        ("[margins]\ndivergence_rate = { posterior_sd = 1 }", "unknown key 'posterior_sd'; expected some of absolute"),
        ("margins = 3", "margins: expected a table of measures, got 3"),
        ('measures = ["biass"]', "measures: unknown key 'biass'; did you mean 'bias'?"),
        ("measures = []", "measures: expected a list of names, got []"),
        ("time_reference = 1", "time_reference: expected a name, got 1"),
        ('pairs = "require"', "pairs: expected one of welcome, required, got 'require'; did you mean 'required'?"),
        ("alpha = ", "no valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, text, words):
    """The message names file, key and value, and what is allowed."""
    path = tmp_path / "margins.toml"
    path.write_text(text)
    with pytest.raises(ComparisonError) as error:
        read_rules(path)
    assert words in str(error.value)
    assert str(error.value).startswith(str(path))


def test_pairs_can_be_required():
    """Runs on other data are refused where pairs are required; runs on the same data are compared."""
    run = small_run()
    with pytest.raises(ComparisonError, match="in 2 of 2 scenarios the runs did not see the same data"):
        simstudy.compare(run, small_run(seed=2), margins={"pairs": "required"})
    assert simstudy.compare(run, run, margins={"pairs": "required"}).exit_code == 0


def test_a_missing_file_is_named(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(ComparisonError, match=r"none.toml: cannot be read \(No such file"):
        read_rules(tmp_path / "none.toml")
