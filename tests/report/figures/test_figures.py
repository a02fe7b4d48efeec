"""Figures show what they say: the artists hold the numbers of the tables. Nothing global changes."""

import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from simstudy.report import figures
from simstudy.report.figures.arrows import choose_scenarios
from simstudy.report.figures.canvas import NARROW, WIDE
from simstudy.report.figures.conditional import FEWEST_REPLICATES
from simstudy.report.reading.palette import GRID, MUTED, PAPER
from simstudy.report.reading.readings import average, binned
from simstudy.report.sections.posterior import posterior_table
from simstudy.report.sections.shrinkage import oracle_table
from simstudy.report.svg import to_svg
from tests.report.words.test_sentences import efficiency_rows

NONCENTERED = "partial, noncentered"
WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])


def marks_of(ax, name):
    """Return the (x, y) of the marks that errorbar drew for a method, one row per mark."""
    (container,) = [c for c in ax.containers if c.get_label() == name]
    return np.column_stack(container.lines[0].get_data())


def bars_of(ax, name):
    """Return the ends of the bars that errorbar drew for a method, (mark, end, axis)."""
    (container,) = [c for c in ax.containers if c.get_label() == name]
    return np.array(container.lines[2][0].get_segments())


def test_profile_draws_values_and_bars_of_2_mcse(run, table, evidence):
    """Each mark is a value of the table; its bar reaches 2 MCSE each way; panels are the other factors."""
    figure = figures.profile(table, run.scenarios, marks=evidence.marks)
    known = average(table, "rmse", estimand="theta")
    known = known[known["method"] == NONCENTERED].set_index("scenario")
    titles = evidence.design.others("τ")
    assert [ax.get_title("left") for ax in figure.axes] == list(titles.unique())
    for ax in figure.axes:
        rows = known.loc[list(titles.index[titles == ax.get_title("left")])]
        np.testing.assert_allclose(marks_of(ax, NONCENTERED)[:, 1], rows["value"])
        reach = np.ptp(bars_of(ax, NONCENTERED)[:, :, 1], axis=1)
        np.testing.assert_allclose(reach, 4 * rows["mcse"])


def test_recovery_draws_wilson_intervals_and_targets(run, table):
    """Coverage bars end where the Wilson interval ends; a dashed line stands at the nominal level."""
    figure = figures.recovery(table, run.scenarios, estimand="mu", measures=("rmse", "bias", "coverage"))
    known = average(table, "coverage", estimand="mu")
    known = known[known["method"] == NONCENTERED]
    ax = figure.axes[2]
    np.testing.assert_allclose(marks_of(ax, NONCENTERED)[:, 0], known["value"])
    np.testing.assert_allclose(bars_of(ax, NONCENTERED)[:, :, 0], known[["lower", "upper"]])
    assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"] == [0.95]
    assert [line.get_xdata()[0] for line in figure.axes[1].lines if line.get_linestyle() == "--"] == [0.0]
    assert len(figure.axes[0].get_yticklabels()) == len(run.scenarios)


def test_recovery_of_tau_marks_the_boundary(run, table, evidence):
    """Rows with tau = 0 are called boundary in the figure of tau and hold no coverage."""
    figure = figures.recovery(table, run.scenarios, estimand="tau")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [label for label in labels if "boundary" in label] == [label for label in labels if "τ = 0 " in label]
    assert len(marks_of(figure.axes[2], NONCENTERED)) == len(run.scenarios) - len(evidence.design.boundary_of("tau"))


def test_arrows_join_the_same_group(run):
    """Each stroke goes from a group's estimate without pooling to its estimate with it, in one replicate."""
    theta = run.estimates[run.estimates["estimand"] == "theta"]
    scenario = run.scenarios["scenario"].iloc[1]
    names = {"separate": "none", "partial": NONCENTERED, "complete": "complete"}
    figure = figures.arrows(theta, run.scenarios, **names, chosen=[scenario])
    (ax,) = figure.axes
    here = theta[(theta["scenario"] == scenario)]
    both = here[here["method"].isin(["none", NONCENTERED])].dropna(subset=["mean"])
    replicate = both.groupby("replicate")["method"].nunique().eq(2).idxmax()
    wide = both[both["replicate"] == replicate].astype({"method": str})
    wide = wide.pivot_table(index="group", columns="method", values=["mean", "truth"])
    strokes = [line.get_xdata() for line in ax.lines if line.get_color() == MUTED]
    np.testing.assert_allclose(strokes, wide["mean"][["none", NONCENTERED]])
    assert any(np.array_equal(line.get_xdata(), wide["truth"]["none"]) for line in ax.lines)


def test_arrows_spread_over_the_design(evidence):
    """The scenarios drawn hold every tau of the first and of the last design."""
    chosen = choose_scenarios(evidence.design)
    assert len(chosen) == len(set(chosen)) == 6


def test_divergence_map_writes_share_and_rate(run, table, evidence):
    """Every cell with divergences holds its share and rate; methods without any have no map."""
    figure = figures.divergences(table, run.scenarios)
    titles = [ax.get_title("left") for ax in figure.axes if ax.get_title("left")]
    assert titles == ["partial, centered", NONCENTERED]
    ax = figure.axes[0]
    share = average(table, "any_divergence")
    share = share[(share["method"] == "partial, centered") & (share["value"] > 0)]
    rate = average(table, "divergence_rate")
    rate = rate[rate["method"] == "partial, centered"].set_index("scenario")["value"]
    expected = {
        f"{s:.0%}\n{1000 * rate[name]:.2g} ‰" for name, s in zip(share["scenario"], share["value"], strict=True)
    }
    assert {text.get_text() for text in ax.texts} == expected
    drawn = np.ma.compressed(ax.collections[0].get_array())
    np.testing.assert_allclose(np.sort(drawn), np.sort(share["value"]))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.5", "2"]


@pytest.mark.parametrize(("rate", "hollow"), [(0.01, False), (0.0101, True)])
def test_efficiency_is_hollow_above_1_percent(rate, hollow):
    """A method that diverges in more than 1 % of draws is drawn hollow and gray, at 1 % it is not."""
    scenarios = pd.DataFrame({"scenario": ["a"], "label": ["one"]})
    (ax,) = figures.efficiency(efficiency_rows(rate), scenarios).axes
    lines = [c.lines[0] for c in ax.containers if len(c.lines[0].get_xdata())]
    (line,) = [line for line in lines if line.get_xdata()[0] == 0.06]
    assert (to_hex(line.get_markerfacecolor()) == PAPER) == hollow
    assert (to_hex(line.get_color()) == MUTED) == hollow


def test_a_figure_of_one_row_has_room_for_many_names():
    """On a phone the names of eight methods take several rows; what is drawn below keeps its height."""
    scenarios = pd.DataFrame({"scenario": ["a"], "label": ["one"]})
    one = efficiency_rows(0.0)
    several = [one.assign(method=one["method"] + f", target acceptance {i}") for i in range(4)]
    figure = figures.efficiency(pd.concat(several, ignore_index=True), scenarios, width=NARROW)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of axes that collapse to nothing
        figure.draw_without_rendering()
    (ax,) = figure.axes
    assert ax.get_window_extent().height / figure.dpi > 0.25


def test_weights_lie_at_oracle_and_mean(run):
    """The points are (oracle B, mean of E[B | y]) of the estimates, per kind of group."""
    table = oracle_table(run.estimates)
    (ax,) = figures.weights(table).axes
    clouds = [c.get_offsets() for c in ax.collections if len(c.get_offsets()) > 1]
    points = np.vstack(clouds)
    np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(table["oracle"]))
    rows = run.estimates[(run.estimates["estimand"] == "shrinkage_weight") & (run.estimates["method"] == NONCENTERED)]
    scenario = run.scenarios["scenario"].iloc[-1]
    by_group = rows[rows["scenario"] == scenario].groupby("group")[["truth", "mean"]].mean().sort_values("truth")
    mine = table[(table["scenario"] == scenario) & (table["method"] == NONCENTERED)].sort_values("oracle")
    np.testing.assert_allclose(mine["weight"], by_group["mean"])


def test_conditional_leaves_out_bins_hardly_seen(run, table):
    """Bins that few replicates fell into are not drawn; the others stand in the order of their distance."""
    known = binned(table, "coverage")
    assert (known["n_used"] < FEWEST_REPLICATES).any()
    figure = figures.conditional(table, run.scenarios, chosen=[run.scenarios["scenario"].iloc[1]])
    ax = figure.axes[1]
    rows = known[(known["scenario"] == run.scenarios["scenario"].iloc[1]) & (known["n_used"] >= FEWEST_REPLICATES)]
    mine = rows[rows["method"] == "none"]
    np.testing.assert_allclose(marks_of(ax, "none")[:, 1], mine["value"])
    assert marks_of(ax, "none")[:, 0].tolist() == sorted(marks_of(ax, "none")[:, 0])


def test_gains_draw_unclear_cells_as_none(run, evidence):
    """A cell holds the relative difference in RMSE where it exceeds 2 MCSE, and 0 where it does not; none is blank."""
    rows = evidence.error_differences(NONCENTERED, "complete")
    figure = figures.gains(rows, run.scenarios)
    clear = rows[rows["difference"].abs() > 2 * rows["difference_mcse"]]
    assert 0 < len(clear) < len(rows)
    drawn = np.ma.compressed(figure.axes[0].collections[0].get_array())
    expected = 100 * (clear["value"] / clear["rival_value"] - 1)
    np.testing.assert_allclose(np.sort(drawn), np.sort([*expected, *np.zeros(len(rows) - len(clear))]))


def test_maps_hold_every_scenario(run, table):
    """The maps of a measure hold each value of the table once."""
    figure = figures.design_map(table, run.scenarios, measure="rmse", estimand="theta")
    drawn = [np.ma.compressed(ax.collections[0].get_array()) for ax in figure.axes[:4]]
    known = average(table, "rmse", estimand="theta")
    np.testing.assert_allclose(np.sort(np.concatenate(drawn)), np.sort(known["value"]))


def test_posterior_draws_means_intervals_and_data(dataset_run):
    """Marks are posterior means, bars the 90 % interval, strokes the data, crosses the truth; labels name the rows."""
    table = posterior_table(dataset_run.estimates)
    data = pd.Series({"theta[0]": 10.0, "theta[1]": 12.0})
    truth = pd.Series({"theta[1]": 11.0, "mu": 10.0})
    figure = figures.posterior(table, data=data, truth=truth, labels={"theta[0]": "group 1"})
    ax = figure.axes[0]
    rows = table[(table["method"] == "none") & (table["estimand"] == "theta")]
    np.testing.assert_allclose(marks_of(ax, "none")[: len(rows), 0], rows["mean"])
    np.testing.assert_allclose(bars_of(ax, "none")[: len(rows), :, 0], rows[["lower", "upper"]])
    points = {str(line.get_marker()): line.get_xdata().tolist() for line in ax.lines if line.get_marker() in "|x"}
    assert points == {"|": [10.0, 12.0], "x": [11.0, 10.0]}
    assert [label.get_text() for label in ax.get_yticklabels()][:2] == ["group 1", "theta[1]"]


def test_chain_histogram_counts_every_chain():
    """The bars of the histogram add up to the number of chains, and the dashed line is the median."""
    rates = [0.0, 3.0, 7.0, 7.0, 90.0]
    (ax,) = figures.chain_divergences(pd.DataFrame({"method": "m", "rate": rates})).axes
    assert sum(bar.get_height() for bar in ax.patches) == len(rates)
    assert ax.lines[0].get_xdata()[0] == 7.0


def test_chain_histograms_share_their_axis():
    """Methods are compared, so that a rate stands in the same place and bars have one width."""
    rates = pd.DataFrame({"method": ["m"] * 4 + ["n"] * 4, "rate": [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 900.0]})
    first, second = figures.chain_divergences(rates).axes
    assert first.get_xlim() == second.get_xlim()
    assert {bar.get_width() for bar in first.patches} == {bar.get_width() for bar in second.patches}


def test_strokes_have_the_names_of_their_groups(run):
    """Names stand above the strokes, and a number as that of a group; an axis says what is along it."""
    theta = run.estimates[run.estimates["estimand"] == "theta"]
    about = {"separate": "none", "partial": NONCENTERED, "chosen": [run.scenarios["scenario"].iloc[1]]}
    (ax,) = figures.arrows(theta, run.scenarios, **about, groups={0: "Anna", 1: "7"}).axes
    assert [text.get_text() for text in ax.texts] == ["Anna", "group 7"]
    assert ax.get_xlabel() == "posterior mean of θ"


def test_a_mean_far_from_zero_is_not_among_spreads():
    """Reaction times: mu = 400 stands with the effects, tau = 20 has an axis of its own."""
    rows = {"theta[0]": 380.0, "theta[1]": 420.0, "mu": 400.0, "tau": 20.0}
    table = pd.DataFrame({"method": "m", "name": list(rows), "mean": list(rows.values())})
    table = table.assign(lower=table["mean"] - 1, upper=table["mean"] + 1)
    left, right = figures.posterior(table).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["theta[0]", "theta[1]", "mu"]
    assert [label.get_text() for label in right.get_yticklabels()] == ["tau"]


def test_speed_bars_have_the_length_of_the_numbers():
    """Bars are as long as the fits per second; seconds of running begin where those of compiling end."""
    table = pd.DataFrame(
        {
            "method": ["x", "y"],
            "fits_per_second": [5.0, 20.0],
            "compile_seconds": [4.0, 6.0],
            "run_seconds": [10.0, 2.0],
        }
    )
    figure = figures.speed(table)
    assert [bar.get_width() for bar in figure.axes[0].patches] == [5.0, 20.0]
    starts = [(bar.get_x(), bar.get_width()) for bar in figure.axes[-1].patches]
    assert starts == [(0.0, 4.0), (0.0, 6.0), (4.0, 10.0), (6.0, 2.0)]


@WIDTHS
def test_drawing_changes_nothing_global(run, table, width):
    """A figure made and turned into SVG leaves matplotlib's settings as they were and opens no window."""
    before = dict(mpl.rcParams)
    figure = figures.profile(table, run.scenarios, width=width)
    to_svg(figure, name="x", description="x")
    assert dict(mpl.rcParams) == before
    assert mpl._pylab_helpers.Gcf.get_all_fig_managers() == []
    assert figure.get_figwidth() == width


def test_names_are_not_read_as_mathematics(run, table):
    """A method named with dollar signs and underscores is drawn letter by letter."""
    name = "costs $5_a and $6^b"
    renamed = table.assign(method=table["method"].replace({"none": name}))
    svg = to_svg(figures.profile(renamed, run.scenarios), name="x", description="x")
    assert name in svg


def test_stripes_are_of_the_grid_color(run, table):
    """Rows of a dot plot are told apart by a shade that follows the page's colors."""
    figure = figures.recovery(table, run.scenarios, measures=("rmse",))
    assert {to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches} == {GRID}
