"""How scenarios are read: factors, labels, axis, the split of a map."""

import pandas as pd

import simstudy
from simstudy.report.reading.design import read_design
from tests.fakes import fake_run


def test_labels_are_unique_and_short():
    """Labels tell scenarios apart by the factors that vary and by nothing else."""
    design = read_design(fake_run(replicates=1, sizes=[(1, 2, 3), (4, 5, 60)]).scenarios)
    assert len(set(design.labels.values())) == len(design.labels)
    assert design.factors == ["J", "n", "τ"]
    assert "J = 3, n = 4/5/60, τ = 0.5" in design.labels.values()
    assert len(design.boundary_of("tau")) == 6


def test_axis_is_tau_when_it_varies():
    """The axis is tau where it varies, else the group size, else the number of groups, else nothing."""

    def axis(**options):
        return read_design(fake_run(replicates=1, **options).scenarios).axis

    assert axis() == "τ"
    assert axis(tau=(1.0,)) == "n"
    assert axis(tau=(1.0,), group_size=(2,)) == "J"
    assert axis(tau=(1.0,), group_size=(2,), groups=(3,)) is None


def test_users_factors_keep_their_names():
    """A factor of a user's own mechanism is read like any other; texts are factors, not axes."""
    table = pd.DataFrame({"scenario": ["a", "b", "c"], "dose": [1.0, 2.5, 10.0], "shape": ["x", "y", "y"]})
    design = read_design(table)
    assert design.factors == ["dose", "shape"]
    assert design.axis == "dose"
    assert design.labels["b"] == "dose = 2.5, shape = y"
    assert design.split() == (["shape"], ["dose"])


def test_twins_fall_back_to_the_full_label():
    """Where the short labels would not be unique the full ones are used."""
    sizes = ["1,1,1,1,1,1,1,9", "1,1,1,1,1,1,2,9"]
    table = pd.DataFrame({"scenario": ["a", "b"], "label": ["first", "second"], "sizes": sizes, "groups": [8, 8]})
    design = read_design(table)
    assert design.labels == {"a": "first", "b": "second"}
    assert design.levels["n"].tolist() == sizes


def test_standard_errors_are_no_group_sizes():
    """Known standard errors are called se in runs of now and in those that had them among the sizes; n is a count."""
    errors = [[0.15, 0.25, 0.6], [0.2, 0.3, 0.4]]
    mechanism = {"kind": "exchangeable", "likelihood": "normal_known_se", "standard_errors": errors, "tau": 0.5}
    study = {"study": {"name": "a", "replicates": 1}, "mechanism": mechanism}
    method = [{"name": "RE", "structure": "partial"}]
    table = pd.DataFrame(
        simstudy.Study.from_dict({**study, "method": method, "sampler": {"kind": "nuts"}}).scenario_rows()
    )
    assert table["sizes"].isna().all()
    assert list(read_design(table).labels.values()) == ["se = 0.15–0.6", "se = 0.2/0.3/0.4"]
    before = table.rename(columns={"sizes": "none", "standard_errors": "sizes"}).drop(columns="none")
    assert read_design(before).labels == read_design(table).labels
    both = pd.DataFrame({"scenario": ["a", "b"], "standard_error": [0.5, None], "standard_errors": [None, "0.1,0.2"]})
    assert read_design(both).levels["se"].tolist() == ["0.5", "0.1/0.2"]


def test_large_designs_split_evenly():
    """Maps of large designs put factors on both sides so that rows stay few."""
    factors = {"groups": range(1, 7), "group_size": range(1, 7), "sigma": (1.0, 2.0), "tau": (0.0, 1.0)}
    index = pd.MultiIndex.from_product(factors.values(), names=factors)
    table = index.to_frame(index=False).assign(scenario=[f"s{i}" for i in range(len(index))])
    rows, columns = read_design(table).split()
    assert set(rows) | set(columns) == {"J", "n", "σ", "τ"}
    assert columns[-1] == "τ"
    assert len(columns) > 1
