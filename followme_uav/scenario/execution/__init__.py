"""Execution of scenarios: one flight, many in parallel, and their results."""
