"""The tables of a comparison on a terminal."""

import pandas as pd
from rich.table import Table
from rich.text import Text

from simstudy.comparison import CANNOT_TELL, SAME, Comparison
from simstudy.errors import printable
from simstudy.report.comparing.sentences import PERCENT_MEASURES, what
from simstudy.report.reading.wording import measure_words, number, with_mcse

MOST_ROWS = 20
COLORS = {"worse": "red", "better": "green", "unclear": "magenta"}


def changed_table(comparison: Comparison) -> Table:
    """Return the rows that changed, what is worse first, then the largest in units of their margin; at most 20."""
    rows = comparison.changed
    more = f", the first {MOST_ROWS} of {len(rows)}" if len(rows) > MOST_ROWS else ""
    table = Table(title=f"Changes{more}", title_justify="left", box=None, pad_edge=False)
    names = [name for name in ("method", "scenario") if len(set(comparison.table[name])) > 1]
    for head in ("", *names, "measure"):
        table.add_column(head)
    for head in ("baseline", "candidate", "difference", "margin"):
        table.add_column(head, justify="right")
    for row in rows.head(MOST_ROWS).to_dict("records"):
        percent = row["measure"] in PERCENT_MEASURES
        values = [with_mcse(row[side], float("nan"), percent=percent) for side in ("baseline", "candidate")]
        difference = with_mcse(row["difference"], row["mcse"], percent=percent)
        margin = number(100 * row["margin"] if percent else row["margin"]) + " %" * percent
        called = {"method": str(row["method"]), "scenario": str(comparison.labels.get(row["scenario"], ""))}
        texts = [*(called[name] for name in names), what(row), *values, difference, margin]
        table.add_row(
            Text(row["direction"], style=COLORS[row["direction"]]), *(Text(printable(text)) for text in texts)
        )
    return table


def summary_table(comparison: Comparison) -> Table:
    """Return the number of verdicts by measure, with the replicates that would decide half of what is open."""
    table = Table(title="Verdicts", title_justify="left", box=None, pad_edge=False)
    table.add_column("measure")
    for head in ("worse", "better", "unclear", SAME, CANNOT_TELL, "needed"):
        table.add_column(head, justify="right")
    for name, rows in comparison.table.groupby("measure", sort=False):
        counts = [int((rows["direction"] == head).sum()) for head in ("worse", "better", "unclear")]
        counts += [int((rows["verdict"] == head).sum()) for head in (SAME, CANNOT_TELL)]
        table.add_row(measure_words(str(name)), *(f"{n:,}" if n else "" for n in counts), _needed(rows))
    return table


def _needed(rows: pd.DataFrame) -> str:
    known = rows["n_needed"].dropna()
    return f"{int(known.median()):,}" if len(known) else ""
