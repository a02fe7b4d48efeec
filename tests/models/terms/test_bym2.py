"""BYM2 mixes the intrinsic autoregression and independent effects, its scale the same at any share."""

import numpy as np
from hypothesis import given

from simstudy.models.terms import BYM2, ICAR
from tests.models.terms.factors import close, covariance, few, fractions, graphs, scaled_covariance, scales


@few
@given(graphs(), scales, fractions)
def test_it_is_the_sum_of_both_covariances(graph, tau, share):
    """Dense, by pseudo-inverses; shares of 0 and 1 are among those tried."""
    factor, components = graph
    structured = scaled_covariance(factor, components)
    expected = tau**2 * (share * structured + (1 - share) * np.eye(factor.n_levels))
    close(covariance(BYM2(), factor, {"tau": tau, "share": share}), expected, rtol=1e-8)


@few
@given(graphs())
def test_a_typical_level_has_the_same_sd_at_either_end(graph):
    """Geometric mean of a component's variances: 1, of the structured part and of the independent one."""
    factor, components = graph
    for share in (0.0, 1.0):
        variances = np.diag(covariance(BYM2(), factor, {"tau": 1.0, "share": share}))
        for inside in components:
            if len(inside) > 1:
                np.testing.assert_allclose(np.exp(np.log(variances[inside]).mean()), 1.0, rtol=1e-8)


@few
@given(graphs(), scales)
def test_ends_are_exchangeable_and_intrinsic(graph, tau):
    """To rounding, islands included: at a share of 1 they have no effect."""
    factor, components = graph
    close(covariance(BYM2(), factor, {"tau": tau, "share": 0.0}), tau**2 * np.eye(factor.n_levels))
    whole = covariance(BYM2(), factor, {"tau": tau, "share": 1.0})
    close(whole, covariance(ICAR(), factor, {"tau": tau}))
    for inside in components:
        if len(inside) == 1:
            assert whole[inside[0], inside[0]] == 0
