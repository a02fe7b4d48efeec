"""The four studies behind an answer: the data fitted exactly, by the sampler, data like them, and the check.

Each is a run like any other, in a folder that is gone afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from simstudy.choosing.question import EXACT, PARTIAL, STRUCTURES, Question
from simstudy.mechanisms import Fitted, Mechanism
from simstudy.mechanisms.augmented import Augmented
from simstudy.running.runner import run
from simstudy.store import Run
from simstudy.store.kept import kept_fits
from simstudy.study.design import Scenario
from simstudy.study.methods import methods_of
from simstudy.study.study import Study
from simstudy.study.study_file import DiagnosticsSection
from simstudy.study.units import at_home

CENTERED, NONCENTERED = "centered", "non-centered"
PARAMETERIZATIONS = {CENTERED: "centered", NONCENTERED: "noncentered"}
NUTS: dict[str, Any] = {"kind": "nuts", "chains": 4, "warmup": 500, "draws": 1000, "target_accept": 0.9}
CHECKED: dict[str, Any] = {**NUTS, "chains": 2, "draws": 500}
QUICK_EXACT: dict[str, Any] = {**EXACT, "chains": 1, "draws": 500}
QUICK_NUTS: dict[str, Any] = {"kind": "nuts", "chains": 2, "warmup": 300, "draws": 400}
SEEDS, CHECKS = 10, 100
ONE_FIT = DiagnosticsSection(max_rhat=1.01, min_ess=400, max_divergence_rate=0.0)
"""What flags a fit whose posterior is the answer (Vehtari et al. 2021), not one of many."""
MOST_SIMULATED, FEWEST_SIMULATED = 400, 40
MOST_OBSERVATIONS = 20_000_000  # simulated around the posterior, all replicates together
Draws = Mapping[str, np.ndarray]
Kind = Literal["simulation", "calibration"]


def fit_data(question: Question, folder: Path) -> tuple[Run, Draws]:
    """Fit the three models exactly; return the run, and the joint draws of partial pooling.

    Returns:
        The run, and estimand -> (draw, *group) float64; empty where partial pooling could not be fitted.
    """
    fitted = run(question.study, out=folder, workers=0, keep_draws=1, quiet=True)
    kept = list(kept_fits(folder, question.study.scenarios[0].identity, PARTIAL))
    posterior = kept[0].posterior if kept else {}
    return fitted, {name: v.reshape(-1, *v.shape[2:]).astype(float) for name, v in posterior.items()}


def sample_data(question: Question, folder: Path, *, workers: int | None) -> Run:
    """Fit partial pooling with the sampler in both parameterizations, from several seeds."""
    study = _study(question, question.dataset, _sampled(question, list(PARAMETERIZATIONS)), NUTS, replicates=SEEDS)
    return run(replace(study, diagnostics=ONE_FIT), out=folder, workers=workers, quiet=True)


def fit_simulated(question: Question, draws: Draws, folder: Path, *, workers: int | None) -> Run:
    """Fit the three models to data simulated around the posterior, at the sizes of the data.

    Hyperparameters are drawn from the posterior of partial pooling for each data set, and effects of new groups from
    them. Where the posterior takes too long by quadrature (a binomial's), the sampler fits instead.
    """
    data, likelihood = question.dataset.replicate.data, question.dataset.likelihood
    names = ["mu", "tau", *(p.name for p in likelihood.parameters)]
    parameters = {name: tuple(map(float, draws[name])) for name in names}
    mechanism = Fitted(
        likelihood=likelihood,
        sizes=tuple(map(int, data.n_obs)),
        standard_errors=None if data.known_se is None else tuple(map(float, data.known_se)),
        draws=parameters,
    )
    sections = [
        {"name": name, "structure": structure, "priors": question.priors(name)}
        for name, structure in STRUCTURES.items()
    ]
    is_quick = likelihood.exact_form is not None and likelihood.exact_form.startswith("normal")
    replicates = int(np.clip(MOST_OBSERVATIONS // data.n_obs.sum(), FEWEST_SIMULATED, MOST_SIMULATED))
    study = _study(question, mechanism, sections, QUICK_EXACT if is_quick else QUICK_NUTS, replicates=replicates)
    return run(study, out=folder, workers=workers, quiet=True)


def check_sampler(question: Question, draws: Draws, folder: Path, *, parameterization: str) -> Run:
    """Fit the data with new observations from their posterior, whose ranks are uniform if the sampler is right."""
    data, likelihood = question.dataset.replicate.data, question.dataset.likelihood
    mechanism = Augmented(likelihood=likelihood, sizes=tuple(map(int, data.n_obs)), data=data, draws=draws)
    sections = _sampled(question, [parameterization])
    study = _study(question, mechanism, sections, CHECKED, replicates=CHECKS, kind="calibration")
    return run(study, out=folder, workers=0, quiet=True)


def _sampled(question: Question, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return partial pooling in some parameterizations, as ``[[method]]`` sections."""
    own = {"structure": "partial", "priors": question.priors(PARTIAL)}
    return [{"name": name, "parameterization": PARAMETERIZATIONS[name], **own} for name in names]


def _study(
    question: Question,
    mechanism: Mechanism,
    sections: Sequence[Mapping[str, Any]],
    sampler: Mapping[str, Any],
    *,
    replicates: int,
    kind: Kind = "simulation",
) -> Study:
    """Return a study of one scenario with the seed of the question."""
    factors = {"mechanism": mechanism.kind, "likelihood": question.dataset.likelihood.kind}
    return replace(
        question.study,
        section=question.study.section.model_copy(update={"replicates": replicates, "kind": kind}),
        scenarios=(Scenario(mechanism=mechanism, factors=tuple(factors.items()), label=mechanism.kind),),
        methods=tuple(at_home(question.study.scenarios, methods_of(sections, sampler, question.dataset))),
        mechanism={"kind": mechanism.kind},
    )
