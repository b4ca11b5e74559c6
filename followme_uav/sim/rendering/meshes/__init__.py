"""Meshes in NumPy of everything in the city: buildings, plants, streets, people, cars."""
