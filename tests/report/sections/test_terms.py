"""The pictures of levels: which a factor has, of which data set, and what their captions say."""

import re
from dataclasses import replace

import numpy as np
import pytest

from simstudy.measures import performance
from simstudy.report.evidence import Evidence
from simstudy.report.levels import level_figures
from simstudy.report.reading.replicate import drawn_replicate
from simstudy.report.reading.vocabulary import speaking
from simstudy.report.sections.term_shrinkage import term_pictures, term_tables
from simstudy.report.sections.terms import terms_section
from tests.fake_terms import fake_terms_run, lattice_neighbors, level_rows

CELLS = {"area": list(range(9))}
PARENT = [0, 0, 0, 1, 1, 1, 2, 2, 2]
POINTS = {"x": np.linspace(-1, 1, 9)}
PLANE = {"x": [0.0, 2.0, 5.0] * 3, "y": [0.1, 0.2, 0.3, 2.0, 2.1, 2.2, 4.0, 4.1, 4.2]}


def evidence_of(run):
    return Evidence(run=run, performance=performance(run))


def figures_of(evidence, **which):
    with speaking(evidence.description.vocabulary):
        return level_figures(drawn_replicate(evidence, **which))


def single(layout, **columns):
    return evidence_of(fake_terms_run([level_rows("area", layout, 9, **columns)], CELLS, tau=(0.3, 1.0)))


@pytest.fixture(scope="module")
def series():
    """Nine months, labeled by year."""
    return single("order", label=[str(1990 + i) for i in range(9)])


@pytest.fixture(scope="module")
def nested():
    """Nine classes in three schools."""
    factors = [
        level_rows("school", "levels", 3),
        level_rows("class", "levels", 9, within=["school"] * 9, parent=PARENT),
    ]
    return evidence_of(fake_terms_run(factors, {"school": PARENT, "class": list(range(9))}))


@pytest.mark.parametrize(
    ("layout", "columns", "kind"),
    [
        ("order", {}, "level_series"),
        ("points", POINTS, "level_series"),
        ("points", PLANE, "level_map"),
        ("graph", {"neighbors": lattice_neighbors(3, 3)}, "level_map"),
        ("graph", {"neighbors": [[1], [0], *[[]] * 7]}, "level_map"),
        ("levels", {}, "posterior"),
    ],
)
def test_a_picture_is_chosen_by_how_levels_lie(layout, columns, kind):
    """Never by the name of a factor or a structure; it is drawn for both widths of a screen."""
    (found,) = figures_of(single(layout, **columns))
    assert found.kind == kind
    for width in (11.5, 3.7):
        assert found.draw(width=width).axes


@pytest.mark.parametrize("primary", [None, "rmse:mu", "coverage:mu"])
def test_the_data_drawn_are_those_whose_effects_vary_most(primary):
    """Whatever the study is about, the mean among it, of which there is one number and nothing that varies."""
    run = fake_terms_run([level_rows("area", "levels", 9)], CELLS, tau=(0.3, 2.0))
    study = {**run.study, "study": {**run.study["study"], **({"primary": primary} if primary else {})}}
    evidence = evidence_of(replace(run, study=study))
    with speaking(evidence.description.vocabulary):
        assert evidence.labels[drawn_replicate(evidence).scenario].endswith("2")


def test_nested_factors_are_a_tree(nested):
    """One for the chain; the values of the innermost levels are the predictor of their cells, truth and estimate."""
    (found,) = figures_of(nested)
    assert (found.kind, found.factor) == ("level_tree", "class")
    table = found.draw.args[0]
    drawn = drawn_replicate(nested)
    theta = drawn.estimates("theta")
    for method, column in (("truth", "truth"), ("partial, noncentered", "mean")):
        tips = table[(table["method"] == method) & (table["depth"] == 2)]["value"]
        rows = theta[theta["method"] == "partial, noncentered"].sort_values("level")
        mu = drawn.estimates("mu").set_index("method")[column].iloc[0]
        around = tips.to_numpy() - mu - (rows[column].to_numpy() - rows[column].mean())
        np.testing.assert_allclose(around, around.mean(), atol=1e-12)


def test_effects_with_slopes_are_lines():
    """A panel for each level, along the covariate that varies within it; its ends are the predictor of the cells."""
    run = fake_terms_run(
        [level_rows("subject", "levels", 3, label=["Ann", "Bo", "Cy"])],
        {"subject": PARENT},
        covariates={"day": [0.0, 1.0, 2.0] * 3, "age": [10.0] * 3 + [20.0] * 3 + [30.0] * 3},
        slopes=True,
    )
    (found,) = figures_of(evidence_of(run))
    assert found.kind == "level_lines"
    titles = [ax.get_title("left") for ax in found.draw(width=11.5).axes]
    assert titles == ["Ann", "Bo", "Cy"]
    assert found.draw.keywords["covariate"] == "day"


def test_levels_stand_at_the_numbers_of_their_labels(series):
    """Years on the axis where the labels are years, with the truth and the means of the data beside estimates."""
    (found,) = figures_of(series)
    assert sorted(found.draw.args[0]["x"].unique()) == list(range(1990, 1999))
    assert set(found.draw.keywords["truth"]["x"]) == set(range(1990, 1999))
    assert len(found.draw.keywords["data"]) == 9


def test_the_data_set_is_the_median_one_of_the_scenario_that_varies_most(series):
    """tau = 1 of 0.3 and 1; as many replicates have a smaller error under partial pooling as a larger one."""
    drawn = drawn_replicate(series)
    tau = series.run.scenarios.set_index("scenario")["tau"]
    assert tau[drawn.scenario] == 1.0
    squares = series.squares.query("scenario == @drawn.scenario and method == @drawn.leading")
    own = squares.set_index("replicate")["square"]
    assert drawn.leading == series.roles.partial
    assert (own < own[drawn.replicate]).sum() == (len(own) - 1) // 2
    other = next(s for s in tau.index if s != drawn.scenario)
    assert drawn_replicate(series, scenario=other).scenario == other


def test_captions_follow_the_numbers(series):
    """The error and the number of intervals that hold the truth are those of the levels that are drawn."""
    (found,) = figures_of(series)
    drawn = drawn_replicate(series)
    rows = drawn.estimates("theta").query("method == 'none'")
    error = np.sqrt(((rows["mean"] - rows["truth"]) ** 2).mean())
    holds = ((rows["lower"] <= rows["truth"]) & (rows["truth"] <= rows["upper"])).sum()
    told = re.search(r"“none” ([\d.]+), with (\d+) of 9", found.caption)
    assert float(told[1]) == pytest.approx(error, rel=5e-3)
    assert int(told[2]) == holds


def test_the_section_says_which_data_set_is_drawn(series):
    """Scenario, replicate, and by which method's error it was chosen."""
    with speaking(series.description.vocabulary):
        section = terms_section(series)
    drawn = drawn_replicate(series)
    assert f"replicate {drawn.replicate}" in section.paragraphs[0]
    assert series.labels[drawn.scenario] in section.paragraphs[0]
    assert "“partial, noncentered”" in section.paragraphs[0]


def test_a_run_with_a_single_grouping_has_no_such_section(evidence):
    """Nor has it tables of terms."""
    assert terms_section(evidence) is None
    assert term_pictures(evidence) == []
    assert term_tables(evidence) == []


def test_shrinkage_is_told_by_factor(nested, series):
    """A table for cells and one for each factor; where levels have neighbors it says why there is no rank."""
    with speaking(nested.description.vocabulary):
        titles = [table.title for table in term_tables(nested)]
        assert titles == [f"Shrinkage of {s} and what it pays" for s in ("θ", "u_school", "u_class")]
        assert all("neighbors" not in one.caption for one in term_pictures(nested))
    with speaking(series.description.vocabulary):
        (shown,) = term_pictures(series)
    assert "Levels of area have neighbors" in shown.caption
    assert "Rank correlation" not in shown.caption


def test_effects_have_the_names_of_their_own_levels(series):
    """Not those of the groups of the same number."""
    run = replace(series.run, description={"mechanism": {"has_fixed_data": True}})
    named = Evidence(run=run, performance=series.performance)
    assert named.names_of("effect[area]")[2] == "1992"
    assert named.names_of("theta") == {}
