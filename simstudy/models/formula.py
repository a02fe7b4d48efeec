"""A sum of terms as the formula that people write for it: ``y ~ 1 + day + (1 + day | subject)``.

The notation is that of lme4 (Bates et al. 2015, Journal of Statistical Software 67(1), table 2): ``(1 | outer/inner)``
for nested factors, ``||`` for slopes that are not correlated with intercepts. A structure whose levels have neighbors
stands by its name, ``icar(area)``.
"""

from collections.abc import Sequence

from simstudy.models.design import Design
from simstudy.models.predictor import Term


def formula_of(design: Design, terms: Sequence[Term], covariates: Sequence[str]) -> str:
    """Return the formula of location and terms.

    Args:
        design: of the cells.
        terms: the addends.
        covariates: those that have a coefficient.
    """
    within = {factor.name: factor.within for factor in design.factors}
    plain = [t.factor for t in terms if t.structure.layout == "levels" and not t.structure.covariates]
    chains = [_chain(name, within, plain) for name in plain]
    inner = {chain[-1]: chain for chain in chains if not any(set(chain) < set(other) for other in chains)}
    parts = ["1", *covariates]
    for term in terms:
        if term.factor in inner:
            parts.append(f"(1 | {'/'.join(inner[term.factor])})")
        elif term.structure.layout != "levels":
            parts.append(f"{term.structure.kind}({term.factor})")
        elif term.structure.covariates:
            bar = "|" if getattr(term.structure, "correlated", True) else "||"
            parts.append(f"(1 + {' + '.join(term.structure.covariates)} {bar} {term.factor})")
    return f"y ~ {' + '.join(parts)}"


def _chain(name: str, within: dict[str, str | None], plain: Sequence[str]) -> list[str]:
    """Return a factor after those that it is nested in, as far as these have plain terms."""
    outer = within.get(name)
    return [*(_chain(outer, within, plain) if outer in plain and outer is not None else []), name]
