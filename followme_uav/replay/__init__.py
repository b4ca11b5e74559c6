"""Logged flights, flown again by the same code, and compared field by field."""
