"""Labelled frames: loading, and errors that name the wrong file."""

import numpy as np
import pytest
from PIL import Image

from followme_uav.errors import DataError
from followme_uav.labelled_frames import KINDS
from followme_uav.learn.data import dataset
from tests.unit.labelled_frames import write_frames


def test_set_is_loaded_as_it_is_on_disk(tmp_path):
    """Images, labels and pairs are those of the files."""
    folder = write_frames(tmp_path / "world", count=4)
    (frames,) = dataset.load_folders([folder])
    assert (frames.name, len(frames)) == ("world", 4)
    mask = np.asarray(Image.open(folder / "masks" / "run1_mask_00002.png"))
    image = np.asarray(Image.open(folder / "images" / "run1_cam1_00002.png"))
    np.testing.assert_array_equal(frames.images[2], image)
    np.testing.assert_array_equal(frames.labels[2], mask.argmax(axis=-1))
    assert set(np.unique(frames.labels[2])) == {0, 1, 2}


def test_folder_with_three_kinds_of_frames_is_three_sets(tmp_path):
    for kind in KINDS:
        write_frames(tmp_path / "city" / kind, count=2)
    sets = dataset.load_folders([tmp_path / "city"])
    assert [s.name for s in sets] == [f"city/{kind}" for kind in KINDS]
    assert {s.source for s in sets} == {"city"}


def test_images_and_masks_of_the_same_name_pair(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    for part in ("images", "masks"):
        for i, path in enumerate(sorted((folder / part).iterdir())):
            path.rename(path.with_name(f"{i:06d}.png"))
    assert len(dataset.load_folders([folder])[0]) == 2


def test_split_holds_out_the_last_tenth(tmp_path):
    """Scores on training frames would say nothing about other frames."""
    (frames,) = dataset.load_folders([write_frames(tmp_path / "world", count=25)])
    most, last = frames.split()
    assert most.image_files + last.image_files == frames.image_files
    assert len(last) == 3
    np.testing.assert_array_equal(last.images, frames.images[-3:])


def refused(folder, message):
    with pytest.raises(DataError, match=message) as caught:
        dataset.load_folders([folder])
    assert "\n" not in str(caught.value)


def test_missing_folder_is_refused(tmp_path):
    refused(tmp_path / "none", "none: no such data folder")


def test_folder_without_frames_is_refused(tmp_path):
    refused(tmp_path, "neither images/ and masks/ nor")


def test_set_without_masks_folder_is_refused(tmp_path):
    (tmp_path / "images").mkdir()
    refused(tmp_path, "no masks/ folder")


def test_set_without_images_is_refused(tmp_path):
    write_frames(tmp_path / "world", count=0)
    refused(tmp_path / "world", "no JPEG or PNG images")


def test_image_without_mask_is_refused_by_name(tmp_path):
    folder = write_frames(tmp_path / "world", count=3)
    (folder / "masks" / "run1_mask_00001.png").unlink()
    refused(folder, r"1 of 3 images without its mask \(run1_cam1_00001.png\).*--skip-incomplete")


def test_names_that_do_not_match_are_refused(tmp_path):
    """Shifted pairs would train the network on wrong masks."""
    folder = write_frames(tmp_path / "world", count=3)
    (folder / "masks" / "run1_mask_00001.png").rename(folder / "masks" / "run1_mask_00009.png")
    refused(folder, r"run1_cam1_00001.png\), 1 of 3 masks without its image \(run1_mask_00009.png")


def test_files_without_partner_are_left_out_with_skip_incomplete(tmp_path):
    folder = write_frames(tmp_path / "world", count=4)
    (folder / "masks" / "run1_mask_00001.png").unlink()
    (folder / "images" / "run1_cam1_00003.png").unlink()
    (frames,) = dataset.load_folders([folder], skip_incomplete=True)
    assert [path.stem[-1] for path in frames.image_files] == ["0", "2"]
    assert "2 images and masks paired by" in frames.note
    assert "1 of 3 images without its mask (run1_cam1_00001.png)" in frames.note
    assert "1 of 3 masks without its image (run1_mask_00003.png)" in frames.note


def test_names_of_the_published_evaluation_folder_pair(tmp_path):
    """Its images name a run that its masks do not name."""
    folder = write_frames(tmp_path / "patrol", count=3)
    labels = dataset.load_folders([folder])[0].labels
    for i in range(3):
        mask, image = f"masks/run1_mask_{i:05d}.png", f"images/run1_cam1_{i:05d}.png"
        (folder / mask).rename(folder / "masks" / f"0__mask_{i:05d}.png")
        (folder / image).rename(folder / "images" / f"0_run1cam1_{i:05d}.PNG")
    for hidden in ("images/._x.jpeg", "masks/.DS_Store", "images/Thumbs.db"):
        (folder / hidden).write_bytes(b"no image")
    (frames,) = dataset.load_folders([folder])
    np.testing.assert_array_equal(frames.labels, labels)
    assert frames.note == "3 images and masks paired by the same beginning and end of the name"


def test_masks_pair_by_name_when_the_sort_order_differs(tmp_path):
    """`10` sorts before `2`, but `00010` after `00002`."""
    folder = write_frames(tmp_path / "world", count=12, size=32)
    labels = dataset.load_folders([folder])[0].labels
    for i in range(12):
        (folder / f"images/run1_cam1_{i:05d}.png").rename(folder / f"images/{i}.png")
    for i in range(12):
        (folder / f"masks/run1_mask_{i:05d}.png").rename(folder / f"masks/{i:05d}.png")
    (frames,) = dataset.load_folders([folder])
    for file, label in zip(frames.image_files, frames.labels, strict=True):
        np.testing.assert_array_equal(label, labels[int(file.stem)])


def test_jpeg_masks_take_the_strongest_channel_and_are_noted(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    labels = dataset.load_folders([folder])[0].labels
    for path in sorted((folder / "masks").iterdir()):
        Image.open(path).save(path.with_suffix(".jpg"), quality=95, subsampling=0)
        path.unlink()
    (frames,) = dataset.load_folders([folder])
    np.testing.assert_array_equal(frames.labels, labels)
    assert "2 masks are JPEG" in frames.note


def test_photograph_in_place_of_a_jpeg_mask_is_refused(tmp_path):
    folder = write_frames(tmp_path / "world", count=1)
    path = folder / "masks" / "run1_mask_00000.png"
    path.unlink()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path.with_suffix(".jpg"))
    refused(folder, "run1_mask_00000.jpg: not one-hot")


def test_mask_that_is_not_one_hot_is_refused(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    path = folder / "masks" / "run1_mask_00001.png"
    mask = np.array(Image.open(path))
    mask[5, 5] = (255, 0, 255)
    Image.fromarray(mask).save(path)
    refused(folder, "run1_mask_00001.png: not one-hot")


def test_mask_of_another_size_than_its_image_is_refused(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    path = folder / "masks" / "run1_mask_00001.png"
    Image.open(path).resize((32, 32), Image.Resampling.NEAREST).save(path)
    refused(folder, "run1_mask_00001.png: size differs")


def test_image_of_another_size_than_its_set_is_refused(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    for part in ("images/run1_cam1_00001.png", "masks/run1_mask_00001.png"):
        image = Image.open(folder / part).resize((32, 32), Image.Resampling.NEAREST)
        image.save(folder / part)
    refused(folder, "run1_cam1_00001.png: 32 px")


def test_broken_image_is_refused(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    path = folder / "images" / "run1_cam1_00000.png"
    path.write_bytes(path.read_bytes()[:200])
    refused(folder, "run1_cam1_00000.png: not a readable image")


def test_two_folders_with_the_same_name_are_refused(tmp_path):
    """They would count as one source with one share of the crops."""
    for parent in ("a", "b"):
        write_frames(tmp_path / parent / "train", count=1)
    with pytest.raises(DataError, match="named 'train' too"):
        dataset.load_folders([tmp_path / "a" / "train", tmp_path / "b" / "train"])


def test_frames_also_in_validation_are_dropped(tmp_path):
    """A score on training frames says nothing about other frames."""
    train = write_frames(tmp_path / "train", count=4)
    held_out = write_frames(tmp_path / "held_out", count=1, seed=9)
    shared = "run1_cam1_00002.png"
    (held_out / "images" / "run1_cam1_00000.png").write_bytes(
        (train / "images" / shared).read_bytes()
    )
    frames, validation = dataset.load_folders([train, held_out])
    kept = frames.without(validation.image_hashes)
    assert len(kept) == 3
    np.testing.assert_array_equal(kept.images[2], frames.images[3])
    np.testing.assert_array_equal(kept.labels[2], frames.labels[3])


def test_content_hash_differs_for_other_frames_only(tmp_path):
    """Model cards identify data by the hash."""
    a = dataset.load_folders([write_frames(tmp_path / "a", count=2)])[0]
    b = dataset.load_folders([write_frames(tmp_path / "b", count=2)])[0]
    c = dataset.load_folders([write_frames(tmp_path / "c", count=2, seed=1)])[0]
    assert a.content_hash == b.content_hash != c.content_hash


def test_truth_is_resized_by_the_rule_of_the_score():
    """Pillow's bilinear filter on 0/1 bytes: a class keeps pixels it covers by half or more."""
    label = np.zeros((256, 256), np.uint8)
    label[80:96, 80:96] = 2  # exactly 10 x 10 pixels at 160
    truth = dataset.resize_truth(label, 160)
    assert truth[..., 2].sum() == 100
    assert truth[50:60, 50:60, 2].all()
    np.testing.assert_array_equal(truth[..., 0], ~truth[..., 2])
