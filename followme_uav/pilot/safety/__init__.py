"""Safety of the vehicle: limits of speed and acceleration, geofence, obstacle avoidance."""
