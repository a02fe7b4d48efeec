"""The page of scored estimates: self-contained, whole, in the table's own names, for every kind of table."""

import re

import numpy as np
import pandas as pd
import pytest

from simstudy.measures.score import read_estimates, score_estimates
from simstudy.report.scoring import render, scoring_part, write_scoring
from tests.report.scoring.conftest import EVIL, SITES, make_table, scored_of


def part_of(scored):
    return scoring_part(scored.estimates, scored.table, title="trial")


def names_of(part):
    return [picture.name for section in part.sections for picture in section.pictures]


def table_named(part, title):
    (found,) = [table for section in part.sections for table in section.tables if table.title == title]
    return found


@pytest.fixture(scope="module")
def part(scored):
    return part_of(scored)


@pytest.fixture(scope="module")
def page(scored, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "trial.html"
    assert write_scoring(scored.estimates, scored.table, path, title="trial") == path
    return path.read_text("utf-8")


def test_the_page_needs_nothing_else(page):
    """No other file, no network; title and names stand in it."""
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert "<title>trial · scored estimates</title>" in page
    assert all(site in page for site in SITES)


def test_it_has_all_pictures_of_a_small_design(part):
    """Lollipops of errors and spread, a heat map, nested loops, ridges, and a zip plot of each scenario."""
    assert part.picture.name == "key"
    assert names_of(part) == [
        "lollipop-errors-0",
        "lollipop-spread-0",
        "heat-0",
        "loop-bias-0",
        "loop-rmse-0",
        "ridge-0",
        *(f"zip-{i}-0" for i in range(4)),
    ]
    assert list(part.marks) == ["good", "wide", "off"]
    assert part.facts == ["4 scenarios", "3 methods", "300 replicates each", "3,600 estimates"]


def test_tables_hold_the_numbers_of_the_performance_table(part, scored):
    """One row per site and method, in their order, value and MCSE of each measure; the last table is everything."""
    frame = table_named(part, "Error").frame
    assert list(zip(frame["label"], frame["method"], strict=True)) == [(s, m) for s in SITES for m in part.marks]
    known = scored.table[scored.table["measure"] == "rmse"].set_index(["site", "method"])
    rows = frame.set_index(["label", "method"])
    assert rows["rmse"].to_dict() == known["value"].to_dict()
    assert rows["rmse_mcse"].to_dict() == known["mcse"].to_dict()
    pd.testing.assert_frame_equal(table_named(part, "All numbers").frame, scored.table)


def test_names_are_those_of_the_table():
    """Columns called like letters of models, or like columns of the page's own, keep their names."""
    table = make_table(n=20).query("site < 'site 03'").rename(columns={"x": "tau", "site": "groups"})
    table = pd.concat([table.assign(label=v, group_size=s) for v, s in (("p", 5), ("q", 10))])
    html = render(*scored_and_table(table, estimate="tau", by=["groups", "label", "group_size"]))
    assert not set("τθμ") & set(html)
    for name in ("groups = site 01", "label\u00a0 = p", "group_size\u00a0 = 10"):
        assert name in html, name


def scored_and_table(table, **options):
    scored = scored_of(table, **options)
    return scored.estimates, scored.table


def test_a_large_design_has_maps_and_fewer_ridges():
    """Of 40 scenarios: no lollipops, a map per measure, nested loops, one zip plot, at most 20 ridges."""
    rng = np.random.default_rng(5)
    frame = pd.MultiIndex.from_product([range(4), range(10), ["a", "b"], range(6)], names=["n", "k", "m", "rep"])
    table = frame.to_frame(index=False)
    table = table.assign(truth=1.0, x=1 + rng.standard_normal(len(table)), se=1.0)
    part = part_of(scored_of(table, by=["n", "k"]))
    assert part.picture.name == "key"
    assert [name.rsplit("-", 1)[0] for name in names_of(part)] == [
        "map-bias",
        "map-rmse",
        "map-coverage",
        "loop-bias",
        "loop-rmse",
        "ridge",
        f"zip-{names_of(part)[-1].split('-')[1]}",
    ]
    (ridge,) = [p for s in part.sections for p in s.pictures if p.name == "ridge-0"]
    assert "Drawn are 20 of 40 scenarios" in ridge.caption


@pytest.mark.parametrize(
    "options",
    [
        {"by": (), "method": None, "replicate": None},
        {"by": (), "replicate": None},
        {"method": None},
        {"se": None},
        {"replicate": None},
        {"df": "df"},
        {"pairs": "complete", "ref": "off"},
    ],
    ids=str,
)
def test_every_kind_of_table_has_a_page(table, options):
    """Whatever columns are named, the page is made and says how it was scored."""
    some = table[(table["rep"] < 40) & (table["site"] < "site 03")].assign(df=9.0)
    if options.get("by") == () or "method" in options:
        some = some[some["m"] == "good"] if "method" in options else some
        some = some[some["site"] == "site 01"] if options.get("by") == () else some
    html = render(*scored_and_table(some, **options))
    assert "How they were scored" in html
    if "df" in options:
        assert "quantile of t with the degrees of freedom of the row" in html


def test_cells_without_values_and_infinite_ends(table):
    """A method without estimates at a site, infinite ends elsewhere: the page says so and draws the rest."""
    hard = table[(table["rep"] < 60) & (table["site"] < "site 03")].assign(
        lo=lambda t: t["x"] - 2, hi=lambda t: t["x"] + 2
    )
    hard.loc[(hard["m"] == "off") & (hard["site"] == "site 02"), "x"] = np.nan
    hard.loc[(hard["m"] == "wide") & (hard["rep"] == 7), "hi"] = np.inf
    scored = scored_of(hard, se=None, lower="lo", upper="hi", ref="off")
    html = render(scored.estimates, scored.table)
    assert "no value" in html
    assert "∞" in html
    assert "2 intervals have infinite ends" in html
    assert "has no usable estimate at site 02" in html


def test_a_table_of_failures_has_a_page(table):
    """Not one usable estimate: nothing is drawn, all is said."""
    scored = scored_of(table[table["rep"] < 5].assign(x=np.nan))
    part = part_of(scored)
    assert part.picture is None
    assert names_of(part) == []
    assert (
        "60 of 60 estimates are not usable: 20 of “good”, 20 of “wide” and 20 of “off”."
        in part.answers["What is missing"]
    )


def test_names_cannot_break_out_of_the_page(table):
    """Markup, quotes and math in names of methods, sites and columns stand as they are, harmless."""
    evil = table[(table["rep"] < 20) & (table["site"] < "site 03")].replace(
        {"m": {"off": EVIL}, "site": {"site 02": EVIL}}
    )
    evil = evil.rename(columns={"site": "<i>site</i>", "x": "<u>x</u>"})
    html = render(*scored_and_table(evil, estimate="<u>x</u>", by="<i>site</i>"), title=EVIL)
    for tag in ("<b>", "<i>", "<u>", "</script> "):
        assert tag not in re.sub(r"<script type=\"application/json\".*?</script>", "", html, flags=re.DOTALL).replace(
            '<b class="method"', ""
        )
    assert html.count("</html>") == 1


def test_scenarios_of_one_joined_text_stay_apart():
    """("x, b = 1", "y") and ("x", "1, b = y") have labels, rows and pictures of their own."""
    rows = make_table(n=30).query("site in ('site 01', 'site 02')")
    first = rows["site"] == "site 01"
    rows = rows.assign(a=np.where(first, "x, b = 1", "x"), b=np.where(first, "y", "1, b = y"))
    scored = scored_of(rows, by=["a", "b"])
    assert len(set(scored.labels.values())) == 2
    assert set(scored.labels.values()) == {'a = "x, b = 1", b = y', 'a = x, b = "1, b = y"'}
    assert len({row["label"] for row in table_named(part_of(scored), "Error").frame.to_dict("records")}) == 2


def test_a_file_is_drawn(tmp_path):
    """A CSV file, read and drawn whole."""
    path = tmp_path / "estimates.csv"
    make_table(n=20).query("site > 'site 03'").to_csv(path, index=False)
    estimates = read_estimates(path, estimate="x", truth="truth", se="se", method="m", by="site", replicate="rep")
    assert "site 04" in render(estimates, score_estimates(estimates, mcse_method="normal"))
