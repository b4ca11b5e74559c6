"""If these fail, a full disk or Ctrl-C leaves an incomplete file in place of a complete one."""

import os
import resource
import stat
import sys
import threading

import h5py
import numpy as np
import pytest
from PIL import Image

from followme_uav import files
from followme_uav.errors import OutputError
from followme_uav.files import (
    append_line,
    check_writable,
    make_folder,
    write_hdf5,
    write_image,
    write_json,
    write_whole,
    written_whole,
)

SMALL_BYTES = 4096


@pytest.fixture
def small_files_only(monkeypatch):
    """Limit the size of files: writes fail as on a full disk."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # see `NO_BYTE_CODE`
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def by_path(path, content):
    with written_whole(path) as part:
        part.write_bytes(content)


def noise(side_px=200):
    return np.random.default_rng(1).integers(0, 256, (side_px, side_px, 3), dtype=np.uint8)


WRITERS = {
    "bytes": lambda path: write_whole(path, b"x" * 10 * SMALL_BYTES),
    "path": lambda path: by_path(path, b"x" * 10 * SMALL_BYTES),
    "json": lambda path: write_json(path, list(range(10 * SMALL_BYTES))),
    "image": lambda path: write_image(path, Image.fromarray(noise())),
    "hdf5": lambda path: write_hdf5(path, lambda file: file.create_dataset("a", data=noise())),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("there", [True, False])
def test_full_disk_leaves_the_former_file_or_none(tmp_path, small_files_only, writer, there):
    path = tmp_path / "out.png"
    if there:
        path.write_text("old")
    with pytest.raises(OutputError, match=r"out\.png: cannot write") as caught:
        WRITERS[writer](path)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == (["out.png"] if there else [])
    assert not there or path.read_text() == "old"


@pytest.mark.parametrize("writer", WRITERS)
def test_written_file_is_complete_and_alone_in_its_folder(tmp_path, writer):
    path = tmp_path / "new" / "folder" / "out.png"
    WRITERS[writer](path)
    assert [p.name for p in path.parent.iterdir()] == ["out.png"]
    assert path.stat().st_size > SMALL_BYTES
    if writer == "hdf5":
        with h5py.File(path) as file:
            assert np.array_equal(file["a"][()], noise())


def test_data_that_json_cannot_hold_leaves_the_former_file(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert path.read_text() == "old"


def test_ctrl_c_while_writing_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.write_text("old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert path.read_text() == "old"


def test_error_of_the_last_step_removes_the_temporary_file(tmp_path, monkeypatch):
    """Network file systems report a full disk only at the end."""

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    for write in (lambda p: write_whole(p, b"new"), lambda p: by_path(p, b"new")):
        with pytest.raises(OutputError, match="No space left on device: free some space"):
            write(tmp_path / "out")
        assert not list(tmp_path.iterdir())


def test_symbolic_link_stays_and_its_target_is_replaced(tmp_path):
    target, link = tmp_path / "data" / "real", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(target)
    for content in (b"first", b"second"):  # at first the target does not exist
        write_whole(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert [p.name for p in target.parent.iterdir()] == ["real"]


def test_circular_symbolic_link_is_an_output_error(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutputError, match="cannot write"):
        write_whole(tmp_path / "a", b"x")


def test_permissions_are_kept_and_those_of_new_files_follow_the_umask(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("")
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        write_whole(old, b"x")
        write_whole(new, b"x")
        by_path(tmp_path / "path", b"x")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (old, new, tmp_path / "path")]
    assert modes == [0o640, 0o640, 0o640]


@pytest.mark.skipif(os.geteuid() == 0, reason="root has write access to all files")
def test_read_only_file_and_folder_are_refused(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o444)
    with pytest.raises(OutputError, match="Permission denied"):
        write_whole(tmp_path / "file", b"x")
    (tmp_path / "folder").mkdir(0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        check_writable(tmp_path / "folder" / "file")


def test_path_that_cannot_be_a_file_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("old")
    for path, words in (
        (tmp_path, "Is a directory"),
        (tmp_path / "file" / "x", "is no folder"),
        (tmp_path / ("n" * 300), "File name too long"),
    ):
        for action in (check_writable, lambda p: write_whole(p, b"x"), lambda p: by_path(p, b"x")):
            with pytest.raises(OutputError, match=words):
                action(path)
    with pytest.raises(OutputError, match="is no folder"):
        make_folder(tmp_path / "file" / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_file_name_of_the_maximal_length_is_accepted(tmp_path):
    path = tmp_path / ("n" * 255)
    write_whole(path, b"x")
    assert path.read_bytes() == b"x"


def test_check_writable_leaves_files_and_folders_unchanged(tmp_path):
    check_writable(tmp_path / "new" / "out")
    assert not list((tmp_path / "new").iterdir())
    (tmp_path / "old").write_text("old")
    check_writable(tmp_path / "old")
    assert (tmp_path / "old").read_text() == "old"


def test_pipe_receives_the_content_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    check_writable(pipe)
    write_json(pipe, {"a": 1})
    reader.join(30)
    assert got == [b'{\n  "a": 1\n}\n']
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_full_device_is_an_output_error():
    for write in (lambda p: write_whole(p, b"x"), lambda p: by_path(p, b"x")):
        with pytest.raises(OutputError, match=r"/dev/full: cannot write .*No space"):
            write(files.Path("/dev/full"))


def test_line_for_which_there_is_no_space_is_not_written_in_part(tmp_path, small_files_only):
    path = tmp_path / "rows.txt"
    append_line(path, "first")
    with pytest.raises(OutputError):
        append_line(path, "x" * SMALL_BYTES)
    append_line(path, "second")
    assert path.read_text() == "first\nsecond\n"
