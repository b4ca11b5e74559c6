"""A video plays in ordinary players, at the speed of the flight, and shows its states."""

import numpy as np
import pytest

pytest.importorskip("av", reason="videos are encoded by PyAV, extra [video]")
import av

from followme_uav.errors import ConfigError
from followme_uav.messages import MissionState
from followme_uav.view.colours import STATES, rgb
from followme_uav.view.history import history_of
from followme_uav.view.video import write_video
from followme_uav.view.video_painter import SIZE_PX, VideoPainter
from tests.conftest import make_entry
from tests.made_flight import FRAMES, HOUSE, LAWN, SKY, TREE, entries


@pytest.fixture
def painter(config):
    return VideoPainter(history_of(entries(), config, (HOUSE, TREE)), "made up")


def test_video_is_h264_and_has_the_speed_of_the_flight(painter, tmp_path):
    path = tmp_path / "flight.mp4"
    write_video(entries(), painter, path, 10.0)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == SIZE_PX
        assert stream.width % 2 == stream.height % 2 == 0
        frames = list(container.decode(video=0))
    assert [round(frame.time, 3) for frame in frames] == [
        pytest.approx(0.1 * i, abs=1e-3) for i in range(FRAMES)
    ]
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays before the download is complete
    shown = frames[-1].to_ndarray(format="rgb24").astype(int)
    for colour in (SKY, LAWN, rgb(STATES[MissionState.FOLLOW])):
        assert (np.abs(shown - colour).sum(axis=2) < 30).sum() > 200, colour


def test_irregular_frames_are_shown_when_they_were_taken(config, tmp_path):
    times = [0.0, 0.1, 0.1, 0.7]
    flight = [make_entry(i, time_s=5.0 + t) for i, t in enumerate(times)]
    path = tmp_path / "flight.mp4"
    write_video(flight, VideoPainter(history_of(flight, config), ""), path, 10.0)
    with av.open(str(path)) as container:
        shown = [frame.time for frame in container.decode(video=0)]
    assert shown == pytest.approx([0.0, 0.1, 0.101, 0.7], abs=1e-3)


def test_frame_of_the_video_shows_the_mission_state_in_its_colour(painter):
    pictures = [painter.paint(entry) for entry in entries()]
    in_state_box = (40, 40)
    assert pictures[0].getpixel(in_state_box) == rgb(STATES[MissionState.PATROL])
    assert pictures[-1].getpixel(in_state_box) == rgb(STATES[MissionState.FOLLOW])


def test_name_without_a_video_ending_is_an_error(painter, tmp_path):
    path = tmp_path / "flight.txt"
    with pytest.raises(ConfigError, match=r"flight\.txt: cannot write the video .*\.mp4"):
        write_video(entries(), painter, path, 10.0)
    assert not path.exists()


def test_interrupted_encoding_leaves_no_partial_video(painter, tmp_path):
    def broken():
        yield from list(entries())[:5]
        raise KeyboardInterrupt

    path = tmp_path / "flight.mp4"
    with pytest.raises(KeyboardInterrupt):
        write_video(broken(), painter, path, 10.0)
    assert not path.exists()
