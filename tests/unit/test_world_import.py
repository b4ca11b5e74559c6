"""A town of OpenStreetMap becomes a world; broken data is repaired or left out, and counted."""

import math
from pathlib import Path

import pytest
import shapely
from shapely.geometry import Point

from followme_uav.commands.world import import_map
from followme_uav.errors import ConfigError
from followme_uav.worlds import osm, osm_import
from followme_uav.worlds.derived.lanes import lane_network
from followme_uav.worlds.derived.solids import solids_of
from followme_uav.worlds.derived.walking import walk_graph
from followme_uav.worlds.geo import project, unproject
from followme_uav.worlds.osm_import import ATTRIBUTION, import_world
from followme_uav.worlds.osm_rules import (
    building_of,
    highway_of,
    is_below_ground,
    metres,
    surface_of,
)
from followme_uav.worlds.shapes import (
    barrier_polygon,
    carriageway_polygon,
    polygon_of,
    street_polygon,
)
from followme_uav.worlds.world import MAX_ITEMS, GeoOrigin
from followme_uav.worlds.world_file import load_world, save_world
from tests.unit.world_parts import crossing

osmium = pytest.importorskip("osmium")

ORIGIN = GeoOrigin(48.0, 11.0)
TOWN = next(
    (p for up in Path(__file__).resolve().parents if (p := up / "shared/osm/vens.osm").exists()),
    None,
)
"""An example beside the repository; not a part of it."""


class Map:
    """An OpenStreetMap file in the making; positions in metres."""

    def __init__(self):
        self.nodes, self.ways, self.relations = [], [], []

    def node(self, north, east, **tags):
        latitude, longitude = unproject(ORIGIN, north, east)
        number = len(self.nodes) + 1
        self.nodes.append(
            f'<node id="{number}" version="1" lat="{latitude:.9f}" lon="{longitude:.9f}">'
            f"{self._tags(tags)}</node>"
        )
        return number

    def way(self, points, missing=(), closed=False, **tags):
        refs = [self.node(*p) for p in points] + list(missing)
        refs += refs[:1] if closed else []
        number = 1000 + len(self.ways)
        nodes = "".join(f'<nd ref="{r}"/>' for r in refs)
        self.ways.append(f'<way id="{number}" version="1">{nodes}{self._tags(tags)}</way>')
        return number

    def box(self, north, east, half, **more):
        corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
        return self.way([(north + n, east + e) for n, e in corners], closed=True, **more)

    def relation(self, members, **tags):
        parts = "".join(f'<member type="way" ref="{r}" role="{role}"/>' for r, role in members)
        number = 5000 + len(self.relations)
        self.relations.append(
            f'<relation id="{number}" version="1">{parts}{self._tags(tags)}</relation>'
        )

    def _tags(self, tags):
        names = {key.replace("__", ":"): value for key, value in tags.items()}
        return "".join(f'<tag k="{k}" v="{v}"/>' for k, v in names.items())

    def write(self, path):
        body = "\n".join([*self.nodes, *self.ways, *self.relations])
        path.write_text(f'<?xml version="1.0"?>\n<osm version="0.6">\n{body}\n</osm>\n')
        return path


@pytest.fixture
def town(tmp_path):
    """A small town with most of what can be broken."""
    m = Map()
    m.box(30, 30, 6, building="house", building__levels="2", name="low &amp; wide")
    m.box(30, -30, 6, building="yes", height="12.5 m", roof__shape="flat")
    m.box(-30, -40, 20, building="industrial")
    m.box(-30, -55, 12, building="yes")  # reaches into the one before
    m.way([(60, 0), (70, 10), (70, 0), (60, 10)], closed=True, building="yes")  # crosses itself
    m.way([(60, 30), (70, 30)], closed=True, building="yes")  # two points
    m.way([(60, 50), (70, 50), (70, 60)], missing=[99999], closed=True, building="yes")
    m.way([], missing=[90001, 90002, 90003], building="yes")
    outer = [m.way([(-70, 60), (-70, 90), (-40, 90)]), m.way([(-40, 90), (-40, 60), (-70, 60)])]
    hole = m.box(-55, 75, 5)
    m.relation([*((w, "outer") for w in outer), (hole, "inner")], type="multipolygon",
               building="school")  # fmt: skip
    m.relation([(77777, "outer")], type="multipolygon", natural="water")
    m.way([(0, -90), (0, 90)], highway="residential", name="Main Street")
    m.way([(-90, 0), (90, 0)], highway="tertiary", oneway="-1")
    m.way([(30, 0), (30, 80)], highway="footway")  # through a house
    m.way([(-90, -90), (90, -90)], highway="service")
    m.way([(90, 90), (90, 90)], highway="path")
    m.way([(10, 5), (20, 5)], highway="motorway", tunnel="yes")
    m.way([(-90, 40), (90, 40)], waterway="stream")
    m.way([(80, -80), (80, 80)], barrier="hedge")
    m.box(0, 60, 25, leisure="park")
    m.box(65, -60, 15, landuse="forest")
    m.node(10, 60, natural="tree", height="14")
    m.node(30, 30, natural="tree")  # inside of a house
    m.node(5, -6, highway="street_lamp")
    m.node(12, 55, amenity="bench")
    return m.write(tmp_path / "town.osm")


def imported(path, **options):
    options.setdefault("centre", (ORIGIN.latitude_deg, ORIGIN.longitude_deg))
    return import_world(osm.read_osm(path), "town", size_m=options.pop("size_m", 220.0), **options)


def at(world, north, east):
    """The building at a place."""
    found = [b for b in world.buildings if polygon_of(b).covers(Point(north, east))]
    assert len(found) == 1
    return found[0]


def test_buildings_have_heights_storeys_roofs_and_defaults(town):
    world = imported(town)
    house = at(world, 30, 30)
    assert (house.storeys, house.height_m, house.name) == (2, 6.5, "low & wide")
    assert (house.roof, house.style) == ("gable", "house")
    assert polygon_of(house).area == pytest.approx(144.0, rel=1e-3)
    assert (at(world, 30, -30).height_m, at(world, 30, -30).roof) == (12.5, "flat")
    assert (at(world, -30, -30).style, at(world, -30, -30).height_m) == ("hall", 6.5)
    school = at(world, -45, 62)
    assert polygon_of(school).area == pytest.approx(900.0 - 100.0, rel=1e-3)
    assert not polygon_of(school).covers(Point(-55, 75))


def test_broken_polygons_are_repaired_or_left_out_and_counted(town):
    world = imported(town)
    notes = "\n".join(world.notes)
    for line in (
        "repaired: 1 buildings that crossed themselves",
        "repaired: 1 buildings that overlapped",
        "repaired: 1 multipolygons with missing ways",
        "streets that led through walls",
        "left out: 2 buildings that are no polygons",
        "left out: 1 multipolygons that are no polygons",
        "left out: 2 trees in walls or on streets",
        "left out: 1 streets of fewer than two points",
    ):
        assert line in notes
    assert "buildings with missing nodes" in notes
    crossed = [b for b in world.buildings if polygon_of(b).distance(Point(67, 3)) < 6.0]
    assert sum(polygon_of(b).area for b in crossed) == pytest.approx(50.0, rel=0.02)
    shapes = [polygon_of(b) for b in world.buildings]
    total = sum(s.area for s in shapes)
    assert shapely.union_all(shapes).area == pytest.approx(total, rel=1e-4)


def test_streets_have_widths_lanes_and_directions_and_keep_off_walls(town):
    world = imported(town)
    main = next(s for s in world.streets if s.name == "Main Street")
    assert (main.kind, main.width_m, main.lanes) == ("street", 9.0, 2)
    one_way = next(s for s in world.streets if s.lanes == 1)
    assert one_way.line_m[0][0] > one_way.line_m[-1][0]  # against the order in the file
    assert {s.kind for s in world.streets} == {"street", "footpath", "alley"}
    walls = shapely.union_all([polygon_of(b) for b in world.buildings])
    assert all(street_polygon(s).intersection(walls).area < 0.01 for s in world.streets)
    paths = shapely.union_all([street_polygon(s) for s in world.streets if s.kind == "footpath"])
    assert not paths.intersects(polygon_of(at(world, 30, 30)))
    assert paths.covers(Point(15, 30)) or paths.covers(Point(30, 10))


def test_ground_and_furniture_are_imported(town):
    world = imported(town)
    assert {a.surface for a in world.areas} == {"lawn", "water", "wood"}
    roads = shapely.union_all([street_polygon(s) for s in world.streets])
    water = [polygon_of(a) for a in world.areas if a.surface == "water"]
    assert len(water) >= 2  # the stream passes below the street
    assert all(w.intersection(roads).area < 0.05 for w in water)
    assert any(t.height_m == 14.0 for t in world.trees)
    assert len(world.trees) > 8  # in the wood
    assert [p.at_m for p in world.lamps] == [pytest.approx((5.0, -6.0), abs=0.02)]
    assert len(world.benches) == 1
    assert [b.kind for b in world.barriers] == ["hedge", "hedge"]  # a street leads through it


def test_places_keep_their_geodetic_positions(town):
    world = imported(town, centre=None)
    house = at(world, *project(world.geo_origin, *unproject(ORIGIN, 30.0, 30.0)))
    middle = polygon_of(house).centroid
    latitude, longitude = unproject(world.geo_origin, middle.x, middle.y)
    expected = unproject(ORIGIN, 30.0, 30.0)
    assert (latitude, longitude) == pytest.approx(expected, abs=1e-7)


def test_attribution_is_kept_in_the_file(town, tmp_path):
    save_world(imported(town), tmp_path / "town.yaml")
    assert load_world(tmp_path / "town.yaml") == imported(town)
    assert "OpenStreetMap contributors" in (tmp_path / "town.yaml").read_text()
    assert load_world(tmp_path / "town.yaml").attribution == ATTRIBUTION


def test_pbf_gives_the_same_world_as_xml(town, tmp_path):
    path = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for item in osmium.FileProcessor(str(town)):
            writer.add(item)
    one, other = imported(town), imported(path)
    assert len(other.buildings) == len(one.buildings)
    for a, b in zip(one.buildings, other.buildings, strict=True):
        assert polygon_of(a).symmetric_difference(polygon_of(b)).area < 0.5  # 1e-7 degrees
    assert [s.kind for s in one.streets] == [s.kind for s in other.streets]


def test_imported_town_has_ways_on_foot_lanes_and_solids(town):
    world = imported(town)
    walk = walk_graph(world)
    assert len(walk.places_m) > 30
    assert solids_of(world)
    assert all(lane.turns for lane in lane_network(world, walk.crosswalks).lanes)


def test_part_of_the_map_is_cut_out(town):
    world = imported(town, size_m=90.0)
    assert len(world.buildings) == 3  # their middles lie in the square
    assert all(abs(v) <= 45.0 for s in world.streets for p in s.line_m for v in p)
    with pytest.raises(ConfigError, match=r"no building and no street .* --centre"):
        imported(town, centre=(10.0, 10.0))
    with pytest.raises(ConfigError, match="--size-m"):
        imported(town, size_m=1e6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello", "neither OSM XML nor PBF"),
        (b"<html></html>", "not a readable OpenStreetMap file"),
        (b'<osm version="0.6"><node id="1"', "not a readable OpenStreetMap file"),
        (b'<osm version="0.6"></osm>', "has no nodes"),
        (b'<osm version="0.6"><node id="x" lat="a" lon="b"/></osm>', "not a readable"),
        (b'<osm version="0.6"><node id="1" lat="north" lon="7"/></osm>', "wrong format"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><osm version="0.6"><node id="1" lat="1" lon="1">'
         b'<tag k="name" v="&a;"/></node></osm>', "entities are not supported"),
        (b"\x1f\x8b\x08\x00", "decompress it first"),
        (b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\xff\xff", "not a readable"),
    ],
)  # fmt: skip
def test_file_that_is_no_map_is_one_line(tmp_path, content, message):
    path = tmp_path / "town.osm"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as error:
        osm.read_osm(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_missing_and_huge_files_are_refused(tmp_path, town, monkeypatch):
    with pytest.raises(ConfigError, match="No such file"):
        osm.read_osm(tmp_path / "none.osm")
    with pytest.raises(ConfigError, match="directory"):
        osm.read_osm(tmp_path)
    monkeypatch.setattr(osm, "MAX_NODES", 20)
    with pytest.raises(ConfigError, match="more than 20 nodes"):
        osm.read_osm(town)
    monkeypatch.setattr(osm, "MAX_BYTES", 100)
    with pytest.raises(ConfigError, match="larger than"):
        osm.read_osm(town)


def test_parts_of_a_multipolygon_that_are_something_of_their_own_stay(tmp_path):
    m = Map()
    wood = [m.way([(-70, -70), (-70, 70), (70, 70), (70, -70)], closed=True, landuse="forest")]
    lake = m.box(0, 0, 20, natural="water")
    m.relation([*((w, "outer") for w in wood), (lake, "inner")], type="multipolygon",
               landuse="forest")  # fmt: skip
    pond = m.box(90, 90, 10, natural="water")
    m.relation([(77777, "outer"), (pond, "inner")], type="multipolygon", landuse="forest")
    court = m.box(-85, 85, 8, building="yes")
    inside = m.box(-85, 85, 2, building="yes")
    yard = m.box(-85, 85, 5)
    m.relation([(court, "outer"), (yard, "inner"), (inside, "inner")], type="multipolygon",
               building="yes")  # fmt: skip
    world = imported(m.write(tmp_path / "wood.osm"))
    water = shapely.union_all([polygon_of(a) for a in world.areas if a.surface == "water"])
    assert water.covers(shapely.MultiPoint([(0, 0), (90, 90)]))
    (trees,) = (a for a in world.areas if a.surface == "wood")  # not once more without its hole
    assert not polygon_of(trees).covers(Point(0, 0))
    house = at(world, -85, 85)
    assert polygon_of(house).area == pytest.approx(16.0, rel=1e-2)
    assert not any(polygon_of(b).covers(Point(-85, 89)) for b in world.buildings)


def test_what_lies_below_the_ground_is_left_out(tmp_path):
    m = Map()
    m.box(30, 30, 6, building="yes")
    m.box(-30, 30, 6, building="yes", location="underground")
    m.box(-30, -30, 6, amenity="parking", parking="underground")
    m.way([(-50, 0), (50, 0)], highway="service", tunnel="building_passage")
    m.way([(0, -50), (0, 50)], highway="service", location="underground")
    m.way([(-50, 50), (50, 50)], waterway="stream", tunnel="culvert")
    m.way([(-50, -50), (50, -50)], waterway="stream", tunnel="no")
    world = imported(m.write(tmp_path / "cellars.osm"))
    assert len(world.buildings) == 1
    assert len(world.streets) == 1
    (stream,) = world.areas
    assert polygon_of(stream).covers(Point(0, -50))


def test_straight_bridge_of_two_nodes_has_a_deck_with_room_for_the_street_below(tmp_path):
    """Most straight bridges are mapped with their two ends only."""
    m = Map()
    m.way([(0, -70), (0, 70)], highway="primary", bridge="yes")
    m.way([(60, -50), (60, 50)], highway="footway", bridge="yes")
    m.way([(-90, 0), (90, 0)], highway="residential")
    long, short = (s for s in imported(m.write(tmp_path / "bridge.osm")).streets if s.is_raised)
    assert max(long.heights_m) == pytest.approx(6.32)
    assert long.heights_m[0] == long.heights_m[-1] == 0.02
    flat = [n_e for n_e, h in zip(long.line_m, long.heights_m, strict=True) if h > 6.3]
    assert [east for _, east in flat] == pytest.approx([-10.0, 0.0, 10.0], abs=10.0)
    assert max(short.heights_m) <= 0.62


def test_walls_have_gaps_where_streets_lead_through_and_lamps_stand_beside_the_cars(tmp_path):
    """Cars would drive through them: lanes know nothing of what stands on a carriageway."""
    m = Map()
    m.way([(0, -90), (0, 90)], highway="residential")
    m.way([(-90, 50), (90, 50)], highway="footway")
    m.way([(-40, 10), (40, 10), (40, 80)], barrier="wall")
    m.way([(-60, 10), (-60, 40)], barrier="city_wall")
    m.way([(-20, 10), (-20, 40)], barrier="fence", level="-1")
    m.node(1, 20, highway="street_lamp")
    m.node(3.2, 30, highway="street_lamp")
    m.node(4, 40, highway="street_lamp")
    world = imported(m.write(tmp_path / "walls.osm"))
    roads = shapely.union_all([street_polygon(s) for s in world.streets])
    cars = shapely.union_all([carriageway_polygon(s) for s in world.streets if s.lanes])
    assert len(world.barriers) == 4
    assert all(roads.distance(barrier_polygon(b)) > 0.29 for b in world.barriers)
    length_m = sum(shapely.LineString(b.line_m).length for b in world.barriers)
    assert length_m == pytest.approx(80.0 + 70.0 + 30.0 - (9.0 + 1.0) - (2.2 + 1.0), abs=0.1)
    assert [lamp.at_m for lamp in world.lamps] == [pytest.approx((4.0, 40.0), abs=0.02)]
    assert all(cars.distance(Point(lamp.at_m)) > 0.3 for lamp in world.lamps)
    assert "repaired: 1 barriers across streets" in world.notes
    assert "left out: 2 lamps on streets" in world.notes


def test_ring_within_a_hole_is_an_island_and_a_square_may_be_a_multipolygon(tmp_path):
    m = Map()
    rings = [m.box(-50, -50, half) for half in (40, 30, 10)]
    m.relation(zip(rings, ("outer", "inner", "outer"), strict=True), type="multipolygon",
               building="yes")  # fmt: skip
    edge, fountain = m.box(60, 60, 20), m.box(60, 60, 5)
    m.relation([(edge, "outer"), (fountain, "inner")], type="multipolygon", highway="pedestrian")
    world = imported(m.write(tmp_path / "rings.osm"))
    assert sum(polygon_of(b).area for b in world.buildings) == pytest.approx(3200.0, rel=1e-3)
    assert polygon_of(at(world, -50, -50)).area == pytest.approx(400.0, rel=1e-3)
    (plaza,) = world.areas
    assert plaza.surface == "square"
    assert polygon_of(plaza).area == pytest.approx(1500.0, rel=1e-3)


def test_street_goes_on_below_a_roof_and_no_tree_or_lamp_stands_through_it(tmp_path):
    m = Map()
    m.box(0, 0, 15, building="roof")
    m.way([(0, -90), (0, 90)], highway="residential")
    m.node(10, 10, natural="tree")
    m.node(10, -10, highway="street_lamp")
    world = imported(m.write(tmp_path / "station.osm"))
    (street,) = world.streets
    assert street.width_m == 9.0 and len(street.line_m) == 2
    assert at(world, 0, 0).base_m == 4.0
    assert not world.trees and not world.lamps


def test_house_below_a_large_raised_building_stays_whole(tmp_path):
    """Without tags its height, and so whether it is raised, follows from its own area."""
    m = Map()
    m.box(0, 0, 15, building="yes", building__min_level="3")
    m.box(0, 0, 5, building="yes")
    world = imported(m.write(tmp_path / "raised.osm"))
    assert sorted(b.base_m for b in world.buildings) == [0.0, 9.0]
    house = next(b for b in world.buildings if not b.base_m)
    assert polygon_of(house).area == pytest.approx(100.0, rel=1e-3)


@pytest.mark.parametrize("cover", ["room", "bridge", "no street", "street in a hall"])
def test_take_off_is_below_the_sky(tmp_path, cover):
    """Under a bridge there are no walls, so that it seemed to be the most open place."""
    m = Map()
    if cover == "room":
        m.box(0, 0, 30, building="yes", min_height="5", height="9")
    elif cover == "bridge":
        m.way([(-90, 0), (90, 0)], highway="motorway", bridge="yes")
    else:
        m.box(0, 0, 30, building="yes")
    for east in range(-100, 101, 10):
        if abs(east) > 35:
            m.box(9, east, 4, building="yes")
    if cover != "no street":
        m.way([(0, -20), (0, 20)] if "hall" in cover else [(0, -90), (0, 90)], highway="path")
    world = imported(m.write(tmp_path / "cover.osm"))
    start = Point(world.start_m)
    assert all(polygon_of(b).distance(start) > 0.8 for b in world.buildings)
    assert all(street_polygon(s).distance(start) > 0.8 for s in world.streets if s.is_raised)
    save_world(world, tmp_path / "world.yaml")


def test_what_lies_beyond_the_square_is_not_counted(tmp_path):
    """Only few of the broken objects of a large file concern the world that is cut out of it."""
    m = Map()
    m.box(0, 0, 6, building="yes")
    for north in range(1000, 1500, 100):
        m.way([(north, 0), (north + 9, 9), (north, 9), (north + 9, 0)], closed=True, building="yes")
        m.way([(north, 50)], highway="path")
        m.way([(north, 60), (north, 70)], missing=[99], highway="path")
        m.way([(north, 80), (north, 90)], closed=True, landuse="grass")
        far = m.way([(north, 95), (north, 99)], missing=[99])
        m.relation([(far, "outer"), (77777, "outer")], type="multipolygon", natural="water")
    near = m.way([(50, 50), (50, 60)])
    m.relation([(near, "outer"), *((n, "outer") for n in range(7000, 7009))], type="multipolygon",
               natural="water")  # fmt: skip
    assert imported(m.write(tmp_path / "far.osm")).notes == (
        "repaired: 1 multipolygons with missing ways",
        "left out: 1 multipolygons that are no polygons",
    )


def test_town_at_the_date_line_is_cut_out_around_its_middle():
    """The longitudes of its houses are near 180 and near -180."""
    houses = [179.990, 179.999, -179.995, -179.980, -179.970]
    nodes = {i: (-17.0, longitude) for i, longitude in enumerate(houses)}
    ways = {i: osm.Way({"building": "yes"}, (i,)) for i in nodes}
    assert osm_import._middle(osm.OsmData(nodes, {}, ways)) == (-17.0, -179.995)


def test_map_that_no_world_can_hold_is_one_line_and_huge_buildings_are_left_out(tmp_path):
    m = Map()
    m.box(0, 0, 6, building="yes")
    m.box(0, 0, 9000, building="yes")
    path = m.write(tmp_path / "huge.osm")
    world = imported(path)
    assert [b.height_m for b in world.buildings] == [6.5]
    assert "left out: 1 buildings larger than any world" in world.notes
    save_world(world, tmp_path / "world.yaml")
    assert load_world(tmp_path / "world.yaml") == world
    with pytest.raises(ConfigError, match=r"its middle is at latitude 88\.000"):
        imported(path, centre=(88.0, 11.0))


def test_world_that_could_not_be_read_is_not_written(tmp_path):
    world = crossing(areas=crossing().areas * (MAX_ITEMS + 1))
    with pytest.raises(ConfigError, match=r"many\.yaml: areas: .* at most 50000 items"):
        save_world(world, tmp_path / "many.yaml")
    assert not (tmp_path / "many.yaml").exists()


def test_map_whose_name_is_in_another_encoding_is_imported(town, tmp_path):
    source, target = town.with_name("m\udcfcnster.osm"), tmp_path / "world.yaml"
    town.rename(source)
    import_map(source, target, "48.0,11.0", 220.0)
    assert load_world(target).name == "m?nster"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", 12.0), ("12.5 m", 12.5), ("3,5", 3.5), ("40 ft", 12.192), ("7'6\"", 2.286),
     ("10;12", 10.0), ("high", None), ("-3", None), ("0", None), ("", None), (None, None),
     ("9" * 400, None)],
)  # fmt: skip
def test_lengths_are_read_with_units(text, expected):
    assert metres(text) == (None if expected is None else pytest.approx(expected))


def test_missing_and_odd_tags_have_sensible_defaults():
    assert building_of({"building": "yes"}, 100.0).storeys == 2
    assert building_of({"building": "yes"}, 900.0).style == "block"
    assert building_of({"building": "yes", "height": "9999"}, 100.0).height_m == 400.0
    assert building_of({"building": "yes", "building:levels": "-2"}, 100.0).storeys == 2
    raised = building_of({"building": "yes", "height": "9", "min_height": "4"}, 50.0)
    assert (raised.base_m, raised.height_m) == (4.0, 9.0)
    assert building_of({"building": "yes", "height": "3", "min_height": "9"}, 50.0).base_m == 0.0
    assert highway_of({"highway": "proposed"}) is None
    assert highway_of({"highway": "residential", "width": "3"}).lanes == 0
    assert highway_of({"highway": "primary", "lanes": "4"}).width_m == pytest.approx(15.0)
    roundabout = {"highway": "residential", "junction": "roundabout"}
    assert highway_of(roundabout).lanes == 1
    assert highway_of({**roundabout, "oneway": "no"}).lanes == 2
    assert surface_of({"natural": "water"}) == "water"
    assert surface_of({"natural": "peak"}) is None


def test_roof_without_walls_is_open_below_and_a_thin_part_keeps_its_base():
    roof = building_of({"building": "roof"}, 200.0)
    assert (roof.base_m, roof.height_m, roof.roof) == (4.0, 4.5, "flat")
    carport = building_of({"building": "carport", "height": "2.4", "roof:shape": "gabled"}, 30.0)
    assert (carport.base_m, carport.height_m, carport.roof) == (2.5, 3.0, "flat")
    canopy = building_of({"building": "roof", "min_height": "5", "height": "6"}, 200.0)
    assert (canopy.base_m, canopy.height_m) == (5.0, 6.0)
    passage = building_of({"building": "yes", "min_height": "5", "height": "5.5"}, 200.0)
    assert passage.base_m == 5.0


@pytest.mark.parametrize(
    ("tags", "expected"),
    [({"level": "-1"}, True), ({"level": "-2;-1"}, True), ({"level": "-1;0"}, False),
     ({"level": "-1-1"}, False), ({"level": "1"}, False), ({"level": "ground"}, False),
     ({"indoor": "yes"}, True), ({"indoor": "no"}, False), ({"layer": "-1"}, False),
     ({"tunnel": "yes"}, True), ({}, False)],
)  # fmt: skip
def test_what_is_indoors_or_on_a_lower_level_is_not_seen_from_above(tags, expected):
    assert is_below_ground(tags) == expected
    assert (highway_of({"highway": "footway", **tags}) is None) == expected


@pytest.mark.skipif(TOWN is None, reason="the example town is not beside the repository")
def test_real_village_is_imported_completely():
    world = import_world(osm.read_osm(TOWN), "vens", size_m=800.0)
    assert len(world.buildings) > 60
    shapes = [polygon_of(b) for b in world.buildings]
    assert shapely.union_all(shapes).area == pytest.approx(sum(s.area for s in shapes), rel=1e-4)
    walls = shapely.union_all(shapes)
    assert all(street_polygon(s).intersection(walls).area < 0.05 for s in world.streets)
    assert walk_graph(world).ways
    latitude, longitude = unproject(world.geo_origin, *world.start_m)
    assert 46.07 < latitude < 46.1 and 7.11 < longitude < 7.14
    assert math.isfinite(sum(t.height_m for t in world.trees))
    assert world.attribution == osm_import.ATTRIBUTION
