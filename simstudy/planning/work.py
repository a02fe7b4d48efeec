"""What a replicate takes: rough milliseconds of one core, so that large designs end in time as small ones do.

The numbers were measured on one machine and decide how many replicates a search may spend, never what they say; so the
answer is the same on every machine.
"""

from simstudy.planning.points import Design
from simstudy.planning.question import Question
from simstudy.planning.search import Effort

MOST_WORK = 40.0  # milliseconds in all, for each of the most replicates of a design
TESTS, TESTS_TO_FITS = 1000, 8
EXACT, SAMPLED, TESTED = (3.0, 0.3), (4.0, 0.75), (0.2, 0.001)
PER_OBSERVATION = 2e-5


def effort_of(replicates: int, *, is_test: bool) -> Effort:
    """Return how many replicates a search may spend, given the most of a design; a test takes no fit."""
    work = MOST_WORK * replicates
    if is_test:
        return Effort(pilot=TESTS, most=TESTS_TO_FITS * replicates, work=work)
    return Effort(most=replicates, work=work)


def work_of(question: Question, design: Design, *, is_test: bool) -> float:
    """Return about how many milliseconds of one core a replicate of a design takes."""
    is_exact = question.template.methods[0].sampler.is_exact
    fixed, of_group = TESTED if is_test else EXACT if is_exact else SAMPLED
    return fixed + of_group * design.groups + PER_OBSERVATION * design.groups * (design.group_size or 1)
