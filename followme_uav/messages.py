"""The messages that travel along the path of one frame, each an immutable value.

`Frame -> Mask -> Detection -> Measurement -> Track -> MissionState -> Guidance -> Command`, all
gathered in one `Step`.
Conventions: SI units and radians; world frame NED (x north, y east, z down), body frame FRD;
quaternions (w, x, y, z) rotate body to world; images are RGB with the first row on top;
image coordinates (u right, v down) run from -1 to 1 with the origin at the centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vec2 = tuple[float, float]
"""North and east."""
Vec3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

RgbImage = NDArray[np.uint8]
"""(height, width, 3) uint8, RGB, first row on top."""

DepthImage = NDArray[np.uint8]
"""(height, width) uint8, first row on top: distance along the camera's axis; 255 is `DEPTH_RANGE_M`
or more."""

DEPTH_RANGE_M = 50.0
"""Distance of the level 255 of a `DepthImage`."""

Mask = NDArray[np.uint8]
"""(height, width, 3) uint8, class probabilities in 1/255; channels as in `MaskClass`.

Example:
    >>> import numpy as np
    >>> from followme_uav import Mask, MaskClass
    >>> mask: Mask = np.zeros((160, 160, 3), np.uint8)
    >>> mask[..., MaskClass.BACKGROUND] = 255
"""


class MaskClass:
    """Channels of a `Mask`, in the order of the labelled data's colours red, green, blue.

    Example:
        >>> from followme_uav import MaskClass
        >>> MaskClass.BACKGROUND, MaskClass.PEOPLE, MaskClass.HERO
        (0, 1, 2)
    """

    BACKGROUND = 0
    PEOPLE = 1
    HERO = 2


class MissionState(Enum):
    """State of the mission: the task of the vehicle. A flight ends with DONE.

    Example:
        >>> from followme_uav import MissionState
        >>> MissionState("follow") is MissionState.FOLLOW
        True
    """

    TAKEOFF = "takeoff"
    PATROL = "patrol"  # fly along the streets, camera sweeping
    ACQUIRE = "acquire"  # approach a detection until it is confirmed as the hero, or rejected
    FOLLOW = "follow"
    SEARCH = "search"  # track lost: fly to the predicted position, then along the streets
    LAND = "land"
    FAILSAFE = "failsafe"  # no frame in time, a collision, control lost: hover
    DONE = "done"


class Manoeuvre(Enum):
    """The kind of motion a `Command` asks for.

    Example:
        >>> from followme_uav import Manoeuvre
        >>> [manoeuvre.value for manoeuvre in Manoeuvre]
        ['takeoff', 'velocity', 'hover', 'land']
    """

    TAKEOFF = "takeoff"
    VELOCITY = "velocity"
    HOVER = "hover"
    LAND = "land"


@dataclass(frozen=True)
class Contact:
    """An object that the vehicle touched, as the simulator reports it."""

    object_name: str
    normal: Vec3
    """Outward normal of the touched surface, world NED; zero where the simulator reports none."""


@dataclass(frozen=True)
class VehicleState:
    """Pose and motion of the vehicle at one instant.

    Example:
        >>> from followme_uav import VehicleState
        >>> at_rest, level = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
        >>> vehicle = VehicleState(1.5, (10.0, -4.0, -5.0), at_rest, level, at_rest)
        >>> -vehicle.position_m[2]  # altitude above the origin, m
        5.0
    """

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
    """The touched object, where the simulator reports it; None without a contact."""


@dataclass(frozen=True)
class VehicleResponse:
    """How the vehicle follows velocity commands, as the pilot has identified it so far."""

    lag_s: float
    """Time constant of the horizontal velocity."""
    lean_share: float
    """0: thrust is compensated for the lean; 1: the vehicle climbs while it leans to speed up."""
    delay_s: float = 0.0
    """Time until a command acts, over a slow link; 0: too short to tell."""

    @property
    def reaction_s(self) -> float:
        """Time in which a vehicle that shall stop flies on as before, at most."""
        return self.lag_s + self.delay_s


@dataclass(frozen=True)
class CameraPose:
    """Pose and field of view of the camera at the time of the image.

    Example:
        >>> import math
        >>> from followme_uav import CameraPose
        >>> camera = CameraPose((0.0, 0.0, -5.0), (1.0, 0.0, 0.0, 0.0), math.radians(60.0))
    """

    position_m: Vec3
    """World NED."""
    orientation: Quaternion
    """Camera (x forward, y right, z down) to world NED."""
    fov_rad: float
    """Horizontal field of view."""


SCAN_STEP_DEG = 2
"""Width of a ray of a `RangeScan`; 180 rays make a full circle."""


@dataclass(frozen=True)
class RangeScan:
    """How far the camera sees at the vehicle's height, for a fan of rays in the world.

    Ray i covers the azimuths from i to i + 1 times `SCAN_STEP_DEG`, clockwise from north.
    """

    first: int
    """Number of the first ray; a fan across north goes on from ray 179 to ray 0."""
    reach_dm: tuple[int, ...]
    """Of each ray, horizontal decimetres from the camera: free up to there; negative: free up to an
    obstacle at this distance; 0: not seen."""


@dataclass(frozen=True)
class Frame:
    """One image, with the state of camera and vehicle at its time: the input of a pilot.

    Example:
        >>> import numpy as np
        >>> from followme_uav import CameraPose, Frame, VehicleState
        >>> here, level = (0.0, 0.0, -5.0), (1.0, 0.0, 0.0, 0.0)
        >>> vehicle = VehicleState(0.0, here, (0.0, 0.0, 0.0), level, (0.0, 0.0, 0.0))
        >>> rgb = np.zeros((160, 160, 3), np.uint8)
        >>> Frame(0, 0.0, rgb, CameraPose(here, level, 1.05), vehicle).land_requested
        False
    """

    index: int
    time_s: float
    """Simulation time of the image."""
    rgb: RgbImage | None
    """None when no image came before the deadline."""
    camera: CameraPose
    vehicle: VehicleState
    land_requested: bool = False
    """The user has requested the end of the flight."""
    obstacles_m: tuple[Vec3, ...] = ()
    """Nearest points of obstacles at the vehicle's height, at most one for each vertical strip of
    the depth image, world NED; empty where the simulator has no metric depth."""
    control_loss: str = ""
    """Why this flight may have lost control of the vehicle; empty while it has control."""
    scan: RangeScan | None = None
    """Of the depth image; None where the flight has a map, or the simulator no metric depth."""
    depth: DepthImage | None = None
    """Depth image of the same moment, of any size; None where the simulator sends none."""


@dataclass(frozen=True)
class Detection:
    """One group of connected hero pixels in the mask.

    Example:
        >>> from followme_uav import Detection
        >>> right_of_centre = Detection(0.25, 0.0, 60, 6, 10, confidence=0.9)
        >>> right_of_centre.purity
        1.0
    """

    u: float
    """Centroid, -1 at the left edge of the image, 1 at the right."""
    v: float
    """Centroid, -1 at the top edge, 1 at the bottom."""
    area_px: int
    width_px: int
    height_px: int
    confidence: float
    """Mean hero probability over the pixels, 0..1."""
    purity: float = 1.0
    """Share of hero pixels among all pixels of people in a vertical strip around the centroid: low
    for a pedestrian with hero and people pixels."""


class GroundCovariance(NamedTuple):
    """Covariance of a position on the ground, m²: a symmetric matrix of north and east."""

    n_n: float
    n_e: float
    e_e: float


@dataclass(frozen=True)
class Measurement:
    """A detection projected to the ground, under the assumption that it is a standing person."""

    position_m: Vec3
    """Of the centroid, world NED."""
    covariance: GroundCovariance
    distance_m: float
    """Slant range from the camera."""
    relative_height: float
    """Height over that of the hero at this position."""
    relative_area: float
    """Area over that of the hero at this position."""
    is_truncated: bool
    """Cut off by the upper or lower edge of the image: height and area are then too small."""


class Classification(Enum):
    """Is a detection the hero?"""

    UNCONFIRMED = "unconfirmed"  # too far away to classify
    PROBABLE = "probable"  # resembles the hero, from beyond the distance of confirmation
    CONFIRMED = "confirmed"
    REJECTED = "rejected"  # near enough to classify: not the hero


class Outcome(Enum):
    """The result of data association for one detection: selected, or the reason why not."""

    SELECTED = "selected"
    NOT_ON_GROUND = "not on the ground"
    NOT_A_PERSON = "height is not a person's"
    OUTSIDE_GATE = "outside the gate"
    TOO_SMALL = "too small"
    TOO_LARGE = "too large"
    LOW_CONFIDENCE = "confidence too low"
    TOO_FAR = "too far away"
    REJECTED_REGION = "in a rejected region"
    LESS_LIKELY = "another detection is more likely"
    SEEN_ONCE = "seen only once"


@dataclass(frozen=True)
class Candidate:
    """One detection on its way through data association."""

    detection: Detection
    measurement: Measurement | None
    """None when the line of sight never meets the ground."""
    mahalanobis_sq: float | None
    """Squared Mahalanobis distance from the predicted track; None without a track."""
    classification: Classification | None
    """None without a measurement."""
    outcome: Outcome


@dataclass(frozen=True)
class TrackEstimate:
    """The track at the frame's time: where the hero is, and how certain that is."""

    position_m: Vec3
    """Of the hero's centroid, world NED."""
    velocity_mps: Vec3
    """World NED."""
    sigma_m: float
    """Standard deviation of the position along its most uncertain direction."""


@dataclass(frozen=True)
class MissionInputs:
    """The inputs of the mission's decision at one frame."""

    time_s: float
    gap_s: float
    """Time since the previous frame."""
    has_image: bool
    has_collided: bool
    """A collision, not the ground on which the vehicle stands or lands."""
    land_requested: bool
    altitude_m: float
    """Above the start."""
    speed_mps: float
    """Of the vehicle, in three dimensions."""
    classification: Classification | None
    """Of the selected detection; None when there is none."""
    is_expected: bool = False
    """The selected detection lies where the hero that was followed last may be by now."""
    control_loss: str = ""
    """Why this flight may have lost control of the vehicle; empty while it has control."""


@dataclass(frozen=True)
class MapProgress:
    """The map that the vehicle makes, at one frame of a flight without a map."""

    viewed_m2: float
    """Ground inside the geofence that was looked at so far."""
    way_m: tuple[Vec2, ...] = ()
    """Points of the way that is flown, the goal last; empty where no way was planned."""


@dataclass(frozen=True)
class LineOfSight:
    """A viewing direction in the world."""

    azimuth_rad: float
    """From north, clockwise."""
    elevation_rad: float
    """Above the horizon."""


@dataclass(frozen=True)
class Guidance:
    """Setpoints of the mission state, before limits and obstacle avoidance."""

    manoeuvre: Manoeuvre
    velocity_mps: Vec2 = (0.0, 0.0)
    altitude_m: float | None = None
    """To hold, above the start; None: sink at `descent_mps`, without turning."""
    descent_mps: float = 0.0
    line_of_sight: LineOfSight | None = None
    """Of the camera; None: straight ahead."""
    heading_rad: float | None = None
    """Of the vehicle's nose, clockwise from north; None: as it is."""
    level_m: float | None = None
    """Height above z = 0 of the deck above which the altitude is to be held; None: the ground."""


@dataclass(frozen=True)
class LoopTerms:
    """The terms of one PID loop at a frame, which explain the command."""

    name: str
    """pan, tilt, yaw, forward or altitude."""
    error: float
    """The control error, in the unit of the loop's input (see `configs/default.yaml`)."""
    p: float
    i: float
    d: float
    output: float
    """The sum of the three, within the loop's limit."""


@dataclass(frozen=True)
class Command:
    """Setpoints of the vehicle and its camera until the next command: SI units, radians.

    Example:
        >>> from followme_uav import Command, Manoeuvre
        >>> north = Command(Manoeuvre.VELOCITY, velocity_mps=(2.0, 0.0, 0.0), camera_tilt_rad=-0.3)
        >>> north.yaw_rate_radps
        0.0
    """

    manoeuvre: Manoeuvre
    velocity_mps: Vec3 = (0.0, 0.0, 0.0)
    """World NED; zero unless the manoeuvre is VELOCITY."""
    yaw_rate_radps: float = 0.0
    """Positive clockwise seen from above."""
    camera_pan_rad: float = 0.0
    """Relative to the body, positive to the right."""
    camera_tilt_rad: float = 0.0
    """Relative to the body, positive up."""


@dataclass(frozen=True)
class Transition:
    """A change of mission state, with its reason."""

    source: MissionState
    target: MissionState
    reason: str


@dataclass(frozen=True)
class Step:
    """All results of one frame, from mask to command.

    A flight log holds one for each frame. A pilot needs state and command only, see `of`.

    Example:
        >>> from followme_uav import CameraPose, Command, Frame, Manoeuvre, MissionState, Step
        >>> from followme_uav import VehicleState
        >>> here, level = (0.0, 0.0, -5.0), (1.0, 0.0, 0.0, 0.0)
        >>> vehicle = VehicleState(0.0, here, (0.0, 0.0, 0.0), level, (0.0, 0.0, 0.0))
        >>> frame = Frame(7, 0.7, None, CameraPose(here, level, 1.05), vehicle)
        >>> Step.of(frame, MissionState.FAILSAFE, Command(Manoeuvre.HOVER)).frame_index
        7
    """

    frame_index: int
    time_s: float
    mask: Mask | None
    detection: Detection | None
    """The selected one."""
    state: MissionState
    transition: Transition | None
    track: TrackEstimate | None
    """None before the first detection."""
    command: Command
    loops: tuple[LoopTerms, ...] = ()
    """The PID loops that took part in the command."""
    candidates: tuple[Candidate, ...] = ()
    """All detections of the mask, with the reason why each was selected or not."""
    inputs: MissionInputs | None = None
    guidance: Guidance | None = None
    response: VehicleResponse | None = None
    """Which the command allows for."""
    own_map: MapProgress | None = None
    """None where the flight has a map."""

    @classmethod
    def of(
        cls,
        frame: Frame,
        state: MissionState,
        command: Command,
        *,
        mask: Mask | None = None,
        detection: Detection | None = None,
        transition: Transition | None = None,
        track: TrackEstimate | None = None,
    ) -> Step:
        """Return the step of a frame, with the results that the pilot has."""
        return cls(
            frame_index=frame.index,
            time_s=frame.time_s,
            mask=mask,
            detection=detection,
            state=state,
            transition=transition,
            track=track,
            command=command,
        )


@dataclass(frozen=True)
class Solid:
    """An obstacle of the city. Shown by viewers; the pilot gets none."""

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
    """The true state of the world, if the simulator offers it. For metrics, not for the pilot."""

    time_s: float
    hero_position_m: Vec3
    """Feet, world NED."""
    people_position_m: tuple[Vec3, ...]
    mask: Mask
    """Exact classes of the frame's image, 0 or 255."""
    clearance_m: float
    """From the vehicle's centre to the nearest obstacle."""
