"""What compiles when the first fits come counts as compiling, whoever compiles it, and not as sampling."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simstudy.fitting.compiling import Sampling, covered
from simstudy.samplers import Program

N_NESTED = 30  # operations that are unrolled: long to compile, and run in microseconds


class Late(Program):
    """A program that compiles nothing before it samples."""

    def __init__(self):
        self.compile_seconds = 0.0
        self.function = jax.jit(self._slow_to_compile)

    def _slow_to_compile(self, x):
        for i in range(N_NESTED):
            x = jnp.sort(jax.jit(jnp.cos)(x + i))
        return x

    def sample(self, arrays, keys):
        return np.asarray(self.function(arrays))


class Outside(Late):
    """A program that compiles without JAX, and says how long it took."""

    def sample(self, arrays, keys):
        self.compile_seconds += 0.2
        time.sleep(0.3)


def timed(program, *, size=3):
    sampling = Sampling(program)
    with sampling.timed():
        program.sample(np.arange(size, dtype=np.float32), np.zeros((1, 2), np.uint32))
    return sampling


def test_what_jax_compiles_while_it_samples_is_no_sampling():
    """The first call is nearly all compiling, the second compiles nothing, and data of another shape do again."""
    program = Late()
    first, second, other = timed(program), timed(program), timed(program, size=4)
    for compiling in (first, other):
        assert compiling.compile_seconds > 0.8 * (compiling.compile_seconds + compiling.run_seconds)
    assert second.compile_seconds == 0.0
    assert second.run_seconds > 0


def test_what_a_program_adds_to_its_own_seconds_is_no_sampling():
    """Of .3 seconds in all, .2 that the program told are compiling."""
    sampling = timed(Outside())
    assert sampling.compile_seconds == pytest.approx(0.2)
    assert sampling.run_seconds >= 0.1
    assert sampling.compile_seconds + sampling.run_seconds >= 0.3


def test_compiling_outside_is_not_counted():
    """What is compiled before and after is no part of it."""
    Late().sample(np.arange(5, dtype=np.float32), None)
    program = Late()
    timed(program)
    again = timed(program)
    Late().sample(np.arange(6, dtype=np.float32), None)
    assert again.compile_seconds == 0.0


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [([], 0), ([(0, 1), (2, 4)], 3), ([(0, 4), (1, 2), (3, 5)], 5), ([(1, 2), (0, 3), (0, 3)], 3)],
)
def test_time_that_lies_in_several_spans_counts_once(spans, seconds):
    """Tracing a function traces those within it: their times lie in each other."""
    assert covered(spans) == seconds


def test_a_block_of_an_own_sampler_has_its_compiling_apart(walk):
    """The tests' random walk compiles when the first fits come, for seconds; 12 fits of 300 steps take a tenth."""
    blocks = walk.timings[walk.timings["method"] == "walk"]
    assert blocks["compile_seconds"].sum() > blocks["run_seconds"].sum() > 0
    assert not blocks["warm"].any()
