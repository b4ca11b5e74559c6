"""Images of any camera, at the size that the pilot works with."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.config.derived import TRAINED_FOV_DEG, focal_length_px
from followme_uav.config.schema import MAX_HEIGHT_PX, MAX_WIDTH_PX, SIDE_MULTIPLE_PX
from followme_uav.messages import MaskClass
from followme_uav.resizing import resized_classes, resized_image
from followme_uav.rpc import convert
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.script import camera_draws
from followme_uav.scenario.script.camera_draws import with_drawn_camera
from followme_uav.scenario.script.plan import Variant, one_variant

DEFAULT = load_config()


def config_of(width_px, height_px, fov_deg=60.0, trained_px=160):
    return load_config(
        overrides=[
            f"camera.trained_width_px={trained_px}",
            f"camera.source_width_px={width_px}",
            f"camera.source_height_px={height_px}",
            f"simulator.camera_fov_deg={fov_deg}",
        ]
    )


@pytest.mark.parametrize(
    ("source", "size_px"),
    [
        ((0, 0, 60.0), (160, 160)),
        ((640, 480, 60.0), (120, 160)),
        ((256, 144, 90.0), (144, 256)),  # AirSim's default image stays as it is
        ((640, 480, 100.0), (240, 320)),
        ((320, 0, 60.0), (160, 160)),
        ((0, 0, 60.0, 256), (256, 256)),
        ((640, 480, 60.0, 256), (192, 256)),
    ],
)
def test_images_are_resized_to_the_scale_of_the_training_frames(source, size_px):
    assert config_of(*source).camera.size_px == size_px


@given(
    st.integers(160, 640),
    st.integers(120, 480),
    st.floats(50.0, 100.0),
    st.sampled_from([160, 256]),
)
def test_hero_has_about_the_size_of_training_in_the_images_of_any_camera(
    width, height, fov_deg, trained_px
):
    camera = config_of(width, height, fov_deg, trained_px).camera
    assert camera.source_size_px == (height, width)
    assert camera.width_px % SIDE_MULTIPLE_PX == camera.height_px % SIDE_MULTIPLE_PX == 0
    focal_px = focal_length_px(camera.width_px, fov_deg)
    largest = camera.width_px > 0.9 * MAX_WIDTH_PX or camera.height_px > 0.9 * MAX_HEIGHT_PX
    trained_focal_px = focal_length_px(trained_px, TRAINED_FOV_DEG)
    assert focal_px < 1.3 * trained_focal_px
    assert focal_px > 0.75 * trained_focal_px or largest
    aspect = camera.height_px / camera.width_px
    assert abs(math.log(aspect * width / height)) < 0.08, "people keep their shape"


def test_image_of_another_size_is_resized_and_its_classes_are_not_mixed():
    config = config_of(320, 320)
    reply = {"width": 320, "height": 320, "image_data_uint8": bytes([0, 0, 250] * 320 * 320)}
    rgb = convert.pixels(reply, config.simulator, config.camera, "sim")
    assert rgb.shape == (160, 160, 3)
    assert (rgb == [250, 0, 0]).all(), "the simulator sends blue, green, red"
    halves = np.zeros((321, 100), np.uint8)
    halves[:, 50:] = 200
    assert set(resized_classes(halves, (160, 33)).ravel().tolist()) == {0, 200}
    mixed = resized_image(np.repeat(halves[:, :, None], 3, 2), (160, 33))
    assert mixed.shape == (160, 33, 3)
    assert len(set(mixed.ravel().tolist())) > 2


def test_mask_of_the_truth_has_the_size_of_the_image():
    reply = {
        "mask_height": 2,
        "mask_width": 2,
        "mask": bytes([MaskClass.HERO, MaskClass.BACKGROUND] * 2),
        "time_stamp": 0,
        "hero_position": {"x_val": 0.0, "y_val": 0.0, "z_val": 0.0},
        "people_positions": [],
        "clearance": 1.0,
    }
    truth = convert.ground_truth(reply, convert.SimulationClock(), (4, 6))
    assert truth.mask.shape == (4, 6, 3)
    assert (truth.mask[..., MaskClass.HERO] > 0).sum() == 12


def test_seed_draws_the_camera_within_its_ranges():
    drawn = [with_drawn_camera(DEFAULT, seed) for seed in range(40)]
    assert with_drawn_camera(DEFAULT, 7) == drawn[7]
    for config in drawn:
        height_px, width_px = config.camera.source_size_px
        assert camera_draws.WIDTH_PX[0] <= width_px <= camera_draws.WIDTH_PX[1]
        assert camera_draws.LEAST_HEIGHT_PX <= height_px <= camera_draws.MOST_HEIGHT_PX
        assert camera_draws.RATE_HZ[0] <= config.camera.rate_hz <= camera_draws.RATE_HZ[1]
        fov_deg = config.simulator.camera_fov_deg
        assert camera_draws.FOV_DEG[0] <= fov_deg <= camera_draws.FOV_DEG[1]
    assert len({config.camera for config in drawn}) == len(drawn)
    assert {config.control.wanted_distance_m for config in drawn} == {
        DEFAULT.control.wanted_distance_m
    }


def test_flights_of_a_plan_have_the_camera_given_or_one_of_their_own():
    def jobs(camera):
        variant = Variant(pilot="oracle", camera=camera)
        return jobs_of(one_variant([], variant, random_seeds=[9001, 9002]))

    given_camera, drawn = jobs("given"), jobs("drawn")
    assert [job.flight_config() for job in given_camera] == [job.config for job in given_camera]
    assert [job.flight_config() for job in drawn] == [
        with_drawn_camera(job.config, job.seed) for job in drawn
    ]
    assert not {job.id for job in given_camera} & {job.id for job in drawn}
