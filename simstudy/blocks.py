"""Blocks: fits of one method and one shape, the unit that is computed, stored and continued.

The plan of a study is a pure function of the study; what is stored already is taken out of it. The first block of a
program is small, so that rows appear early.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace

from simstudy.design import Scenario
from simstudy.methods import Method
from simstudy.model import HierarchicalModel
from simstudy.study import Study


@dataclass(frozen=True, kw_only=True)
class Block:
    """Fits of one method and one shape.

    Args:
        study: the whole study.
        method: index of the method.
        fits: (scenario index, replicate) of each fit.
        keep_draws: replicates below this number keep their draws.
    """

    study: Study
    method: int
    fits: tuple[tuple[int, int], ...]
    keep_draws: int = 0

    @property
    def batch(self) -> str:
        """Identity of the block: its method and its fits."""
        scenarios = [self.study.scenarios[s].identity for s, _ in self.fits]
        text = repr([(scenario, r) for scenario, (_, r) in zip(scenarios, self.fits, strict=True)])
        return f"{self.study.methods[self.method].identity}-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"

    @property
    def program(self) -> str:
        """Name of the compiled program that the block needs, as far as it is known before simulation."""
        method = self.study.methods[self.method]
        shape = method.sampler.program_shape(shape_of(self.study.scenarios[self.fits[0][0]], method))
        return f"{method.identity}-{hashlib.blake2b(repr(shape).encode(), digest_size=4).hexdigest()}"

    def split(self) -> tuple["Block", "Block"] | None:
        """Return two halves, or None for a block of one fit."""
        if len(self.fits) == 1:
            return None
        half = len(self.fits) // 2
        return replace(self, fits=self.fits[:half]), replace(self, fits=self.fits[half:])


def shape_of(scenario: Scenario, method: Method) -> Hashable:
    """Return ``Model.shape`` of a scenario's data, or its identity where that is not known before simulation."""
    sizes = scenario.mechanism.shape
    if not isinstance(method.model, HierarchicalModel):
        return scenario.identity
    return (len(sizes), sum(sizes)) if method.model.observations == "raw" else (len(sizes),)


def plan_blocks(study: Study, is_stored: Callable[[str, str, int], bool], *, keep_draws: int = 0) -> list[Block]:
    """Return the blocks that a study still needs, first blocks of all programs first.

    Args:
        study: the study.
        is_stored: ``(scenario, method name, replicate) -> bool``, whether a fit is in the run already.
        keep_draws: replicates below this number keep their draws.
    """
    blocks = []
    for m, method in enumerate(study.methods):
        shapes: dict[Hashable, list[int]] = {}
        for s, scenario in enumerate(study.scenarios):
            shapes.setdefault(shape_of(scenario, method), []).append(s)
        for scenarios in shapes.values():
            for number, fits in enumerate(_chunks(study, method, scenarios)):
                missing = [(s, r) for s, r in fits if not is_stored(study.scenarios[s].identity, method.name, r)]
                if missing:
                    blocks.append((number, Block(study=study, method=m, fits=tuple(missing), keep_draws=keep_draws)))
    return [block for _, block in sorted(blocks, key=lambda numbered: numbered[0])]


def _chunks(study: Study, method: Method, scenarios: list[int]) -> Iterator[list[tuple[int, int]]]:
    """Yield the fits of one program in blocks, replicate by replicate, so that no scenario waits for another."""
    fits = [(s, r) for r in range(study.replicates) for s in scenarios]
    first, others = method.sampler.fits_at_once, method.sampler.fits_per_block
    yield fits[:first]
    for start in range(first, len(fits), others):
        yield fits[start : start + others]
