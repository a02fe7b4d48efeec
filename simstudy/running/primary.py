"""Whether the measure and the estimand that a study is about are there, before anything is fitted."""

from simstudy.errors import StudyError, suggestion
from simstudy.measures.primary import parse_primary
from simstudy.study.study import Study

MOST_NAMED = 12


def check_primary(study: Study) -> None:
    """Check that a study has the primary measure and estimand that it names.

    Estimands are those that methods declare and those that the first simulated data set has a truth of, so that a
    user's model is held to the same.

    Raises:
        StudyError: it has not.
    """
    if (said := study.section.primary) is None:
        return
    try:
        primary = parse_primary(said)
    except ValueError as error:
        raise StudyError(f"[study] primary: expected {error}") from None
    if primary.estimand is None or primary.estimand in (known := _estimands(study)):
        return
    near = suggestion(primary.estimand, known)
    raise StudyError(
        f"[study] primary: no method has an estimand {primary.estimand!r}{near}; expected one of "
        f"{', '.join(known[:MOST_NAMED])}"
    )


def _estimands(study: Study) -> list[str]:
    declared = [str(row["estimand"]) for row in study.estimand_rows()]
    first = study.scenarios[0]
    (replicate,) = first.mechanism.simulate(study.data_key(first, 0)[None])
    return list(dict.fromkeys([*declared, *map(str, replicate.truth)]))
