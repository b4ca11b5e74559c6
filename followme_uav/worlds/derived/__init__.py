"""Geometry that follows from a world: pure functions, without state."""
