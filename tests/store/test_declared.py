"""What a run declares of its estimands: stored, read, and taken for granted of a run that declares nothing."""

import math

import pandas as pd
import pytest

from simstudy.errors import TableError
from simstudy.models.estimands import OF_GROUPED_MODELS, estimand_of
from simstudy.store import Run, RunWriter
from simstudy.store.declared import Declared
from simstudy.store.schema import ESTIMANDS
from tests.comparison.runs import store
from tests.fakes import fake_run, without_declarations

OWN = {
    "estimand": "alpha",
    "role": "effects",
    "symbol": "α",
    "words": "the plots' yields α",
    "lower": 0.0,
    "center": "field",
    "spread": "spread",
}


@pytest.fixture(scope="module")
def run():
    """A small made-up run that declares its estimands."""
    return fake_run(groups=(4,), group_size=(2,), tau=(0.5,), replicates=4)


@pytest.fixture
def folder(run, tmp_path):
    """It, in a folder."""
    return store(run, tmp_path / "run")


def test_declarations_come_back_as_they_were(run, folder):
    """Table and description are read as they were written, infinite ends of ranges among them, and have checksums."""
    stored = Run.open(folder)
    stored.verify()
    pd.testing.assert_frame_equal(stored.estimands, run.estimands)
    assert stored.description == run.description
    assert Declared.of(stored)["mu"].upper == math.inf
    assert Declared.of(stored)["theta"].center == "mu"


def test_declarations_are_rewritten_when_a_run_goes_on(run, folder):
    """A run that goes on says what it is now; its table has one part."""
    with RunWriter.create_or_continue(folder, run.study) as writer:
        writer.write_estimands(pd.DataFrame([{"method": "none", **OWN}]))
        writer.write_description({"mechanism": {"words": "plots"}})
    stored = Run.open(folder)
    stored.verify()
    assert stored.estimands[["method", "estimand", "symbol"]].to_dict("records") == [
        {"method": "none", "estimand": "alpha", "symbol": "α"}
    ]
    assert stored.description == {"mechanism": {"words": "plots"}}
    assert [path.name for path in (folder / "estimands").iterdir()] == ["estimands.parquet"]


def test_a_run_may_declare_nothing(run, folder):
    """A user's model that says nothing makes an empty table with all columns, not a row of nulls."""
    with RunWriter.create_or_continue(folder, run.study) as writer:
        writer.write_estimands(pd.DataFrame([]))
    assert Run.open(folder).estimands.empty
    assert list(Run.open(folder).estimands) == ESTIMANDS.names


def test_a_wrong_column_is_named(run, folder):
    """A table that does not fit the schema is refused by the name of its column."""
    with RunWriter.create_or_continue(folder, run.study) as writer, pytest.raises(TableError, match="simbol"):
        writer.write_estimands(pd.DataFrame([{"estimand": "alpha", "simbol": "α"}]))


def test_a_run_made_before_reads_as_grouped_models(run, tmp_path):
    """Without table and description the columns are there, and names are those of grouped models."""
    with RunWriter.create_or_continue(tmp_path, run.study) as writer:
        writer.write_methods(run.methods)
        part = run.fits["method"] == "none"
        tables = {name: getattr(run, name) for name in ("fits", "estimates", "timings", "chains")}
        block = {name: table[(table["method"] == "none").to_numpy()] for name, table in tables.items()}
        writer.write_block("block", **block, groups=run.groups)
    assert part.any()
    stored = Run.open(tmp_path)
    assert stored.description == {}
    assert list(stored.estimands) == ESTIMANDS.names
    assert stored.estimands.empty
    assert Declared.of(stored)["tau"] is OF_GROUPED_MODELS["tau"]
    assert Declared.of(without_declarations(run)).effects == (OF_GROUPED_MODELS["theta"],)


def test_the_first_that_says_something_is_believed():
    """Methods together declare an estimand: what one leaves open another may say, and a later one changes nothing."""
    rows = [
        {"method": "a", "estimand": "alpha", "symbol": "α", "role": None, "center": math.nan},
        {"method": "b", **OWN, "symbol": "ɑ"},
    ]
    alpha = Declared.of_rows(rows)["alpha"]
    assert (alpha.symbol, alpha.role, alpha.center, alpha.lower, alpha.upper) == (
        "α",
        "effects",
        "field",
        0.0,
        math.inf,
    )


def test_declared_effects_take_the_place_of_those_of_grouped_models():
    """Who declares effects is asked for their center and spread; estimands keep the order of grouped models first."""
    declared = Declared.of_rows([OWN, {"estimand": "tau", "role": "scale"}])
    assert [effects.name for effects in declared.effects] == ["alpha"]
    assert (declared.centers, declared.spreads) == (["field"], ["spread"])
    assert declared.in_order(["other", "alpha", "mu", "tau"]) == ["mu", "tau", "alpha", "other"]
    assert declared.with_role(["alpha", "theta", "mu"], "effects") == ["theta", "alpha"]


@pytest.mark.parametrize("name", OF_GROUPED_MODELS)
def test_what_is_stored_is_what_was_declared(name):
    """A declaration survives its row of the table, but for what no report needs."""
    said = estimand_of(name)
    read = Declared.of_rows([{"method": "a", "estimand": name, **said.row("natural")}])[name]
    for field in ("role", "symbol", "words", "lower", "upper", "center", "spread", "factor"):
        assert getattr(read, field) == getattr(said, field)
