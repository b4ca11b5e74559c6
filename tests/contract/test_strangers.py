"""Third-party AirSim clients fly in the embedded simulator.

`airsim` 1.8.1, `cosysairsim` 3.5.0 and bare `msgpack-rpc-python`, each in an environment of its own
(see tools/strangers_env.sh). A script must find the same behaviour here as on AirSim, so each test
pins a property that such a script relies on. The clients' side is in the folder `strangers`.

The tour checks each method and its parameters by an effect that AirSim's vehicle shows less
clearly, so it flies `nimble`; the bare client flies the default vehicle. How that one moves is in
tests/unit/test_vehicle_table.py.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from followme_uav.sim.airsim_api.dialects import DIALECTS
from followme_uav.sim.airsim_api.images import segmentation_palette
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from tests.contract.strangers.motions import HEIGHT_M, HOME_ALTITUDE_M, MOTIONS
from tests.painted_sky import OBJECT_NAMES, PaintedSky

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).resolve().parent / "strangers"
PAGE = ROOT / "docs" / "simulator.md"
WIDTH, HEIGHT = 160, 120
SETUP_LIMIT_S, START_LIMIT_S, TOUR_LIMIT_S = 250, 60, 150
CLIENTS = {"airsim": "airsim", "cosysairsim": "cosys"}
"""Dialect of each client."""
NO_ENVIRONMENT = 2
STILL_M, STILL_DEG = 0.35, 5.0
"""Largest change of a quantity that a motion does not name."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SETUP_LIMIT_S + START_LIMIT_S + TOUR_LIMIT_S),
]


def python_of(client):
    """Python of the client's environment; skips with the reason if it cannot be made."""
    done = subprocess.run(
        [str(ROOT / "tools" / "strangers_env.sh"), client],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=SETUP_LIMIT_S,
    )
    if done.returncode == NO_ENVIRONMENT:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@contextlib.contextmanager
def simulator(dialect, recordings, *options):
    """A simulator process, paused; yields its port."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "followme_uav.sim.server", "--port", "0", "--paused"),
            *("--dialect", dialect, "--image-size", f"{WIDTH}x{HEIGHT}", "--seed", "1"),
            *("--recordings", str(recordings), "--parent-pid", str(os.getpid())),
            *options,
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert "listening" in line, f"no simulator: it ended with {process.wait(START_LIMIT_S)}"
        yield int(line.rpartition(":")[2])
    finally:
        process.terminate()
        process.communicate(timeout=START_LIMIT_S)


def report_of(python, script, *arguments):
    """The output of a client's script."""
    done = subprocess.run(
        [python, "-W", "ignore", str(SCRIPTS / script), *map(str, arguments)],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=TOUR_LIMIT_S,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=CLIENTS)
def tour(request, tmp_path_factory):
    """The client's name, the report of its tour, and the folder of its recording."""
    python, recordings = python_of(request.param), tmp_path_factory.mktemp("recordings")
    with simulator(CLIENTS[request.param], recordings, "--vehicle", "nimble") as port:
        report = report_of(python, "airsim_client.py", request.param, port)
    return request.param, report, recordings


@pytest.fixture
def seen(tour):
    """A part of the tour's report, by its name."""

    def part(name):
        found = tour[1][name]
        if isinstance(found, dict) and "failed" in found:
            pytest.fail(found["failed"])
        return found

    return part


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The report of bare msgpack-rpc-python."""
    python = python_of("airsim")
    with simulator("airsim", tmp_path_factory.mktemp("recordings")) as port:
        return report_of(python, "plain_client.py", port)


def xyz(struct):
    return [struct[key] for key in ("x_val", "y_val", "z_val")]


def pixels_of(response):
    """(height, width, 3) of a raw image, rows in the order received."""
    data = np.frombuffer(base64.b64decode(response["image_data_uint8"]), np.uint8)
    return data.reshape(response["height"], response["width"], 3)


def rgb_of_png(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))


def numbers_of(response):
    return np.reshape(response["image_data_float"], (response["height"], response["width"]))


# -- connection ------------------------------------------------------------------------------


def test_client_accepts_the_servers_version(seen):
    """Otherwise it reports a version mismatch."""
    found = seen("connection")
    server, least, client = found["versions"]
    assert server >= least
    assert server == client
    assert found["control"] is True
    assert found["vehicles"] == ["Drone1"]
    assert json.loads(found["settings"])["SimMode"] == "Multirotor"
    assert found["home"]["altitude"] == HOME_ALTITUDE_M


# -- motion ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MOTIONS)
def test_motion_calls_have_their_stated_effect(seen, name):
    found, motion = seen("motions")[name], MOTIONS[name]
    before, after = found["before"], found["after"]
    assert found["answer"] is motion.answer
    moved = np.subtract(after["position"], before["position"])
    change = dict(zip(("north", "east", "down"), moved, strict=True))
    change |= {axis: math.degrees(angle) for axis, angle in after["angles"].items()}
    for quantity, value in change.items():
        drift = STILL_M if quantity in ("north", "east", "down") else STILL_DEG
        low, high = motion.effect.get(quantity, (-drift, drift))
        assert low <= value <= high, f"{quantity} {value:.2f}, not {low} to {high}"


def test_sticks_fly_the_vehicle_without_api_control(seen):
    found = seen("remote_control")
    north, east, down = found["state"]["position"]
    assert abs(north) < STILL_M
    assert east > 1.0
    assert abs(down + HEIGHT_M) < 1.0
    assert found["sticks"]["roll"] == pytest.approx(0.3)
    assert found["sticks"]["is_valid"] is True


def test_vehicle_flies_with_the_librarys_default_gains(seen):
    found = seen("gains")
    assert np.allclose(found["position"], (0.0, 0.0, -HEIGHT_M), atol=0.2)
    assert found["landed"] is False


# -- images ----------------------------------------------------------------------------------


@pytest.fixture
def image(seen):
    """The response of one type: raw, PNG or float."""
    responses = iter(seen("pictures")["responses"])
    by_type = {kind: [next(responses) for _ in range(3)] for kind in range(8)}
    forms = {"raw": 0, "png": 1, "float": 2}
    return lambda kind, form: by_type[kind][forms[form]]


@pytest.mark.parametrize("kind", range(8))
def test_images_have_their_shape_and_rows_from_the_top_in_every_form(image, kind):
    """PNG shows the true order; raw pixels are the same in blue, green, red."""
    for form in ("raw", "png", "float"):
        response = image(kind, form)
        assert (response["width"], response["height"]) == (WIDTH, HEIGHT)
        assert response["image_type"] == kind
        assert response["pixels_as_float"] is (form == "float")
        assert response["compress"] is (form == "png")
    raw, png = pixels_of(image(kind, "raw")), rgb_of_png(image(kind, "png")["image_data_uint8"])
    assert np.array_equal(raw[:, :, ::-1], png)
    assert len(np.unique(png.reshape(-1, 3), axis=0)) > 1, "nothing is to be seen"


def test_all_images_of_a_call_have_one_instant_and_pose(image):
    stamps = {image(kind, form)["time_stamp"] for kind in range(8) for form in ("raw", "float")}
    assert len(stamps) == 1
    assert xyz(image(0, "raw")["camera_position"]) == pytest.approx((0.0, 0.0, -HEIGHT_M), abs=0.5)


def test_sky_is_on_top_and_blue(image):
    blue, _, red = pixels_of(image(0, "raw"))[:5].reshape(-1, 3).mean(axis=0)
    assert blue > red + 20.0
    depth_m = numbers_of(image(1, "float"))
    assert depth_m[0].min() > 1000.0
    assert depth_m[-1].max() < 500.0


def test_depths_are_metres(image, seen):
    """Straight down, the depth of the ground is the height of the camera."""
    below = np.array(seen("pictures")["depth below"])
    height_m = -seen("pictures")["camera below"]["pose"]["position"]["z_val"]
    assert height_m == pytest.approx(seen("pictures")["height"], abs=0.5)
    assert below[HEIGHT // 2, WIDTH // 2] == pytest.approx(height_m, abs=0.5)
    planar, ray = numbers_of(image(1, "float")), numbers_of(image(2, "float"))
    assert np.all(ray >= planar - 1e-3)
    assert ray[HEIGHT // 2, WIDTH // 2] == pytest.approx(planar[HEIGHT // 2, WIDTH // 2], rel=1e-3)


def test_images_that_airsim_normalises_are_between_0_and_1(image):
    planar = numbers_of(image(1, "float"))
    visible, disparity = numbers_of(image(3, "float")), numbers_of(image(4, "float"))
    assert np.allclose(visible, np.clip(planar / 100.0, 0.0, 1.0), atol=1e-5)
    assert disparity.min() > 0.0
    assert disparity.max() <= 1.0
    assert disparity[0].max() < disparity[-1].min()


def test_segmentation_has_colours_of_the_palette_only(image):
    colours = {tuple(c) for c in rgb_of_png(image(5, "png")["image_data_uint8"]).reshape(-1, 3)}
    assert len(colours) > 1
    assert colours <= {tuple(colour) for colour in segmentation_palette()}


def test_single_image_is_a_png_of_the_scene(image, seen):
    single = rgb_of_png(seen("pictures")["single"])
    assert np.array_equal(single, rgb_of_png(image(0, "png")["image_data_uint8"]))


def test_field_of_view_is_the_requested_one(seen):
    found = seen("camera")
    assert found["before"]["fov"] == pytest.approx(60.0)
    assert found["after"]["fov"] == pytest.approx(90.0)
    matrix = found["after"]["proj_mat"]["matrix"]
    assert matrix[0][0] == pytest.approx(1.0)
    assert matrix[1][1] == pytest.approx(WIDTH / HEIGHT)


# -- sensors and world -----------------------------------------------------------------------


def test_sensors_agree_with_the_ground_truth(seen):
    found = seen("sensors")
    truth = found["kinematics"]
    altitude_m = HOME_ALTITUDE_M - truth["position"]["z_val"]
    assert found["imu"]["linear_acceleration"]["z_val"] == pytest.approx(-9.81, abs=0.5)
    assert found["barometer"]["altitude"] == pytest.approx(altitude_m, abs=0.1)
    assert found["gps"]["is_valid"] is True
    assert found["gps"]["gnss"]["geo_point"]["altitude"] == pytest.approx(altitude_m, abs=0.1)
    assert np.linalg.norm(xyz(found["magnetometer"]["magnetic_field_body"])) == pytest.approx(
        0.54, abs=0.05
    )
    assert found["distance"]["distance"] == pytest.approx(-truth["position"]["z_val"], abs=0.1)
    assert found["environment"]["gravity"]["z_val"] == pytest.approx(9.81, abs=0.01)
    assert len(found["rotors"]["rotors"]) == 4
    assert sum(rotor["thrust"] for rotor in found["rotors"]["rotors"]) > 10.0
    assert "No lidar" in found["lidar"]


def test_world_methods_work_with_the_librarys_structs(seen):
    found = seen("world")
    assert found["objects"][0] == "hero"
    assert found["moved"] is True
    assert xyz(found["hero"]["position"]) == pytest.approx((6.0, 0.0, 0.0), abs=0.01)
    assert found["nobody"] is True  # NaN, as on AirSim
    (detected,) = found["detections"]
    assert detected["name"] == "hero"
    assert detected["box2D"]["min"]["x_val"] < WIDTH / 2 < detected["box2D"]["max"]["x_val"]
    assert detected["relative_pose"]["position"]["x_val"] == pytest.approx(5.8, abs=0.3)
    assert found["none"] == []
    assert found["id"] == [True, 42, False]
    assert found["sight"] == [True, False]
    assert xyz(found["pose"]["position"]) == pytest.approx((0.0, 0.0, -2.0), abs=0.01)
    assert found["nan pose"] == found["pose"]  # NaN keeps the present value
    assert found["set"]["position"] == pytest.approx([0.0, 0.0, -30.0], abs=0.01)
    assert found["set"]["velocity"] == pytest.approx([2.0, 0.0, 0.0], abs=0.01)
    assert found["collision"]["has_collided"] is False


def test_spawned_object_appears_changes_and_disappears(seen):
    found = seen("objects")
    assert {"Cube", "Sphere", "Cylinder", "Cone"} < set(found["assets"])
    assert found["names"] == ["crate", "crate1"]
    assert found["listed"] == [True, True]
    assert xyz(found["pose"]["position"]) == pytest.approx((6.0, 0.0, -2.0))
    assert [xyz(scale) for scale in found["scale"]] == [[1, 2, 3], [1, 1, 1], [0, 0, 0]]
    assert found["resized"][0] is True
    assert xyz(found["resized"][1]) == [2, 2, 2]
    assert found["ahead"] == pytest.approx(5.0, abs=0.1)  # less half of the solid's two metres
    assert found["painted"] == [True, False, False]
    assert found["light"] == [True, False]
    assert found["destroyed"] == [True, True, True, False, False]
    low, high = found["extents"]
    assert low["latitude"] < high["latitude"]
    assert low["longitude"] < high["longitude"]
    assert low["altitude"] < high["altitude"]
    assert found["command"] is False
    assert isinstance(found["far"], bool)


def test_markers_are_accepted(seen):
    assert seen("markers") is True


def test_recording_has_images_and_poses(seen, tour):
    assert seen("recording") == [True, False]
    (table,) = tour[2].glob("*/airsim_rec.txt")
    heading, *rows = table.read_text().splitlines()
    images = sorted((table.parent / "images").glob("*.png"))
    assert len(rows) == len(images) == 4  # one every 50 ms
    assert heading.split("\t")[-1] == "ImageFile"
    assert [row.split("\t")[-1] for row in rows] == [image.name for image in images]


# -- time, reset, several clients ------------------------------------------------------------


def test_time_stops_and_steps(seen):
    found = seen("pause_and_step")
    start, after_time, after_frames = found["times"]
    assert after_time - start == 500_000_000
    assert after_frames - after_time == 10 * 20_000_000
    assert (found["paused while running"], found["paused"]) == (False, True)


def test_call_can_be_joined_while_the_clock_runs(seen):
    assert 15.0 < math.degrees(seen("clock_running")["angles"]["yaw"]) < 35.0


def test_flight_repeats_after_a_reset(seen):
    found = seen("reset_and_fly_again")
    first, second = found["flights"]
    assert first == second
    assert first["start"]["landed"] is True
    assert first["end"]["landed"] is False
    assert first["answer"] is True
    assert found["control after reset"] is False


def test_two_clients_share_the_vehicle(seen):
    found = seen("two_clients")
    assert found["answers"] == [False, True]
    one, other = found["states"]
    assert one == other
    assert one["position"][1] > 0.5
    for thread in found["threads"]:
        assert thread["pixels"] == 3 * WIDTH * HEIGHT
        assert thread["stamps"] == sorted(thread["stamps"])
        assert len(set(thread["stamps"])) > 1


def test_refusals_reach_the_user_with_their_reason(seen):
    found = seen("nonsense")
    assert {kind for kind, _ in found.values()} == {"RPCError"}
    words = {
        "number": "vx must be a number",
        "nan": "z is nan",
        "vehicle": "Vehicle API for 'Drone7' is not available",
        "optical flow": "image_type is 8",
        "unknown": "could not find function 'simGetMeshPositionVertexBuffers'",
    }
    assert {name: text for name, text in words.items() if text not in found[name][1]} == {}


# -- completeness ----------------------------------------------------------------------------


def test_third_party_client_has_called_every_served_method(seen, tour):
    simulator = SimulationRunner(Simulation(1, 2, PaintedSky, (16, 16)))
    served = set(handlers_of(simulator, DIALECTS[CLIENTS[tour[0]]], OBJECT_NAMES, {}))
    airsims = {name for name in served if not name.startswith("simFollowMe")}
    assert airsims - set(seen("called")) == set()


def test_documentation_lists_every_method_of_the_client(seen):
    """As served or as not served; the methods of car clients are left out."""
    page = PAGE.read_text()
    assert [name for name in seen("known") if f"`{name}`" not in page] == []


# -- bare msgpack-rpc-python -----------------------------------------------------------------


def test_msgpack_rpc_python_alone_can_fly(plain):
    assert plain["ping"] is True
    assert plain["armed"] is True
    answers = [plain[method]["answer"] for method in ("takeoff", "moveByVelocity", "land")]
    assert answers == [False, True, True]  # as on AirSim, that of a path is no sign of success
    up, gone, down = (
        xyz(plain[method]["state"]["kinematics_estimated"]["position"])
        for method in ("takeoff", "moveByVelocity", "land")
    )
    assert up[2] < -1.3
    assert gone[0] > up[0] + 2.0
    assert down[2] > -0.3
    assert plain["land"]["state"]["landed_state"] == 1  # as on AirSim on Unreal
    assert plain["image"] == [WIDTH, HEIGHT, 3 * WIDTH * HEIGHT]


def test_msgpack_rpc_python_receives_error_messages(plain):
    assert "could not find function 'simFly' with argument count 0" in plain["errors"]["simFly"]
    assert "invalid number of arguments" in plain["errors"]["takeoff"]
    assert "z must be a number" in plain["errors"]["moveToZ"]


def test_msgpack_rpc_python_may_decode_strings_as_bytes(plain):
    """This is its default; scripts that set no encoding exist."""
    assert "b'kinematics_estimated'" in plain["bytes"]
