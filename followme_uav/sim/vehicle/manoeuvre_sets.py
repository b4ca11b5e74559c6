"""The manoeuvres of a vehicle, chosen by the rules in its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from followme_uav.sim.vehicle import airsim_tasks, manoeuvres, paths
from followme_uav.sim.vehicle.paths import AUTO, Lookahead
from followme_uav.sim.vehicle.tasks import Heading, Manoeuvre, TaskRunner
from followme_uav.sim.vehicle.vehicle_spec import TaskRules

_Task = Callable[..., Manoeuvre]


@dataclass(frozen=True)
class ManoeuvreSet:
    """Functions that make tasks; their first parameter is the `TaskRunner`."""

    takeoff: _Task = paths.takeoff
    land: _Task = manoeuvres.land
    go_home: _Task = paths.go_home
    hover: _Task = manoeuvres.hover
    move_by_velocity: _Task = manoeuvres.move_by_velocity
    move_by_velocity_z: _Task = manoeuvres.move_by_velocity_z
    rotate_to_yaw: _Task = manoeuvres.rotate_to_yaw
    rotate_by_yaw_rate: _Task = manoeuvres.rotate_by_yaw_rate
    move_on_path: _Task = paths.move_on_path

    def move_to_z(
        self,
        runner: TaskRunner,
        z_m: float,
        speed_mps: float,
        timeout_s: float,
        heading: Heading,
        lookahead: Lookahead = AUTO,
    ) -> Manoeuvre:
        """Fly straight up or down to an altitude."""
        north, east, _ = runner.vehicle.position_m
        goal = (north, east, z_m)
        return self.move_on_path(runner, (goal,), speed_mps, timeout_s, heading, lookahead)


OWN = ManoeuvreSet()
AIRSIM = ManoeuvreSet(
    takeoff=airsim_tasks.takeoff,
    land=airsim_tasks.land,
    go_home=airsim_tasks.go_home,
    hover=airsim_tasks.hover,
    move_by_velocity=airsim_tasks.move_by_velocity,
    move_by_velocity_z=airsim_tasks.move_by_velocity_z,
    rotate_to_yaw=airsim_tasks.rotate_to_yaw,
    rotate_by_yaw_rate=airsim_tasks.rotate_by_yaw_rate,
    move_on_path=airsim_tasks.move_on_path,
)


def manoeuvres_by(rules: TaskRules) -> ManoeuvreSet:
    """The manoeuvres that follow some rules."""
    chosen = AIRSIM if rules.rules == "airsim" else OWN
    if rules.safe_landing:
        chosen = replace(chosen, land=manoeuvres.land)
    if rules.safe_return:
        chosen = replace(chosen, go_home=paths.go_home)
    return chosen
