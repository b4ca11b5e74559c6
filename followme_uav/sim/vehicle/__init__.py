"""The vehicle: rigid body, autopilot, tasks, gimbal, cameras and sensors."""
