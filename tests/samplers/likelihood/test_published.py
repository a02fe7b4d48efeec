"""Estimates, standard errors and intervals that are published, of lme4's data and of a meta-analysis."""

import numpy as np
import pytest

from tests.samplers.likelihood.fits import estimated, lme4, one_way, trials


@pytest.mark.parametrize(
    ("name", "kind", "deviance", "parameters"),
    [
        ("dyestuff", "ml", 327.32705988, {"tau": 37.26034, "sigma": 49.51010}),
        ("dyestuff", "reml", 319.65427684, {"tau": 42.00060, "sigma": 49.51010}),
        (
            "penicillin",
            "ml",
            332.18834867,
            {"tau[plate]": 0.845572, "tau[sample]": 1.770666, "sigma": 0.549932},
        ),
        ("pastes", "ml", 247.99446586, {"tau[cask]": 2.904078, "tau[batch]": 1.095060, "sigma": 0.823407}),
        ("sleepstudy", "ml", 1751.93934446, {"tau": 23.78057, "tau_slope": 5.71683, "sigma": 25.59182}),
        ("sleepstudy", "reml", 1743.62827, {"tau": 24.7405, "tau_slope": 5.9221, "rho": 0.0656, "sigma": 25.5918}),
    ],
)
def test_of_lme4(name, kind, deviance, parameters):
    """Deviances of MixedModels.jl's test/pls.jl and of lme4's documentation, to the digits given, and their sds.

    Those searches end where the deviance is flat: an sd that is off by 2e-5 of its unit moves it by 1e-9.
    """
    found = estimated(*lme4(name), kind)
    digits = 1e-5 if deviance == 1743.62827 else 1e-7
    assert found.deviance == pytest.approx(deviance, abs=digits)
    for parameter, value in parameters.items():
        assert found.parameters[parameter] == pytest.approx(value, rel=5e-4 if parameter == "rho" else 3e-6, abs=5e-5)
    assert found.n_edges == 0


@pytest.mark.parametrize(
    ("name", "kind", "mean", "se"),
    [
        ("penicillin", "ml", 22.97222, 0.744596),
        ("pastes", "ml", 60.053333, 0.642136),
        ("dyestuff", "reml", 1527.5, 19.3834),
    ],
)
def test_intercepts_of_lme4(name, kind, mean, se):
    """The intercept and its standard error, as published."""
    mu = estimated(*lme4(name), kind).linear["mu"]
    assert mu.mean[0] == pytest.approx(mean, rel=1e-6)
    assert mu.sd[0] == pytest.approx(se, abs=2e-5)


@pytest.mark.parametrize(("kind", "se", "df"), [("ml", (6.632, 1.502), None), ("reml", (6.825, 1.546), 17.0)])
def test_coefficients_of_the_sleepstudy(kind, se, df):
    """Coefficients and standard errors of lme4, and lmerTest's degrees of freedom: 17.0 for both."""
    found = estimated(*lme4("sleepstudy"), kind).linear
    mu, slope = found["mu"], found["beta[days]"]
    assert (mu.mean[0], slope.mean[0]) == pytest.approx((251.40510, 10.46729), abs=1e-5)
    assert (mu.sd[0], slope.sd[0]) == pytest.approx(se, abs=6e-4)
    if df:
        assert (mu.df[0], slope.df[0]) == pytest.approx((df, df), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "parameter", "interval", "digits"),
    [
        ("dyestuff", "tau", (12.19854, 84.06305), 0.02),
        ("dyestuff", "sigma", (38.22998, 67.65770), 0.005),
        ("sleepstudy", "tau", (14.3814, 37.7160), 0.02),
        ("sleepstudy", "rho", (-0.4815, 0.6850), 0.002),
        ("sleepstudy", "tau_slope", (3.8012, 8.7534), 0.005),
        ("sleepstudy", "sigma", (22.8983, 28.8580), 0.005),
    ],
)
def test_profile_intervals_of_lme4(name, parameter, interval, digits):
    """95 % intervals of lme4's ``confint``, whose profiles are of ML and interpolated (Bates et al. 2015)."""
    profile = estimated(*lme4(name), "ml").profiles[parameter]
    assert (profile.quantile(0.025), profile.quantile(0.975)) == pytest.approx(interval, abs=digits)


def test_a_meta_analysis():
    """tau^2, the mean and its standard error of metafor's REML fit of 13 trials (Viechtbauer 2010)."""
    found = estimated(*one_way(*trials()))
    mu = found.linear["mu"]
    assert found.parameters["tau"] ** 2 == pytest.approx(0.3132, abs=5e-5)
    assert (mu.mean[0], mu.sd[0]) == pytest.approx((-0.7145, 0.1798), abs=5e-5)
    assert np.isinf(mu.df[0])
    assert "sigma" not in found.parameters
