"""A flight as a Rerun recording: which entities there are, and what each entry adds to them.

    world/...    NED, in metres: city, vehicle, camera (with image, mask, detections), track, people
    plots/KEY    one for each panel of `view.panels`
    state        the mission's state; `events` tells why it changed

Paths are logged piece by piece, so that they grow with the time that is looked at, and so that a
live flight and a log are shown by the same code.
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
from followme_uav.view.blueprint import TIMELINE, blueprint
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
from followme_uav.view.panels import ALL_PANELS

APPLICATION = "followme-uav"
FRUSTUM_M = 3.0
"""How far in front of the camera its picture hangs in the 3-D view."""
BODY_HALF_M = (0.35, 0.35, 0.08)
HERO_HEIGHT_M, PERSON_RADIUS_M = 1.7, 0.28
SOLIDS = {"building": DARK_HOUSE, "highway": DARK_DECK, "tree": DARK_TREE}
"""Kinds of solids that are shown: the others are small."""
_UNSURE_MAX_M = 20.0
"""A larger uncertainty is drawn as if it were this."""


class FlightRecording:
    """Turns entries into what the viewer shows.

    Args:
        config: of the flight.
        solids: what stands around.
        name: of the recording, for the viewer.
        duration_s: of the flight, None while it goes on; see `blueprint`.
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
        self._blueprint = blueprint(duration_s)
        self._start_s: float | None = None
        self._vehicle_m: Vec3 | None = None
        self._hero_m: Vec3 | None = None

    def connect(self, url: str) -> None:
        """Send everything to the viewer or server at this address."""
        self._stream.connect_grpc(url, default_blueprint=self._blueprint)
        self._log_what_stays()

    def save(self, entries: Iterable[FlightEntry], path: Path) -> None:
        """Write an .rrd file with all entries, which any Rerun viewer opens with the same layout.

        Rerun itself goes on silently when the disk is full, so it makes the file in memory.

        Raises:
            OutputError: The file cannot be written.
        """
        made = self._stream.binary_stream()
        self._stream.send_blueprint(self._blueprint)
        self._log_what_stays()
        for entry in entries:
            self.log(entry)
        content = made.read()  # in one piece: each has an index of its own, and a file has one
        self._stream.disconnect()
        write_whole(path, content or b"")

    def finish(self, timeout_s: float) -> None:
        """Make sure that all has been sent or written; raises what Rerun raises if it was not."""
        self._stream.flush(timeout_sec=timeout_s)
        self._stream.disconnect()

    def log(self, entry: FlightEntry) -> None:
        """Add one entry."""
        if self._start_s is None:
            self._start_s = entry.frame.time_s
        self._stream.set_time(TIMELINE, duration=entry.frame.time_s - self._start_s)
        self._log_state(entry)
        self._log_camera(entry)
        self._log_vehicle(entry)
        self._log_track(entry.step.track)
        if entry.truth is not None:
            self._log_truth(entry.truth)
        for panel in ALL_PANELS:
            values = [line.read(entry, self._config) for line in panel.lines]
            known = [math.nan if value is None else value for value in values]
            self._log(f"plots/{panel.key}", rr.Scalars(known))

    def _log(self, path: str, part: Any) -> None:
        self._stream.log(path, part)

    def _keep(self, path: str, part: Any) -> None:
        """Log what is so all the time."""
        self._stream.log(path, part, static=True)

    def _hide(self, path: str) -> None:
        self._stream.log(path, rr.Clear(recursive=False))

    def _log_what_stays(self) -> None:
        self._keep("world", rr.ViewCoordinates.FRD)
        classes = [
            rr.AnnotationInfo(MaskClass.BACKGROUND, "background", (0, 0, 0, 0)),
            rr.AnnotationInfo(MaskClass.PEOPLE, "people", rgb(PEOPLE)),
            rr.AnnotationInfo(MaskClass.HERO, "hero", rgb(OUTLINE)),
        ]
        self._keep("world/camera", rr.AnnotationContext(classes))
        names = [state.value for state in MissionState]
        colours = [rgb(STATES[state]) for state in MissionState]
        self._keep("state", rr.StateConfiguration(values=names, labels=names, colors=colours))
        for panel in ALL_PANELS:
            lines = rr.SeriesLines(
                names=[line.label for line in panel.lines],
                colors=[_visible(line.colour) for line in panel.lines],
                widths=[1.0 if line.is_aim else 1.8 for line in panel.lines],
            )
            self._keep(f"plots/{panel.key}", lines)
        body = rr.Boxes3D(half_sizes=[BODY_HALF_M], colors=[rgb(SKY)], fill_mode="solid")
        self._keep("world/vehicle", body)
        streets = np.asarray(self._config.simulator.flyable_m, float).reshape(-1, 4)
        if len(streets):
            self._keep("world/city/streets", _flat_areas(streets, DARK_STREET))
        for kind, colour in SOLIDS.items():
            solids = [solid for solid in self._solids if solid.name.startswith(kind)]
            if solids:
                self._keep(f"world/city/{kind}", _shapes(solids, colour))

    def _log_state(self, entry: FlightEntry) -> None:
        self._log("state", rr.StateChange(state=entry.step.state.value))
        change = entry.step.transition
        if change is not None:
            text = f"{change.source.value} → {change.target.value}: {change.reason}"
            self._log("events", rr.TextLog(text, level="INFO", color=rgb(STATES[change.target])))

    def _log_camera(self, entry: FlightEntry) -> None:
        camera, image = entry.frame.camera, entry.frame.rgb
        self._log("world/camera", _pose(camera.position_m, camera.orientation))
        if image is None:
            for part in ("image", "mask", "detection", "rejected"):
                self._hide(f"world/camera/{part}")
            return
        self._log("world/camera", _lens(camera, image))
        picture = entry.encoded_image or EncodedImage(encode_png(image), "png")
        shown = rr.EncodedImage(
            contents=picture.data,
            media_type=f"image/{picture.format}",
            magnification_filter="Linear",
        )
        self._log("world/camera/image", shown)
        if entry.step.mask is not None:
            classes = np.argmax(entry.step.mask, axis=2).astype(np.uint8)
            self._log("world/camera/mask", rr.SegmentationImage(classes, opacity=0.45))
        self._log_detections(entry.step, image)

    def _log_detections(self, step: Step, image: RgbImage) -> None:
        """The selected detection in white; the others in grey, with the reason."""
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
        # What the eyes of the 3-D views are fixed to: level, one turning with the nose, one not.
        level = quaternion_from_euler(0.0, 0.0, yaw_of(vehicle.orientation))
        self._log("world/behind", _pose(place_m, level))
        self._log("world/above", _pose(place_m, (1.0, 0.0, 0.0, 0.0)))
        arrow = rr.Arrows3D(
            origins=[place_m], vectors=[command.velocity_mps], colors=[rgb(SKY)], radii=[0.05]
        )
        self._log("world/command", arrow)
        things = rr.Points3D(list(entry.frame.obstacles_m), colors=[rgb(YELLOW)], radii=[0.12])
        self._log("world/obstacles", things)
        colour = STATES[entry.step.state]
        self._log("world/path/vehicle", _piece(self._vehicle_m, place_m, colour))
        self._vehicle_m = place_m

    def _log_track(self, hero: TrackEstimate | None) -> None:
        if hero is None:
            self._hide("world/track")
            return
        sigma_m = min(hero.sigma_m, _UNSURE_MAX_M) if math.isfinite(hero.sigma_m) else 0.5
        around = rr.Ellipsoids3D(
            centers=[hero.position_m],
            half_sizes=[(sigma_m, sigma_m, HERO_HEIGHT_M / 2)],
            colors=[rgb(TRACK)],
            line_radii=[rr.Radius.ui_points(1.0)],
        )
        self._log("world/track", around)

    def _log_truth(self, truth: GroundTruth) -> None:
        feet_m = truth.hero_position_m
        self._log("world/hero", _standing([feet_m], HERO))
        self._log("world/people", _standing(list(truth.people_position_m), PEOPLE))
        self._log("world/path/hero", _piece(self._hero_m, feet_m, HERO))
        self._hero_m = feet_m


def _pose(place_m: Vec3, orientation: Quaternion) -> Any:
    w, x, y, z = orientation
    return rr.Transform3D(translation=place_m, quaternion=rr.Quaternion(xyzw=(x, y, z, w)))


def _lens(camera: CameraPose, image: RgbImage) -> Any:
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


def _piece(start_m: Vec3 | None, end_m: Vec3, colour: str) -> Any:
    """From the last place to this one."""
    strip = [end_m if start_m is None else start_m, end_m]
    return rr.LineStrips3D([strip], colors=[rgb(colour)], radii=[rr.Radius.ui_points(1.6)])


def _standing(feet_m: list[Vec3], colour: str) -> Any:
    return rr.Cylinders3D(
        centers=[(north, east, down - HERO_HEIGHT_M / 2) for north, east, down in feet_m],
        radii=[PERSON_RADIUS_M] * len(feet_m),
        lengths=[HERO_HEIGHT_M] * len(feet_m),
        colors=[rgb(colour)],
        fill_mode="solid",
    )


def _flat_areas(areas_m: np.ndarray[Any, Any], colour: str) -> Any:
    """Rectangles (n, 4) of (north_min, east_min, north_max, east_max) on the ground."""
    low, high = areas_m[:, :2], areas_m[:, 2:]
    depth = np.full((len(areas_m), 1), 0.01)
    return rr.Boxes3D(
        centers=np.hstack([(low + high) / 2, depth]),
        half_sizes=np.hstack([(high - low) / 2, depth]),
        colors=[rgb(colour)],
        fill_mode="solid",
    )


def _shapes(solids: list[Solid], colour: str) -> Any:
    """Solids of one kind: all boxes, or all round."""
    centres = np.array([solid.centre_m for solid in solids])
    half = np.array([solid.half_size_m for solid in solids])
    style: Any = {"centers": centres, "colors": [rgb(colour)], "fill_mode": "solid"}
    if solids[0].is_round:
        return rr.Cylinders3D(radii=half[:, 0], lengths=2 * half[:, 2], **style)
    return rr.Boxes3D(half_sizes=half, **style)


def _visible(colour: str) -> tuple[int, int, int]:
    """For lines that are seen on dark and on light ground, as people like their viewer."""
    paint = rgb(colour)
    return paint if max(paint) > 100 else (140, 150, 165)
