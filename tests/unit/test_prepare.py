"""Conversion of raw recordings: the class of each pixel, and errors that name the file."""

import numpy as np
import pytest
from PIL import Image

from followme_uav.errors import ConfigError, DataError
from followme_uav.learn.data import dataset
from followme_uav.learn.data.plausibility import ClassColours
from followme_uav.learn.data.prepare import MaskEncoding, decide, find_frames, prepare

SIZE = 32
HERO, PEOPLE = np.s_[4:12, 4:8], np.s_[10:20, 20:26]


def record(folder, count=2, depth=False, first=0):
    """Write a recording and return its labels."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(first)
    labels = np.zeros((count, SIZE, SIZE), np.uint8)
    for i in range(count):
        labels[i][PEOPLE] = 1
        if i % 2 == 0:
            labels[i][HERO] = 2
        image = rng.integers(0, 256, (SIZE, SIZE, 4)).astype(np.uint8)
        image[..., 3] = 255
        save(folder, 1, first + i, image)
        distance = np.linspace(60, 250, SIZE * SIZE).reshape(SIZE, SIZE).astype(np.uint8)
        for camera, label in ((2, 1), (3, 2), (4, 0)):
            inside = labels[i] == label
            near = distance if label == 0 else distance // 2
            plane = np.where(inside, near, 255) if depth else np.where(inside, 255, 0)
            if depth and label == 0:
                plane = distance  # camera 4 also shows the street behind people
            save(folder, camera, first + i, np.repeat(plane[..., None], 3, 2).astype(np.uint8))
    return labels


def save(folder, camera, number, pixels):
    Image.fromarray(pixels).save(folder / f"cam{camera}_{number:05d}.png")


@pytest.mark.parametrize("depth", [False, True])
def test_recording_in_both_encodings_gives_its_images_and_classes(tmp_path, depth):
    """Both encodings give the recorded classes."""
    labels = record(tmp_path / "raw", depth=depth)
    summary = prepare(tmp_path / "raw", tmp_path / "set")
    (frames,) = dataset.load_folders([tmp_path / "set"])
    np.testing.assert_array_equal(frames.labels, labels)
    image = Image.open(tmp_path / "raw" / "cam1_00001.png").convert("RGB")
    np.testing.assert_array_equal(frames.images[1], np.asarray(image))
    assert summary.encoding is (MaskEncoding.DEPTH if depth else MaskEncoding.BRIGHT)
    assert (summary.frames, summary.hero_frames, summary.people_frames) == (2, 1, 2)
    assert (summary.several, summary.unclaimed) == (0, 0)


def test_several_runs_in_folders_become_one_set(tmp_path):
    record(tmp_path / "raw" / "run1" / "IMG", first=7)
    record(tmp_path / "raw" / "run2" / "IMG", first=7)
    prepare(tmp_path / "raw", tmp_path / "set", kind="patrol_with_targ")
    (frames,) = dataset.load_folders([tmp_path / "set"])
    assert frames.name == "set/patrol_with_targ"
    names = [path.stem for path in frames.image_files]
    assert names == ["run1_IMG_00007", "run1_IMG_00008", "run2_IMG_00007", "run2_IMG_00008"]


def plane(*values):
    return np.array([values], np.uint8)


def test_pixel_in_several_masks_or_in_none_gets_one_class():
    """Recordings have smoothed edges; each pixel gets one class for any values."""
    hero = plane(255, 200, 255, 0, 120, 0)
    people = plane(255, 210, 0, 0, 0, 255)
    background = plane(255, 0, 255, 0, 110, 255)
    label, several, unclaimed = decide(hero, people, background, MaskEncoding.BRIGHT)
    assert label.tolist() == [[2, 1, 2, 0, 0, 1]]
    assert (several, unclaimed) == (4, 2)


def test_equal_or_far_depths_get_a_class_by_the_rule():
    hero, people = plane(50, 50, 255, 30), plane(50, 60, 255, 30)
    label, several, unclaimed = decide(hero, people, plane(50, 80, 255, 90), MaskEncoding.DEPTH)
    assert label.tolist() == [[0, 2, 0, 1]]
    assert (several, unclaimed) == (1, 1)


def test_cameras_in_another_order_give_the_same_classes(tmp_path):
    """Recorders number their cameras differently; hero and people must not be swapped."""
    labels = record(tmp_path / "raw")
    prepare(tmp_path / "raw", tmp_path / "set", cameras=(2, 3, 4))
    (frames,) = dataset.load_folders([tmp_path / "set"])
    np.testing.assert_array_equal(frames.labels == 1, labels == 2)
    with pytest.raises(ConfigError, match="3,3,4: name the cameras of hero, people and background"):
        prepare(tmp_path / "raw", tmp_path / "other", cameras=(3, 3, 4))


def test_existing_set_is_refused_without_resume(tmp_path):
    record(tmp_path / "raw")
    prepare(tmp_path / "raw", tmp_path / "set")
    with pytest.raises(DataError, match=r"set: exists and is not empty.*--resume"):
        prepare(tmp_path / "raw", tmp_path / "set")


def test_resume_completes_an_interrupted_set(tmp_path):
    """After a kill between two files, a second call completes the set."""
    labels = record(tmp_path / "raw", count=4)
    out = tmp_path / "set"
    prepare(tmp_path / "raw", out)
    kept = out / "images" / "raw_00000.png"
    time = kept.stat().st_mtime_ns
    (out / "images" / "raw_00002.png").unlink()
    (out / "masks" / "raw_00002.png").unlink()
    (out / "images" / "raw_00003.png").unlink()
    assert prepare(tmp_path / "raw", out, resume=True).written == 2
    np.testing.assert_array_equal(dataset.load_folders([out])[0].labels, labels)
    assert kept.stat().st_mtime_ns == time
    assert not [path for path in out.rglob(".*")]


def refused(raw, message):
    with pytest.raises(DataError, match=message) as caught:
        prepare(raw, raw.parent / "set")
    assert "\n" not in str(caught.value)


def test_frame_with_a_missing_file_is_refused(tmp_path):
    record(tmp_path / "raw")
    (tmp_path / "raw" / "cam3_00001.png").unlink()
    refused(tmp_path / "raw", r"missing of 1 of 2 frames: cam1_00001.png \(camera 3\)")
    assert not (tmp_path / "set").exists()


def test_frame_without_image_is_refused(tmp_path):
    record(tmp_path / "raw")
    (tmp_path / "raw" / "cam1_00001.png").unlink()
    refused(tmp_path / "raw", r"missing of 1 of 2 frames: cam2_00001.png \(camera 1\)")


def test_mask_of_another_size_is_refused(tmp_path):
    record(tmp_path / "raw")
    save(tmp_path / "raw", 4, 1, np.zeros((16, 16, 3), np.uint8))
    refused(tmp_path / "raw", r"cam4_00001.png: 16x16 px, its image cam1_00001.png has 32x32")


def test_image_that_is_not_square_is_refused(tmp_path):
    record(tmp_path / "raw")
    save(tmp_path / "raw", 1, 1, np.zeros((32, 48, 3), np.uint8))
    refused(tmp_path / "raw", r"cam1_00001.png: 48x32 px, must be square")


def test_unreadable_mask_is_refused(tmp_path):
    record(tmp_path / "raw")
    path = tmp_path / "raw" / "cam2_00001.png"
    path.write_bytes(path.read_bytes()[:60])
    refused(tmp_path / "raw", r"cam2_00001.png: not a readable image")


def test_folder_without_recording_is_refused(tmp_path):
    refused(tmp_path / "none", "none: no such folder")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "notes.txt").write_text("nothing here")
    refused(tmp_path / "raw", "raw: no files named like cam1_00012.png")


def test_frame_with_two_files_of_one_camera_is_refused(tmp_path):
    record(tmp_path / "raw")
    Image.new("RGB", (SIZE, SIZE)).save(tmp_path / "raw" / "cam1_00001.jpeg")
    refused(tmp_path / "raw", r"is there twice")


def test_unknown_kind_is_refused(tmp_path):
    record(tmp_path / "raw")
    with pytest.raises(ConfigError, match="choose from following_images, patrol_non_targ"):
        prepare(tmp_path / "raw", tmp_path / "set", kind="patrol")


def test_files_of_the_unity_recorder_belong_to_their_cameras(tmp_path):
    record(tmp_path / "raw", count=1, first=12)
    (frame,) = find_frames(tmp_path / "raw")
    assert [p.name for p in (frame.image, frame.hero, frame.people, frame.background)] == [
        f"cam{n}_00012.png" for n in (1, 3, 2, 4)
    ]


def two_in_a_street(folder, person=np.s_[2:8, 2:5], hero=np.s_[8:14, 10:12]):
    """Write one frame as the Unity simulator records it: depth, and white outside the class."""
    folder.mkdir()
    image = np.full((16, 16, 3), 128, np.uint8)
    image[person], image[hero] = (40, 60, 160), (190, 30, 40)
    people_depth, hero_depth, background_depth = (
        np.full((16, 16), value, np.uint8) for value in (255, 255, 30)
    )
    people_depth[person], hero_depth[hero] = 30, 30
    background_depth[person] = background_depth[hero] = 255
    label = np.zeros((16, 16), np.uint8)
    label[person], label[hero] = 1, 2
    for camera, plane in ((1, image), (2, people_depth), (3, hero_depth), (4, background_depth)):
        save(folder, camera, 12, plane)
    return label


def test_hero_is_camera_3_by_default(tmp_path, caplog):
    label = two_in_a_street(tmp_path / "raw")
    assert prepare(tmp_path / "raw", tmp_path / "set").encoding is MaskEncoding.DEPTH
    (frames,) = dataset.load_folders([tmp_path / "set"])
    np.testing.assert_array_equal(frames.labels[0], label)
    assert not caplog.records


def test_swapped_cameras_are_noticed_by_the_colours_of_their_classes(tmp_path, caplog):
    """A network that is trained on swapped classes follows other people."""
    two_in_a_street(tmp_path / "raw")
    prepare(tmp_path / "raw", tmp_path / "set", cameras=(2, 3, 4))
    (line,) = caplog.messages
    assert "people are redder than the hero" in line
    assert "--cameras 3,2,4" in line


def test_small_share_of_background_gives_a_warning(tmp_path, caplog):
    two_in_a_street(tmp_path / "raw")
    prepare(tmp_path / "raw", tmp_path / "set", cameras=(4, 2, 3))
    assert "of all pixels are background" in caplog.text


def test_noisy_colours_of_few_pixels_give_no_warning():
    """Users would ignore a warning that appears by chance."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        image = rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)
        colours = ClassColours()
        label = np.zeros((16, 16), np.uint8)
        label[:4, :4], label[8:12, :4] = 1, 2
        colours.add(image, label)
        assert not colours.warnings((3, 2, 4))


def test_depths_follow_the_rule_of_the_published_masks():
    """argmin(background - 1, people, hero), the first of equals, for any values."""
    rng = np.random.default_rng(5)
    near = rng.integers(0, 6, (3, 64, 64))
    far = rng.integers(250, 256, (3, 64, 64))
    for hero, people, background in (near, far, np.where(rng.random((3, 64, 64)) < 0.5, near, far)):
        label, _, _ = decide(
            hero.astype(np.uint8),
            people.astype(np.uint8),
            background.astype(np.uint8),
            MaskEncoding.DEPTH,
        )
        expected = np.argmin(np.stack([background - 1, people, hero]), axis=0)
        np.testing.assert_array_equal(label, expected)


def test_person_that_fills_the_first_frame_does_not_decide_the_encoding(tmp_path):
    """The depth of a near person is as dark as a bright mask without people."""
    record(tmp_path / "raw", count=4, depth=True)
    save(tmp_path / "raw", 2, 0, np.full((SIZE, SIZE), 30, np.uint8))
    assert prepare(tmp_path / "raw", tmp_path / "set").encoding is MaskEncoding.DEPTH


def test_hidden_files_are_ignored(tmp_path):
    """Finder writes a file `._NAME` beside every file on a foreign disk."""
    record(tmp_path / "raw")
    for name in ("._cam1_00000.png", ".cam1_00007.png", ".DS_Store", "Thumbs.db"):
        (tmp_path / "raw" / name).write_bytes(b"no image")
    (tmp_path / "raw" / "__MACOSX").mkdir()
    (tmp_path / "raw" / "__MACOSX" / "cam1_00000.png").write_bytes(b"no image")
    assert prepare(tmp_path / "raw", tmp_path / "set").frames == 2


def test_frames_of_a_hidden_folder_get_visible_names(tmp_path):
    """Hidden files would be ignored when the set is read."""
    record(tmp_path / ".raw")
    prepare(tmp_path / ".raw", tmp_path / "set")
    assert len(dataset.load_folders([tmp_path / "set"])[0]) == 2


def test_incomplete_frames_are_refused_or_left_out_with_skip_incomplete(tmp_path, capsys):
    """A recorder that is stopped leaves incomplete frames."""
    labels = record(tmp_path / "raw", count=9)
    for i in range(7):
        (tmp_path / "raw" / f"cam{i % 4 + 1}_{i:05d}.png").unlink()
    with pytest.raises(
        DataError, match=r"7 of 9 frames: .*camera 1.*and 2 more.*--skip-incomplete"
    ):
        prepare(tmp_path / "raw", tmp_path / "set")
    summary = prepare(tmp_path / "raw", tmp_path / "set", skip_incomplete=True)
    assert (summary.frames, summary.left_out) == (2, 7)
    assert "7 frames left out" in capsys.readouterr().out
    (frames,) = dataset.load_folders([tmp_path / "set"])
    np.testing.assert_array_equal(frames.labels, labels[7:])


def test_recording_without_a_complete_frame_is_refused_with_skip_incomplete(tmp_path):
    record(tmp_path / "raw")
    with pytest.raises(DataError, match=r"camera 5\).*--cameras"):
        prepare(tmp_path / "raw", tmp_path / "set", cameras=(3, 2, 5), skip_incomplete=True)


def test_folder_names_with_brackets_are_printed_as_they_are(tmp_path, capsys):
    record(tmp_path / "raw")
    prepare(tmp_path / "raw", tmp_path / "set[" / "b]")
    assert "set[/b]: 2 frames" in capsys.readouterr().out
