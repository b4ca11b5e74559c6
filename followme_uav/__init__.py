"""Closed-loop visual follow-me for simulated UAVs."""

__version__ = "0.1.0"
