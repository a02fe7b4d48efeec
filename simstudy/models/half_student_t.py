"""The half-t distribution, the usual prior of a standard deviation, which NumPyro has under no name.

The size of a Student-t number around 0 (Gelman 2006): half-Cauchy at one degree of freedom, half-normal in the limit of
many.
"""

from __future__ import annotations

from simstudy.late import dist

NAME = "HalfStudentT"


def half_student_t(df: float, scale: float, *, validate_args: bool | None = None) -> dist.Distribution:
    """Return the distribution of ``|x|`` for x ~ StudentT(df, 0, scale).

    Args:
        df: degrees of freedom, above 0.
        scale: above 0.
        validate_args: whether NumPyro looks at both.

    >>> round(float(half_student_t(1.0, 2.0).log_prob(3.0) - dist.HalfCauchy(2.0).log_prob(3.0)), 4) + 0.0
    0.0
    """
    whole = dist.StudentT(df, 0.0, scale, validate_args=validate_args)
    return dist.FoldedDistribution(whole, validate_args=validate_args)
