"""Values of options that more than one command reads."""

from simstudy.errors import StudyError, suggestion


def read_share(text: str) -> float:
    """Read a share such as 5% or 0.05."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise StudyError(f"--max-failed {text}: expected a share such as 5% or 0.05")
    return share


def check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise a StudyError unless the value is one of those allowed."""
    if value not in allowed:
        raise StudyError(f"{option}: got {value!r}{suggestion(value, allowed)}; expected one of {', '.join(allowed)}")
