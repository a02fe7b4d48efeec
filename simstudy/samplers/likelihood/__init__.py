"""Maximum likelihood and REML of linear models with normal effects: frequentist practice beside Bayes.

The deviance is that of Bates, Maechler, Bolker & Walker 2015 (Journal of Statistical Software 67(1)), over cells in
the place of observations and for any structure of effects (``frame.py``, ``criterion.py``); it is minimized by L-BFGS-B
and Newton steps (``optimum.py``). Coefficients have Wald intervals with Satterthwaite's degrees of freedom, effects the
errors of the mixed-model equations (``estimate.py``, ``equations.py``), parameters of the covariance profile likelihood
intervals (``profile.py``). What has no closed form comes of draws at the estimated parameters (``plug_in.py``).
"""

from simstudy.samplers.likelihood.sampler import ML, REML

__all__ = ["ML", "REML"]
