"""The messages that travel along the path of one frame, each an immutable value.

`Frame -> Mask -> Observation -> MissionState -> Command`, all gathered in one `Step`.
Conventions: SI units and radians; world frame NED (x north, y east, z down), body frame FRD;
quaternions (w, x, y, z) rotate body to world; images are RGB with the first row on top;
image coordinates (u right, v down) run from -1 to 1 with the origin at the centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Vec3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

RgbImage = NDArray[np.uint8]
"""(height, width, 3) uint8, RGB, first row on top."""

Mask = NDArray[np.uint8]
"""(height, width, 3) uint8, class probabilities in 1/255; channels as in `MaskClass`."""


class MaskClass:
    """Channels of a `Mask`, in the order of the labelled data's colours red, green, blue."""

    BACKGROUND = 0
    PEOPLE = 1
    HERO = 2


class MissionState(Enum):
    """What the vehicle is doing."""

    TAKEOFF = "takeoff"
    PATROL = "patrol"  # along the streets, camera sweeping
    ACQUIRE = "acquire"  # something looks like the hero: slow down, look at it, make sure
    FOLLOW = "follow"
    SEARCH = "search"  # hero lost: go where she was heading, sweep
    LAND = "land"
    FAILSAFE = "failsafe"  # no frame in time, a collision, control lost: hover
    DONE = "done"


class Manoeuvre(Enum):
    """The kind of motion a `Command` asks for."""

    TAKEOFF = "takeoff"
    VELOCITY = "velocity"
    HOVER = "hover"
    LAND = "land"


@dataclass(frozen=True)
class Contact:
    """Something that the vehicle touched, as the simulator tells it."""

    object_name: str
    normal: Vec3
    """Out of the surface that was touched, world NED; zero where the simulator tells none."""


@dataclass(frozen=True)
class VehicleState:
    """Where the vehicle is and how it moves, at one instant."""

    time_s: float
    """Simulation time."""
    position_m: Vec3
    """World NED."""
    velocity_mps: Vec3
    """World NED."""
    orientation: Quaternion
    """Body FRD to world NED."""
    angular_velocity_radps: Vec3
    """Body FRD."""
    has_collided: bool = False
    """The simulator reported a contact since the previous state: a collision, or the ground."""
    contact: Contact | None = None
    """What was touched, where the simulator tells; None without a contact."""


@dataclass(frozen=True)
class CameraPose:
    """Where the camera was when it took the image, and how wide it sees."""

    position_m: Vec3
    """World NED."""
    orientation: Quaternion
    """Camera (x forward, y right, z down) to world NED."""
    fov_rad: float
    """Horizontal field of view."""


@dataclass(frozen=True)
class Frame:
    """One image and everything known about the instant it was taken."""

    index: int
    time_s: float
    """Simulation time of the image."""
    rgb: RgbImage | None
    """None when no image came before the deadline."""
    camera: CameraPose
    vehicle: VehicleState
    land_requested: bool = False
    """The person in charge wants the flight to end."""
    obstacles_m: tuple[Vec3, ...] = ()
    """Nearest things about as high as the vehicle, one for each direction in which the depth image
    shows one, world NED; empty where the simulator has no metric depth."""
    control_loss: str = ""
    """Why this flight may no longer be in control of the vehicle; empty as long as it is."""


@dataclass(frozen=True)
class Observation:
    """The hero as one blob of the mask."""

    u: float
    """Centroid, -1 at the left edge of the image, 1 at the right."""
    v: float
    """Centroid, -1 at the top edge, 1 at the bottom."""
    area_px: int
    width_px: int
    height_px: int
    confidence: float
    """Mean hero probability over the blob, 0..1."""
    purity: float = 1.0
    """Share of hero pixels among all pixels of people in the middle of the blob, from head to toe:
    low in somebody who is partly like her."""


@dataclass(frozen=True)
class HeroEstimate:
    """Where the pilot believes the hero to be, and how surely, at the frame's time."""

    position_m: Vec3
    """Her centroid, world NED."""
    velocity_mps: Vec3
    """World NED."""
    sigma_m: float
    """Standard deviation of the place, in the direction in which it is known worst."""


@dataclass(frozen=True)
class LoopTerms:
    """What one PID loop did at a frame: why the command is what it is."""

    name: str
    """pan, tilt, yaw, forward or altitude."""
    error: float
    """What the loop brings to zero, in the unit of its input (see `pilot.control`)."""
    p: float
    i: float
    d: float
    output: float
    """The sum of the three, within the loop's limit."""


@dataclass(frozen=True)
class Command:
    """What the vehicle and its camera shall do until the next command."""

    manoeuvre: Manoeuvre
    velocity_mps: Vec3
    """World NED; zero unless the manoeuvre is VELOCITY."""
    yaw_rate_radps: float
    """Positive clockwise seen from above."""
    camera_pan_rad: float
    """Relative to the body, positive to the right."""
    camera_tilt_rad: float
    """Relative to the body, positive up."""


@dataclass(frozen=True)
class Transition:
    """A change of mission state, and why."""

    source: MissionState
    target: MissionState
    reason: str


@dataclass(frozen=True)
class Step:
    """All that one frame led to."""

    frame_index: int
    time_s: float
    mask: Mask | None
    observation: Observation | None
    state: MissionState
    transition: Transition | None
    hero: HeroEstimate | None
    """None when the pilot has no idea where she is."""
    command: Command
    loops: tuple[LoopTerms, ...] = ()
    """The PID loops that had a part in the command."""


@dataclass(frozen=True)
class Solid:
    """Something that stands in the city. Shown to those who watch; the pilot never sees it."""

    name: str
    """Its kind and number: building_3, tree_0_crown."""
    centre_m: Vec3
    """World NED."""
    half_size_m: Vec3
    """North, east, down."""
    is_round: bool
    """An upright cylinder, else a box along the axes."""


@dataclass(frozen=True)
class GroundTruth:
    """What really was, from a simulator that tells. Judges flights; the pilot never sees it."""

    time_s: float
    hero_position_m: Vec3
    """Feet, world NED."""
    people_position_m: tuple[Vec3, ...]
    mask: Mask
    """Exact classes of the frame's image, 0 or 255."""
    clearance_m: float
    """From the vehicle's centre to the nearest obstacle."""
