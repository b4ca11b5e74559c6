"""Intervals, tests and stopping rules for the results of many flights."""
