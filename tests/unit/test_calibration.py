"""If these fail, a network is quantised by other images than the user asked for."""

import shutil

import numpy as np
import pytest
from PIL import Image

from followme_uav.errors import DataError
from followme_uav.labelled_frames import KINDS
from followme_uav.learn.data.calibration import MAX_IMAGES, calibration_images
from tests.unit.labelled_frames import write_frames

SIZE_PX = (32, 48)


def write_images(folder, levels):
    """Grey images, one for each level, in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, level in enumerate(levels):
        Image.new("RGB", (8, 8), (level,) * 3).save(folder / f"{number:03}.png")
    return folder


def levels_of(images):
    return [int(image[0, 0, 0]) for image in images]


def test_images_have_the_size_of_the_network(tmp_path):
    folder = write_frames(tmp_path / "set", count=3)
    images = calibration_images([folder], SIZE_PX)
    assert [(image.shape, image.dtype) for image in images] == [((*SIZE_PX, 3), np.uint8)] * 3


def test_images_are_spread_over_all_folders_and_kinds_and_are_the_same_at_each_call(tmp_path):
    """A hundred frames of one flight show the network one street only."""
    for number, kind in enumerate(KINDS):
        write_images(tmp_path / "city" / kind / "images", range(60 * number, 60 * number + 60))
    plain = write_images(tmp_path / "plain", range(180, 240))
    found = levels_of(calibration_images([tmp_path / "city", plain], SIZE_PX, count=24))
    assert len(found) == 24
    assert found == sorted(found)
    assert [sum(level // 60 == part for level in found) for part in range(4)] == [6, 6, 6, 6]
    again = levels_of(calibration_images([tmp_path / "city", plain], SIZE_PX, count=24))
    assert found == again


def test_number_of_images_is_limited(tmp_path):
    folder = write_images(tmp_path / "many", [7] * (MAX_IMAGES + 5))
    assert len(calibration_images([folder], (8, 8))) == MAX_IMAGES


def test_masks_are_not_read(tmp_path):
    """Images of a flight have none."""
    folder = write_frames(tmp_path / "set", count=2)
    shutil.rmtree(folder / "masks")
    assert len(calibration_images([folder], SIZE_PX)) == 2


def test_missing_and_empty_folders_and_broken_images_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"gone: no such folder"):
        calibration_images([tmp_path / "gone"], SIZE_PX)
    (tmp_path / "empty").mkdir()
    full = write_images(tmp_path / "full", [1, 2])
    with pytest.raises(DataError, match=r"empty: holds no JPEG or PNG images"):
        calibration_images([full, tmp_path / "empty"], SIZE_PX)
    (full / "001.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"001\.png"):
        calibration_images([full], SIZE_PX)
