"""The embedded simulator: a city, its people, a vehicle and cameras behind an AirSim-style RPC."""
