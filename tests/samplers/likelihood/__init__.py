"""Tests of maximum likelihood and REML."""
