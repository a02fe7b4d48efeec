"""Reports: tables of a run in, one HTML file out. Neither JAX nor NumPyro is imported here."""

from simstudy.report.ademp import preregistration
from simstudy.report.document import write_report

__all__ = ["preregistration", "write_report"]
