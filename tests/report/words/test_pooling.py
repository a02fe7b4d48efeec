"""Captions on pooling say what estimates do, also where that is not what pooling is meant to do."""

import pandas as pd
import pytest

from simstudy.report.reading.roles import Roles
from simstudy.report.words import pooling

ROLES = Roles(separate="none", complete="complete", partial="partial")
DATA = pd.Series({"theta[0]": 490.0, "theta[1]": 500.0, "theta[2]": 510.0})
HALF = 1.644854 * 4  # half a 90 % interval of a posterior sd of 4


def table(**means) -> pd.DataFrame:
    rows = [
        {"method": method, "name": name, "mean": mean, "lower": mean - HALF, "upper": mean + HALF}
        for method, each in means.items()
        for name, mean in zip(DATA.index, each, strict=True)
    ]
    return pd.DataFrame(rows)


AS_MEANT = table(none=[490.1, 500.0, 509.8], partial=[495, 500, 505], complete=[500, 500, 500])
BY_PRIORS = table(none=[3.0, 4.0, 5.0], partial=[495, 500, 506], complete=[2, 2, 2])


def test_estimates_that_do_what_pooling_is_meant_to_do():
    """Estimates at the data, drawn together, and one value."""
    assert pooling.of_data(AS_MEANT, DATA, ROLES, level=0.9) == (
        "without pooling the estimates stay with them, partial pooling draws them together, complete pooling gives one "
        "value"
    )
    assert pooling.of_lesson(AS_MEANT, DATA, ROLES, level=0.9) == (
        "Without pooling they stay at the data; complete pooling gives every group one value; partial pooling lies "
        "between, nearer to the data the more observations a group has."
    )


def test_estimates_near_the_data_are_told_with_their_distance():
    """A prior that draws by 1 of an sd of 4 leaves them within 0.25 sds: they do not stay, and are not drawn far."""
    near = table(none=[491, 500, 509], partial=[495, 500, 505], complete=[500, 500, 500])
    assert pooling.of_data(near, DATA, ROLES, level=0.9).startswith(
        "without pooling the estimates lie within 0.25 posterior sds of them, "
    )
    assert pooling.of_lesson(near, DATA, ROLES, level=0.9).startswith(
        "Without pooling they lie within 0.25 posterior sds of the data; "
    )


def test_estimates_that_priors_draw_away():
    """The farthest group is 126 posterior sds away, and partial pooling has the wider estimates: both are said."""
    told = pooling.of_data(BY_PRIORS, DATA, ROLES, level=0.9)
    assert "stay" not in told
    assert "up to 130 posterior sds from them" in told
    assert "partial pooling leaves them farther apart than without" in told
    lesson = pooling.of_lesson(BY_PRIORS, DATA, ROLES, level=0.9)
    assert "up to 130 posterior sds from the data" in lesson
    assert "lies beyond both" in lesson


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_words_do_not_depend_on_the_unit(shift, scale):
    """Estimates, intervals and data that are shifted and scaled alike are told alike."""
    moved = AS_MEANT.assign(**{name: shift + scale * AS_MEANT[name] for name in ("mean", "lower", "upper")})
    for words in (pooling.of_data, pooling.of_lesson):
        assert words(moved, shift + scale * DATA, ROLES, level=0.9) == words(AS_MEANT, DATA, ROLES, level=0.9)


def test_a_part_that_no_method_plays_is_not_spoken_of():
    """Without a method that pools nothing, nothing is said of it."""
    rows = AS_MEANT[AS_MEANT["method"] != "none"]
    told = pooling.of_data(rows, DATA, Roles(complete="complete", partial="partial"), level=0.9)
    assert "without pooling" not in told
    assert pooling.of_data(rows.iloc[:0], DATA, Roles(), level=0.9) == ""


@pytest.mark.parametrize(("far", "matters"), [(1.0, False), (1.3, True)])
def test_the_distance_of_a_group_matters_where_its_error_grows(far, matters):
    """The scenarios in which an error is clearly larger far from the mean are counted, for each kind of pooling."""
    bins = {"scenario": "a", "method": "none", "place": [0, 1], "value": [1.0, far], "mcse": 0.01}
    (told,) = pooling.of_distance(pd.DataFrame(bins), Roles(separate="none", complete="complete"))
    counted = f"under no pooling in {int(matters)} of 1 scenarios"
    assert told == f"The error is clearly larger far from the mean than near it {counted}."


def test_slopes_and_strokes():
    """Slopes are quoted where a prior pulls; strokes are said to lean outward where they do."""
    slopes = pd.DataFrame({"method": ["none", "none"], "weight": [0.02, -0.05]})
    assert pooling.of_slopes(slopes, "none").startswith("0 without pooling")
    assert pooling.of_slopes(slopes.assign(weight=[0.02, 0.9]), "none").startswith("up to 0.90 without pooling")
    theta = {"scenario": "a", "method": ["none"] * 2 + ["partial"] * 2, "mean": [1.0, 3.0, 1.5, 2.5]}
    assert "lean inward are groups pulled" in pooling.of_arrows(pd.DataFrame(theta), "none", "partial")
    assert "lean outward" in pooling.of_arrows(pd.DataFrame({**theta, "mean": [1.0, 3, 0, 9]}), "none", "partial")
