"""The terms of a mechanism, in words."""

from simstudy import Study
from simstudy.report.ademp import n_scenarios
from simstudy.report.ademp_terms import n_settings, term_lines
from simstudy.report.protocol import preregistration

TERMS = {
    "class": {"within": "school", "levels": 4, "tau": 0.5},
    "school": {"levels": [6, 24], "tau": [0.0, 1.0], "noise": {"kind": "student_t", "df": 4}},
}


def test_outer_factors_come_first_and_values_last():
    """In the letters of the parameters; distributions by their kind."""
    assert term_lines({"terms": TERMS}) == [
        "school: 6, 24 levels; τ: 0, 1; noise: student_t (df 4)",
        "class: 4 levels in each school; τ: 0.5",
    ]


def test_layouts_and_covariates_are_told():
    """Graphs, points, and what a covariate is."""
    days = {"name": "day", "values": [0, 1, 2]}
    terms = {
        "area": {"structure": "icar", "graph": {"lattice": [5, 4]}},
        "site": {"structure": "gaussian_process", "points": {"line": 20}},
        "subject": {"structure": "slopes", "levels": 6, "covariate": days, "slope": 0.1},
    }
    covariates = {"age": {"of": "subject", "draw": "normal", "beta": [0, 0.5]}}
    assert term_lines({"terms": terms, "covariates": covariates}) == [
        "area: a lattice of 5 × 4",
        "site: 20 points on a line",
        "subject: 6 levels; slopes on day (3 values from 0 to 2); mean slope: 0.1",
        "covariate age: normal numbers, the same in every replicate; one for each subject; coefficient 0, 0.5",
    ]


def test_scenarios_are_counted_as_the_study_makes_them():
    """Lists of terms cross with those of the mechanism; lists that are one value do not count."""
    mechanism = {"kind": "multilevel", "terms": TERMS, "sigma": [0.5, 1.0]}
    contents = {
        "study": {"name": "s", "replicates": 3, "seed": 1},
        "mechanism": mechanism,
        "method": [{"name": "p", "pooling": "partial"}],
        "sampler": {"kind": "nuts"},
    }
    study = Study.from_dict(contents)
    assert n_settings(mechanism) == 4
    assert n_scenarios(study.canonical) == len(study.scenarios) == 8


def test_a_protocol_tells_formula_terms_and_scenarios():
    """What will be run, before it is."""
    contents = {
        "study": {"name": "s", "replicates": 3, "seed": 1},
        "mechanism": {"kind": "multilevel", "terms": TERMS},
        "method": [{"name": "p", "pooling": "partial"}],
        "sampler": {"kind": "nuts"},
    }
    text = preregistration(Study.from_dict(contents))
    assert "(1 | school/class)" in text.replace("\\", "")
    assert "4 scenarios" in text
    assert "6, 24 levels" in text
    assert "pooling factor of each factor" in text
    assert "grand mean and oracle" not in text
