"""AirSim's RPC methods, one module for each group, and the dialects of its forks."""
