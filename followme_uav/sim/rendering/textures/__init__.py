"""Textures of all surfaces of the city, painted in NumPy from a seed."""
