"""Tables: the CSV is the data, texts are safe in it, cells show rounded numbers and sort by full ones."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from simstudy.report.sections.divergences import divergence_section
from simstudy.report.sections.recovery import recovery_table
from simstudy.report.tables import ROWS_SHOWN, Column, Table

CSV = re.compile(r'<script type="application/json" data-csv-of="([^"]+)">(.*?)</script>', re.DOTALL)


def embedded(page):
    """Return the CSV texts of a page by the name of their table."""
    return {name: json.loads(text) for name, text in CSV.findall(page)}


def exact(csv):
    """Return a CSV read without rounding, columns of numbers as numbers."""
    frame = pd.read_csv(io.StringIO(csv), dtype=str)
    for column in frame:
        try:
            frame[column] = [float(value) for value in frame[column]]
        except ValueError:
            continue
    return frame


def test_csv_of_the_page_equals_the_performance_table(page, table, evidence):
    """The numbers in the downloaded CSV are those of the performance table, with all their digits."""
    frame = exact(embedded(page)["recovery-of-theta"])
    rmse = table[(table["measure"] == "rmse") & (table["estimand"] == "theta") & table["bin"].isna()]
    both = frame.merge(rmse, on=["scenario", "method"], suffixes=("", "_known"))
    assert len(both) == len(rmse) == len(frame)
    np.testing.assert_array_equal(both["rmse"], both["value"])
    np.testing.assert_array_equal(both["rmse_mcse"], both["mcse"])
    assert (frame["label"] == frame["scenario"].map(evidence.labels)).all()


def test_every_table_of_the_page_has_its_csv(page):
    """Each table element can be downloaded: one button and one CSV, which has all its rows."""
    csv = embedded(page)
    names = re.findall(r'<details class="table" id="table-([^"]+)"', page)
    assert len(names) == len(set(names)) == page.count("<table>") >= 8
    assert set(names) == set(csv) == set(re.findall(r'data-csv="([^"]+)"', page))
    bodies = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    for name, body in zip(names, bodies, strict=True):
        n_rows = len(pd.read_csv(io.StringIO(csv[name])))
        assert body.count("<tr>") == min(n_rows, ROWS_SHOWN)


def test_cells_show_the_mcse_and_sort_by_the_value():
    """A cell shows value and MCSE rounded alike, and its key is the value."""
    frame = pd.DataFrame({"x": [0.123456], "x_mcse": [0.0123], "n": [1234], "gone": [np.nan]})
    columns = [
        Column(head="x", source="x", mcse="x_mcse"),
        Column(head="n", source="n"),
        Column(head="g", source="gone"),
    ]
    ((x, n, gone),) = Table(title="t", frame=frame, columns=columns).rows
    assert (x.text, x.key, x.is_number) == ("0.123 ± 0.012", "0.123456", True)
    assert (n.text, n.key) == ("1,234", "1234")
    assert (gone.text, gone.key) == ("–", "")


def test_coverage_stands_with_its_wilson_interval(evidence, table):
    """A coverage cell shows percent, MCSE and the ends of the interval of the performance table."""
    shown = recovery_table(evidence, "mu")
    place = [column.source for column in shown.columns].index("coverage")
    known = table[(table["measure"] == "coverage") & (table["estimand"] == "mu") & (table["level"] == 0.95)]
    lower = known.set_index(["scenario", "method"])["lower"]
    for row, (_, record) in zip(shown.rows, shown.frame.iterrows(), strict=True):
        percent, interval = re.fullmatch(r"([\d.]+) %.* \[([\d.]+), [\d.]+\]", row[place].text).groups()
        assert float(percent) == pytest.approx(100 * record["coverage"], abs=0.5)
        assert float(interval) == pytest.approx(100 * lower[record["scenario"], record["method"]], abs=0.05)


def test_boundary_is_marked(evidence):
    """Scenarios with tau = 0 are marked in the table of tau and have no coverage there."""
    frame = recovery_table(evidence, "tau").frame
    at_end = frame["scenario"].isin(evidence.design.boundary_of("tau"))
    assert at_end.sum() == 4
    assert (frame.loc[at_end, "note"] == "boundary").all()
    assert frame.loc[at_end, "coverage"].isna().all()
    assert (frame.loc[~at_end, "note"] == "").all()
    assert frame.loc[~at_end, "coverage"].notna().all()


def test_rates_are_shown_per_1000_with_two_digits(evidence):
    """A rate of .00081 ± .00012 reads 0.81 ± 0.12 per 1,000, and no cell of a clear rate reads 0 ± 0."""
    frame = pd.DataFrame({"rate": [0.00081], "rate_mcse": [0.00012]})
    column = Column(head="rate", source="rate", mcse="rate_mcse", scale=1000)
    assert Table(title="t", frame=frame, columns=[column]).rows[0][0].text == "0.81 ± 0.12"
    section = divergence_section(evidence)
    (table,) = [table for table in section.tables if table.title.startswith("Divergences by scenario")]
    place = [column.head for column in table.columns].index("divergent draws per 1,000")
    told = [row[place].text for row in table.rows]
    rates = table.frame["divergence_rate"]
    assert (rates > 0).any()
    for text, rate in zip(told, rates, strict=True):
        assert float(text.partition(" ±")[0]) == pytest.approx(1000 * rate, rel=0.05)


def test_ends_have_the_decimals_that_are_asked_for():
    """A value and its interval stand as the column beside them does: 0.062 next to 0.066, not 0.0660."""
    frame = pd.DataFrame({"own": [0.0625], "mean": [0.06604], "lower": [0.0104], "upper": [np.nan]})
    columns = [
        Column(head="own", source="own", decimals=3),
        Column(head="both", source="mean", ends=("lower", "own"), decimals=3),
        Column(head="open", source="mean", ends=("lower", "upper"), decimals=3),
    ]
    (cells,) = Table(title="made", frame=frame, columns=columns).rows
    assert [cell.text for cell in cells] == ["0.062", "0.066 [0.010, 0.062]", "0.066"]
