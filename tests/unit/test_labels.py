"""If these fail, masks that nobody has checked are taken for labels, or do not fit their images."""

from dataclasses import replace

import numpy as np
import pytest
import simplejpeg

from followme_uav.log.entry import EncodedImage
from followme_uav.log.labels import network_label
from followme_uav.messages import MaskClass, MissionState, TrackEstimate
from tests.conftest import detection_at, hero_mask

HERO, OTHER = (12, 8), (24, 20)
"""Pixels of the selected detection and of a false alarm: column, row."""
JPEG = simplejpeg.encode_jpeg(np.zeros((256, 256, 3), np.uint8))


def labelled(entry, state, mask, *, detected=True, distance_m=7.0):
    one = entry(
        state=state,
        mask=mask,
        detection=detection_at(HERO) if detected else None,
        track=TrackEstimate((distance_m, 0.0, 0.0), (0.0, 0.0, 0.0), 0.1),
    )
    return network_label(replace(one, encoded_image=EncodedImage(JPEG, "jpeg")))


def test_only_the_tracked_detection_is_labelled_as_the_hero(entry):
    mask = np.maximum(hero_mask(HERO), 0)
    mask[OTHER[1], OTHER[0]] = (10, 90, 155)
    found = labelled(entry, MissionState.FOLLOW, mask)
    assert found.mask.shape == (256, 256, 3), "the size of the logged image"
    assert (found.mask.sum(axis=2) == 255).all()
    scale = 256 / mask.shape[0]

    def label_at(pixel):
        column, row = (int((at + 0.5) * scale) for at in pixel)
        return int(np.argmax(found.mask[row, column]))

    assert label_at(HERO) == MaskClass.HERO
    assert label_at(OTHER) == MaskClass.PEOPLE


@pytest.mark.parametrize(("distance_m", "is_near"), [(7.0, True), (25.0, False)])
def test_distance_of_the_track_decides_on_the_kind(entry, distance_m, is_near):
    found = labelled(entry, MissionState.FOLLOW, hero_mask(HERO), distance_m=distance_m)
    assert found.is_near is is_near


def test_patrol_without_a_hero_pixel_is_a_frame_without_the_hero(entry):
    found = labelled(entry, MissionState.PATROL, hero_mask(None), detected=False)
    assert not found.mask[..., MaskClass.HERO].any()


@pytest.mark.parametrize(
    ("state", "detected"),
    [
        (MissionState.PATROL, True),
        (MissionState.ACQUIRE, True),
        (MissionState.SEARCH, False),
        (MissionState.FOLLOW, False),
    ],
)
def test_frames_that_the_track_does_not_confirm_are_left_out(entry, state, detected):
    assert labelled(entry, state, hero_mask(HERO), detected=detected) is None
