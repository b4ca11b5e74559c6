"""Reads OpenStreetMap files, XML or PBF, as plain data (extra [osm]).

Osmium reads both formats. It refuses XML entities, so that a small file cannot become a large one.
Compressed XML is not read for the same reason. Counts and sizes are capped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from followme_uav.errors import ConfigError
from followme_uav.extras import require

MAX_BYTES = 512 * 2**20
MAX_NODES, MAX_WAYS = 5_000_000, 1_000_000
_PBF_MARK = b"OSMHeader"

Tags = dict[str, str]
LatLon = tuple[float, float]


@dataclass(frozen=True)
class Way:
    """A line of nodes."""

    tags: Tags
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Relation:
    """Ways with roles."""

    tags: Tags
    members: tuple[tuple[int, str], ...]
    """(number of the way, role); other members are left out."""


@dataclass(frozen=True)
class OsmData:
    """The content of a file."""

    nodes: dict[int, LatLon] = field(default_factory=dict)
    tagged_nodes: dict[int, Tags] = field(default_factory=dict)
    ways: dict[int, Way] = field(default_factory=dict)
    relations: dict[int, Relation] = field(default_factory=dict)


def read_osm(path: Path) -> OsmData:
    """Read a file.

    Raises:
        ConfigError: The file cannot be read, is not of OpenStreetMap, is empty or too large.
        EnvironmentSetupError: The extra [osm] is not installed.
    """
    form = _format_of(path)
    require("osmium", "osm", "world import")
    import osmium

    data = OsmData()
    try:
        for item in osmium.FileProcessor(osmium.io.File(str(path), form)):
            _add(data, item)
            if len(data.nodes) > MAX_NODES or len(data.ways) > MAX_WAYS:
                raise ConfigError(
                    f"{path}: more than {MAX_NODES} nodes or {MAX_WAYS} ways; "
                    "cut a smaller part out of it"
                )
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(
            f"{path}: not a readable OpenStreetMap file: {detail:.160}; pass OSM XML or PBF"
        ) from error
    if not data.nodes:
        raise ConfigError(f"{path}: has no nodes; pass an OpenStreetMap file with map data")
    return data


def _format_of(path: Path) -> str:
    """Return osmium's name of the format, from the first bytes."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror or error}; pass an OpenStreetMap file"
        ) from error
    if not head:
        raise ConfigError(f"{path}: is empty; pass an OpenStreetMap file (XML or PBF)")
    if size > MAX_BYTES:
        raise ConfigError(
            f"{path}: larger than {MAX_BYTES >> 20} MiB; cut a smaller part out of it"
        )
    if _PBF_MARK in head[:64]:
        return "pbf"
    if head.startswith((b"\x1f\x8b", b"BZh")):
        raise ConfigError(f"{path}: is compressed; decompress it first")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return "osm"
    raise ConfigError(f"{path}: neither OSM XML nor PBF; pass an OpenStreetMap file")


def _add(data: OsmData, item: Any) -> None:
    if item.deleted:
        return
    if item.is_node():
        if item.location.valid():
            data.nodes[item.id] = (item.location.lat, item.location.lon)
            if len(item.tags):
                data.tagged_nodes[item.id] = _tags(item)
    elif item.is_way():
        data.ways[item.id] = Way(_tags(item), tuple(n.ref for n in item.nodes))
    elif item.is_relation():
        members = tuple((m.ref, m.role) for m in item.members if m.type == "w")
        data.relations[item.id] = Relation(_tags(item), members)


def _tags(item: Any) -> Tags:
    return {tag.k: tag.v for tag in item.tags}
