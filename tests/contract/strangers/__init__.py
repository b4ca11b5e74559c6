"""What runs inside the environments of AirSim clients that were not written here."""
