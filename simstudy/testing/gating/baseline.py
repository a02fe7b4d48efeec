"""What an effective draw cost before: a JSON file, posterior -> cost, that efficiency is held to."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from simstudy.errors import StudyError

MAKE_IT = "write it with pytest --simstudy-gate-write, or with Verdict.write_baseline"


def read_baseline(given: str | Path | Mapping[str, float] | None, posteriors: Sequence[str]) -> dict[str, float]:
    """Return posterior -> cost of an effective draw; of None, nothing.

    Args:
        given: a file, or what it holds.
        posteriors: those that need a cost.

    Raises:
        StudyError: the file cannot be read, or lacks a posterior.
    """
    if given is None:
        return {}
    costs = dict(given) if isinstance(given, Mapping) else _read(Path(given))
    for name in posteriors:
        cost = costs.get(name)
        if not isinstance(cost, int | float) or not 0 < cost < float("inf"):
            raise StudyError(
                f"gate: expected a positive cost of an effective draw of {name} in the baseline; got {cost!r}; "
                f"{MAKE_IT}"
            )
    return {name: float(costs[name]) for name in posteriors}


def _read(path: Path) -> dict[str, float]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"gate: cannot read the baseline {path} ({error}); {MAKE_IT}") from error
    if not isinstance(content, dict):
        raise StudyError(f"gate: expected the baseline {path} to hold posterior -> cost; got {type(content).__name__}")
    return content
