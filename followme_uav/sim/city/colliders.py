"""The solids of a city that the vehicle can collide with: upright boxes and cylinders."""

from __future__ import annotations

from followme_uav.sim.city.layout import (
    Building,
    Bush,
    Car,
    Collider,
    Highway,
    Lamp,
    Planter,
    Tree,
    crown_bottom_m,
)


def colliders_of(
    buildings: tuple[Building, ...],
    trees: tuple[Tree, ...],
    bushes: tuple[Bush, ...],
    lamps: tuple[Lamp, ...],
    planters: tuple[Planter, ...],
    cars: tuple[Car, ...],
    highway: Highway,
) -> tuple[Collider, ...]:
    """Make one solid per object, two per tree (trunk and crown), named after kind and number."""
    solids: list[Collider] = []

    def post(name: str, n: float, e: float, radius_m: float, low_m: float, high_m: float) -> None:
        half_m = (high_m - low_m) / 2
        centre = (n, e, -(high_m + low_m) / 2)
        solids.append(Collider(name, "cylinder", centre, (radius_m, radius_m, half_m)))

    for i, b in enumerate(buildings):
        half = (b.size_north_m / 2, b.size_east_m / 2, b.height_m / 2)
        centre = (b.north_m, b.east_m, -b.height_m / 2)
        solids.append(Collider(f"building_{i}", "box", centre, half))
    for i, t in enumerate(trees):
        bottom_m = crown_bottom_m(t)
        post(f"tree_{i}_trunk", t.north_m, t.east_m, 0.25, 0.0, bottom_m)
        post(f"tree_{i}_crown", t.north_m, t.east_m, t.crown_radius_m, bottom_m, t.height_m)
    for i, s in enumerate(bushes):
        post(f"bush_{i}", s.north_m, s.east_m, s.radius_m, 0.0, s.height_m)
    for i, p in enumerate(lamps):
        post(f"lamp_{i}", p.north_m, p.east_m, 0.12, 0.0, p.height_m)
    for i, q in enumerate(planters):
        post(f"planter_{i}", q.north_m, q.east_m, q.radius_m, 0.0, q.bush_height_m)
    solids += [car_collider(i, car) for i, car in enumerate(cars)]
    h = highway
    top_m = h.underside_m + h.thickness_m + h.railing_m
    solids.append(
        Collider(
            "highway_deck",
            "box",
            ((h.north_min_m + h.north_max_m) / 2, h.east_m, -(h.underside_m + top_m) / 2),
            ((h.north_max_m - h.north_min_m) / 2, h.half_width_m, (top_m - h.underside_m) / 2),
        )
    )
    for i, (north_m, east_m) in enumerate(h.pillars_m):
        half = (h.pillar_half_m, h.pillar_half_m, h.underside_m / 2)
        solids.append(
            Collider(f"highway_pillar_{i}", "box", (north_m, east_m, -h.underside_m / 2), half)
        )
    return tuple(solids)


def car_collider(number: int, car: Car) -> Collider:
    """Make the box of a car."""
    half = (car.length_m / 2, car.width_m / 2, car.height_m / 2)
    centre = (car.north_m, car.east_m, -car.height_m / 2 - car.up_m)
    return Collider(car_name(number), "box", centre, half, car.yaw_rad)


def car_name(number: int) -> str:
    """The name of a car in the simulator; parked cars have the lower numbers."""
    return f"car_{number}"
