"""Flying scripts: one flight, many in parallel, and their results."""
