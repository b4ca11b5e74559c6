"""If these fail, the camera is thought to look elsewhere, or bad frames end a session."""

import base64
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followme_uav.geometry import pixel_of_point, quaternion_from_euler, rotate
from followme_uav.quadsim.frames import FrameBuilder, quadsim_position
from followme_uav.quadsim.sensor_frame import (
    FrameError,
    decode_sensor_frame,
    parse_pose,
    parse_timestamp,
)
from tests.quadsim_stand_in import payload

PLACE, LEVEL = (3.0, -4.0, -6.0), quaternion_from_euler(0.0, 0.0, 0.0)
LOOK = quaternion_from_euler(0.05, -0.4, 2.0)
FOV_RAD = math.radians(53.13)


def made(time_s=0.0, *, camera=(PLACE, LOOK), shade=0.5, **options):
    rgb = np.full((256, 256, 3), 90, np.uint8)
    depth_m = np.full((256, 256), 50.0 * shade)
    return payload(rgb, depth_m, (PLACE, LEVEL), camera, time_s, **options)


def jpeg(height, width):
    import simplejpeg

    return base64.b64encode(simplejpeg.encode_jpeg(np.zeros((height, width, 3), np.uint8))).decode()


def built(*payloads, angles="auto", received=None):
    builder = FrameBuilder(FOV_RAD, angles)
    received = received or [10.0 + i for i in range(len(payloads))]
    return [
        builder.build(decode_sensor_frame(data, 160), at_s)
        for data, at_s in zip(payloads, received, strict=True)
    ]


def test_images_are_decoded_in_the_size_of_the_network_and_of_the_depth_camera():
    found = decode_sensor_frame(made(shade=0.5), 160)
    assert found.rgb.shape == (160, 160, 3)
    assert found.depth.shape == (256, 256)
    assert abs(int(np.median(found.depth)) - 128) <= 1


@pytest.mark.parametrize("in_degrees", [True, False])
def test_pose_comes_back_in_ned_whatever_the_unit_of_angles(in_degrees):
    (frame,) = built(made(in_degrees=in_degrees))
    assert frame.camera.position_m == pytest.approx(PLACE, abs=1e-5)
    assert frame.vehicle.position_m == pytest.approx(PLACE, abs=1e-5)
    for axis in np.eye(3).tolist():
        assert rotate(frame.camera.orientation, tuple(axis)) == pytest.approx(
            rotate(LOOK, tuple(axis)), abs=1e-5
        )


def test_camera_that_is_pitched_down_in_ros_axes_sees_the_ground_ahead_in_the_middle():
    data = made() | {"gimbal_pose": "0,0,10,0,45,90"}  # nose down, to the left: west
    (frame,) = built(data)
    u, v, _ = pixel_of_point(frame.camera, (0.0, -10.0, 0.0))
    assert (u, v) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_unit_is_degrees_for_good_once_an_angle_is_larger_than_a_turn():
    level = {"gimbal_pose": "0,0,5,0,0,90"}
    small = {"gimbal_pose": "0,0,5,0,0,1.5"}
    _, frame = built(made() | level, made(0.1) | small)
    assert rotate(frame.camera.orientation, (1.0, 0.0, 0.0))[1] == pytest.approx(
        -math.sin(math.radians(1.5)), abs=1e-9
    )
    (forced,) = built(made() | small, angles="radians")
    assert rotate(forced.camera.orientation, (1.0, 0.0, 0.0))[1] == pytest.approx(-math.sin(1.5))


def test_time_is_that_of_the_simulator_and_velocity_follows_from_it():
    first = made(0.0)
    second = made(0.2) | {"pose": "4,4,6,0,0,90"}
    frames = built(first, second, received=[10.0, 99.0])
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.2])
    assert frames[1].vehicle.velocity_mps == pytest.approx((5.0, 0.0, 0.0), abs=1e-3)


@pytest.mark.parametrize("stamp", ["1500000000", "", "soon", "nan.0", None, 12.5])
def test_time_stamp_without_fractions_is_replaced_by_the_receiver_s_clock(stamp):
    assert parse_timestamp(stamp) is None
    frames = built(*[made() | {"timestamp": stamp}] * 2, received=[10.0, 10.3])
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.3])


def test_time_stamp_of_another_clock_is_replaced_by_the_receiver_s_clock():
    stamps = ["0.1", "0.2", "1700000000.5", "1700000000.75", "0.3", "1.0e300", "1.1e308"]
    frames = built(*[made() | {"timestamp": stamp} for stamp in stamps],
                   received=[0.1 * i for i in range(len(stamps))])  # fmt: skip
    times = [0.0, 0.1, 0.2, 0.45, 0.55, 0.65, 0.75]
    assert [frame.time_s for frame in frames] == pytest.approx(times)


def test_time_goes_on_when_the_simulator_starts_again():
    frames = built(made(50.0), made(50.1), made(0.0), made(0.1), received=[0.0, 0.1, 5.0, 5.1])
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.1, 5.0, 5.1])
    assert [frame.index for frame in frames] == [0, 1, 2, 3]


def test_position_is_reported_in_the_axes_of_the_simulator():
    assert quadsim_position((1.0, 2.0, -3.0)) == [1.0, -2.0, 3.0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rgb_image": "%%%"}, "rgb_image: is not base64"),
        ({"rgb_image": base64.b64encode(b"GIF89a").decode()}, "rgb_image: is not a JPEG"),
        ({"rgb_image": base64.b64encode(b"\xff\xd8\xff").decode()}, "rgb_image: not a readable"),
        ({"rgb_image": jpeg(64, 64)}, "rgb_image: is 64x64, not 256x256"),
        ({"rgb_image": None}, "rgb_image: is missing"),
        ({"rgb_image": 5}, "rgb_image: is 5"),
        ({"pose": "1,2,3,0,0,nan"}, "pose: has an impossible value"),
        ({"pose": "1,2,3,0,0,1e300"}, "pose: has an impossible value"),
        ({"gimbal_pose": "1,2,3"}, "gimbal_pose: has 3 values"),
        ({"gimbal_pose": "1,2,3,a,b,c"}, "gimbal_pose: has a value that is not a number"),
        ({"gimbal_pose": None}, "gimbal_pose: is None"),
    ],
)
def test_malformed_frame_is_refused_with_the_name_of_its_part(change, problem):
    with pytest.raises(FrameError) as caught:
        decode_sensor_frame(made() | change, 160)
    assert str(caught.value).startswith(problem)
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize(
    "depth", [None, "", "%%%", jpeg(64, 64), base64.b64encode(b"\xff\xd8\xff").decode()]
)
def test_frame_without_a_usable_depth_image_is_used_without_depth(depth):
    found = decode_sensor_frame(made() | {"depth_image": depth}, 160)
    assert found.depth is None
    assert found.depth_jpeg is None
    assert found.depth_problem.startswith("depth_image: ")


@pytest.mark.parametrize("data", [None, 3, "text", [1, 2], {}])
def test_payload_of_another_kind_is_refused(data):
    with pytest.raises(FrameError):
        decode_sensor_frame(data, 160)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=4
)
KEYS = ("timestamp", "rgb_image", "depth_image", "pose", "gimbal_pose")
GOOD = made()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_no_value_causes_any_other_error(changes):
    try:
        built(GOOD | changes)
    except FrameError as error:
        assert "\n" not in str(error)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4000), st.integers(0, 255), st.sampled_from(["rgb_image", "depth_image"]))
def test_damaged_jpeg_causes_no_other_error(at, byte, key):
    data = bytearray(base64.b64decode(GOOD[key]))
    data[at % len(data)] = byte
    try:
        decode_sensor_frame(GOOD | {key: base64.b64encode(bytes(data)).decode()}, 160)
    except FrameError as error:
        assert "\n" not in str(error)


@given(st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6))
def test_pose_is_read_as_it_was_written(numbers):
    pose = parse_pose({"pose": ",".join(map(repr, numbers))}, "pose")
    assert (*pose.position_m, *pose.angles) == tuple(numbers)
