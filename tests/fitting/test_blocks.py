"""The plan of a study: which fits make up which block, and what is left of it when some are stored."""

import pickle

import numpy as np
import pytest

from simstudy.fitting.blocks import plan_blocks
from simstudy.study.study import Study


@pytest.fixture(scope="module")
def study():
    """Three scenarios of two shapes, two methods, 300 replicates: more than one block for each program."""
    return Study.from_dict(
        {
            "study": {"name": "plan", "replicates": 300},
            "mechanism": {"kind": "exchangeable", "sizes": [[2, 2], [2, 2, 2], [3, 3]]},
            "method": [{"name": "none", "structure": "none"}, {"name": "complete", "structure": "complete"}],
            "sampler": {"kind": "numpyro"},
        }
    )


def fits_of(blocks):
    return [(block.method, *fit) for block in blocks for fit in block.fits]


def test_every_fit_is_in_one_block(study):
    """A plan has each scenario, method and replicate once, and no block mixes shapes."""
    blocks = plan_blocks(study, {})
    assert sorted(fits_of(blocks)) == [(m, s, r) for m in range(2) for s in range(3) for r in range(300)]
    assert {frozenset(s for s, _ in block.fits) for block in blocks} == {frozenset({0, 2}), frozenset({1})}


def test_what_is_stored_is_not_planned(study):
    """Stored replicates, scattered or whole blocks of them, are left out; all others stay."""
    rng = np.random.default_rng(1)
    stored = {
        (study.scenarios[0].identity, "none"): np.sort(rng.choice(300, 40, replace=False)),
        (study.scenarios[1].identity, "complete"): np.arange(300),
    }
    index = {scenario.identity: s for s, scenario in enumerate(study.scenarios)}
    done = {(["none", "complete"].index(m), index[s], int(r)) for (s, m), rows in stored.items() for r in rows}
    assert set(fits_of(plan_blocks(study, stored))) == set(fits_of(plan_blocks(study, {}))) - done


def test_halves_of_a_block_are_the_block(study):
    """A block splits in two without losing or repeating a fit, and one fit cannot be split."""
    block = max(plan_blocks(study, {}), key=lambda b: len(b.fits))
    halves = block.split()
    assert [*halves[0].fits, *halves[1].fits] == list(block.fits)
    while (parts := block.split()) is not None:
        block = parts[0]
    assert len(block.fits) == 1


def test_plans_do_not_grow_with_replicates(study):
    """Hundreds of times the replicates make more blocks, but none larger: the fits of a block are not listed."""
    few, many = (
        max(len(pickle.dumps(b.fits)) for b in plan_blocks(study.with_replicates(n), {})) for n in (300, 10**5)
    )
    assert many < few + 50
