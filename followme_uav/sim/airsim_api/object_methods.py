"""RPC methods that spawn simple solids, change them and destroy them.

They change spawned objects only; for objects of the city they answer False.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from followme_uav.messages import Vec3
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.bodies import find_body, names_of
from followme_uav.sim.airsim_api.materials import COLOURS
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import (
    read_bool,
    read_int,
    read_number,
    read_struct,
    read_text,
)
from followme_uav.sim.airsim_api.world_extents import world_extents
from followme_uav.sim.city.spawned import ASSETS, SCALE_LIMITS, Asset, SpawnedObject, find_asset
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle import earth

MAX_NAME = 60
MAX_INTENSITY = 1e9


class ObjectMethods(Service):
    """simSpawnObject, simDestroyObject and the methods that change spawned objects."""

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
        """Spawn a solid; answers its name, with a number appended if the name is in use.

        `physics_enabled` has no effect: spawned objects do not fall.

        Raises:
            HandlerError: There is no such asset, or no room for another object.
        """
        self.check_world_tools()
        name = _read_new_name(object_name)
        asset_name = read_text(load_object, "load_object")
        position = _read_position(pose)
        orientation = structs.read_orientation(
            read_struct(pose, "pose").get("orientation", {}), "pose.orientation"
        )
        size = _read_scale(scale)
        read_bool(physics_enabled, "physics_enabled")
        asset = _asset_of(asset_name, read_bool(is_blueprint, "is_blueprint"))

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
        """Report an object's scale.

        As on AirSim the answer is (1, 1, 1) for an object of the city and (0, 0, 0) for an unknown
        name; on Unity it is always (0, 0, 0).
        """
        name = read_text(object_name, "object_name")
        if not self.dialect.objects_have_poses:
            return structs.vector((0.0, 0.0, 0.0))

        def job(simulation: Simulation) -> structs.Struct:
            spawned = simulation.objects.find(name)
            if spawned is not None:
                return structs.vector(spawned.scale)
            share = 0.0 if find_body(simulation, name) is None else 1.0
            return structs.vector((share, share, share))

        return self.call(job)

    def _set_scale(self, object_name: Any, scale: Any) -> Future[bool] | bool:
        name, size = read_text(object_name, "object_name"), _read_scale(scale)
        if not self.dialect.objects_have_poses:
            return False
        return self.call(lambda simulation: simulation.objects.resize(name, size))

    def _set_material(self, object_name: Any, material: Any, component_id: Any) -> Future[bool]:
        """Paint a spawned object with a material of `COLOURS`; False for any other."""
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
        """Report the corners of the box around the world, see `world_extents`."""
        self.check_world_tools()

        def job(simulation: Simulation) -> list[structs.Struct]:
            low, high = world_extents(simulation)
            home = self.equipment.home
            return [structs.geo_point(low, home), structs.geo_point(high, home)]

        return self.call(job)

    def _run_console_command(self, command: Any) -> bool:
        """Answer False: there is no console, so no command succeeds."""
        self.check_world_tools()
        read_text(command, "command")
        return False


def _read_new_name(value: Any) -> str:
    name = read_text(value, "object_name")
    if not 1 <= len(name) <= MAX_NAME:
        raise HandlerError(f"object_name has {len(name)} characters, must have 1 to {MAX_NAME}")
    if not name.isprintable():
        raise HandlerError("object_name has characters that cannot be printed")
    return name


def _asset_of(name: str, is_blueprint: bool) -> Asset:
    asset = find_asset(name)
    if asset is None:
        raise HandlerError(
            f"There were no objects with name {name[:MAX_NAME]} found in the Registry; "
            "simListAssets lists the assets"
        )
    if asset.is_light != is_blueprint:
        kind = "a blueprint" if asset.is_light else "no blueprint"
        raise HandlerError(f"is_blueprint is {str(is_blueprint).lower()}, {asset.name} is {kind}")
    return asset


def _unique(name: str, taken: list[str]) -> str:
    """A name that is not in use, as in AirSim.

    If the name is part of others (ignoring case), the greatest of their numbers plus one is
    appended.
    """
    alike = [other for other in taken if name.lower() in other.lower()]
    if not alike:
        return name
    ends = (other[len(other.rstrip("0123456789")) :] for other in alike)
    number = 1 + max((int(end[:9]) for end in ends if end), default=0)
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _read_position(pose: Any) -> Vec3:
    value = read_struct(pose, "pose").get("position", {})
    return structs.read_vector(value, "pose.position", earth.MAX_POSITION_M)


def _read_scale(value: Any) -> Vec3:
    fields = read_struct(value, "scale")
    x, y, z = (
        read_number(fields.get(key, 1.0), f"scale.{key}", *SCALE_LIMITS)
        for key in ("x_val", "y_val", "z_val")
    )
    return x, y, z
