"""Made findings: what the sentences and the page are tried on."""

from dataclasses import replace

import numpy as np
import pandas as pd

from simstudy.choosing.findings import Findings
from simstudy.choosing.question import COMPLETE, NONE, PARTIAL, STRUCTURES, ask
from simstudy.choosing.sensitivity import sensitivity

NAMES = (NONE, COMPLETE, PARTIAL)


def made(mse, *, mcse=0.01, **changes):
    """Return findings about the eight schools in which the poolings have given mean squared errors."""
    question = ask("eight_schools", columns={}, priors={}, seed=1)
    tau = np.abs(np.random.default_rng(1).normal(0, 5, 1_000))
    draws = {"tau": tau, "log_lik": -(tau**2) / 50}
    quantities, effects = {"mu": -tau, "tau": tau}, dict.fromkeys(question.labels, tau)
    groups = pd.DataFrame({"label": question.labels, "n": 1, "own": question.dataset.replicate.data.y_mean})
    for method, weight in zip(STRUCTURES, (0.0, 1.0, 0.5), strict=True):
        middle = (1 - weight) * groups["own"] + weight * groups["own"].mean()
        groups = groups.assign(**{method: middle, f"{method} lower": middle - 9, f"{method} upper": middle + 9})
    found = Findings(
        question=question,
        groups=groups.assign(pull=0.5),
        hyperparameters=pd.DataFrame(
            {
                "estimand": ["mu", "tau", "theta_new"],
                "mean": [8.0, 6.0, 8.0],
                "median": [8.0, 5.0, 8.0],
                "lower": [-1.0, 0.4, -9.0],
                "upper": [17.0, 19.0, 25.0],
            }
        ),
        errors=pd.DataFrame(
            {
                "method": list(STRUCTURES),
                "n": 400,
                "rmse": np.sqrt(mse),
                "rmse_mcse": 0.01,
                "coverage": 0.951,
                "coverage_mcse": 0.004,
            }
        ),
        ratios={(a, b): (mse[i] / mse[j], mcse) for i, a in enumerate(NAMES) for j, b in enumerate(NAMES) if i != j},
        sampling=pd.DataFrame(
            {
                "method": ["centered", "non-centered"],
                "n": 20,
                "flagged": [0.5, 0.0],
                "divergent": [0.01, 0.0],
                "divergent_mcse": [0.001, 0.0],
                "ess_per_leapfrog": [0.02, 0.05],
                "ess_per_leapfrog_mcse": [0.001, 0.001],
            }
        ),
        reason="",
        check=pd.DataFrame(
            {"estimand": ["mu", "tau"], "p_value": [0.4, 0.6], "p_holm": [0.8, 0.8], "verdict": "calibrated"}
        ),
        ranks=pd.DataFrame(
            {
                "scenario": "s",
                "method": "non-centered",
                "estimand": "tau",
                "group": pd.NA,
                "rank": np.arange(100) * 10,
                "n_rank": 1_000,
            }
        ),
        sensitivity=sensitivity(draws, "HalfNormal(15)", quantities, effects),
        tau=tau,
        unlike=None,
        conflicts=(),
    )
    return replace(found, **changes)
