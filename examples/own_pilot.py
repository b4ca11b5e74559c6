"""A pilot of your own: it climbs, turns the camera to the largest hero detection, and lands.

Run it with the command line, which needs no other code than the class:

    followme-uav fly --pilot examples/own_pilot.py:Lookout --oracle --seed 8 --duration 5

or as a program:

    python examples/own_pilot.py
"""

from followme_uav import (
    Command,
    FlightConfig,
    FlightPlan,
    Frame,
    Manoeuvre,
    MaskSource,
    MissionState,
    Step,
    detect,
    fly,
    load_config,
)

PAN_GAIN = 0.2  # rad per frame, for a detection at the edge of the image


class Lookout:
    """Hovers above the start and keeps the camera on the hero."""

    def __init__(self, config: FlightConfig, masks: MaskSource) -> None:
        self.state = MissionState.TAKEOFF  # flights are judged and shown by this state
        self._config, self._masks = config, masks
        self._pan_rad = 0.0

    def step(self, frame: Frame) -> Step:
        """Decide what to do at one frame: called ten times per second."""
        # A frame has no image when the simulator did not answer in time.
        mask = None if frame.rgb is None else self._masks(frame)
        found = [] if mask is None else detect(mask, self._config.detection)
        if found:
            self._pan_rad += PAN_GAIN * found[0].u  # u: -1 at the left edge, 1 at the right
        altitude_m = -frame.vehicle.position_m[2]  # NED: z points down
        if frame.land_requested or frame.time_s > self._config.duration_s:
            self.state = MissionState.DONE if altitude_m < 0.3 else MissionState.LAND
        elif altitude_m > 2.0:
            self.state = MissionState.FOLLOW if found else MissionState.PATROL
        manoeuvre = {
            MissionState.TAKEOFF: Manoeuvre.TAKEOFF,
            MissionState.LAND: Manoeuvre.LAND,
        }.get(self.state, Manoeuvre.HOVER)
        command = Command(manoeuvre, camera_pan_rad=self._pan_rad, camera_tilt_rad=-0.3)
        return Step.of(frame, self.state, command, mask=mask, detection=found[0] if found else None)


if __name__ == "__main__":
    plan = FlightPlan(load_config(overrides=["duration_s=5"]), weights=None, seed=8, pilot=Lookout)
    metrics = fly(plan).metrics
    print(f"landed: {metrics.landed}, hero in view: {metrics.in_view}")
