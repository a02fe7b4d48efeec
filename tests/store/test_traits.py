"""Traits of mechanisms and methods: as a run says them, or by the names of families where it was made before."""

from dataclasses import replace

import pandas as pd
import pytest

from simstudy.store import Run
from simstudy.store.traits import exact_samplers, has_fixed_data, has_normal_means, pooling_of
from tests.comparison.runs import store
from tests.fakes import EXACT, METHODS, fake_run, without_declarations

NEW = (*METHODS, *EXACT)


@pytest.fixture(scope="module")
def run():
    """A run with an exact method."""
    return fake_run(groups=(4,), group_size=(2,), tau=(0.5,), replicates=4, methods=NEW)


@pytest.fixture(scope="module")
def runs(run, tmp_path_factory):
    """It, in memory, in a folder, and as one made before."""
    return [run, Run.open(store(run, tmp_path_factory.mktemp("runs") / "run")), without_declarations(run)]


def test_exact_samplers_are_known_in_every_run(runs):
    """Truth values in memory, as text in a folder, and the kind of the sampler in a run made before agree."""
    assert [exact_samplers(run) for run in runs] == [frozenset(EXACT)] * 3


def test_pooling_is_known_in_every_run(runs):
    """The column of a run, or its structures in one made before; methods that say neither play no part."""
    parts = [pooling_of(run.methods).tolist() for run in runs]
    assert parts == [["complete", "none", "partial", "partial", "partial"]] * 3
    assert pooling_of(pd.DataFrame({"method": ["a"]})).isna().all()


def test_a_strangers_structure_is_not_read_as_a_part():
    """Where a run says the parts, the name of a structure says nothing: a stranger's may be called partial."""
    methods = pd.DataFrame({"method": ["a", "b"], "structure": ["partial", "mine"], "pooling": [None, "partial"]})
    assert (pooling_of(methods) == "partial").tolist() == [False, True]


def test_what_a_mechanism_says_counts_more_than_its_name(run):
    """Fixed data and normal means are said in the description; names stand in for it in runs made before."""
    assert not has_fixed_data(run.study, run.description)
    assert has_normal_means(run).all()
    said = {"mechanism": {"has_fixed_data": True, "has_normal_means": False}}
    assert has_fixed_data(run.study, said)
    assert not has_normal_means(replace(run, description=said)).any()
    before = without_declarations(fake_run(replication="sampler", replicates=2))
    assert has_fixed_data(before.study, before.description)
    assert has_normal_means(before).all()
    binomial = before.scenarios.assign(likelihood="binomial")
    assert not has_normal_means(replace(before, scenarios=binomial)).any()
