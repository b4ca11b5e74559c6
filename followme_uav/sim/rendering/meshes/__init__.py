"""Meshes in NumPy of what stands, walks and drives in the city, in world NED."""
