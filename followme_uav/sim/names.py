"""Names that clients use for the vehicle and its cameras, unless settings say otherwise."""

VEHICLE_NAME = "Drone1"
CAMERA_NAMES = ("front_center", "front_right", "front_left", "bottom_center", "back_center")
