"""What each mission state asks of vehicle and camera: one module for each behaviour."""
