"""Replays of logged flights: the pilot runs again on the log, and each step is compared."""
