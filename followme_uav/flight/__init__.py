"""A flight as a whole: the loop that flies it, the log that keeps it, the metrics that judge it."""
