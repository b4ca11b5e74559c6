"""The split of the real frames: no frame twice, held-out recordings, the shares of the score."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.labelled_frames import write_frames
from tests.unit.tool_parts import imported_tool


@pytest.fixture(scope="module")
def tool():
    with imported_tool("unity_split") as module:
        yield module


def frames_of(tool, sizes_px, prefix="v", at_edge=True):
    return [
        tool.LabelledFile(Path(f"{prefix}{i}.png"), Path(f"m{i}.png"), px, at_edge, f"{prefix}{i}")
        for i, px in enumerate(sizes_px)
    ]


def test_patrol_frames_have_the_shares_of_the_score(tool):
    """A proxy with more far heroes than the score would predict a lower one."""
    sizes_px = [low for (low, _), count in tool.PATROL_FRAMES.items() for _ in range(count)]
    validation = frames_of(tool, sizes_px)
    proxy = tool.proxy_frames(validation, frames_of(tool, [5] * 100, "edge"))
    found = [frame.hero_px for frame in proxy["patrol_with_targ"]]
    assert len(found) == sum(tool.PATROL_FRAMES.values())
    for (low, high), count in tool.PATROL_FRAMES.items():
        assert sum(low <= px <= high for px in found) == count


def test_no_frame_is_of_two_kinds_and_all_without_the_hero_stay(tool):
    validation = frames_of(tool, [0] * 60 + [5, 10, 20, 40] * 5 + [500] * 80)
    proxy = tool.proxy_frames(validation, frames_of(tool, [6, 12, 25, 50] * 5, "edge"))
    used = [frame for frames in proxy.values() for frame in frames]
    assert len(used) == len(set(used))
    assert {frame.hero_px for frame in proxy["following_images"]} == {500}
    assert {frame.hero_px for frame in proxy["patrol_non_targ"]} == {0}
    left = len(proxy["patrol_non_targ"]) + sum(f.hero_px == 0 for f in proxy["patrol_with_targ"])
    assert left == 60


def test_recording_is_the_number_at_the_beginning_of_the_name(tool):
    numbers = [tool.recording(Path(f"s{number:02d}_cam1_00000.jpeg")) for number in (5, 7, 10)]
    assert numbers == [5, 7, 10]
    with pytest.raises(SystemExit, match=r"run1_cam1_0\.png: its name does not begin with"):
        tool.recording(Path("run1_cam1_0.png"))


def test_split_links_each_frame_once_and_trains_on_no_frame_that_is_reported(
    tool, tmp_path, monkeypatch
):
    train = write_frames(tmp_path / "train", count=4)
    validation = write_frames(tmp_path / "validation", count=6, seed=1)
    copied = train / "images" / "run1_cam1_00001.png"
    copied.write_bytes((validation / "images" / "run1_cam1_00000.png").read_bytes())
    extra = write_frames(tmp_path / "extra", count=6, seed=2)
    for i, file in enumerate(sorted((extra / "images").iterdir())):
        file.rename(file.with_name(f"s{i + 3:02d}_cam1_{i:05d}.png"))
    for i, file in enumerate(sorted((extra / "masks").iterdir())):
        file.rename(file.with_name(f"s{i + 3:02d}_mask_{i:05d}.png"))
    monkeypatch.setattr(
        sys, "argv", ["unity_split", *map(str, (train, validation, extra, tmp_path / "out"))]
    )
    tool.main()

    def images_of(name):
        return {path.resolve() for path in (tmp_path / "out" / name).rglob("images/*")}

    assert images_of("unity_train") == {*(train / "images").iterdir()} - {copied}
    held_out = {path for path in (extra / "images").iterdir() if path.name.startswith("s05")}
    assert images_of("unity_far") == {*(extra / "images").iterdir()} - held_out
    assert images_of("unity_choice") | images_of("unity_proxy") >= held_out
    assert not images_of("unity_proxy") & (images_of("unity_train") | images_of("unity_far"))


def test_hero_at_the_edge_is_recognised(tool, tmp_path):
    folder = write_frames(tmp_path / "frames", count=2, size=160, hero=False)
    for i, box in enumerate((np.s_[50:60, 50:55], np.s_[150:160, 50:55])):
        mask = np.zeros((160, 160, 3), np.uint8)
        mask[..., 0] = 255
        mask[box] = (0, 0, 255)
        Image.fromarray(mask).save(folder / "masks" / f"run1_mask_{i:05d}.png")
    found = tool.labelled_files(folder)
    assert [frame.at_edge for frame in found] == [False, True]
    assert [frame.hero_px for frame in found] == [50, 50]
