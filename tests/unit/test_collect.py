"""Collection of labelled frames: kinds, viewpoints, files, and failures of the simulator."""

import contextlib
import itertools
import json
import math
import os
from collections import Counter

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.errors import DataError, OutputError, RemoteError, RpcConnectionError
from followme_uav.geometry import (
    multiply,
    pixel_of_point,
    quaternion_from_euler,
    quaternion_from_pan_tilt,
)
from followme_uav.ground import Ground
from followme_uav.labelled_frames import FOLLOWING, WITH_HERO, WITHOUT_HERO
from followme_uav.learn.data import collect as module
from followme_uav.learn.data import dataset
from followme_uav.learn.data.collect import KINDS, collect
from followme_uav.messages import CameraPose, Frame, GroundTruth, MaskClass, VehicleState

SIZE_PX = 64
CONFIG = load_config(overrides=[f"camera.width_px={SIZE_PX}", f"camera.height_px={SIZE_PX}"])
HERO_M = (20.0, 5.0, 0.0)
PERSON_M = (-30.0, 4.0, 0.0)
MIDDLE_M = 0.9
"""Height of a person's middle above the feet."""


class FakeClient:
    """A flat world with the hero and one other person; the camera turns without delay."""

    def __init__(self, profile, rpc, camera):
        self.profile = profile
        self.made.append(self)
        self.calls = []
        self.place = None
        self.pan_tilt = (0.0, 0.0)

    def __getattr__(self, name):
        return lambda *arguments: self.calls.append((name, *arguments))

    def place_vehicle(self, position_m, yaw_rad):
        self.calls.append(("place_vehicle", position_m, yaw_rad))
        self.place = position_m, yaw_rad

    def send(self, command):
        self.calls.append(("send", command))
        self.pan_tilt = command.camera_pan_rad, command.camera_tilt_rad

    def ground_truth(self):
        return GroundTruth(0.0, HERO_M, (HERO_M, PERSON_M), np.zeros((1, 1, 3), np.uint8), 1.0)

    def read_labelled_frame(self):
        position_m, yaw_rad = self.place
        body = quaternion_from_euler(0.0, 0.0, yaw_rad)
        zero = (0.0, 0.0, 0.0)
        camera = CameraPose(
            position_m,
            multiply(body, quaternion_from_pan_tilt(*self.pan_tilt)),
            math.radians(self.profile.camera_fov_deg),
        )
        mask = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
        mask[..., MaskClass.BACKGROUND] = 255
        for place, kind in ((PERSON_M, MaskClass.PEOPLE), (HERO_M, MaskClass.HERO)):
            self.paint(mask, camera, place, kind)
        rgb = np.full((SIZE_PX, SIZE_PX, 3), 90, np.uint8)
        vehicle = VehicleState(0.0, position_m, zero, body, zero)
        return Frame(0, 0.0, rgb, camera, vehicle), mask

    def paint(self, mask, camera, place, kind):
        seen = pixel_of_point(camera, middle_of(place))
        if seen is None or max(abs(seen[0]), abs(seen[1])) > 1.0:
            return
        column, row = ((value + 1.0) / 2.0 * (SIZE_PX - 1) for value in seen[:2])
        half_px = 0.4 * SIZE_PX / (2 * math.tan(camera.fov_rad / 2) * seen[2])
        rows = slice(max(0, round(row - 2 * half_px)), round(row + 2 * half_px) + 1)
        columns = slice(max(0, round(column - half_px)), round(column + half_px) + 1)
        mask[rows, columns] = 0
        mask[rows, columns, kind] = 255


@pytest.fixture
def client(monkeypatch):
    """Class of the fake client; a test may replace its methods."""
    kind = type("Client", (FakeClient,), {"made": []})
    monkeypatch.setattr(module, "DataCollectionClient", kind)
    return kind


@pytest.fixture
def simulators(monkeypatch):
    """(seed, paused) of each started simulator."""
    started = []

    @contextlib.contextmanager
    def start(config, seed, *, paused, world):
        started.append((seed, paused) if world is None else (seed, paused, world))
        address = {"host": "127.0.0.1", "port": 1}
        yield config.model_copy(update={"simulator": config.simulator.model_copy(update=address)})

    monkeypatch.setattr(module, "embedded_simulator", start)
    return started


@pytest.fixture
def saved(monkeypatch):
    """(kind, name, frame, mask) of each saved frame; no file is written."""
    frames = []

    def save(folder, name, frame, mask):
        frames.append((folder.name, name, frame, mask))

    monkeypatch.setattr(module, "_save", save)
    return frames


def run(out, frames_per_kind=12, seeds=(5,), embedded=False):
    collect(CONFIG, out, frames_per_kind=frames_per_kind, seeds=seeds, embedded=embedded)


def middle_of(place):
    return place[0], place[1], place[2] - MIDDLE_M


def ground_m(frame, place):
    return math.dist(frame.camera.position_m[:2], place[:2])


def hero_px(mask):
    return int(np.count_nonzero(mask[..., MaskClass.HERO]))


def test_every_kind_gets_the_same_number_of_frames(client, saved, tmp_path):
    run(tmp_path / "new")
    assert Counter(kind for kind, *_ in saved) == dict.fromkeys(KINDS, 12)


def test_mask_decides_the_kind_of_a_frame(client, saved, tmp_path):
    """The score counts a detection in 'patrol_non_targ' as a false positive."""
    run(tmp_path / "new")
    for kind, _, _, mask in saved:
        assert (hero_px(mask) > 0) == (kind != WITHOUT_HERO)


def test_hero_is_near_and_near_the_centre_in_following_frames(client, saved, tmp_path):
    run(tmp_path / "new", frames_per_kind=40)
    frames = [frame for kind, _, frame, _ in saved if kind == FOLLOWING]
    for frame in frames:
        u, v, _ = pixel_of_point(frame.camera, middle_of(HERO_M))
        assert max(abs(u), abs(v)) < 0.4
        assert ground_m(frame, HERO_M) < 16.0
    bearings = {
        round(math.atan2(f.camera.position_m[1] - 5, f.camera.position_m[0] - 20)) for f in frames
    }
    assert len(bearings) > 4  # from all sides


def test_hero_is_far_and_anywhere_in_the_image_in_patrol_frames(client, saved, tmp_path):
    run(tmp_path / "new", frames_per_kind=40)
    frames = [frame for kind, _, frame, _ in saved if kind == WITH_HERO]
    places = [pixel_of_point(frame.camera, middle_of(HERO_M)) for frame in frames]
    assert np.std([u for u, _, _ in places]) > 0.2
    assert np.mean([ground_m(frame, HERO_M) for frame in frames]) > 15.0


def test_frames_without_hero_show_other_people(client, saved, tmp_path):
    """Without people in them, a network would not learn to tell people from the hero."""
    run(tmp_path / "new", frames_per_kind=40)
    masks = [mask for kind, _, _, mask in saved if kind == WITHOUT_HERO]
    with_people = sum(bool(mask[..., MaskClass.PEOPLE].any()) for mask in masks)
    assert len(masks) / 4 < with_people < len(masks)


def test_frame_with_a_hero_too_small_to_count_is_dropped(client, saved, tmp_path):
    """The score counts a hero of four pixels or more at 160 x 160."""
    read = client.read_labelled_frame
    sizes_px = itertools.cycle([0, 3, 4])

    def with_specks(self):
        frame, mask = read(self)
        size_px = next(sizes_px)
        if size_px:
            mask = np.zeros((160, 160, 3), np.uint8)
            mask[..., MaskClass.BACKGROUND] = 255
            mask[0, :size_px] = (0, 0, 255)
        return frame, mask

    client.read_labelled_frame = with_specks
    run(tmp_path / "new")
    assert {hero_px(mask) for *_, mask in saved if len(mask) == 160} == {4}


def test_no_image_is_taken_at_an_occupied_position(client, saved, tmp_path):
    def place(self, position_m, yaw_rad):
        if position_m[0] < 0.0:
            raise RemoteError("there is no room")
        self.place = position_m, yaw_rad

    client.place_vehicle = place
    run(tmp_path / "new")
    assert all(frame.camera.position_m[0] >= 0.0 for _, _, frame, _ in saved)


def test_camera_turns_before_the_image_is_taken(client, saved, tmp_path):
    run(tmp_path / "new", frames_per_kind=1)
    names = [call[0] for call in client.made[0].calls]
    assert names[:4] == ["connect", "pause", "take_control", "read_frame"]
    at = names.index("place_vehicle")
    assert names[at : at + 3] == ["place_vehicle", "send", "advance"]
    assert client.made[0].calls[at + 2][1] >= 0.5


def test_simulator_runs_on_and_connection_is_closed_at_the_end(client, saved, tmp_path):
    run(tmp_path / "new", frames_per_kind=1)
    assert client.made[0].calls[-2:] == [("pause", False), ("close",)]


def test_simulator_runs_on_and_connection_is_closed_after_a_failure(client, saved, tmp_path):
    def lost(self):
        raise RpcConnectionError("connection lost")

    client.read_labelled_frame = lost
    with pytest.raises(RpcConnectionError):
        run(tmp_path / "new")
    assert client.made[0].calls[-2:] == [("pause", False), ("close",)]


def test_city_without_a_view_of_the_hero_is_an_error(client, saved, tmp_path):
    """The number of attempts is limited."""
    client.paint = lambda *_: None
    with pytest.raises(DataError, match=r"seed 5: no view found for .*use other seeds"):
        run(tmp_path / "new", frames_per_kind=2)


def test_viewpoints_are_over_the_streets_when_the_simulator_has_no_ground_truth(
    client, saved, tmp_path
):
    client.ground_truth = lambda self: None

    def random_hero(self, mask, camera, place, kind):
        if kind == MaskClass.HERO and camera.position_m[0] > 0.0:
            mask[20:40, 20:30] = 0
            mask[20:40, 20:30, kind] = 255

    client.paint = random_hero
    with pytest.raises(DataError, match=f"no view found for .*{FOLLOWING}"):
        run(tmp_path / "new", frames_per_kind=3)
    assert Counter(kind for kind, *_ in saved) == {WITH_HERO: 3, WITHOUT_HERO: 3}


def test_equal_seeds_give_equal_frames(client, saved, tmp_path):
    run(tmp_path / "new")
    run(tmp_path / "new")
    half = len(saved) // 2
    for (kind, name, frame, _), (kind2, name2, frame2, _) in zip(
        saved[:half], saved[half:], strict=True
    ):
        assert (kind, name, frame.camera) == (kind2, name2, frame2.camera)


def test_frames_are_spread_over_cities_and_lenses(client, simulators, saved, tmp_path):
    run(tmp_path / "new", frames_per_kind=10, seeds=(7, 8, 9), embedded=True)
    assert simulators == [(7, True), (8, True), (9, True)]
    per_city = Counter((kind, name.partition("_")[0]) for kind, name, *_ in saved)
    assert sorted(per_city.values()) == [3, 3, 3, 3, 3, 3, 4, 4, 4]
    assert len({name for _, name, *_ in saved}) == len(saved)
    assert len({one.profile.camera_fov_deg for one in client.made}) > 1
    assert all((one.profile.host, one.profile.port) == ("127.0.0.1", 1) for one in client.made)


def test_a_folder_with_frames_is_refused_before_anything_starts(client, tmp_path):
    (tmp_path / FOLLOWING).mkdir()
    with pytest.raises(DataError, match="holds frames already"):
        run(tmp_path)
    assert client.made == []


def test_collected_frames_can_be_loaded_for_training(client, tmp_path):
    run(tmp_path / "new", frames_per_kind=3)
    sets = {
        frame_set.kind: dataset.load(frame_set) for frame_set in dataset.find_sets(tmp_path / "new")
    }
    assert sets.keys() == set(KINDS)
    for kind, frames in sets.items():
        assert len(frames) == 3
        assert frames.images.shape == (3, SIZE_PX, SIZE_PX, 3)
        assert np.abs(frames.images.astype(int) - 90).max() <= 3
        assert (frames.labels == MaskClass.HERO).any() == (kind != WITHOUT_HERO)


def test_full_disk_is_an_output_error_and_leaves_no_file(client, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        run(tmp_path / "new")
    assert not [path for path in (tmp_path / "new").rglob("*") if path.is_file()]


def test_embedded_city_changes_time_of_day_and_weather(client, simulators, saved, tmp_path):
    """A network trained at noon fails at dusk; other simulators keep their conditions."""
    del simulators, saved
    random = np.random.default_rng(1)
    drawn = [module._draw_conditions(random) for _ in range(400)]
    clear = [one for one in drawn if one.rain == one.fog == 0.0]
    dusk = [one for one in clear if one.hour_h is not None and one.hour_h > 17.0]
    assert 0.55 < (len(clear) - len(dusk)) / len(drawn) < 0.75
    assert dusk
    assert any(one.rain for one in drawn)
    assert any(one.fog for one in drawn)
    per_conditions = module.FRAMES_PER_CONDITIONS
    for embedded, expected in ((True, 2), (False, 0)):
        collect(
            CONFIG, tmp_path, frames_per_kind=per_conditions // 2, seeds=(4,), embedded=embedded
        )
        calls = [name for name, *_ in client.made[-1].calls]
        assert calls.count("set_light") == expected


def test_all_frames_are_from_the_hours_that_are_wanted(client, simulators, saved, tmp_path):
    """The light of the evening changes fast, and a day has little of it."""
    del simulators, saved
    per_kind = 4 * module.FRAMES_PER_CONDITIONS
    collect(
        CONFIG, tmp_path, frames_per_kind=per_kind, seeds=(4,), embedded=True, hours_h=(15.5, 18.0)
    )
    lights = [call[1:] for call in client.made[-1].calls if call[0] == "set_light"]
    assert len(lights) == 12
    assert all(15.5 <= hour_h <= 18.0 for hour_h, _, _ in lights)
    assert len({hour_h for hour_h, _, _ in lights}) == 12
    assert any(rain or fog for _, rain, fog in lights)


def test_frames_of_a_world_are_taken_over_its_ways_and_above_its_ground(
    client, saved, simulators, tmp_path
):
    """Hills need another height at each place, and the city's streets are not theirs."""
    collect(CONFIG, tmp_path / "new", frames_per_kind=4, seeds=(3,), embedded=True, world="hills")
    assert simulators == [(3, True, "hills")]
    profile = client.made[0].profile
    assert profile.patrol_waypoints_m != CONFIG.simulator.patrol_waypoints_m
    ground = Ground(profile.ground)
    assert not ground.is_level
    for _, _, frame, _ in saved:
        north_m, east_m, down_m = frame.vehicle.position_m
        assert 1.9 <= -down_m - ground.height_m(north_m, east_m) <= 10.1


def test_world_plan_says_where_and_among_whom_frames_are_taken(client, saved, simulators, tmp_path):
    """People who are dressed like the hero are rare in the city."""
    del client
    plan = tmp_path / "plan.yaml"
    route = {"waypoints_m": [[7.0, -20.0], [7.0, 20.0]]}
    content = {"people": 4, "walkers": [{"outfit": "decoy", "route": route}]}
    plan.write_text(json.dumps(content))
    collect(CONFIG, tmp_path / "new", frames_per_kind=4, seeds=(3,), embedded=True, world=str(plan))
    assert simulators == [(3, True, str(plan))]
    assert len(saved) == 12
