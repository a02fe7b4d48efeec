"""Exact posteriors of sums of Gaussian terms, with normal observations or known standard errors.

Given the hyperparameters everything is Gaussian. Scales of terms and sigma are told as one total scale, the shares that
the terms have of it, and sigma. At given shares (and correlations, lengths, ...) the singular value decomposition of
the design makes the observations independent modes, so that total and sigma are integrated on a grid without further
linear algebra, as those of one grouping are. What is left, at most two coordinates, is an outer rule around it.
"""
