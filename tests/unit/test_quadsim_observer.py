"""If these fail, QuadSim is sent to another person, to the wrong place, or not told of a loss."""

import math
from dataclasses import replace

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.flight.track_metrics import TrackMetricsAccumulator
from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.messages import (
    CameraPose,
    Frame,
    MaskClass,
    MissionState,
    TrackEstimate,
    VehicleState,
)
from followme_uav.perception.detection import detect
from followme_uav.pilot.observer import CLASSIC_LOST_FRAMES, ClassicObserver, Observer
from followme_uav.pilot.tracking.ranging import GroundLevel, depth_of, measure_range
from followme_uav.quadsim.report import APPROACH_FRAMES, GATE_MARKER, HERO_MARKER, Reporter

CONFIG = load_config(simulator="quadsim")
SIZE_PX, DEPTH_PX = 160, 256
STILL = (0.0, 0.0, 0.0)
NEAR, OTHER = (6.0, 0.5), (6.0, -3.0)
"""Places on the ground, north and east."""


def scene(*people, camera_m=(0.0, 0.0, -4.5), ground_down_m=0.0, kind=MaskClass.HERO):
    """(camera, mask, depth) of standing people; the rest is far away."""
    camera = CameraPose(camera_m, quaternion_from_euler(0.0, -0.45, 0.0), math.radians(53.13))
    mask = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    mask[..., MaskClass.BACKGROUND] = 255
    depth = np.full((DEPTH_PX, DEPTH_PX), 255, np.uint8)
    for north, east in people:
        head = pixel_of_point(camera, (north, east, ground_down_m - 1.7))
        feet = pixel_of_point(camera, (north, east, ground_down_m))
        middle_m = (north, east, ground_down_m - CONFIG.hero.centroid_height_m)
        ahead_m = pixel_of_point(camera, middle_m)[2]
        half_px = 0.15 * SIZE_PX / ahead_m
        for image, value in ((mask, None), (depth, round(ahead_m * 255 / 50))):
            scale = image.shape[0] / SIZE_PX
            top, bottom = (round((p[1] + 1) / 2 * SIZE_PX * scale) for p in (head, feet))
            middle = (head[0] + 1) / 2 * SIZE_PX
            columns = slice(round((middle - half_px) * scale), round((middle + half_px) * scale))
            if value is None:
                image[top:bottom, columns] = 0
                image[top:bottom, columns, kind] = 255
            else:
                image[top:bottom, columns] = value
    return camera, mask, depth


def frames(*scenes, rate_hz=10.0):
    """Frames of scenes, with their masks."""
    for number, (camera, mask, depth) in enumerate(scenes):
        time_s = number / rate_hz
        vehicle = VehicleState(time_s, camera.position_m, STILL, (1.0, 0.0, 0.0, 0.0), STILL)
        rgb = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
        yield Frame(number, time_s, rgb, camera, vehicle, depth=depth), mask


def observed(observer_kind, *scenes):
    """The steps of an observer."""
    masks = {}
    observer = observer_kind(CONFIG, lambda frame: masks[frame.index])
    steps = []
    for frame, mask in frames(*scenes):
        masks[frame.index] = mask
        steps.append(observer.step(frame))
    return steps


def test_depth_is_read_at_the_same_place_of_the_larger_depth_image():
    camera, mask, depth = scene(NEAR)
    (found,) = detect(mask, CONFIG.detection)
    _, _, true_m = pixel_of_point(camera, (*NEAR, -CONFIG.hero.centroid_height_m))
    assert depth_of(depth, mask, found, CONFIG) == pytest.approx(true_m, abs=0.2)
    row, column = (round((x + 1) / 2 * SIZE_PX) for x in (found.v, found.u))
    assert depth[row, column] == 255, "unscaled, it would be read beside the hero"


@pytest.mark.parametrize("levels", [(40,), (90, 10), (7, 200, 30), (1, 2, 4, 250)])
def test_depth_of_a_detection_is_the_median_of_its_pixels(levels):
    mask = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    depth = np.full((SIZE_PX, SIZE_PX), 255, np.uint8)
    columns = slice(50, 50 + len(levels))
    mask[80, columns, MaskClass.HERO], depth[80, columns] = 255, levels
    (found,) = detect(mask, CONFIG.detection.model_copy(update={"min_area_px": 1}))
    assert depth_of(depth, mask, found, CONFIG) == np.median(levels) * 50.0 / 255.0


def test_depth_and_ground_ray_give_the_hero_s_place():
    camera, mask, depth = scene(NEAR)
    (found,) = detect(mask, CONFIG.detection)
    with_depth = measure_range(camera, found, mask, depth, GroundLevel(), CONFIG).measurement
    without = measure_range(camera, found, mask, None, GroundLevel(), CONFIG).measurement
    assert math.dist(with_depth.position_m[:2], NEAR) < 0.3
    assert math.dist(without.position_m[:2], NEAR) < 0.3
    assert sum(with_depth.covariance[::2]) < sum(without.covariance[::2])


def test_depth_counts_where_the_ground_is_not_at_the_origin_s_level():
    camera, mask, depth = scene(NEAR, camera_m=(0.0, 0.0, 15.5), ground_down_m=20.0)
    (found,) = detect(mask, CONFIG.detection)
    ranged = measure_range(camera, found, mask, depth, GroundLevel(), CONFIG)
    assert math.dist(ranged.measurement.position_m[:2], NEAR) < 0.3
    assert ranged.ground_down_m == pytest.approx(20.0, abs=0.4)
    level = GroundLevel().with_sample(ranged.ground_down_m)
    without = measure_range(camera, found, mask, None, level, CONFIG).measurement
    assert math.dist(without.position_m[:2], NEAR) < 0.5


def test_ground_level_is_the_mean_of_its_samples():
    level = GroundLevel()
    for down_m in (2.0, 4.0, 6.0):
        level = level.with_sample(down_m)
    assert level.down_m == pytest.approx(4.0)


def test_hero_is_followed_after_some_confirmed_frames_at_the_place_where_it_stands():
    steps = observed(Observer, *[scene(NEAR)] * 12)
    assert steps[0].state is MissionState.PATROL
    assert steps[-1].state is MissionState.FOLLOW
    assert math.dist(steps[-1].track.position_m[:2], NEAR) < 0.3


def test_track_is_kept_through_a_short_gap_and_lost_after_a_long_one():
    there, away = scene(NEAR), scene()
    steps = observed(Observer, *[there] * 12, *[away] * 10, there, *[away] * 30)
    assert {step.state for step in steps[12:23]} == {MissionState.FOLLOW}
    assert steps[-1].state is MissionState.SEARCH


def test_a_larger_false_alarm_elsewhere_does_not_pull_the_track_away():
    steps = observed(Observer, *[scene(NEAR)] * 12, *[scene(NEAR, OTHER, OTHER)] * 10)
    assert math.dist(steps[-1].track.position_m[:2], NEAR) < 0.3
    steps = observed(Observer, *[scene(NEAR)] * 12, *[scene(OTHER)] * 10)
    assert all(math.dist(step.track.position_m[:2], OTHER) > 2.0 for step in steps[12:])


def test_classic_follower_goes_to_the_largest_blob_and_gives_up_after_seven_frames():
    there, away = scene(NEAR), scene()
    steps = observed(ClassicObserver, there, *[away] * 6, there, *[away] * 7)
    assert steps[0].state is MissionState.FOLLOW
    assert {step.state for step in steps[:14]} == {MissionState.FOLLOW}
    assert steps[-1].state is MissionState.PATROL
    assert CLASSIC_LOST_FRAMES == 7


def test_classic_follower_has_the_two_faults_of_the_original():
    camera, mask, depth = scene(NEAR)
    depth[:] = 255
    rows, columns = np.nonzero(mask[..., MaskClass.HERO])
    row, column = int(rows.mean()), int(columns.mean())
    depth[row, column] = 51  # 10 m, at the unscaled centroid
    (step,) = observed(ClassicObserver, (replace(camera, orientation=(1.0, 0, 0, 0)), mask, depth))
    ahead, right, up = 10.0, (row - 80) * 10.0 / 160, (column - 80) * 10.0 / 160
    north, east, down = camera.position_m
    assert step.track.position_m == pytest.approx((north + ahead, east + right, down - up))


def test_reports_come_with_every_frame_of_a_track_and_one_loss_ends_them():
    steps = observed(Observer, *[scene(NEAR)] * 12, *[scene()] * 30)
    reporter = Reporter(CONFIG, markers=False)
    names = [[name for name, _ in reporter.events(step)] for step in steps]
    assert names[11:26] == [["object_detected"]] * 15
    assert names[: APPROACH_FRAMES - 1] == [[]] * (APPROACH_FRAMES - 1)
    assert names.count(["object_lost"]) == 1
    assert names[-1] == []


def test_a_short_false_alarm_sends_the_simulator_nowhere():
    steps = observed(Observer, *[scene(OTHER)] * (APPROACH_FRAMES - 1), *[scene()] * 30)
    reporter = Reporter(CONFIG, markers=True)
    assert not [event for step in steps for event in reporter.events(step)]


def test_report_is_in_the_simulator_s_axes_and_markers_vanish_with_the_loss():
    steps = observed(Observer, *[scene(NEAR)] * 12, *[scene()] * 30)
    reporter = Reporter(CONFIG, markers=True)
    events = [event for step in steps for event in reporter.events(step)]
    coords = next(data["coords"] for name, data in events if name == "object_detected")
    assert coords == pytest.approx([NEAR[0], -NEAR[1], CONFIG.hero.centroid_height_m], abs=0.4)
    boxes = [data for name, data in events if name == "create_box_marker"]
    assert {box["id"] for box in boxes} == {HERO_MARKER, GATE_MARKER}
    assert all(len(box["pose"]) == 6 and box["duration"] > 0 for box in boxes)
    assert [name for name, _ in events[-3:]] == ["object_lost", "delete_marker", "delete_marker"]
    assert len(boxes) < 2 * sum(name == "object_detected" for name, _ in events)


def test_metrics_of_the_track_count_losses_and_measure_jitter(entry):
    metrics = TrackMetricsAccumulator()
    for number in range(12):
        state = MissionState.SEARCH if number in (5, 6) else MissionState.FOLLOW
        one = entry(time_s=0.1 * number, state=state)
        place = (float(number), 0.1 * (number % 2), 0.0)
        step = replace(one.step, track=TrackEstimate(place, STILL, 0.1), state=state)
        metrics.add(replace(one, step=step))
    found = metrics.result()
    assert (found.frames, found.losses) == (12, 1)
    assert found.tracked == pytest.approx(10 / 12)
    assert found.jitter_m == pytest.approx(0.1)
    assert found.longest_follow_s == pytest.approx(0.4)
