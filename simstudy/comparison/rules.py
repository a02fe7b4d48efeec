"""The rules of a comparison: which measures are compared, how large a difference has to be to matter, and how sure.

A margin is the largest difference that does not matter. It is ``absolute`` (in the measure's own unit), ``relative``
(a share of the baseline's value) or in units of the ``posterior_sd`` (the baseline's model SE, the root mean posterior
variance), which is what a bias is to be seen against.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from simstudy.errors import ComparisonError, suggestion
from simstudy.store.toml_files import TomlError, read_toml

Unit = Literal["absolute", "relative", "posterior_sd"]
Pairs = Literal["welcome", "required"]
UNITS: tuple[Unit, ...] = get_args(Unit)


@dataclass(frozen=True, kw_only=True)
class Margin:
    """The largest difference that does not matter.

    Args:
        size: of it, positive.
        unit: ``absolute``, ``relative`` to the baseline's value, or in units of the ``posterior_sd``.
    """

    size: float
    unit: Unit

    def __str__(self) -> str:
        """Return the margin in words."""
        if self.unit == "relative":
            return f"{100 * self.size:g} % of the baseline"
        return f"{self.size:g} posterior sd" if self.unit == "posterior_sd" else f"{self.size:g}"


# A bias of a tenth of a posterior sd costs half a per cent of RMSE and at most .2 points of 95 % coverage.
MARGINS: Mapping[str, Margin] = {
    "bias": Margin(size=0.1, unit="posterior_sd"),
    "mean_estimate": Margin(size=0.1, unit="posterior_sd"),
    "rmse": Margin(size=0.05, unit="relative"),
    "coverage": Margin(size=0.02, unit="absolute"),
    "interval_score": Margin(size=0.05, unit="relative"),
    "crps": Margin(size=0.05, unit="relative"),
    "log_score": Margin(size=0.05, unit="absolute"),
    "failure_rate": Margin(size=0.02, unit="absolute"),
    "divergence_rate": Margin(size=0.01, unit="absolute"),
    "flagged_rate": Margin(size=0.02, unit="absolute"),
    "rhat": Margin(size=0.01, unit="absolute"),
    "ess": Margin(size=0.1, unit="relative"),
    "sampler_error": Margin(size=0.01, unit="absolute"),
    "ess_per_leapfrog": Margin(size=0.1, unit="relative"),
    "time_ratio": Margin(size=0.2, unit="relative"),
}
OF_ESTIMANDS = ("bias", "mean_estimate", "rmse", "coverage", "interval_score", "crps", "log_score")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is compared, and when a difference counts.

    Args:
        alpha: largest probability of any false ``changed`` in a comparison, in (0, 1); ``same`` rests on intervals of
            confidence 1 - alpha.
        level: level of the intervals whose coverage and score are compared; the nearest that both runs have is taken.
        measures: those that are compared.
        estimands: those that are compared; empty for all.
        margins: measure -> largest difference that does not matter.
        time_reference: method that both runs timed and the times of the others are divided by; None leaves times out.
        pairs: ``required`` refuses runs that did not see the same data, which is what a gate with few replicates
            needs; ``welcome`` compares them unpaired.
    """

    alpha: float = 0.05
    level: float = 0.95
    measures: tuple[str, ...] = tuple(MARGINS)
    estimands: tuple[str, ...] = ()
    margins: Mapping[str, Margin] = field(default_factory=lambda: dict(MARGINS))
    time_reference: str | None = None
    pairs: Pairs = "welcome"


def read_rules(source: str | Path | Mapping[str, Any] | Rules | None) -> Rules:
    """Return the rules of a TOML file, or of a mapping with its keys; what it leaves out keeps its default.

    The file may have ``alpha``, ``level``, ``measures``, ``estimands``, ``time_reference``, ``pairs`` and a table
    ``[margins]`` with entries such as ``coverage = { absolute = 0.02 }``.

    Args:
        source: path, mapping, rules that are there already, or None for the defaults.

    Raises:
        ComparisonError: the file cannot be read, a key is unknown, or a value is none of those allowed; names the
            file, the key, the value and what is allowed.

    >>> rules = read_rules({"alpha": 0.01, "margins": {"rmse": {"relative": 0.1}}})
    >>> rules.alpha, str(rules.margins["rmse"]), str(rules.margins["bias"])
    (0.01, '10 % of the baseline', '0.1 posterior sd')
    """
    if isinstance(source, Rules):
        return source
    if source is None:
        return Rules()
    if isinstance(source, Mapping):
        return _rules(source, "margins")
    return _rules(_read_toml(Path(source)), str(source))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except OSError as error:
        raise ComparisonError(f"{path}: cannot be read ({error.strerror or error}); expected a TOML file") from None
    except TomlError as error:
        raise ComparisonError(f"{path}: no valid TOML: {error}") from None


def _rules(document: Mapping[str, Any], place: str) -> Rules:
    readers: dict[str, Callable[[Any, str], Any]] = {
        "alpha": _share,
        "level": _share,
        "measures": _measures,
        "estimands": _names,
        "margins": _margins,
        "time_reference": _name,
        "pairs": _pairs,
    }
    _check_keys(document, readers, place)
    values: dict[str, Any] = {key: readers[key](value, f"{place}: {key}") for key, value in document.items()}
    return replace(Rules(), **values)


def _check_keys(given: Mapping[str, Any], allowed: Mapping[str, Any] | tuple[str, ...], place: str) -> None:
    for key in given:
        if key not in allowed:
            near = suggestion(key, allowed)
            raise ComparisonError(f"{place}: unknown key {key!r}{near}; expected some of {', '.join(allowed)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _share(value: Any, place: str) -> float:
    if not _is_number(value) or not 0 < value < 1:
        raise ComparisonError(f"{place}: expected a number between 0 and 1, got {value!r}")
    return float(value)


def _name(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise ComparisonError(f"{place}: expected a name, got {value!r}")
    return value


def _pairs(value: Any, place: str) -> str:
    allowed = get_args(Pairs)
    if value not in allowed:
        near = suggestion(str(value), allowed)
        raise ComparisonError(f"{place}: expected one of {', '.join(allowed)}, got {value!r}{near}")
    return value


def _names(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ComparisonError(f"{place}: expected a list of names, got {value!r}")
    return tuple(_name(item, place) for item in value)


def _measures(value: Any, place: str) -> tuple[str, ...]:
    names = _names(value, place)
    _check_keys(dict.fromkeys(names), MARGINS, place)
    return names


def _margins(value: Any, place: str) -> dict[str, Margin]:
    if not isinstance(value, Mapping):
        raise ComparisonError(f"{place}: expected a table of measures, got {value!r}")
    _check_keys(value, MARGINS, place)
    return {**MARGINS, **{name: _margin(name, given, f"{place}.{name}") for name, given in value.items()}}


def _margin(name: str, value: Any, place: str) -> Margin:
    units = UNITS if name in OF_ESTIMANDS else UNITS[:2]
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ComparisonError(
            f"{place}: expected one of {', '.join(units)}, such as {{ absolute = 0.02 }}, got {value!r}"
        )
    _check_keys(value, units, place)
    ((unit, size),) = value.items()
    if not _is_number(size) or not 0 < size < float("inf"):
        raise ComparisonError(f"{place}.{unit}: expected a positive number, got {size!r}")
    return Margin(size=float(size), unit=unit)
