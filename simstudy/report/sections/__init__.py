"""The sections of a report, one question each, in the order of the page."""

from collections.abc import Callable

from simstudy.report.evidence import Evidence
from simstudy.report.sections.ademp import ademp_section
from simstudy.report.sections.calibration import calibration_section
from simstudy.report.sections.divergences import divergence_section
from simstudy.report.sections.error_split import error_split_section
from simstudy.report.sections.failures import failure_section
from simstudy.report.sections.own_measures import own_measures_section
from simstudy.report.sections.posterior import posterior_section
from simstudy.report.sections.priors import prior_section
from simstudy.report.sections.provenance import provenance_section
from simstudy.report.sections.recovery import recovery_section
from simstudy.report.sections.section import Section
from simstudy.report.sections.shrinkage import shrinkage_section
from simstudy.report.sections.speed import speed_section
from simstudy.report.sections.terms import terms_section

SECTIONS: tuple[Callable[[Evidence], Section | None], ...] = (
    ademp_section,
    calibration_section,
    posterior_section,
    terms_section,
    recovery_section,
    own_measures_section,
    error_split_section,
    shrinkage_section,
    prior_section,
    divergence_section,
    speed_section,
    failure_section,
    provenance_section,
)
