"""The gallery: every figure that there is, drawn of a real run, with the lines that draw it."""

from docs.making.reference.markdown import cell
from simstudy.report import figures
from simstudy.report.publishing.drawings import DRAWINGS

POOLINGS = "poolings"
SHOWN = {
    "arrows": (POOLINGS, ""),
    "calibration": ("ranks", ""),
    "chain-divergences": (POOLINGS, 'scenario="n = 3, τ = 0.5"'),
    "conditional": (POOLINGS, ""),
    "design-map": (POOLINGS, ""),
    "divergences": (POOLINGS, ""),
    "efficiency": (POOLINGS, ""),
    "error-split": (POOLINGS, ""),
    "funnel": (POOLINGS, 'scenario="n = 3, τ = 0.5"'),
    "gains": (POOLINGS, ""),
    "level-lines": ("lines", ""),
    "level-map": ("areas", ""),
    "level-series": ("months", ""),
    "level-tree": ("classes", ""),
    "nested-loop": (POOLINGS, ""),
    "posterior": (POOLINGS, ""),
    "priors": ("priors", ""),
    "profile": (POOLINGS, ""),
    "recovery": (POOLINGS, ""),
    "regret": (POOLINGS, ""),
    "speed": (POOLINGS, ""),
    "weights": (POOLINGS, ""),
    "zip": (POOLINGS, 'scenario="n = 3, τ = 0.5", estimand="mu"'),
}
"""Figure -> the run that it is drawn of, and what is asked of it."""
CHANGES = """## changes

{line}

```python
run = runs["poolings"]
compared = simstudy.compare(run, run, baseline_method="none", candidate_method="partial, exact")
simstudy.report.figures.changes(compared.table)
```
"""
HEAD = """<!-- executed by nox -s docs -->
# Gallery

Every figure of a report, drawn of small runs that were made for this page. `figure(run, name)` draws it of any run that
has what it shows; `simstudy figures RUN --list` says which a run has. The functions behind them take tables and stand
in [the reference](../reference/python.md).

```python
from pathlib import Path

import simstudy
from docs.making.runs import shared_run
from simstudy.report.publishing import figure

runs = {name: shared_run(name) for name in RUNS}
```
"""


def gallery_page() -> str:
    """Return the page with every figure.

    Raises:
        LookupError: a figure is not shown, or one that is shown does not exist.
    """
    if SHOWN.keys() != DRAWINGS.keys():
        odd = sorted(SHOWN.keys() ^ DRAWINGS.keys())
        raise LookupError(f"{', '.join(odd)}: shown and not there, or there and not shown; mend docs/making/gallery.py")
    head = HEAD.replace("RUNS", repr(sorted({run for run, _ in SHOWN.values()})))
    line = (figures.changes.__doc__ or "").splitlines()[0]
    return "\n".join([head, *map(_shown, SHOWN), CHANGES.format(line=line)])


def _shown(name: str) -> str:
    run, asked = SHOWN[name]
    call = ", ".join(filter(None, [f'runs["{run}"]', f'"{name}"', asked]))
    return f"## {name}\n\n{cell(DRAWINGS[name].line)}\n\n```python\nfigure({call})\n```\n"
