"""Default names of the vehicle and its cameras; AirSim settings may change them."""

VEHICLE_NAME = "Drone1"
CAMERA_NAMES = ("front_center", "front_right", "front_left", "bottom_center", "back_center")
