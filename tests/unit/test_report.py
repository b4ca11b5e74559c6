"""The `evaluate` command: tables, JSON and HTML report, with a network that looks at colours."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from followme_uav.errors import DataError, EnvironmentSetupError, OutputError
from followme_uav.labelled_frames import KINDS
from followme_uav.learn.evaluation import evaluate, report, report_figures, scores
from followme_uav.learn.evaluation import prepared as prepared_sets
from followme_uav.messages import MaskClass
from tests.unit.labelled_frames import write_frames

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")
BROWSER_DEADLINE_S = 120


def infer(images):
    """Take red for the hero and blue for people, as `labelled_frames` paints them."""
    red, _, blue = np.moveaxis(images.astype(int), -1, 0)
    hero, people = red - blue > 90, blue - red > 60
    return np.stack([~(hero | people), people, hero], axis=-1).astype(np.uint8) * 255


class ColourSegmenter:
    """Replacement for a trained network; it reads no weights."""

    sha256 = "0123456789abcdef" * 4
    trained_size_px = (160, 160)

    def __init__(self, weights):
        self.segment_batch = infer


@pytest.fixture
def by_colour(monkeypatch):
    monkeypatch.setattr(evaluate, "Segmenter", ColourSegmenter)


def run(folder, *arguments, **options):
    return evaluate.evaluate(Path("colours.h5"), folder, *arguments, **options)


@pytest.fixture
def three_kinds(tmp_path):
    for i, kind in enumerate(KINDS):
        write_frames(tmp_path / "data" / kind, count=7, hero="non" not in kind, seed=i)
    return tmp_path / "data"


def numbers(text):
    return set(re.findall(r"\d+\.\d+", text))


def test_json_holds_what_the_tables_show(three_kinds, by_colour, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    result = run(three_kinds, tmp_path / "scores.json")
    shown = numbers(capsys.readouterr().out)
    stored = json.loads((tmp_path / "scores.json").read_text())
    assert result.final_score == stored["final_score"]
    assert 0 < stored["final_score"] <= 1
    assert [s["name"] for s in stored["sets"]] == [f"data/{kind}" for kind in KINDS]
    assert stored["total"]["frames"] == 21

    def values(node):
        children = node.values() if isinstance(node, dict) else node
        for child in children:
            if isinstance(child, float):
                yield from (f"{child:.2f}", f"{child:.3f}", f"{100 * child:.1f}")
            elif isinstance(child, dict | list):
                yield from values(child)

    assert len(shown) > 5
    assert shown <= set(values(stored))


def test_tables_fit_a_terminal_of_80_columns(three_kinds, by_colour, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    run(three_kinds)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert all(kind in shown for kind in KINDS)
    assert "background" in shown


def test_a_plain_folder_has_no_final_score(tmp_path, by_colour, capsys):
    result = run(write_frames(tmp_path / "plain", count=4))
    assert result.final_score is None
    assert not re.search(r"\d  final score", capsys.readouterr().out)


def test_split_by_kind_sorts_frames_by_the_size_of_the_hero():
    """The limits decide which frames count in the proxy of the final score."""
    sizes = (0, 3, 4, 40, 41, 900)
    truth = np.zeros((6, 160, 160, 3), bool)
    for plane, size in zip(truth, sizes, strict=True):
        plane[..., MaskClass.HERO].reshape(-1)[:size] = True
    images = np.zeros((6, 160, 160, 3), np.uint8)
    whole = prepared_sets.PreparedSet("d", "d", images, truth, tuple(map(str, sizes)))
    parts = {s.name: s.frame_names for s in prepared_sets.split_by_kind(whole)}
    assert parts == {
        "d/following_images": ("41", "900"),
        "d/patrol_non_targ": ("0", "3"),
        "d/patrol_with_targ": ("4", "40"),
    }


def test_overlap_is_also_measured_at_the_frames_own_size(tmp_path, by_colour, capsys):
    """The network here is exact at 160 px; enlarged to 256 px, its masks have rounded corners."""
    result = run(write_frames(tmp_path / "large", count=6, size=256))
    assert "Overlap at the frames' own size (256 px)" in capsys.readouterr().out
    (native,) = result.native_sets
    assert (result.native_px, native.hero_frames) == (256, 3)
    assert 0.8 < native.hero_iou < 1.0
    assert native.to_dict() in result.to_dict()["native_sets"]
    same = run(write_frames(tmp_path / "same", count=4, size=160))
    assert (same.native_px, same.native_sets) == (160, ())


class BlindSegmenter(ColourSegmenter):
    """Finds nothing when its weights are called so."""

    def __init__(self, weights):
        super().__init__(weights)
        if weights.name == "blind.h5":
            self.segment_batch = lambda images: infer(np.full_like(images, 120))


def test_two_networks_are_compared_frame_by_frame(three_kinds, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluate, "Segmenter", BlindSegmenter)
    json_path = tmp_path / "scores.json"
    result = run(three_kinds, json_path, against=Path("blind.h5"), report_dir=tmp_path / "page")
    out = capsys.readouterr().out
    assert "blind.h5 compared with this network" in out
    found = result.comparison
    assert found.final_score.value == pytest.approx(-result.final_score)
    assert (found.detected.better, found.detected.worse) == (0, result.total.true_positive)
    assert (found.silent.better, found.silent.worse) == (0, 0)
    assert json.loads(json_path.read_text())["comparison"]["weights"] == "blind.h5"
    assert "blind.h5 compared" in (tmp_path / "page" / "index.html").read_text()


def test_by_kind_gives_a_plain_folder_a_final_score(tmp_path, by_colour, capsys):
    folder = write_frames(tmp_path / "data", count=9, size=256)
    near = np.zeros((256, 256, 3), np.uint8)
    near[..., 0] = 255
    near[100:150, 100:130] = (0, 0, 255)
    Image.fromarray(near).save(min((folder / "masks").iterdir()))
    Image.fromarray(np.full_like(near, 99)).save(
        min((folder / "images").iterdir())
    )  # the hero is missed
    result = run(folder, by_kind=True)
    assert [s.frames for s in result.sets] == [1, 4, 4]
    assert 0 < result.final_score < 1
    # Only the weight of the miss differs: it is in 1 of 9 frames here, in 542 of 1134 there.
    assert 0 < result.final_score_udacity_frames < result.final_score
    assert "proxy" in capsys.readouterr().out


def test_by_kind_names_the_missing_kind(tmp_path, by_colour, capsys):
    result = run(write_frames(tmp_path / "data", count=4), by_kind=True)
    assert result.final_score is None
    assert "no frame is of the kind patrol_with_targ" in capsys.readouterr().out


def test_by_kind_is_refused_for_folders_by_kind(three_kinds, by_colour):
    with pytest.raises(DataError, match="leave out --by-kind"):
        run(three_kinds, by_kind=True)


# The report


def skip_without_report_packages():
    for package in ("matplotlib", "jinja2"):
        pytest.importorskip(package, reason="the HTML report needs it")


class Page(HTMLParser):
    """Sources of pictures, names of elements, and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.sources, self.tags, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.sources.append(dict(attributes)["src"])

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(three_kinds, by_colour, tmp_path):
    skip_without_report_packages()
    run(three_kinds, report_dir=tmp_path / "report")
    return tmp_path / "report" / "index.html"


def test_page_needs_no_script_and_no_network(page):
    """The page must open from a mail, without a network, and years later."""
    text = page.read_text()
    found = Page(text)
    assert "script" not in found.tags
    assert "link" not in found.tags
    assert "//" not in text.replace("<!--", "")
    # 4 panels a frame; best, median and worst of 8 frames with the hero; two plots.
    assert len(found.sources) == 3 * 2 * 4 + 2
    assert len(set(found.sources)) == len(found.sources)
    for source in found.sources:
        with Image.open(page.parent / source) as picture:
            picture.load()
    written = {p.relative_to(page.parent).as_posix() for p in page.parent.rglob("*.png")}
    assert written == set(found.sources)


def test_page_shows_the_scores_and_names_the_frames(page, capsys):
    text = Page(page.read_text()).text
    assert numbers(capsys.readouterr().out) <= numbers(text)
    assert "colours.h5 on data" in text
    assert text.count("run1_cam1_") == 6


def test_second_report_removes_the_pictures_of_the_first(page, tmp_path, by_colour):
    """Old pictures would look like results of the second evaluation."""
    plain = write_frames(tmp_path / "without", count=2, hero=False)
    own = page.parent / "pictures" / "holiday.png"
    own.write_bytes(b"not of a report")
    run(plain, report_dir=page.parent)
    assert list(page.parent.rglob("*.png")) == [own]  # a folder `pictures` may be the user's
    assert "without" in page.read_text()


def test_network_without_detections_gets_a_report(three_kinds, by_colour, tmp_path, monkeypatch):
    """A network detects nothing in the first epochs of its training."""
    skip_without_report_packages()
    monkeypatch.setattr(sys.modules[__name__], "infer", np.zeros_like)
    run(three_kinds, report_dir=tmp_path / "report")
    assert (tmp_path / "report" / "pictures" / "size.png").is_file()


def test_names_cannot_become_markup(tmp_path, by_colour):
    skip_without_report_packages()
    folder = write_frames(tmp_path / "<i>data&", count=2)
    for image in (folder / "images").iterdir():
        image.rename(image.with_name(f"<script>&amp;{image.name}"))
    for mask in (folder / "masks").iterdir():
        mask.rename(mask.with_name(f"<script>&amp;{mask.name}"))
    run(folder, report_dir=tmp_path / "report")
    found = Page((tmp_path / "report" / "index.html").read_text())
    assert "script" not in found.tags
    assert "i" not in found.tags
    assert "colours.h5 on <i>data&" in found.text
    assert "<script>&amp;run1_cam1_00000.png" in found.text


@pytest.mark.parametrize("package", ["matplotlib", "jinja2"])
def test_missing_package_of_the_report_is_named_before_the_evaluation(
    tmp_path, monkeypatch, package
):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(evaluate, "Segmenter", None)  # must not be reached
    with pytest.raises(EnvironmentSetupError, match=r"pip install 'followme-uav\[report\]'"):
        run(tmp_path, report_dir=tmp_path / "report")


def test_report_folder_that_cannot_be_written_is_an_error(three_kinds, by_colour, tmp_path):
    skip_without_report_packages()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file is no folder"):
        run(three_kinds, report_dir=tmp_path / "file")


def measured(sizes_and_hits):
    """Measures of frames, each with a number of hero pixels and a number of predicted ones."""
    truth = np.zeros((len(sizes_and_hits), 20, 20, 3), bool)
    probabilities = np.zeros(truth.shape, np.uint8)
    for i, (size, hits) in enumerate(sizes_and_hits):
        truth[i, ..., MaskClass.HERO].reshape(-1)[:size] = True
        probabilities[i, ..., MaskClass.HERO].reshape(-1)[:hits] = 255
    return scores.measure(truth, probabilities)


def test_gallery_has_the_best_the_median_and_the_worst_frames():
    frames = measured([(100, 90), (50, 0), (100, 50), (80, 0), (100, 10), (100, 99), (0, 9)])
    groups = {g.title: g.frames for g in report.choose(frames)}
    assert groups == {
        "Best": (5, 0),
        "Median": (2, 4),
        "Worst": (3, 1),
        "Worst false positives": (6,),
    }


def test_false_positives_with_most_pixels_come_first():
    frames = measured([(0, 5), (0, 0), (0, 30), (0, 3), (0, 8)])
    (group,) = report.choose(frames)
    assert group.frames == (2, 4, 0)


def test_one_frame_with_the_hero_fills_all_groups():
    groups = report.choose(measured([(10, 10)]))
    assert [g.frames for g in groups] == [(0,), (0,), (0,)]


def test_masks_are_painted_at_their_pixels():
    truth = np.zeros((160, 160, 3), bool)
    truth[:, :80, MaskClass.BACKGROUND] = True
    truth[10:20, 100:120, MaskClass.HERO] = True
    panels = report_figures.panels(np.zeros((160, 160, 3), np.uint8), truth, truth)
    painted = {
        "background": (5, 5),
        "hero": (105, 15),
    }
    for label, place in painted.items():
        colour = report_figures.CLASS_COLOURS[label].removeprefix("#")
        assert bytes(panels.truth.getpixel(place)).hex() == colour
    assert panels.prediction.getpixel((90, 90)) == (255, 255, 255)


@pytest.mark.parametrize("corner", [(0, 0), (156, 156), (70, 3)])
def test_close_up_shows_the_whole_hero_at_an_edge(corner):
    top, left = corner
    truth = np.zeros((160, 160, 3), bool)
    truth[top : top + 4, left : left + 4, MaskClass.HERO] = True
    close_up = report_figures.panels(np.zeros((160, 160, 3), np.uint8), truth, truth).close_up
    assert close_up.size == (320, 320)
    pixels = np.asarray(close_up)
    line = (pixels == tuple(bytes.fromhex(report_figures.OUTLINE_COLOURS["truth"][1:]))).all(-1)
    rows, columns = np.nonzero(line)
    # 4 pixels, enlarged 10 times.
    assert (np.ptp(rows), np.ptp(columns)) == (39, 39)


# In a real browser


def chromium(folder, *arguments):
    return subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={folder}", *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=BROWSER_DEADLINE_S,
        check=True,
    ).stdout


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs the browser 'chromium'")
def test_browser_shows_every_picture_within_1200_pixels(page, tmp_path):
    """A browser may refuse a picture that exists, and a page may be wider than the screen."""
    probe = page.with_name("probe.html")
    probe.write_text(
        page.read_text().replace(
            "</body>",
            "<script>addEventListener('load', () => { document.title = JSON.stringify({"
            "all: document.images.length,"
            "shown: [...document.images].filter(i => i.naturalWidth > 0).length,"
            "width: document.documentElement.scrollWidth}) })</script></body>",
        )
    )
    dom = chromium(tmp_path / "browser", "--dump-dom", "--window-size=1200,3000", probe.as_uri())
    seen = json.loads(re.search(r"<title>(.*)</title>", dom)[1])
    assert seen["all"] == seen["shown"] == len(Page(page.read_text()).sources)
    assert seen["width"] <= 1200
    assert "Worst" in dom

    picture = tmp_path / "page.png"
    chromium(
        *(tmp_path / "browser", f"--screenshot={picture}"),
        *("--window-size=1200,3000", page.as_uri()),
    )
    with Image.open(picture) as screenshot:
        pixels = np.asarray(screenshot.convert("L"))
    assert pixels.shape == (3000, 1200)
    assert pixels[:100].std() > 5  # the heading
    assert pixels[2000:].std() > 5  # pictures
