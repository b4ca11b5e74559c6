"""A video plays in ordinary players, at the speed of the flight, and shows its states."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("av", reason="videos are encoded by PyAV, extra [video]")
import av

from followme_uav.errors import ConfigError
from followme_uav.messages import MapProgress, MissionState
from followme_uav.view.colours import MAP_DARK, STATES, WAY, rgb
from followme_uav.view.history import history_of
from followme_uav.view.video import write_video
from followme_uav.view.video_map import dashes
from followme_uav.view.video_painter import SIZE_PX, VideoPainter
from tests import mapless_flight
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


@pytest.mark.parametrize("times", [[3.0, 3.1, 0.0, 0.1], [3.0, 2.0, 1.0, 0.5]])
def test_flight_whose_clock_goes_back_is_shown(config, times):
    """A simulator may be reset in flight."""
    states = [MissionState.PATROL, MissionState.FOLLOW, MissionState.FOLLOW, MissionState.PATROL]
    flight = [
        make_entry(i, state, time_s=t)
        for i, (t, state) in enumerate(zip(times, states, strict=True))
    ]
    painter = VideoPainter(history_of(flight, config), "")
    pictures = [painter.paint(entry) for entry in flight]
    assert pictures[2].getpixel((40, 40)) == rgb(STATES[MissionState.FOLLOW])


def test_matroska_video_gives_no_warning_about_options_of_mp4(painter, tmp_path, caplog):
    write_video(list(entries())[:3], painter, tmp_path / "flight.mkv", 10.0)
    assert (tmp_path / "flight.mkv").stat().st_size > 1000
    assert not caplog.records


def test_frame_of_the_video_shows_the_mission_state_in_its_colour(painter):
    pictures = [painter.paint(entry) for entry in entries()]
    in_state_box = (40, 40)
    assert pictures[0].getpixel(in_state_box) == rgb(STATES[MissionState.PATROL])
    assert pictures[-1].getpixel(in_state_box) == rgb(STATES[MissionState.FOLLOW])


def shares(picture, colours):
    """Share of the pixels of each colour."""
    pixels = np.asarray(picture)
    return [float((pixels == rgb(colour)).all(axis=2).mean()) for colour in colours]


def test_video_of_a_flight_without_a_map_shows_the_map_that_it_makes():
    entries_, maps = mapless_flight.flown()
    read_map = dict(zip((e.frame.index for e in entries_), maps, strict=True))
    painter = VideoPainter(
        history_of(entries_, mapless_flight.CONFIG, (mapless_flight.HOUSE,)),
        "no map",
        lambda entry: read_map[entry.frame.index] if entry.frame.index % 5 == 0 else None,
    )
    pictures = [painter.paint(entry) for entry in entries_]
    at_start, at_end = (
        shares(picture, (MAP_DARK.viewed, MAP_DARK.frontier, MAP_DARK.occupied, WAY))
        for picture in (pictures[0], pictures[-1])
    )
    legend = max(at_start)
    assert legend < 0.001, "only the legend has these colours at the start"
    assert all(share > least for share, least in zip(at_end[:3], at_start[:3], strict=True))
    assert at_end[0] > 10 * legend


def test_video_shows_where_a_lost_hero_may_be():
    entries_, maps = mapless_flight.flown()
    history, entry = history_of(entries_, mapless_flight.CONFIG), entries_[-1]

    def painted(own_map):
        return np.asarray(VideoPainter(history, "", lambda entry: own_map).paint(entry))

    shown, without = painted(maps[-1]), painted(replace(maps[-1], probability=None))
    assert (shown != without).any(axis=2).mean() > 0.002


def test_video_shows_the_way_planned():
    entries_, _ = mapless_flight.flown()
    history, entry = history_of(entries_, mapless_flight.CONFIG), entries_[-1]
    north_m, east_m, _ = entry.frame.vehicle.position_m
    way_m = ((north_m + 10.0, east_m), (north_m + 10.0, east_m + 10.0))
    with_way, without = (
        replace(entry, step=replace(entry.step, own_map=MapProgress(500.0, way)))
        for way in (way_m, ())
    )
    shown, plain = (
        np.asarray(VideoPainter(history, "").paint(one)).astype(int) for one in (with_way, without)
    )
    changed = (shown != plain).any(axis=2)
    pinkness = shown[..., 0] + shown[..., 2] - 2 * shown[..., 1]
    assert changed.sum() > 40 and (pinkness[changed] > 20).mean() > 0.9


def test_flight_with_a_map_has_no_legend_of_an_own_map(painter):
    pictures = [painter.paint(entry) for entry in entries()]
    assert shares(pictures[-1], (MAP_DARK.free, MAP_DARK.viewed, WAY)) == [0.0] * 3


def test_dashes_have_gaps_of_the_same_length_and_turn_with_the_line():
    drawn = list(dashes([(0.0, 0.0), (0.0, 5.0), (4.0, 5.0)], 2.0))
    lengths = [np.hypot(b[0] - a[0], b[1] - a[1]) for a, b in drawn]
    assert sum(lengths) == pytest.approx(5.0)
    assert drawn[0] == ((0.0, 0.0), (0.0, 2.0))
    assert drawn[1:3] == [((0.0, 4.0), (0.0, 5.0)), ((0.0, 5.0), (1.0, 5.0))]


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
