"""Every measure: formula, unit, standard error, source, from the registry that scores them."""

from docs.making.reference.markdown import cell, code, table
from simstudy.measures import MEASURES, robust
from simstudy.measures.measure import Measure

HEAD = """# Measures

A measure is taken in each scenario, for each method and estimand. Every value stands beside its Monte Carlo standard
error, over replicates; the groups of a replicate share their data, so a replicate counts once. Measures that are sums
over replicates have the standard error of a mean; ratios, roots and standard deviations that of their influence
function, unless a line says another. Intervals of shares are Wilson's.
"""
ROWS = {
    "estimates": ("Of estimates", "Taken over the estimates of an estimand."),
    "effects": ("Of shrinkage", "Taken over the effects of the groups of a replicate."),
    "sampler_errors": ("Of a sampler's own error", "Taken where an exact posterior of the same model stands beside."),
    "fits": ("Of fits", "Taken over fits."),
    "batches": ("Of time", "Taken over blocks of fits, whose lanes serve several scenarios."),
}


def measures_page() -> str:
    """Return the page on measures."""
    sections = [_section(*told, [m for m in MEASURES.values() if m.rows == rows]) for rows, told in ROWS.items()]
    told = ("For estimates made elsewhere alone", "`simstudy score` has these as well.")
    return "\n".join([HEAD, *sections, _section(*told, list(robust.MEASURES))])


def _section(title: str, said: str, measures: list[Measure]) -> str:
    rows = [[code(m.name), cell(m.definition + _mcse(m)), _unit(m), _better(m), cell(m.source)] for m in measures]
    head = ["measure", "what it is", "unit", "better", "source"]
    return f"## {title}\n\n{said}\n\n" + table(head, rows) + "\n"


def _unit(measure: Measure) -> str:
    return {"estimand": "that of the estimand", "1": ""}.get(measure.unit, cell(measure.unit))


def _better(measure: Measure) -> str:
    return {"nominal": "nearer to its target", None: ""}.get(measure.better, str(measure.better))


def _mcse(measure: Measure) -> str:
    """Return what the function of a measure says of its standard error."""
    text = " ".join((measure.function.__doc__ or "").split())
    _, found, rest = text.partition("MCSE: ")
    return f". MCSE: {rest.removesuffix('.')}" if found else ""
