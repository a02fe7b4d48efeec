"""What is fitted: structure x likelihood x priors as a NumPyro program, its log density and its estimands."""
