"""The description of a run that was made before runs stored one.

Reports speak of mechanisms, models and samplers in the words that these have for themselves, and know none of them.
A run of before stored no words; its study is made again from ``study.json`` to say them. That loads JAX, which takes
seconds and no other report does. Where the study cannot be made again (a user's model that is not registered, a data
file that is gone), the names of its kinds have to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

TELLER = "simstudy.study.description"
NAMED = ("structure", "parameterization", "likelihood", "sigma_by")


def describe_before(study: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the description of a canonical study: of what can be made in its own words, of the rest by name."""
    if told := _told(study):
        return told
    of_methods = [_told({**study, "methods": [method]}) for method in study["methods"]]
    names = names_of(study)
    mechanism = next((told["mechanism"] for told in of_methods if told), names["mechanism"])
    methods = {name: words for told in of_methods for name, words in told.get("methods", {}).items()}
    return {"mechanism": mechanism, "methods": names["methods"] | methods}


def _told(study: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return import_module(TELLER).describe(study)
    except Exception:  # a report of old numbers must not fail for what has changed since
        return {}


def names_of(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description that has the names of the kinds in the place of words.

    >>> method = {"name": "a", "structure": "partial", "likelihood": "normal", "sampler": {"kind": "nuts", "draws": 9}}
    >>> names_of({"mechanism": {"kind": "exchangeable", "likelihood": "normal"}, "methods": [method]})["methods"]
    {'a': {'model': 'structure partial, likelihood normal', 'sampler': 'nuts: draws 9'}}
    """
    mechanism = study["mechanism"]
    words = {"words": str(mechanism["kind"]), "likelihood": str(mechanism.get("likelihood") or "")}
    return {"mechanism": words, "methods": {str(m["name"]): _names_of_method(m) for m in study["methods"]}}


def _names_of_method(method: Mapping[str, Any]) -> dict[str, str]:
    named = ("model",) if method.get("model") else NAMED
    sampler = {key: value for key, value in (method.get("sampler") or {}).items() if value is not None}
    kind = str(sampler.pop("kind", ""))
    return {
        "model": ", ".join(f"{key} {method[key]}" for key in named if method.get(key)),
        "sampler": ": ".join(filter(None, [kind, ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in sampler.items())])),
    }
