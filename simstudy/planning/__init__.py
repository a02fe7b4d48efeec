"""How many groups and observations reach a goal: designs simulated, a search, and the page that says so."""
