"""The sections of the configuration: each key with its type, the values allowed, and its effect.

The docstring below a key is its description, with unit and effect; `descriptions` in
`description.py` returns all of them. The default values are in `configs/default.yaml` and
`configs/simulators/NAME.yaml`; `derived.py` has formulas for those that follow from others.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from followme_uav.config.checking import Allowed, NotBlank

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Allowed(0, 1)]
Metres = Annotated[Number, Allowed(-100_000, 100_000)]
Mount = Annotated[Number, Allowed(-100, 100)]
Point2 = tuple[Metres, Metres]
Rectangle = tuple[Metres, Metres, Metres, Metres]
"""(north_min, east_min, north_max, east_max) in metres."""
Ring = Annotated[tuple[Point2, ...], Field(min_length=3)]
FlyablePolygon = Annotated[tuple[Ring, ...], Field(min_length=1)]
"""An outline, and then its holes: corners (north, east) in metres."""


INPUT_SIZE_PX, SIDE_MULTIPLE_PX = 160, 8
"""Side of the images that the networks are trained with, and divisor of the sides of all images:
Model 1 halves three times, and other sides would not be restored. Models 2 and 3 halve twice and
need 4, but one rule for all is simpler, and camera sides fit it."""
MIN_SIDE_PX, MAX_WIDTH_PX, MAX_HEIGHT_PX = 32, 640, 480
"""Limits of the images that the pilot works with."""


class Section(BaseModel):
    """A part of the configuration: immutable, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CameraConfig(Section):
    """The images that the pilot works with."""

    source_width_px: Annotated[int, Field(ge=0), Allowed(0, 4320)] = 0
    """Width in pixels of the simulator's images, which are resized to width_px x height_px. If this
    and the height are 0, they have that size; if one of the two is, they are square."""
    source_height_px: Annotated[int, Field(ge=0), Allowed(0, 2160)] = 0
    """Height in pixels of the simulator's images, likewise."""
    trained_width_px: Annotated[
        int,
        Field(ge=MIN_SIDE_PX, le=MAX_HEIGHT_PX, multiple_of=SIDE_MULTIPLE_PX),
        Allowed(MIN_SIDE_PX, MAX_HEIGHT_PX),
    ] = INPUT_SIZE_PX
    """Width in pixels of the frames of the network's training, which have a field of view of 60
    degrees; a flight sets it from its weights."""
    width_px: Annotated[
        int,
        Field(ge=MIN_SIDE_PX, le=MAX_WIDTH_PX, multiple_of=SIDE_MULTIPLE_PX),
        Allowed(MIN_SIDE_PX, MAX_WIDTH_PX),
    ]
    """Width of the image in pixels, a multiple of 8."""
    height_px: Annotated[
        int,
        Field(ge=MIN_SIDE_PX, le=MAX_HEIGHT_PX, multiple_of=SIDE_MULTIPLE_PX),
        Allowed(MIN_SIDE_PX, MAX_HEIGHT_PX),
    ]
    """Height of the image in pixels, a multiple of 8."""
    rate_hz: Annotated[Positive, Field(le=50), Allowed(2, 50)]
    """Frames, and therefore decisions, per second of simulation time."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of the images that the pilot works with."""
        return self.height_px, self.width_px

    @property
    def source_size_px(self) -> tuple[int, int]:
        """Height and width of the simulator's images."""
        height_px = self.source_height_px or self.source_width_px
        width_px = self.source_width_px or self.source_height_px
        return height_px or self.height_px, width_px or self.width_px


class DepthConfig(Section):
    """The part of the depth image that is kept, where the simulator has one."""

    strips: Annotated[int, Field(ge=1, le=64), Allowed(1, 64)]
    """Number of upright strips of the image; the nearest point of each strip is kept."""
    range_m: Annotated[Positive, Allowed(0.5, 500)]
    """Points farther away than this, in metres, are dropped."""
    band_m: Annotated[Positive, Allowed(0.01, 100)]
    """Points more than this many metres above or below the vehicle are dropped."""
    above_m: Annotated[Positive, Allowed(0.01, 100)]
    """Without a map: things up to this many metres above the vehicle are obstacles; a crown widens
    upwards, where a camera that looks down does not see it."""
    free_m: Annotated[Positive, Allowed(0.01, 100)]
    """Without a map: a line of sight clears the space that it crosses less than this many metres
    below the vehicle."""
    scan_range_m: Annotated[Positive, Allowed(1, 100)]
    """Without a map, free space is entered up to this many metres from the camera."""
    own_radius_m: Annotated[NonNegative, Allowed(0, 50)]
    """Points nearer than this to the vehicle's centre, in metres, are dropped: its rotors."""


class RpcConfig(Section):
    """Connection to the simulator."""

    backend: Literal["builtin", "msgpack-rpc-python"]
    """The client: the built-in one, or `msgpack-rpc-python` from the extra [msgpack-rpc]."""
    deadline_s: Annotated[Positive, Allowed(0.05, 600)]
    """A call that is not answered within this many seconds fails."""
    connect_deadline_s: Annotated[Positive, Allowed(0.05, 600)]
    """Connecting to the simulator fails after this many seconds."""
    command_duration_s: Annotated[Number, Field(ge=0.3, le=0.5), Allowed(0.3, 0.5)]
    """Duration of a motion command in seconds: without a new command the vehicle then stops."""
    max_message_bytes: Annotated[int, Field(ge=1024), Allowed(1024, 2**30)]
    """Size in bytes from which on a message from the simulator is refused."""


RuntimeName = Literal["auto", "openvino", "tensorflow"]


class PerceptionConfig(Section):
    """Runtime of the network."""

    runtime: RuntimeName
    """The library that runs the network; `auto` is TensorFlow if it has a GPU, else OpenVINO."""
    threads: Annotated[int, Field(ge=0), Allowed(0, 1024)]
    """CPU threads of the network; 0 leaves the number to the runtime."""


class HeroConfig(Section):
    """Dimensions of the hero."""

    height_m: Annotated[Positive, Allowed(0.2, 10)]
    """Height of the hero in metres."""
    centroid_height_m: Annotated[Positive, Allowed(0.1, 10)]
    """Height in metres of a detection's centroid above the ground."""
    area_m2: Annotated[Positive, Allowed(0.01, 10)]
    """Area in square metres that the camera sees of the hero from the side."""


class DetectionConfig(Section):
    """Detections: groups of connected hero pixels in the mask."""

    hero_threshold: Share
    """A pixel with at least this probability of the class hero counts as hero."""
    min_area_px: Annotated[int, Field(ge=1), Allowed(1, 100_000)]
    """A group of hero pixels with fewer pixels than this is noise and is dropped."""
    min_confidence: Share
    """A detection with a lower mean hero probability is dropped."""
    join_px: Annotated[int, Field(ge=0, le=10), Allowed(0, 10)]
    """Fragments up to this many pixels apart are one detection: a lamp post may hide a part."""
    purity_width: Share
    """Width of the strip in which purity is measured, as a share of the detection's width. Purity
    is the share of hero among the pixels of people."""
    purity_reach: Share
    """The strip extends above and below the detection by this share of its height, to include head
    and feet."""


class MeasurementConfig(Section):
    """Standard deviations of a detection's position on the ground."""

    direction_sigma_rad: Annotated[Positive, Allowed(1e-5, 1)]
    """Standard deviation of the direction in radians; the range error that follows from it grows
    with the square of the distance."""
    position_sigma_m: Annotated[Positive, Allowed(0.001, 100)]
    """Standard deviation in metres of the position from other causes: strides, kerbs."""
    hidden_sigma_m: Annotated[NonNegative, Allowed(0, 100)]
    """Standard deviation in metres of the centroid's height when most of the hero is hidden."""
    merged_area_min: Annotated[Positive, Allowed(0.1, 100)]
    """A detection larger than this many times the hero's area may show two people."""
    merged_sigma_m: Annotated[NonNegative, Allowed(0, 100)]
    """Standard deviation in metres that is added for each hero's area beyond `merged_area_min`."""


class ClassificationConfig(Section):
    """Thresholds of the classification of a detection as the hero."""

    distance_m: Annotated[Positive, Allowed(1, 1000)]
    """Up to this distance in metres a detection is either the hero or rejected."""
    confirm_distance_m: Annotated[Positive, Allowed(1, 1000)]
    """Up to this distance in metres the hero is confirmed; from farther away it is probable."""
    expected_distance_m: Annotated[Positive, Allowed(1, 1000)]
    """At the place where a lost hero is expected, the hero is confirmed up to this distance in
    metres."""
    confidence_min: Share
    """Lowest mean hero probability of the hero."""
    expected_confidence_min: Share
    """Lowest mean hero probability beyond `distance_m`, where a lost hero is expected."""
    purity_min: Share
    """Lowest purity of the hero; see `detection.purity_width`."""
    height_min: Annotated[Positive, Allowed(0.01, 10)]
    """Lowest height of the hero, relative to the height expected at that place."""
    height_max: Annotated[Positive, Allowed(0.1, 100)]
    """Greatest height of the hero, relative to the height expected at that place."""
    area_min: Annotated[Positive, Allowed(0.01, 10)]
    """Smallest area of the hero, relative to the area expected at that place."""
    area_max: Annotated[Positive, Allowed(0.1, 100)]
    """Largest area of the hero, relative to the area expected at that place."""


class AssociationConfig(Section):
    """Which detection continues the track, and which is worth an approach."""

    height_min: Annotated[Positive, Allowed(0.01, 10)]
    """A detection with a lower height, relative to the hero's, is no person and is ignored."""
    height_max: Annotated[Positive, Allowed(0.1, 100)]
    """A detection with a greater height, relative to the hero's, is no person and is ignored."""
    gate: Annotated[Positive, Allowed(0.1, 1000)]
    """Squared Mahalanobis distance up to which a detection may be the tracked hero; 0.4 % of the
    hero's detections exceed 11."""
    fallback_gate: Annotated[Positive, Allowed(0.1, 10_000)]
    """The gate for a detection that is confirmed as the hero, used when none is inside `gate`."""
    follow_area_min: Annotated[NonNegative, Allowed(0, 10)]
    """In FOLLOW, detections with a smaller area, relative to the hero's, are ignored."""
    follow_area_max: Annotated[Positive, Allowed(0.1, 100)]
    """In FOLLOW, detections with a larger area, relative to the hero's, are ignored."""
    follow_confidence_min: Share
    """In FOLLOW, detections with a lower mean hero probability are ignored; 99 of 100 of the hero's
    have more than 0.7."""
    area_log_sigma: Annotated[Positive, Allowed(0.01, 10)]
    """Standard deviation of the logarithm of the relative area. The detection with the least
    deviation in position, area and purity is selected; a larger value gives area less weight."""
    purity_sigma: Annotated[Positive, Allowed(0.01, 10)]
    """Standard deviation of purity; a larger value gives purity less weight in the selection."""
    approach_distance_m: Annotated[Positive, Allowed(1, 1000)]
    """In PATROL and SEARCH, detections farther away than this, in metres, are ignored; at 40 m the
    hero has some 6 pixels."""
    first_look_s: Annotated[NonNegative, Allowed(0, 600)]
    """Time in seconds after the takeoff in which detections farther away than the mean of
    `classification.distance_m` and `expected_distance_m` are ignored: the camera has not yet looked
    all around, and somebody nearer may be the hero."""
    approach_area_min: Annotated[Positive, Allowed(0.001, 10)]
    """In PATROL and SEARCH, detections with a smaller area, relative to the hero's, are ignored."""
    approach_confidence_min: Share
    """In PATROL and SEARCH, detections with a lower mean hero probability are ignored."""
    reject_radius_m: Annotated[Positive, Allowed(0.1, 100)]
    """Radius in metres of the region around a rejected detection in which all detections are
    ignored for a while."""
    reject_share: Share
    """The radius as a share of the distance to the rejected detection, used if that is greater."""


class TrackConfig(Section):
    """Filter of the hero's position and velocity on the ground."""

    speed_sigma_mps: Annotated[Positive, Allowed(0.01, 100)]
    """Standard deviation in m/s of the speed before its first measurement; a larger value
    follows turns faster and trusts the past less."""
    velocity_memory_s: Annotated[Positive, Allowed(0.05, 3600)]
    """Time constant in seconds with which the velocity decays without measurements."""
    turn_share: Annotated[NonNegative, Allowed(0, 10)]
    """The hero may turn on the spot: since the last measurement, this share of the speed is
    uncertain."""
    turn_extra_mps: Annotated[NonNegative, Allowed(0, 30)]
    """Speed in m/s that is added to the track's speed when a turn is taken into account."""
    turn_gate: Annotated[Positive, Allowed(0.1, 1000)]
    """Squared Mahalanobis distance from which on the hero is taken to have turned."""
    max_speed_mps: Annotated[Positive, Allowed(0.5, 100)]
    """Upper limit of the track's speed in m/s: no person runs faster."""


class MissionConfig(Section):
    """Conditions under which the mission changes its state."""

    altitude_m: Annotated[Positive, Allowed(0.5, 120)]
    """Cruising altitude in metres above the ground, or the start if its heights are unknown."""
    takeoff_done_altitude_m: Annotated[Positive, Allowed(0.1, 120)]
    """Altitude in metres at which the takeoff ends and the altitude loop flies the climb."""
    takeoff_timeout_s: Annotated[Positive, Allowed(1, 600)]
    """The flight ends if the vehicle is not airborne after this many seconds."""
    acquire_frames: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    """Number of frames with the hero, less those with a rejected detection, that lead from ACQUIRE
    to FOLLOW."""
    probable_weight: Share
    """Weight of a frame with a probable hero; one in eight other people resembles the hero beyond
    `classification.confirm_distance_m`."""
    rejected_weight: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    """Weight of a frame with a rejected detection; the hero is rejected in 3 of 100 frames."""
    reject_frames: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    """Weighted number of frames with a rejected detection, less those with the hero, that ends
    ACQUIRE."""
    acquire_timeout_s: Annotated[Positive, Allowed(0.5, 3600)]
    """Longest time in ACQUIRE, in seconds."""
    acquire_stuck_s: Annotated[Positive, Allowed(0.1, 3600)]
    """Longest time in seconds that the vehicle hovers in ACQUIRE where the streets end, too far
    away to classify the detection."""
    acquire_misses: Annotated[Positive, Allowed(0.5, 1000)]
    """Number of frames without a detection, less half of those with one, that ends ACQUIRE; three
    times as many on patrol."""
    first_misses: Annotated[Positive, Allowed(0.5, 1000)]
    """The same number at the beginning of ACQUIRE; it grows by two with each frame that has a
    detection which is not rejected. Most false alarms last one frame."""
    reacquire_frames: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    """Used instead of `acquire_frames` where a lost hero is expected."""
    reject_s: Annotated[NonNegative, Allowed(0, 3600)]
    """The region of a rejected detection is ignored for this many seconds."""
    vanished_s: Annotated[NonNegative, Allowed(0, 3600)]
    """The region of a detection that vanished is ignored for this many seconds: enough to fly past
    it."""
    follow_lost_s: Annotated[Positive, Allowed(0.05, 600)]
    """Time without a detection, in seconds, after which the track is lost and SEARCH begins."""
    doubt_share: Annotated[Number, Field(gt=0.0, lt=1.0), Allowed(0.01, 0.99)]
    """Share of rejected detections in FOLLOW above which the hero has to be acquired again."""
    doubt_time_s: Annotated[Positive, Allowed(0.1, 3600)]
    """Time constant in seconds of the running mean that gives this share."""
    search_timeout_s: Annotated[Positive, Allowed(0.5, 3600)]
    """Time in seconds from the loss of the track until SEARCH ends and PATROL begins."""
    frame_gap_s: Annotated[Positive, Allowed(0.05, 60)]
    """A longer time between two frames, in seconds, is a fault: the vehicle hovers."""
    image_gap_s: Annotated[NonNegative, Allowed(0, 60)]
    """A longer time of frames without an image, in seconds, is a fault: the vehicle hovers."""
    failsafe_hover_s: Annotated[Positive, Allowed(0.05, 600)]
    """Time in seconds without a fault after which the mission continues."""
    failsafe_land_s: Annotated[Positive, Allowed(0.5, 3600)]
    """The vehicle lands after a fault has lasted this many seconds."""
    hard_touch_mps: Annotated[Positive, Allowed(0.1, 20)]
    """Contact with the ground at a higher speed than this, in m/s, is a collision."""
    control_take_backs: Annotated[int, Field(ge=0), Allowed(0, 1000)]
    """Number of times that control is taken back from another client before the flight ends; with 0
    it ends at once."""
    release_control: bool
    """Whether to disarm the vehicle and to give API control back after the landing."""
    fall_mps: Annotated[Positive, Allowed(0.5, 50)]
    """A vehicle that sinks faster than this, in m/s, falls: control is lost."""
    jump_m: Annotated[Positive, Allowed(0.1, 1000)]
    """A vehicle this many metres farther than it can have flown since the last frame was reset or
    moved by another client."""
    disobeyed_s: Annotated[Positive, Allowed(0.1, 600)]
    """Control is lost if the vehicle stays low and at rest for this many seconds while it is told
    to climb."""
    landing_off_waypoint_m: Annotated[NonNegative, Allowed(0, 1000)]
    """Distance in metres that a landing keeps from the waypoints: people cross the street there."""
    descent_mps: Annotated[Positive, Allowed(0.1, 10)]
    """Vertical speed in m/s of the descent before the landing."""
    touchdown_altitude_m: Annotated[Positive, Allowed(0.1, 50)]
    """Altitude in metres at which the simulator's own landing takes over."""
    landed_altitude_m: Annotated[Positive, Allowed(0.01, 10)]
    """A vehicle that is lower than this, in metres, and at rest has landed."""
    land_timeout_s: Annotated[Positive, Allowed(1, 3600)]
    """Longest time of a landing, in seconds."""


class PatrolConfig(Section):
    """Patrol through the streets."""

    speed_mps: Annotated[Positive, Allowed(0.1, 30)]
    """Speed over ground in m/s, on patrol and on the way to the landing place."""
    waypoint_radius_m: Annotated[Positive, Allowed(0.1, 100)]
    """A waypoint is reached within this distance in metres."""
    sweep_pan_deg: Annotated[NonNegative, Allowed(0, 180)]
    """The camera sweeps this many degrees to both sides: nearly all around."""
    sweep_period_s: Annotated[Positive, Allowed(0.1, 600)]
    """Time of a sweep there and back, in seconds; with 6 s a place stays in view for about 5
    frames."""
    tilt_deg: Annotated[Number, Allowed(-90, 90)]
    """Tilt of the camera in degrees; a negative value points it below the horizon."""


class SearchConfig(Section):
    """Search for a hero whose track was lost."""

    speed_mps: Annotated[Positive, Allowed(0.1, 30)]
    """Speed over ground in m/s."""
    dwell_s: Annotated[Positive, Allowed(0.05, 600)]
    """Time in seconds for which the camera dwells on the predicted position, from nearby."""
    scan_deg: Annotated[NonNegative, Allowed(0, 180)]
    """After that, the camera scans this many degrees to both sides of the position."""
    scan_period_s: Annotated[Positive, Allowed(0.1, 600)]
    """Time of a scan there and back, in seconds."""
    view_s: Annotated[Positive, Allowed(0.1, 600)]
    """Time in seconds of dwell and scan together."""
    predicted_s: Annotated[Positive, Allowed(0.1, 600)]
    """Longest time in seconds of the flight to the predicted position; then the surrounding streets
    are searched."""
    rise_m: Annotated[NonNegative, Allowed(0, 100)]
    """Height in metres above the usual altitude, to look over what hides the hero."""
    place_radius_m: Annotated[Positive, Allowed(0.1, 1000)]
    """A junction within this distance in metres has been visited."""
    track_distance_weight: Annotated[NonNegative, Allowed(0, 1000)]
    """A larger value visits junctions close to the track before those close to the vehicle."""
    diffusion_m2ps: Annotated[NonNegative, Allowed(0, 1000)]
    """Without a map: half the growth, in m² per second, of the variance of a lost hero's place; the
    hero turns now and then."""
    detect_share: Share
    """Without a map: probability that a hero on ground in view is detected in one frame."""


class ExploreConfig(Section):
    """Flight without a map: the map that the pilot makes, and where it looks for the hero."""

    radius_m: Annotated[Positive, Allowed(5, 5000)]
    """Greatest distance in metres from the start: the geofence of a flight without a map."""
    cell_m: Annotated[Positive, Allowed(0.1, 5)]
    """Size in metres of a cell of the occupancy grid; those of plans are four times as large."""
    view_m: Annotated[Positive, Allowed(1, 200)]
    """Ground nearer than this to the camera, in metres, counts as looked at."""
    forget_s: Annotated[Positive, Allowed(1, 3600)]
    """Ground that was looked at counts as new again after this many seconds."""
    discount_m: Annotated[Positive, Allowed(1, 1000)]
    """A view this many metres farther away is worth a third; with less, nearby views come first."""
    replan_s: Annotated[Positive, Allowed(0.05, 60)]
    """Time in seconds between two plans."""
    hero_below: Annotated[Number, Field(ge=0, le=0.9), Allowed(0, 0.9)]
    """The hero is kept this far below the middle of the image, as a share of half its height: the
    space to fly in stays in view."""


class PidGains(Section):
    """One PID loop; `limit` bounds the size of its output."""

    kp: Annotated[Number, Allowed(-1000, 1000)]
    """Proportional gain."""
    ki: Annotated[Number, Allowed(-1000, 1000)] = 0.0
    """Integral gain."""
    kd: Annotated[Number, Allowed(-1000, 1000)] = 0.0
    """Derivative gain."""
    limit: Annotated[Positive, Allowed(0.001, 1000)]
    """Greatest magnitude of the output."""


class ControlConfig(Section):
    """Control loops of vehicle and camera."""

    pan: PidGains
    """Camera pan: radians per frame for a centroid at the edge of the image."""
    tilt: PidGains
    """Camera tilt: radians per frame for a centroid at the edge of the image."""
    yaw: PidGains
    """Vehicle yaw: rad/s per radian of camera pan; the nose turns to the camera's direction."""
    forward: PidGains
    """Speed along the line of sight: m/s per unit of relative distance error."""
    altitude: PidGains
    """Climb: m/s per metre of altitude error."""
    wanted_distance_m: Annotated[Positive, Allowed(1, 200)]
    """Slant range to the hero in metres."""
    min_distance_m: Annotated[NonNegative, Allowed(0, 200)]
    """Smallest distance over ground in metres, whatever the area says."""
    feed_forward: Share
    """Share of the hero's estimated velocity that is added to the vehicle's velocity."""
    closer_s: Annotated[Number, Field(ge=0, le=0.5), Allowed(0, 0.5)]
    """The slant range is reduced by the hero's speed times this many seconds: a running hero gains
    metres at corners."""
    response_lag_s: Annotated[Positive, Allowed(0.05, 5)]
    """Time constant in seconds with which the vehicle shall follow a velocity. A slower one gets
    commands that exaggerate the change of velocity, up to twice."""


class LimitsConfig(Section):
    """Bounds that hold in every state."""

    speed_mps: Annotated[Positive, Allowed(0.1, 50)]
    """Greatest commanded speed in m/s."""
    acceleration_mps2: Annotated[Positive, Allowed(0.1, 100)]
    """Greatest acceleration of the commanded velocity in m/s²."""
    velocity_error_mps: Annotated[Positive, Allowed(0.5, 50)]
    """Greatest difference in m/s between commanded and present velocity; it decides how far the
    vehicle leans."""
    corner_speed_mps: Annotated[Positive, Allowed(0.1, 50)]
    """Greatest speed in m/s around the corner of a street; a faster vehicle overshoots and has to
    return."""
    min_altitude_m: Annotated[NonNegative, Allowed(0, 120)]
    """Lowest altitude in metres; parked cars and people are below it."""
    sink_m: Annotated[NonNegative, Allowed(0, 100)]
    """A vehicle this many metres below `min_altitude_m` stops, ignores all detections and climbs
    first."""
    max_altitude_m: Annotated[Positive, Allowed(0.5, 1000)]
    """Greatest altitude in metres, above the ground or the deck."""
    geofence_m: Annotated[Positive, Allowed(1, 100_000)]
    """Greatest distance in metres north, south, east and west of the origin, without a map of the
    streets."""
    boundary_margin_m: Annotated[NonNegative, Allowed(0, 100)]
    """Distance in metres kept to the boundary of the flyable area."""
    boundary_time_s: Annotated[Positive, Allowed(0.05, 60)]
    """The speed towards a boundary or an obstacle is at most the distance to it divided by this
    many seconds."""
    clearance_m: Annotated[Positive, Allowed(0.1, 100)]
    """Distance in metres from the vehicle's centre to anything in the depth image; nearer, the
    vehicle backs off."""
    obstacle_memory_s: Annotated[NonNegative, Allowed(0, 3600)]
    """Obstacles are remembered for this many seconds."""

    @property
    def low_altitude_m(self) -> float:
        """Lower than this, the vehicle stops, ignores all detections and climbs first."""
        return self.min_altitude_m - self.sink_m


class LogConfig(Section):
    """Compression of images in the flight log, and writing to the disk."""

    image: Literal["jpeg", "png"]
    """Format of the images; PNG is lossless and three times the size of a whole log with JPEG."""
    jpeg_quality: Annotated[int, Field(ge=50, le=100), Allowed(50, 100)]
    """Quality of JPEG images; a higher value is better for the network and makes logs larger, see
    docs/flight_log.md."""
    round_masks: bool
    """Whether class probabilities are rounded to steps of 1/15, so that masks take a sixth of the
    size."""
    chunk_s: Annotated[Number, Field(ge=0, le=10), Allowed(0, 10)]
    """Flight time in seconds that is handed to the operating system at once, and that a SIGKILL
    loses; a smaller value makes logs larger."""
    sync_s: Annotated[Positive, Allowed(0.001, 3600)]
    """Time in seconds between two writes to the disk, which a power cut may lose."""


class GroundGrid(Section):
    """Heights of the ground on a grid: bilinear between its points, constant beyond its edges."""

    south_m: Metres
    """North coordinate of the first row."""
    west_m: Metres
    """East coordinate of the first column."""
    spacing_m: Annotated[Positive, Allowed(0.1, 1000)]
    """Distance between neighbouring points."""
    heights_m: Annotated[
        tuple[Annotated[tuple[Metres, ...], Field(min_length=2)], ...], Field(min_length=2)
    ]
    """Rows from south to north of heights from west to east, above z = 0."""

    @model_validator(mode="after")
    def _is_complete(self) -> GroundGrid:
        lengths = {len(row) for row in self.heights_m}
        if len(lengths) > 1:
            raise ValueError(f"heights_m: rows have {min(lengths)} to {max(lengths)} values")
        return self


class Ceiling(Section):
    """A roof below which the vehicle may fly."""

    outline_m: Ring
    """Corners north and east in metres."""
    underside_m: Metres
    """Height of the lower side above z = 0."""


class Deck(Section):
    """A way above the ground on which people walk: a bridge, an elevated road, with its ramps."""

    line_m: Annotated[tuple[Point2, ...], Field(min_length=2)]
    """Points north and east of its middle, in metres."""
    heights_m: Annotated[tuple[Metres, ...], Field(min_length=2)]
    """Height of its surface above z = 0 at each of the points."""
    width_m: Annotated[Positive, Allowed(0.1, 1000)]
    """Width from edge to edge."""
    thickness_m: Annotated[NonNegative, Allowed(0, 100)] = 0.0
    """From the surface down to the lower side."""
    railing_m: Annotated[NonNegative, Allowed(0, 100)] = 0.0
    """Height of the railings above the surface."""

    @model_validator(mode="after")
    def _has_all_heights(self) -> Deck:
        if len(self.line_m) != len(self.heights_m):
            raise ValueError(
                f"heights_m: {len(self.heights_m)} values for {len(self.line_m)} points of line_m"
            )
        return self


class SimulatorProfile(Section):
    """The properties in which simulators differ."""

    name: str
    """Name of the profile."""
    host: Annotated[str, NotBlank("127.0.0.1")]
    """Address of the simulator."""
    port: Annotated[int, Field(ge=1, le=65535), Allowed(1, 65_535)]
    """TCP port of the simulator."""
    dialect: Literal["auto", "maps", "arrays", "cosys"]
    """How structs are sent: as maps (AirSim), as arrays (Colosseum from 2.3 on), or as Cosys-AirSim
    does; `auto` asks the server."""
    vehicle_name: str
    """Name of the vehicle in the simulator's settings."""
    camera_name: str
    """Name of the camera in the simulator's settings."""
    channel_order: Literal["rgb", "bgr"]
    """Order of the colour channels in raw Scene images."""
    row_order: Literal["top_down", "bottom_up"]
    """Order of the rows in raw Scene images."""
    camera_pose_frame: Literal["body", "world"]
    """The frame of the pose that `simSetCameraPose` takes: the body's or the world's."""
    camera_mount_m: tuple[Mount, Mount, Mount]
    """Position of the camera in the body frame in metres: forward, right, down."""
    camera_fov_deg: Annotated[Number, Field(gt=10, lt=150), Allowed(10, 150)]
    """Horizontal field of view in degrees; set with `simSetCameraFov` where that has an effect."""
    metric_depth: bool
    """Whether the simulator has depth images in metres."""
    frame_time: Literal["image", "state"]
    """The time of a frame: the image's own stamp, or that of the vehicle's state."""
    continue_blocks: bool
    """Whether `simContinueForTime` answers only when the time has passed."""
    flyable_m: tuple[Rectangle, ...] = ()
    """Rectangles in which the vehicle may fly, in metres: north_min, east_min, north_max, east_max.
    Without one, it may fly anywhere."""
    flyable_polygons_m: tuple[FlyablePolygon, ...] = ()
    """Polygons in which the vehicle may fly, in place of `flyable_m`: each an outline, and then its
    holes, with corners north and east in metres."""
    ground: GroundGrid | None = None
    """Heights of the ground, which the pilot follows; None: level at the height of the start."""
    ceilings: tuple[Ceiling, ...] = ()
    """Roofs over the flyable area: the vehicle stays below them."""
    decks: tuple[Deck, ...] = ()
    """Decks over the flyable area: the vehicle flies above people who walk on them, and passes
    below where there is room."""
    patrol_waypoints_m: tuple[Point2, ...] = ()
    """The round of the patrol: north and east in metres from the origin. Without one, the vehicle
    explores, on a map that it makes itself from metric depth images."""
    patrol_on_decks: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Numbers, from 0, of the waypoints that lie on decks, not on the street below."""

    @property
    def has_map(self) -> bool:
        """Whether the patrol is given; else the pilot makes a map of its own."""
        return bool(self.patrol_waypoints_m)

    @model_validator(mode="after")
    def _waypoints_are_flyable(self) -> SimulatorProfile:
        area = "flyable_polygons_m" if self.flyable_polygons_m else "flyable_m"
        if (self.flyable_m or self.flyable_polygons_m) and not self.patrol_waypoints_m:
            raise ValueError(f"{area} needs patrol_waypoints_m; leave out both to fly without")
        if not self.patrol_waypoints_m and not self.metric_depth:
            raise ValueError("without metric_depth the patrol needs patrol_waypoints_m")
        if self.patrol_on_decks and max(self.patrol_on_decks) >= len(self.patrol_waypoints_m):
            raise ValueError(
                f"patrol_on_decks: {max(self.patrol_on_decks)} is no number of a waypoint; there "
                f"are {len(self.patrol_waypoints_m)}, counted from 0"
            )
        if self.flyable_polygons_m:
            return self._waypoints_are_in_polygons()
        for north, east in self.patrol_waypoints_m:
            inside = any(
                south <= north <= top and west <= east <= right
                for south, west, top, right in self.flyable_m
            )
            if self.flyable_m and not inside:
                raise ValueError(f"patrol waypoint ({north}, {east}) lies outside flyable_m")
        return self

    def _waypoints_are_in_polygons(self) -> SimulatorProfile:
        import shapely  # takes a while, and few flights need it

        if self.flyable_m:
            raise ValueError("give flyable_m or flyable_polygons_m, and leave the other one empty")
        polygons = [shapely.Polygon(p[0], p[1:]) for p in self.flyable_polygons_m]
        for i, polygon in enumerate(polygons):
            if not polygon.is_valid or polygon.area < 1.0:
                raise ValueError(f"flyable_polygons_m: {i} is no polygon of at least 1 m2")
        for north, east in self.patrol_waypoints_m:
            spot = shapely.Point(north, east)
            if not any(polygon.dwithin(spot, 0.05) for polygon in polygons):
                raise ValueError(
                    f"patrol waypoint ({north}, {east}) lies outside flyable_polygons_m"
                )
        return self


class FlightConfig(Section):
    """All settings of a flight, except for the weights of the network. Made by `load_config`.

    Example:
        >>> from followme_uav import FlightConfig, load_config
        >>> config: FlightConfig = load_config()
        >>> config.camera.width_px, config.camera.rate_hz
        (160, 10.0)
    """

    duration_s: Annotated[Positive, Allowed(0.1, 86_400)]
    """Flight time in seconds from the first frame until the landing begins."""
    camera: CameraConfig
    """The images that the pilot asks for."""
    depth: DepthConfig
    """The part of the depth image that is kept, where the simulator has one."""
    rpc: RpcConfig
    """The connection to the simulator."""
    perception: PerceptionConfig
    """Runtime of the network."""
    hero: HeroConfig
    """Dimensions of the person to be followed."""
    detection: DetectionConfig
    """Detections: groups of connected hero pixels in the mask."""
    measurement: MeasurementConfig
    """Standard deviations of a detection's position on the ground."""
    classification: ClassificationConfig
    """Whether a detection is the hero; heights and areas are relative to those of the hero at that
    place."""
    association: AssociationConfig
    """Which detection continues the track, and which is worth an approach."""
    track: TrackConfig
    """Kalman filter of the hero's position and velocity on the ground."""
    mission: MissionConfig
    """Conditions under which the mission changes its state."""
    patrol: PatrolConfig
    """Patrol through the streets."""
    search: SearchConfig
    """Search for a hero whose track was lost."""
    explore: ExploreConfig
    """Flight without a map."""
    control: ControlConfig
    """The control loops of vehicle and camera."""
    limits: LimitsConfig
    """Bounds that hold in every state."""
    log: LogConfig
    """The flight log; the flight sees images and masks as they are logged."""
    simulator: SimulatorProfile
    """The profile of the simulator."""
