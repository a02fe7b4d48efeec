"""What every contestant fits: J = 8 groups of n = 10, normal partial pooling, non-centered, 4 chains of 500 + 500.

The model, written out for each peer in its own language:

    mu ~ Normal(0, 10), tau ~ HalfNormal(5), sigma ~ Exponential(1), theta_j = mu + tau z_j, z_j ~ Normal(0, 1),
    y_ij ~ Normal(theta_j, sigma).

Peers are given what the batched sampler is given: the groups' means and the sum of squares within groups, which are
sufficient. Their slower form on raw observations, which a tutorial shows, is measured where it is asked for.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from simstudy.study.study import Study
from simstudy.types import GroupedData

CHAINS, WARMUP, DRAWS = 4, 500, 500
PARAMETERS = ("mu", "tau", "sigma", "theta")  # what is held to the exact posterior and enters the minimum ESS
SEED = 20260107


def study_of(
    fits: int, *, structure: str = "partial", groups: int = 8, group_size: int = 10, seed: int = SEED
) -> Study:
    """Return the study with so many fits; its data sets are those of every peer."""
    return Study.from_dict(
        {
            "study": {"name": "peers", "seed": seed, "replicates": fits},
            "mechanism": {
                "kind": "exchangeable",
                "groups": groups,
                "group_size": group_size,
                "mu": 0.0,
                "tau": 1.0,
                "sigma": 1.0,
            },
            "method": [{"name": structure, "structure": structure}],
            "sampler": {"kind": "nuts", "chains": CHAINS, "warmup": WARMUP, "draws": DRAWS},
        }
    )


def data_sets(study: Study, fits: int) -> list[GroupedData]:
    """Return the first data sets of a study."""
    scenario = study.scenarios[0]
    keys = np.stack([study.data_key(scenario, replicate) for replicate in range(fits)])
    return [replicate.data for replicate in scenario.mechanism.simulate(keys)]


def statistics(data: GroupedData) -> dict[str, np.ndarray]:
    """Return what the likelihood needs: ``n`` and ``y_mean`` (group,), ``y_ss`` the pooled sum of squares within."""
    return {"n": data.n_obs.astype(np.float32), "y_mean": data.y_mean, "y_ss": data.y_ss.sum()}


def raw(data: GroupedData) -> dict[str, np.ndarray]:
    """Return the observations and the group of each."""
    return {"y": data.y, "group_of": data.group_of}


ARRAYS: Mapping[str, Any] = {"sufficient": statistics, "raw": raw}
