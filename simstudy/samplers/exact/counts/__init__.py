"""Counts whose groups are independent given the hyperparameters: one integral for each group, compiled."""
