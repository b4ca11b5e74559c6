"""A flight as a Rerun recording: its entities, and the data that each entry adds to them.

    world/...    NED, metres: city, vehicle, camera (with image, mask, detections), track, people;
                 in a flight without a map, the map that the vehicle makes, and its way
    plots/KEY    one for each panel of `view.panels`
    state        the mission state
    events       transitions with their reasons

Each entry adds a segment to a path, so that the viewer shows the path up to the time cursor, and so
that the same code shows a flight in progress and a log.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rerun as rr
from PIL import ImageColor

from followme_uav.config import FlightConfig
from followme_uav.decoding import jpeg_size
from followme_uav.files import write_whole
from followme_uav.geometry import quaternion_from_euler, yaw_of
from followme_uav.log.entry import EncodedImage, FlightEntry
from followme_uav.log.png import encode_png
from followme_uav.messages import (
    CameraPose,
    Detection,
    GroundTruth,
    MaskClass,
    MissionState,
    Quaternion,
    RgbImage,
    Solid,
    Step,
    TrackEstimate,
    Vec3,
)
from followme_uav.pilot.map_snapshot import MapSnapshot
from followme_uav.view.blueprint import LEGEND, TIMELINE, blueprint
from followme_uav.view.candidates import label_of, rejected, selected_label
from followme_uav.view.colours import (
    DARK_DECK,
    DARK_HOUSE,
    DARK_STREET,
    DARK_TREE,
    GREY,
    HERO,
    OUTLINE,
    PEOPLE,
    SKY,
    STATES,
    TRACK,
    YELLOW,
    rgb,
)
from followme_uav.view.map_colours import MapReader, no_map
from followme_uav.view.map_entities import MAP_LEGEND, ground_picture, planned_way
from followme_uav.view.panels import ALL_PANELS, COVERAGE_PANEL

APPLICATION = "followme-uav"
FRUSTUM_M = 3.0
"""Distance of the image plane from the camera in the 3-D views."""
BODY_HALF_M = (0.35, 0.35, 0.08)
HERO_HEIGHT_M, PERSON_RADIUS_M = 1.7, 0.28
SOLIDS = {"building": DARK_HOUSE, "highway": DARK_DECK, "tree": DARK_TREE}
"""Colours of the kinds of solids that are shown; other kinds are small."""
_SIGMA_MAX_M = 20.0
"""Upper limit of the uncertainty that is drawn."""


class FlightRecording:
    """Sends entries to a viewer, or writes them to a file.

    Args:
        config: Of the flight.
        solids: Buildings and other solids around the flight.
        name: Of the recording, shown by the viewer.
        duration_s: Of the flight, None while it is in progress; see `blueprint`.
    """

    def __init__(
        self,
        config: FlightConfig,
        solids: Iterable[Solid],
        name: str,
        duration_s: float | None = None,
    ) -> None:
        self._config = config
        self._solids = tuple(solids)
        self._stream = rr.RecordingStream(APPLICATION)
        self._stream.send_recording_name(name)
        self._makes_map = not config.simulator.has_map
        self._blueprint = blueprint(duration_s, makes_map=self._makes_map)
        self._panels = tuple(p for p in ALL_PANELS if self._makes_map or p is not COVERAGE_PANEL)
        self._start_s: float | None = None
        self._vehicle_m: Vec3 | None = None
        self._hero_m: Vec3 | None = None

    def connect(self, url: str) -> None:
        """Send all data to the viewer or server at this address."""
        self._stream.connect_grpc(url, default_blueprint=self._blueprint)
        self._log_static_data()

    def save(
        self, entries: Iterable[FlightEntry], path: Path, read_map: MapReader = no_map
    ) -> None:
        """Write an .rrd file with all entries, which any Rerun viewer opens with the same layout.

        Rerun makes the file in memory, because its own file sink ignores a full disk.

        Raises:
            OutputError: The file cannot be written.
        """
        buffer = self._stream.binary_stream()
        self._stream.send_blueprint(self._blueprint)
        self._log_static_data()
        for entry in entries:
            self.log(entry, read_map(entry))
        content = buffer.read()  # once: each read ends with an index, and a file has only one
        self._stream.disconnect()
        write_whole(path, content or b"")

    def finish(self, timeout_s: float) -> None:
        """Wait until all data is sent or written; raises Rerun's error if that fails."""
        self._stream.flush(timeout_sec=timeout_s)
        self._stream.disconnect()

    def log(self, entry: FlightEntry, own_map: MapSnapshot | None = None) -> None:
        """Add one entry.

        Args:
            entry: The next one.
            own_map: The map that the vehicle makes; None keeps the last one.
        """
        if self._start_s is None:
            self._start_s = entry.frame.time_s
        self._stream.set_time(TIMELINE, duration=entry.frame.time_s - self._start_s)
        self._log_state(entry)
        self._log_camera(entry)
        self._log_vehicle(entry)
        self._log_track(entry.step.track)
        if entry.truth is not None:
            self._log_truth(entry.truth)
        if self._makes_map:
            self._log_own_map(entry, own_map)
        for panel in self._panels:
            values = [line.read(entry, self._config) for line in panel.lines]
            known = [math.nan if value is None else value for value in values]
            self._log(f"plots/{panel.key}", rr.Scalars(known))

    def _log(self, path: str, part: Any) -> None:
        self._stream.log(path, part)

    def _log_static(self, path: str, part: Any) -> None:
        """Log data that is valid at all times."""
        self._stream.log(path, part, static=True)

    def _hide(self, path: str) -> None:
        self._stream.log(path, rr.Clear(recursive=False))

    def _log_static_data(self) -> None:
        self._log_legends()
        self._log_city()

    def _log_legends(self) -> None:
        """Names and colours of classes, states and lines."""
        classes = [
            rr.AnnotationInfo(MaskClass.BACKGROUND, "background", (0, 0, 0, 0)),
            rr.AnnotationInfo(MaskClass.PEOPLE, "people", rgb(PEOPLE)),
            rr.AnnotationInfo(MaskClass.HERO, "hero", rgb(OUTLINE)),
        ]
        self._log_static("world/camera", rr.AnnotationContext(classes))
        names = [state.value for state in MissionState]
        colours = [rgb(STATES[state]) for state in MissionState]
        self._log_static("state", rr.StateConfiguration(values=names, labels=names, colors=colours))
        for panel in self._panels:
            lines = rr.SeriesLines(
                names=[line.label for line in panel.lines],
                colors=[_visible(line.colour) for line in panel.lines],
                widths=[1.0 if line.is_reference else 1.8 for line in panel.lines],
            )
            self._log_static(f"plots/{panel.key}", lines)

        if self._makes_map:
            self._log_static(LEGEND, rr.TextDocument(MAP_LEGEND, media_type="text/markdown"))

    def _log_city(self) -> None:
        """The coordinate system, the vehicle's body, streets and solids."""
        self._log_static("world", rr.ViewCoordinates.FRD)
        body = rr.Boxes3D(half_sizes=[BODY_HALF_M], colors=[rgb(SKY)], fill_mode="solid")
        self._log_static("world/vehicle", body)
        streets = np.asarray(self._config.simulator.flyable_m, float).reshape(-1, 4)
        if len(streets):
            self._log_static("world/city/streets", _ground_areas(streets, DARK_STREET))
        for kind, colour in SOLIDS.items():
            solids = [solid for solid in self._solids if solid.name.startswith(kind)]
            if solids:
                self._log_static(f"world/city/{kind}", _shapes(solids, colour))

    def _log_state(self, entry: FlightEntry) -> None:
        self._log("state", rr.StateChange(state=entry.step.state.value))
        transition = entry.step.transition
        if transition is not None:
            text = f"{transition.source.value} → {transition.target.value}: {transition.reason}"
            colour = rgb(STATES[transition.target])
            self._log("events", rr.TextLog(text, level="INFO", color=colour))

    def _log_camera(self, entry: FlightEntry) -> None:
        camera, image = entry.frame.camera, entry.frame.rgb
        self._log("world/camera", _pose(camera.position_m, camera.orientation))
        if image is None:
            for part in ("image", "mask", "detection", "rejected"):
                self._hide(f"world/camera/{part}")
            return
        self._log("world/camera", _pinhole(camera, image))
        encoded = _encoded(entry, image)
        shown = rr.EncodedImage(
            contents=encoded.data,
            media_type=f"image/{encoded.format}",
            magnification_filter="Linear",
        )
        self._log("world/camera/image", shown)
        if entry.step.mask is None:
            self._hide("world/camera/mask")
        else:
            classes = np.argmax(entry.step.mask, axis=2).astype(np.uint8)
            self._log("world/camera/mask", rr.SegmentationImage(classes, opacity=0.45))
        self._log_detections(entry.step, image)

    def _log_detections(self, step: Step, image: RgbImage) -> None:
        """The selected detection in white; the others in grey, with the reason of the rejection."""
        if step.detection is None:
            self._hide("world/camera/detection")
        else:
            label = selected_label(step, step.detection)
            self._log("world/camera/detection", _boxes([step.detection], [label], "white", image))
        others = rejected(step)
        if not others:
            self._hide("world/camera/rejected")
            return
        detections, labels = [c.detection for c in others], [label_of(c) for c in others]
        self._log("world/camera/rejected", _boxes(detections, labels, GREY, image))

    def _log_vehicle(self, entry: FlightEntry) -> None:
        vehicle, command = entry.frame.vehicle, entry.step.command
        place_m = vehicle.position_m
        self._log("world/vehicle", _pose(place_m, vehicle.orientation))
        # The 3-D views are attached to level frames: "behind" turns with the heading, "above" not.
        level = quaternion_from_euler(0.0, 0.0, yaw_of(vehicle.orientation))
        self._log("world/behind", _pose(place_m, level))
        self._log("world/above", _pose(place_m, (1.0, 0.0, 0.0, 0.0)))
        arrow = rr.Arrows3D(
            origins=[place_m], vectors=[command.velocity_mps], colors=[rgb(SKY)], radii=[0.05]
        )
        self._log("world/command", arrow)
        points = rr.Points3D(list(entry.frame.obstacles_m), colors=[rgb(YELLOW)], radii=[0.12])
        self._log("world/obstacles", points)
        colour = STATES[entry.step.state]
        self._log("world/path/vehicle", _segment(self._vehicle_m, place_m, colour))
        self._vehicle_m = place_m

    def _log_track(self, track: TrackEstimate | None) -> None:
        """An ellipsoid of the size of the uncertainty."""
        if track is None:
            self._hide("world/track")
            return
        sigma_m = min(track.sigma_m, _SIGMA_MAX_M) if math.isfinite(track.sigma_m) else 0.5
        ellipsoid = rr.Ellipsoids3D(
            centers=[track.position_m],
            half_sizes=[(sigma_m, sigma_m, HERO_HEIGHT_M / 2)],
            colors=[rgb(TRACK)],
            line_radii=[rr.Radius.ui_points(1.0)],
        )
        self._log("world/track", ellipsoid)

    def _log_own_map(self, entry: FlightEntry, own_map: MapSnapshot | None) -> None:
        if own_map is not None:
            self._log("world/own_map", ground_picture(own_map, entry))
        way = planned_way(entry)
        if way is None:
            self._hide("world/way")
        else:
            self._log("world/way", way)

    def _log_truth(self, truth: GroundTruth) -> None:
        feet_m = truth.hero_position_m
        self._log("world/hero", _people([feet_m], HERO))
        self._log("world/people", _people(list(truth.people_position_m), PEOPLE))
        self._log("world/path/hero", _segment(self._hero_m, feet_m, HERO))
        self._hero_m = feet_m


def _encoded(entry: FlightEntry, image: RgbImage) -> EncodedImage:
    """The image in the size of the mask; the log may hold it larger, as the simulator sent it."""
    logged = entry.encoded_image
    if logged is not None and (
        logged.format == "png" or jpeg_size(logged.data) == image.shape[1::-1]
    ):
        return logged
    return EncodedImage(encode_png(image), "png")


def _pose(place_m: Vec3, orientation: Quaternion) -> Any:
    w, x, y, z = orientation
    return rr.Transform3D(translation=place_m, quaternion=rr.Quaternion(xyzw=(x, y, z, w)))


def _pinhole(camera: CameraPose, image: RgbImage) -> Any:
    height, width, _ = image.shape
    return rr.Pinhole(
        width=width,
        height=height,
        focal_length=width / (2 * math.tan(camera.fov_rad / 2)),
        camera_xyz=rr.ViewCoordinates.FRD,
        image_plane_distance=FRUSTUM_M,
    )


def _boxes(detections: Sequence[Detection], labels: list[str], colour: str, image: RgbImage) -> Any:
    height, width, _ = image.shape
    return rr.Boxes2D(
        centers=[((d.u + 1) / 2 * width, (d.v + 1) / 2 * height) for d in detections],
        half_sizes=[(d.width_px / 2 + 2, d.height_px / 2 + 2) for d in detections],
        colors=[ImageColor.getrgb(colour)],
        labels=labels,
    )


def _segment(start_m: Vec3 | None, end_m: Vec3, colour: str) -> Any:
    """A line from the previous position to this one; a point at the first one."""
    strip = [end_m if start_m is None else start_m, end_m]
    return rr.LineStrips3D([strip], colors=[rgb(colour)], radii=[rr.Radius.ui_points(1.6)])


def _people(feet_m: list[Vec3], colour: str) -> Any:
    """Standing people as cylinders."""
    return rr.Cylinders3D(
        centers=[(north, east, down - HERO_HEIGHT_M / 2) for north, east, down in feet_m],
        radii=[PERSON_RADIUS_M] * len(feet_m),
        lengths=[HERO_HEIGHT_M] * len(feet_m),
        colors=[rgb(colour)],
        fill_mode="solid",
    )


def _ground_areas(areas_m: np.ndarray[Any, Any], colour: str) -> Any:
    """Rectangles on the ground, (n, 4) of (north_min, east_min, north_max, east_max)."""
    low, high = areas_m[:, :2], areas_m[:, 2:]
    depth = np.full((len(areas_m), 1), 0.01)
    return rr.Boxes3D(
        centers=np.hstack([(low + high) / 2, depth]),
        half_sizes=np.hstack([(high - low) / 2, depth]),
        colors=[rgb(colour)],
        fill_mode="solid",
    )


def _shapes(solids: list[Solid], colour: str) -> Any:
    """Solids of one kind: all boxes, or all cylinders."""
    centres = np.array([solid.centre_m for solid in solids])
    half = np.array([solid.half_size_m for solid in solids])
    style: Any = {"centers": centres, "colors": [rgb(colour)], "fill_mode": "solid"}
    if solids[0].is_round:
        return rr.Cylinders3D(radii=half[:, 0], lengths=2 * half[:, 2], **style)
    return rr.Boxes3D(half_sizes=half, **style)


def _visible(colour: str) -> tuple[int, int, int]:
    """The colour, or a grey in place of a dark one: the viewer has a dark and a light theme."""
    shown = rgb(colour)
    return shown if max(shown) > 100 else (140, 150, 165)
