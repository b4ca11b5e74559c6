"""RPC methods that put simple solids into the world, change them and take them away again.

They change only what was spawned: the city stands fast, and answers false.
"""

from __future__ import annotations

import math
from concurrent.futures import Future
from typing import Any

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.bodies import find_body, names_of
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import (
    read_bool,
    read_int,
    read_number,
    read_struct,
    read_text,
)
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.spawned import (
    ASSETS,
    SCALE_LIMITS,
    SpawnedObject,
    find_asset,
)
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle import earth

MAX_NAME = 60
MAX_INTENSITY = 1e9

COLOURS: dict[str, Colour] = {
    "black": (0.05, 0.05, 0.05),
    "blue": (0.10, 0.20, 0.80),
    "brown": (0.40, 0.25, 0.12),
    "cyan": (0.10, 0.75, 0.75),
    "gray": (0.50, 0.50, 0.50),
    "green": (0.10, 0.55, 0.15),
    "grey": (0.50, 0.50, 0.50),
    "magenta": (0.75, 0.10, 0.70),
    "orange": (0.95, 0.50, 0.05),
    "purple": (0.45, 0.15, 0.60),
    "red": (0.80, 0.08, 0.08),
    "white": (0.95, 0.95, 0.95),
    "yellow": (0.95, 0.85, 0.10),
}
"""Materials that simSetObjectMaterial knows."""


class ObjectMethods(Service):
    """simSpawnObject and its relatives."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simListAssets": self._list_assets,
            "simSpawnObject": self._spawn,
            "simDestroyObject": self._destroy,
            "simGetObjectScale": self._get_scale,
            "simSetObjectScale": self._set_scale,
            "simSetObjectMaterial": self._set_material,
            "simSetLightIntensity": self._set_intensity,
            "simGetWorldExtents": self._get_extents,
            "simRunConsoleCommand": self._run_console_command,
        }

    def _list_assets(self) -> list[str]:
        self.check_world_tools()
        return [asset.name for asset in ASSETS]

    def _spawn(
        self,
        object_name: Any,
        load_object: Any,
        pose: Any,
        scale: Any,
        physics_enabled: Any,
        is_blueprint: Any,
    ) -> Future[str]:
        """Put a new solid there; answers its name, with a number where others are called alike.

        Nothing falls: `physics_enabled` is accepted and changes nothing.

        Raises:
            HandlerError: There is no such asset, or no room for another object.
        """
        self.check_world_tools()
        name = _new_name(object_name)
        wanted = read_text(load_object, "load_object")
        position = _position(pose)
        orientation = structs.read_orientation(
            read_struct(pose, "pose").get("orientation", {}), "pose.orientation"
        )
        size = _scale(scale)
        read_bool(physics_enabled, "physics_enabled")
        blueprint = read_bool(is_blueprint, "is_blueprint")
        asset = find_asset(wanted)
        if asset is None:
            raise HandlerError(
                f"There were no objects with name {wanted[:MAX_NAME]} found in the Registry; "
                "simListAssets tells which there are"
            )
        if asset.is_light != blueprint:
            kind = "a blueprint" if asset.is_light else "no blueprint"
            raise HandlerError(f"is_blueprint is {str(blueprint).lower()}, {asset.name} is {kind}")

        def job(simulation: Simulation) -> str:
            if not simulation.objects.room:
                raise HandlerError(
                    f"there are {len(simulation.objects)} spawned objects, and no room for more; "
                    "destroy one"
                )
            unique = _unique(name, names_of(simulation))
            simulation.objects.add(SpawnedObject(unique, asset, position, orientation, size))
            return unique

        return self.call(job)

    def _destroy(self, object_name: Any) -> Future[bool]:
        self.check_world_tools()
        name = read_text(object_name, "object_name")
        return self.call(lambda simulation: simulation.objects.remove(name))

    def _get_scale(self, object_name: Any) -> Future[structs.Struct] | structs.Struct:
        """Of what was not spawned (1, 1, 1); of what does not exist (0, 0, 0), as AirSim."""
        name = read_text(object_name, "object_name")
        if not self.dialect.objects_have_poses:  # nothing has a scale on Unity
            return structs.vector((0.0, 0.0, 0.0))

        def job(simulation: Simulation) -> structs.Struct:
            spawned = simulation.objects.find(name)
            if spawned is not None:
                return structs.vector(spawned.scale)
            share = 0.0 if find_body(simulation, name) is None else 1.0
            return structs.vector((share, share, share))

        return self.call(job)

    def _set_scale(self, object_name: Any, scale: Any) -> Future[bool] | bool:
        name, size = read_text(object_name, "object_name"), _scale(scale)
        if not self.dialect.objects_have_poses:
            return False
        return self.call(lambda simulation: simulation.objects.resize(name, size))

    def _set_material(self, object_name: Any, material: Any, component_id: Any) -> Future[bool]:
        """Paint a spawned object; the materials are `COLOURS`. False for anything else."""
        self.check_world_tools()
        name = read_text(object_name, "object_name")
        colour = COLOURS.get(read_text(material, "material_name").lower())
        read_int(component_id, "component_id", 0, 255)

        def job(simulation: Simulation) -> bool:
            return colour is not None and simulation.objects.paint(name, colour)

        return self.call(job)

    def _set_intensity(self, light_name: Any, intensity: Any) -> Future[bool]:
        self.check_world_tools()
        name = read_text(light_name, "light_name")
        level = read_number(intensity, "intensity", 0.0, MAX_INTENSITY)
        return self.call(lambda simulation: simulation.objects.shine(name, level))

    def _get_extents(self) -> Future[list[structs.Struct]]:
        """The lowest south-western and the highest north-eastern corner of all there is."""
        self.check_world_tools()

        def job(simulation: Simulation) -> list[structs.Struct]:
            low, high = _extents(simulation)
            home = self.equipment.home
            return [structs.geo_point(low, home), structs.geo_point(high, home)]

        return self.call(job)

    def _run_console_command(self, command: Any) -> bool:
        """There is no console, so no command succeeds."""
        self.check_world_tools()
        read_text(command, "command")
        return False


def _new_name(value: Any) -> str:
    name = read_text(value, "object_name")
    if not 1 <= len(name) <= MAX_NAME:
        raise HandlerError(f"object_name has {len(name)} characters, must have 1 to {MAX_NAME}")
    if not name.isprintable():
        raise HandlerError("object_name has characters that cannot be printed")
    return name


def _unique(name: str, taken: list[str]) -> str:
    """As in AirSim: where others are called alike, one more than the greatest of their numbers."""
    alike = [other for other in taken if name.lower() in other.lower()]
    if not alike:
        return name
    ends = (other[len(other.rstrip("0123456789")) :] for other in alike)
    number = 1 + max((int(end[:9]) for end in ends if end), default=0)
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _position(pose: Any) -> Vec3:
    value = read_struct(pose, "pose").get("position", {})
    return structs.read_vector(value, "pose.position", earth.MAX_POSITION_M)


def _scale(value: Any) -> Vec3:
    fields = read_struct(value, "scale")
    x, y, z = (
        read_number(fields.get(key, 1.0), f"scale.{key}", *SCALE_LIMITS)
        for key in ("x_val", "y_val", "z_val")
    )
    return x, y, z


def _extents(simulation: Simulation) -> tuple[Vec3, Vec3]:
    """Corners of a box around everything that stands, world NED, from the ground up."""
    boxes = [
        (one.centre_m, one.half_size_m, one.yaw_rad != 0.0) for one in simulation.city.colliders
    ]
    boxes += [(one.position_m, one.half_size_m, True) for one in simulation.objects]
    centres = np.array([centre for centre, _, _ in boxes])
    # A solid that is turned may reach as far as its diagonal is long.
    reach = np.array([(math.hypot(*half),) * 3 if turned else half for _, half, turned in boxes])
    south, west, top = (centres - reach).min(axis=0).tolist()
    north, east, _ = (centres + reach).max(axis=0).tolist()
    return (south, west, 0.0), (north, east, top)
