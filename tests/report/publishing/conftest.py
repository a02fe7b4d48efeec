"""A small made-up run that tables and figures for a paper are made of."""

import pytest

from simstudy.measures import performance
from tests.fakes import fake_run


@pytest.fixture(scope="session")
def paper_run():
    """Two numbers of groups and two spreads, four methods."""
    return fake_run(groups=(4, 8), group_size=(2,), tau=(0.5, 2.0), replicates=30)


@pytest.fixture(scope="session")
def paper_scores(paper_run):
    """Its performance table."""
    return performance(paper_run)
