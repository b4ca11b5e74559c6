"""The motion of vehicle and camera that each mission state asks for, one module a behaviour."""
