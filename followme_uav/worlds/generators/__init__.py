"""Generators of worlds: each makes another plan for every seed."""
