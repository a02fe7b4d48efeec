"""Published runs, and what checks them."""
