"""Side-by-side measurements: the batched sampler and its peers on one problem, one machine, equal chains and draws.

``problem`` says what is fitted, ``answers`` holds every peer to the exact posterior before its time counts, ``apart``
runs a measurement in a process of its own, ``outcome`` is what comes back and ``table`` prints it. One module per
contestant (``study_run``, ``numpyro_fits``, ``nutpie_fits``, ``blackjax_fits``); ``gradient`` measures the floor and
the cost of a leapfrog above it, ``first_rows`` how long a user waits.
"""
