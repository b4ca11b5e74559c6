"""Frame -> Step: the pure part. No I/O, no clock, no randomness."""
