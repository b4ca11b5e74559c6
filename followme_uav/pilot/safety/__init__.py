"""What keeps the vehicle safe: limits of speed and acceleration, geofence, obstacle avoidance."""
