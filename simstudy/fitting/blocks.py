"""Blocks: fits of one method and one shape, the unit that is computed, stored and continued.

The plan of a study is a pure function of the study; what is stored already is taken out of it. The first block of a
program is small, so that rows appear early. Where only data can tell their shape, one replicate of each scenario is
simulated to know which scenarios share a program; a block then holds one scenario, since a simulator that fails takes
its block with it.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from simstudy.study.methods import Method
from simstudy.study.study import Study

Fit = tuple[int, int]
Stored = Mapping[tuple[str, ...], np.ndarray]
NOTHING = np.array([], dtype=np.int64)
MOST_DRAWN = 2**27  # numbers of all draws of a block, one for each group: half a GiB in float32
MOST_OBSERVED = 2**26  # raw observations of a block: half a GiB in float64


@dataclass(frozen=True, kw_only=True)
class FitRange(Sequence[Fit]):
    """Consecutive fits of a program, replicate by replicate, by their places: (scenario index, replicate) of each.

    Args:
        scenarios: indices of the scenarios that share the program.
        places: which fits, counted through the scenarios of replicate 0, then those of replicate 1, and so on.

    >>> list(FitRange(scenarios=(4, 7), places=range(1, 4)))
    [(7, 0), (4, 1), (7, 1)]
    """

    scenarios: tuple[int, ...]
    places: range

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Fit: ...

    @overload
    def __getitem__(self, index: slice) -> "FitRange": ...

    def __getitem__(self, index: int | slice) -> "Fit | FitRange":
        if isinstance(index, slice):
            return replace(self, places=self.places[index])
        replicate, scenario = divmod(self.places[index], len(self.scenarios))
        return self.scenarios[scenario], replicate

    def per_scenario(self) -> Counter[int]:
        """Return the number of fits of each scenario that has any, going through no more of them than once each.

        >>> FitRange(scenarios=(4, 7), places=range(1, 4)).per_scenario()
        Counter({7: 2, 4: 1})
        """
        each, more = divmod(len(self), len(self.scenarios))
        counts = Counter(dict.fromkeys(self.scenarios, each) if each else ())
        counts.update(scenario for scenario, _ in self[:more])
        return counts


@dataclass(frozen=True, kw_only=True)
class Block:
    """Fits of one method and one shape.

    Args:
        study: the whole study.
        method: index of the method.
        fits: (scenario index, replicate) of each fit.
        keep_draws: replicates below this number keep their draws.
        shape: ``Model.shape`` of the data where a simulated replicate told it, else None.
    """

    study: Study
    method: int
    fits: Sequence[Fit]
    keep_draws: int = 0
    shape: Hashable = None

    @property
    def batch(self) -> str:
        """Identity of the block: its method and its fits."""
        scenarios = [self.study.scenarios[s].identity for s, _ in self.fits]
        text = repr([(scenario, r) for scenario, (_, r) in zip(scenarios, self.fits, strict=True)])
        return f"{self.study.methods[self.method].identity}-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"

    @property
    def program(self) -> str:
        """Name of the compiled program that the block needs; that of its scenario where no shape is known."""
        method, scenario = self.study.methods[self.method], self.study.scenarios[self.fits[0][0]]
        shape = method.model.known_shape(scenario.mechanism.shape) if self.shape is None else self.shape
        of_program = scenario.identity if shape is None else method.sampler.program_shape(method.model, shape)
        return f"{method.identity}-{hashlib.blake2b(repr(of_program).encode(), digest_size=4).hexdigest()}"

    def per_scenario(self) -> Counter[int]:
        """Return the number of fits of each scenario, by its index."""
        return self.fits.per_scenario() if isinstance(self.fits, FitRange) else Counter(s for s, _ in self.fits)

    def split(self) -> tuple["Block", "Block"] | None:
        """Return two halves, or None for a block of one fit."""
        if len(self.fits) == 1:
            return None
        half = len(self.fits) // 2
        return replace(self, fits=self.fits[:half]), replace(self, fits=self.fits[half:])


def plan_blocks(study: Study, stored: Stored, *, keep_draws: int = 0) -> list[Block]:
    """Return the blocks that a study still needs, first blocks of all programs first.

    Blocks of which nothing is stored hold no list of their fits, so that a plan takes no room that grows with the
    number of replicates.

    Args:
        study: the study.
        stored: (scenario, method name) -> sorted replicates that are in the run already.
        keep_draws: replicates below this number keep their draws.
    """
    blocks = []
    for m, method in enumerate(study.methods):
        for scenarios in _of_one_shape(study, method, range(len(study.scenarios))):
            done = _places([stored.get((study.scenarios[s].identity, method.name), NOTHING) for s in scenarios])
            for number, fits in enumerate(_chunks(study, method, scenarios)):
                if missing := _missing(fits, done):
                    blocks.append((number, Block(study=study, method=m, fits=missing, keep_draws=keep_draws)))
    return _with_shapes(study, [block for _, block in sorted(blocks, key=lambda numbered: numbered[0])])


def blocks_of(study: Study, method: int, fits: Sequence[Fit]) -> list[Block]:
    """Return blocks of some fits of a method, in which scenarios of one shape are together.

    Args:
        study: the study.
        method: index of the method.
        fits: (scenario index, replicate) of each fit.
    """
    blocks, of_method = [], study.methods[method]
    for scenarios in _of_one_shape(study, of_method, sorted({s for s, _ in fits})):
        some = [fit for fit in fits if fit[0] in scenarios]
        most = min(of_method.sampler.fits_per_block, _most_fits(study, of_method, scenarios))
        blocks += [Block(study=study, method=method, fits=some[i : i + most]) for i in range(0, len(some), most)]
    return blocks


def _of_one_shape(study: Study, method: Method, scenarios: Iterable[int]) -> list[list[int]]:
    """Return the scenarios whose data have one shape together, and each of which only data can tell by itself."""
    shapes: dict[Hashable, list[int]] = {}
    for s in scenarios:
        known = method.model.known_shape(study.scenarios[s].mechanism.shape)
        shapes.setdefault(study.scenarios[s].identity if known is None else known, []).append(s)
    return list(shapes.values())


def _with_shapes(study: Study, blocks: list[Block]) -> list[Block]:
    """Return the blocks with the shapes that one replicate of their scenario tells."""
    unknown: dict[int, set[int]] = {}
    for block in blocks:
        s = block.fits[0][0]
        if study.methods[block.method].model.known_shape(study.scenarios[s].mechanism.shape) is None:
            unknown.setdefault(s, set()).add(block.method)
    told = {(s, m): shape for s, of in unknown.items() for m, shape in _simulated_shapes(study, s, of).items()}
    return [replace(block, shape=told.get((block.fits[0][0], block.method))) for block in blocks]


def _simulated_shapes(study: Study, s: int, methods: Collection[int]) -> dict[int, Hashable]:
    """Return method -> ``Model.shape`` of the first replicate of a scenario; no shape where the user's code fails."""
    scenario, shapes = study.scenarios[s], {}
    with suppress(Exception, SystemExit), np.errstate(all="ignore"):
        # Whatever is raised here is raised again where the fits are made, and is their reason.
        (first,) = scenario.mechanism.simulate(study.data_key(scenario, 0)[None])
        for m in methods:
            shapes[m] = study.methods[m].model.shape(first.data)
    return shapes


def _chunks(study: Study, method: Method, scenarios: list[int]) -> Iterator[FitRange]:
    """Yield the fits of one program in blocks, replicate by replicate, so that no scenario waits for another."""
    fits = FitRange(scenarios=tuple(scenarios), places=range(study.replicates * len(scenarios)))
    most = _most_fits(study, method, scenarios)
    first, others = min(method.sampler.fits_at_once, max(1, most // 2)), min(method.sampler.fits_per_block, most)
    yield fits[:first]
    for start in range(first, len(fits), others):
        yield fits[start : start + others]


def _most_fits(study: Study, method: Method, scenarios: list[int]) -> int:
    """Return how many fits a block may have, at least 1, so that its draws and its data stay within bounds.

    All draws and raw observations of a block are held at once, and a time limit ends between blocks.
    """
    sizes = [study.scenarios[s].mechanism.sizes_of_data for s in scenarios]
    drawn = method.sampler.chains * method.sampler.draws * max(map(len, sizes))
    return max(1, min(MOST_DRAWN // max(drawn, 1), MOST_OBSERVED // max(1, *map(sum, sizes))))


def _places(stored: list[np.ndarray]) -> np.ndarray:
    """Return the sorted places, as ``FitRange`` counts them, of the replicates that are stored for each scenario."""
    places = [done.astype(np.int64) * len(stored) + i for i, done in enumerate(stored) if len(done)]
    return np.sort(np.concatenate(places)) if places else NOTHING


def _missing(fits: FitRange, done: np.ndarray) -> Sequence[Fit]:
    """Return the fits whose places are not among the sorted places of stored fits."""
    start, stop = np.searchsorted(done, [fits.places.start, fits.places.stop])
    if start == stop:
        return fits
    known = set(done[start:stop].tolist())
    return tuple(fit for place, fit in zip(fits.places, fits, strict=True) if place not in known)
