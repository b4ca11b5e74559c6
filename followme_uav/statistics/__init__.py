"""Intervals, tests and stopping rules for results of many flights, or of many frames."""
