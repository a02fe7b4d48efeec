"""A run that was stopped says what it has, not what was planned."""

import re
from dataclasses import replace

import pytest

from simstudy.measures import performance
from simstudy.report.ademp import replicates_words
from simstudy.report.evidence import Evidence
from simstudy.report.parts import make_part
from simstudy.report.reading.description import Description
from simstudy.report.reading.extent import read_extent
from tests.fakes import fake_run

PLANNED, KEPT = 30, {"none": 30, "partial, centered": 12, "complete": 9, "partial, noncentered": 0}


def stopped(run):
    """Return the run with the first fits of each method alone."""
    tables = ("fits", "chains", "estimates")
    cut = {name: getattr(run, name) for name in tables}
    return replace(
        run, **{name: t[t["replicate"].to_numpy() < t["method"].astype(str).map(KEPT)] for name, t in cut.items()}
    )


@pytest.fixture(scope="module")
def unfinished():
    """A run of two scenarios of which one method has nothing yet."""
    return stopped(fake_run(groups=(4,), group_size=(2,), tau=(0.5, 2.0), replicates=PLANNED, failure_rate=0.0))


def test_extent_counts_fits_of_every_scenario_and_method(unfinished):
    """Stored fits are those of the table, planned ones the product of the design; a method without any counts as 0."""
    extent = read_extent(unfinished)
    assert extent.stored_fits == len(unfinished.fits) == 2 * sum(KEPT.values())
    assert extent.planned_fits == 2 * len(KEPT) * PLANNED
    assert (extent.fewest, extent.most) == (0, PLANNED)
    assert extent.uneven
    assert not extent.is_finished


def test_unfinished_run_leads_with_what_is_missing(unfinished):
    """The first answer, the chips and the ADEMP terms give stored numbers; none claims the planned replicates."""
    part = make_part(Evidence(run=unfinished, performance=performance(unfinished)))
    question, told = next(iter(part.answers.items()))
    assert question == "What is missing"
    assert question in part.unfolded
    assert "102 of 240 planned fits are stored, 0 to 30 of 30 replicates" in told[0]
    assert part.facts[2:] == ["0 to 30 of 30 replicates", "102 of 240 fits"]
    assert part.remark.endswith("on the data sets that each of them fitted.")
    terms = dict(next(section for section in part.sections if section.name == "design").terms)
    assert terms["Performance measures"][0].startswith("0 to 30 of 30 replicates of each scenario")


def test_mcse_is_that_of_the_fewest_replicates(unfinished):
    """With at least 400 of 4,000 replicates an MCSE at 95 % is 1.1 points, as in a study that plans 400."""
    study = {"study": {"replicates": 4000}, "mechanism": {"kind": "exchangeable"}}
    extent = replace(read_extent(unfinished), planned=4000, fewest=400, most=900)
    planned = replicates_words(Description(study={**study, "study": {"replicates": 400}}))
    told = replicates_words(Description(study=study), extent=extent)
    assert told[1:] == planned[1:]
    assert told[0].startswith("400 to 900 of 4,000 replicates")


def test_finished_run_says_nothing_of_it(evidence, page):
    """A run with all its replicates, failed fits among them, has plain numbers and no question of what is missing."""
    assert evidence.extent.is_finished
    assert evidence.extent.sentences == []
    assert "What is missing" not in page
    assert re.search(r"<li>60 replicates</li>\s*<li>[\d,]+ fits</li>", page)


def test_methods_with_the_same_numbers_are_not_uneven():
    """Without a lost fit nothing is said of data sets in common; one lost fit makes the numbers differ."""
    run = fake_run(groups=(4,), group_size=(2,), tau=(0.5,), replicates=5, failure_rate=0.0)
    assert not read_extent(run).uneven
    status = run.fits["status"].astype(str).mask(run.fits.index == 0, "failed")
    assert read_extent(replace(run, fits=run.fits.assign(status=status))).uneven
