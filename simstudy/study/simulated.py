"""What one simulated replicate tells of a study with parts of a user's own: estimands, and what the programs say.

A user's part declares little, so a protocol reads the rest: estimands from the truth of one replicate, priors and
observations from the trace of each program on its data.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from simstudy.errors import StudyError
from simstudy.mechanisms import Mechanism
from simstudy.models.latent import latent_sites, traced
from simstudy.models.program_words import site_words
from simstudy.models.unused import unused_numbers
from simstudy.samplers.precision import as_leaves, use_precision
from simstudy.study.methods import Method
from simstudy.types import Replicate

N_DRAWS = 2  # of a posterior that is made up to learn the names and shapes of estimands


def simulated(mechanism: Mechanism, key: np.ndarray, methods: Sequence[Method]) -> dict[str, Any]:
    """Return what a replicate and the users' programs on it say, as JSON values; nothing where no part is a user's.

    Args:
        mechanism: of the first scenario.
        key: of its first replicate.
        methods: of the study.

    Returns:
        ``mechanism`` (whether it is a user's), ``truth`` (estimand -> how many numbers), ``estimates`` (the same, of
        all users' models together) and ``programs``: method -> ``priors`` and ``observed``, a line a site, and
        ``unused``, a line for each leaf of the data of which the program makes nothing of some numbers.

    Raises:
        StudyError: the mechanism or a model cannot be run.
    """
    own = [method for method in methods if method.model.declared is None]
    if not own and mechanism.kind != "user":
        return {}
    (replicate,) = _told("the mechanism", lambda: mechanism.simulate(key[None]))
    told: dict[str, Any] = {"mechanism": mechanism.kind == "user"}
    told |= {"truth": {name: int(np.size(value)) for name, value in replicate.truth.items()}}
    estimates: dict[str, int] = {}
    programs = {}
    for method in own:
        read = partial(_program, method, replicate, is_own=mechanism.kind == "user")
        said, found = _told(f"the model of {method.name!r}", read)
        programs[method.name] = said
        estimates |= found
    return told | {"estimates": estimates, "programs": programs}


def _program(method: Method, replicate: Replicate, *, is_own: bool) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Return what a program says, and the estimands of its model; ``is_own`` data hold nothing in two forms."""
    model = method.model
    with use_precision(method.sampler.precision):
        arrays = as_leaves(jax.tree.map(lambda leaf: leaf[0], model.arrays([replicate.data])), method.sampler.precision)
        sites = site_words(model, arrays)
        unused = unused_numbers(model, arrays) if is_own else {}
        posterior = _made_up(model, arrays)
        estimands = model.estimands(posterior, [replicate.data], np.zeros((1, 2), np.uint32))
    said = {
        "priors": [site.line for site in sites if not site.is_observed],
        "observed": [site.line for site in sites if site.is_observed],
        "unused": [f"{few:,} of the {n:,} numbers of {leaf or 'the data'}" for leaf, (few, n) in unused.items()],
    }
    return said, {name: int(np.prod(draws.shape[3:])) for name, draws in estimands.items()}


def _made_up(model: Any, arrays: Any) -> dict[str, np.ndarray]:
    """Return draws of the shape that a posterior has, all at a starting point."""
    start = {name: site["value"] for name, site in latent_sites(model, arrays).items()}
    sites = traced(model, start, arrays)
    values = {name: site["value"] for name, site in sites.items() if site["type"] == "deterministic"} | start
    return {name: np.broadcast_to(value, (1, 1, N_DRAWS, *np.shape(value))) for name, value in values.items()}


def _told(what: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except StudyError:
        raise
    except (Exception, SystemExit) as error:
        # The program is the user's: whatever it raises is the user's to see.
        raise StudyError(f"{what} cannot be read: {type(error).__name__}: {error}") from error
