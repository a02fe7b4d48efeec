"""Which pooling for the groups of a data set: fits, simulations around them, and the page that says so."""
