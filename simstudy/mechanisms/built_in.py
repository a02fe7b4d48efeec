"""Published data sets with several factors or covariates: the columns and terms of each, as a study would name them.

Their rows lie in ``data/``, their sources in ``data/README.md``. A study that names one may say more of its terms; what
it says stands over what is here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simstudy.errors import StudyError

FOLDER = Path(__file__).parent / "data"
WITH_TERMS: Mapping[str, Mapping[str, Any]] = {
    "dyestuff": {"value": "yield", "terms": {"batch": {}}},
    "penicillin": {"value": "diameter", "terms": {"plate": {}, "sample": {}}},
    "pastes": {"value": "strength", "terms": {"batch": {}, "cask": {"within": "batch"}}},
    "sleepstudy": {"value": "reaction", "terms": {"subject": {"structure": "slopes", "covariate": "days"}}},
    "rats": {"value": "weight", "terms": {"rat": {"structure": "slopes", "covariate": "weeks"}}},
    "nile": {"value": "flow", "terms": {"year": {"structure": "random_walk"}}},
    "radon": {
        "value": "log_radon",
        "terms": {"county": {}},
        "covariates": {"floor": {}, "log_uranium": {"of": "county"}},
    },
    "seeds": {
        "successes": "germinated",
        "trials": "total",
        "terms": {"plate": {}},
        "covariates": {"seed": {}, "extract": {}, "seed_extract": {}},
    },
    "blockers": {
        "successes": "deaths",
        "trials": "patients",
        "terms": {"trial": {"structure": "slopes", "covariate": "treated"}},
    },
    "pumps": {"count": "failures", "exposure": "hours", "terms": {"pump": {}}},
    "salm": {
        "count": "colonies",
        "terms": {"plate": {}},
        "covariates": {"dose": {"of": "plate"}, "log_dose": {"of": "plate"}},
    },
    "epil": {
        "count": "seizures",
        "terms": {"patient": {}, "visit": {"within": "patient"}},
        "covariates": {
            **{name: {"of": "patient"} for name in ("log_base", "treatment", "base_treatment", "log_age")},
            "fourth": {},
        },
    },
    "scotland": {
        "count": "observed",
        "exposure": "expected",
        "terms": {"district": {"structure": "bym2", "graph": {"edges": FOLDER / "scotland_edges.csv"}}},
        "covariates": {"agriculture": {"of": "district"}},
    },
}
"""Name -> its ``[mechanism]`` section, without ``kind`` and ``data``."""


def is_built_in_with_terms(data: Any) -> bool:
    """Whether data are named that come with the package and have terms."""
    return isinstance(data, str) and data in WITH_TERMS


def refuse_terms(data: Any) -> None:
    """Refuse a built-in data set with terms where groups are asked for.

    Raises:
        StudyError: says what it has, and where it can be used.
    """
    if is_built_in_with_terms(data):
        factors = ", ".join(WITH_TERMS[data]["terms"])
        raise StudyError(
            f"data: {data!r} has terms ({factors}) and is no data set of groups alone; name it in a study file, "
            f'[mechanism] kind = "dataset", data = "{data}", with methods such as pooling = "partial"'
        )
