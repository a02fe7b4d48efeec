"""What measures are taken over: the rows of a run, in slices, joined by whole numbers."""
