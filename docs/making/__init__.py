"""How the documentation is made: cells from plain blocks, shared runs, the reference from the code, links checked."""
