"""What a NumPyro program says of its sites, read from its trace: each site's distribution in words.

An argument that is another site, a leaf of the data or a number is named or written; of any other it is said which
sites and leaves it is made of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpyro import distributions as dist

from simstudy.models.axes import named_leaves
from simstudy.models.latent import inputs_used, latent_sites, traced
from simstudy.models.model import Model
from simstudy.types import PyTree

WRAPPERS = (dist.MaskedDistribution, dist.ExpandedDistribution, dist.Independent)
TRUNCATED = "TruncatedDistribution"


@dataclass(frozen=True, kw_only=True)
class SiteWords:
    """A site of a program.

    Args:
        name: of the site.
        distribution: in words, such as ``Normal(mu, tau)``.
        depends_on: the latent and deterministic sites that its distribution is made of.
        size: how many numbers it has.
        plates: the plates that it stands in.
        is_observed: whether the data are its value.
        is_masked: whether a mask takes some of its numbers out of the density.
    """

    name: str
    distribution: str
    depends_on: tuple[str, ...]
    size: int
    plates: tuple[str, ...]
    is_observed: bool
    is_masked: bool

    @property
    def line(self) -> str:
        """All of it in one line."""
        said = [f"{self.name} ~ {self.distribution}"]
        if self.size != 1:
            over = f" over the plate{'s' if len(self.plates) > 1 else ''} {_listed(self.plates)}" if self.plates else ""
            said.append(f"{self.size:,} numbers{over}")
        if self.depends_on:
            said.append(f"a distribution that depends on {_listed(self.depends_on)}")
        if self.is_masked:
            said.append("some of them masked")
        return ", ".join(said)


def site_words(model: Model, example: PyTree) -> list[SiteWords]:
    """Return the sites of a program with a distribution, in its order.

    Args:
        model: any model.
        example: the arrays of one data set.

    Raises:
        StudyError: as for ``latent_sites``.
    """
    latent = {name: site["value"] for name, site in latent_sites(model, example).items()}
    trace = traced(model, latent, example)
    sites = {name: site for name, site in trace.items() if site["type"] == "sample"}
    values = {name: np.asarray(s["value"]) for name, s in trace.items() if s["type"] == "deterministic"}
    values = {**{name: np.asarray(value) for name, value in latent.items()}, **values}
    leaves = {name: np.asarray(leaf) for name, leaf in named_leaves(example).items()}
    owners = [(name, argument) for name, site in sites.items() for argument in _arguments(_bare(site["fn"]))]

    def arguments(latent: Mapping[str, jax.Array], example: PyTree) -> list[Any]:
        again = traced(model, latent, example)
        return [_arguments(_bare(again[name]["fn"]))[argument] for name, argument in owners]

    used = dict(zip(owners, inputs_used(arguments, latent, example), strict=True)) if owners else {}
    told = []
    for name, site in sites.items():
        bare, words, of = _bare(site["fn"]), {}, set[str]()
        for argument, value in _arguments(bare).items():
            flags = used[(name, argument)]
            of_sites = [n for n, is_used in zip(sorted(latent), flags, strict=False) if is_used]
            of_data = [n for n, is_used in zip(leaves, flags[len(latent) :], strict=True) if is_used]
            words[argument], direct = _argument_words(np.asarray(value), of_sites, of_data, values, leaves)
            of |= set(direct)
        told.append(
            SiteWords(
                name=name,
                distribution=_distribution_words(bare, words),
                depends_on=tuple(name for name in values if name in of),
                size=int(np.size(site["value"])),
                plates=tuple(frame.name for frame in site["cond_indep_stack"]),
                is_observed=bool(site["is_observed"]),
                is_masked=_is_masked(site["fn"]),
            )
        )
    return told


def _bare(distribution: Any) -> Any:
    """Return a distribution without what only repeats, groups or masks it."""
    while isinstance(distribution, WRAPPERS):
        distribution = distribution.base_dist
    return distribution


def _is_masked(distribution: Any) -> bool:
    while isinstance(distribution, WRAPPERS):
        if isinstance(distribution, dist.MaskedDistribution) and distribution._mask is not True:
            return not bool(np.all(np.asarray(distribution._mask)))
        distribution = distribution.base_dist
    return False


def _arguments(distribution: Any) -> dict[str, Any]:
    """Return what a distribution was made of: its own arguments, and those of what it truncates or transforms."""
    if type(distribution) is dist.TransformedDistribution or type(distribution).__name__.endswith(TRUNCATED):
        inner = _arguments(_bare(distribution.base_dist))
        bounds = {name: distribution.__dict__[name] for name in ("low", "high") if name in distribution.__dict__}
        return {**inner, **bounds}
    given = distribution.__dict__
    named = {name: given[name] for name in distribution.arg_constraints if given.get(name) is not None}
    return {name: value for name, value in named.items() if not callable(value)}


def _distribution_words(distribution: Any, arguments: Mapping[str, str]) -> str:
    name = type(distribution).__name__
    if isinstance(distribution, dist.ImproperUniform):
        return "a flat prior"
    if isinstance(distribution, dist.Unit):
        return f"a factor of the density, {arguments.get('log_factor', '')} on the log scale"
    if name.endswith(TRUNCATED):
        bounds = [arguments.get("low", "−∞"), arguments.get("high", "∞")]
        inner = {k: v for k, v in arguments.items() if k not in ("low", "high")}
        return f"{_distribution_words(_bare(distribution.base_dist), inner)} truncated to ({', '.join(bounds)})"
    if type(distribution) is dist.TransformedDistribution:
        how = " then ".join(type(t).__name__.removesuffix("Transform").lower() for t in distribution.transforms)
        return f"{_distribution_words(_bare(distribution.base_dist), arguments)} transformed by {how}"
    kind = name.removesuffix("Probs").removesuffix("Logits")
    said = [f"logits {words}" if argument == "logits" else words for argument, words in arguments.items()]
    return f"{kind}({', '.join(said)})"


def _argument_words(
    value: np.ndarray,
    of_sites: Sequence[str],
    of_data: Sequence[str],
    sites: Mapping[str, np.ndarray],
    leaves: Mapping[str, np.ndarray],
) -> tuple[str, Sequence[str]]:
    """Return what an argument is, and which sites it is made of, as far as one of them alone is not the argument."""
    if not of_sites and not of_data:
        return _constant(value), ()
    # Starting points are random, so that equal numbers are no chance.
    if of_sites:
        for name, known in sites.items():
            if _is(value, known):
                return name, (name,)
        for name, known in sites.items():
            if known.size > 1 and known.ndim == 1 and np.isin(value, known).all():
                return (f"{name}[{of_data[0]}]" if len(of_data) == 1 else f"{name}[...]"), (name,)
    elif len(of_data) == 1 and _is(value, leaves[of_data[0]]):
        return of_data[0], ()
    return f"a function of {_listed([*of_sites, *of_data])}", of_sites


def _is(value: np.ndarray, known: np.ndarray) -> bool:
    """Whether a value is a known one, in whatever shape, or that repeated."""
    if value.size == known.size:
        return np.array_equal(value.ravel(), known.ravel())
    try:
        return bool(np.array_equal(value, np.broadcast_to(known, value.shape)))
    except ValueError:
        return False


def _constant(value: np.ndarray) -> str:
    if value.size and (value == value.flat[0]).all():
        return f"{value.flat[0]:g}"
    return f"{value.size} numbers from {value.min():g} to {value.max():g}" if value.size else "nothing"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
