"""What every sampler says of itself: its options with their bounds, its identity, and its words for a report."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from simstudy.errors import StudyError
from simstudy.models.options import section_of
from simstudy.samplers import NUTS, SAMPLERS, Exact, NumPyro
from tests.random_walk import RandomWalk

TEXTS = {
    NUTS(): "NUTS, batched: 4 chains of 500 warm-up and 500 draws, maximum tree depth 10, target acceptance 0.8, "
    "float32",
    NumPyro(chains=1, warmup=0, draws=12_000, target_accept=0.95, precision="float64"): "NUTS of NumPyro: 1 chain of "
    "12,000 draws, maximum tree depth 10, target acceptance 0.95, float64",
    Exact(chains=1024): "independent exact draws by quadrature: 1,024 chains of 500 draws, float32",
}


@dataclass(frozen=True, kw_only=True)
class Laplace(RandomWalk):
    """Independent draws of an approximation."""

    words: ClassVar[str] = "Laplace's approximation"
    has_warmup: ClassVar[bool] = False


def test_what_a_sampler_does_not_do_is_not_told():
    """A random walk warms up, and has neither a target acceptance nor a tree; independent draws do not warm up."""
    assert RandomWalk().described == "random-walk Metropolis: 4 chains of 500 warm-up and 500 draws, scale 0.1, float32"
    assert RandomWalk(warmup=0).described == "random-walk Metropolis: 4 chains of 500 draws, scale 0.1, float32"
    assert Laplace().described == "Laplace's approximation: 4 chains of 500 draws, scale 0.1, float32"


@pytest.mark.parametrize("sampler", TEXTS, ids=lambda sampler: sampler.kind)
def test_samplers_are_described_with_their_options(sampler):
    """Chains first, precision last; what has no warm-up or no trajectories says nothing of them."""
    assert sampler.described == TEXTS[sampler]


@pytest.mark.parametrize("family", SAMPLERS.values(), ids=lambda family: family.kind)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chains": 0}, "chains: expected a number of at least 1, got 0"),
        ({"chains": 1025}, "chains: expected a number of at most 1,024, got 1025"),
        ({"warmup": -1}, "warmup: expected a number of at least 0, got -1"),
        ({"draws": 3}, "draws: expected a number of at least 4, got 3"),
        ({"draws": 4.0}, "draws: expected a whole number, got 4.0"),
        ({"target_accept": 1.0}, "target_accept: expected a number below 1, got 1.0"),
        ({"max_treedepth": 21}, "max_treedepth: expected a number of at most 20, got 21"),
        ({"precision": "float16"}, "precision: expected 'float32' or 'float64', got 'float16'"),
    ],
)
def test_options_outside_their_bounds_are_refused(family, options, message):
    """In Python as in a study file: the same bounds in the same words."""
    with pytest.raises(StudyError, match=message):
        family(**options)


@pytest.mark.parametrize("family", SAMPLERS.values(), ids=lambda family: family.kind)
def test_a_section_has_the_options_of_the_family(family):
    """Options and defaults stand once: what a study file may say is what the sampler has."""
    section = section_of(family)(kind=family.kind)
    assert section.model_dump() == family().options
    assert family().changed_options == {"kind": family.kind}
    assert family(draws=1000).changed_options == {"kind": family.kind, "draws": 1000}
