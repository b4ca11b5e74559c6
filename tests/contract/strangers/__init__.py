"""Scripts that run inside the environments of third-party AirSim clients."""
