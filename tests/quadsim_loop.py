"""Flies the stand-in for QuadSim against the server, and judges both logs.

    python -m tests.quadsim_loop --seeds 9911:9921 --seconds 60 --out runs/quadsim
    python -m tests.quadsim_loop --resend runs/quadsim/9911-tracked.mcap --out runs/quadsim

The second command sends the frames of a log of the server again, at a steady rate, and prints how
long the server takes. The server runs in a process of its own, as for QuadSim.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from followme_uav.config import load_config
from followme_uav.flight.fly import FlightPlan, fly
from followme_uav.flight.hero_truth import is_hero, is_in_view
from followme_uav.log.reader import read_log
from followme_uav.messages import MaskClass, MissionState
from followme_uav.quadsim.report import Reporter
from followme_uav.scenario.script import draws
from followme_uav.scenario.script.draws import draw_scenario
from followme_uav.statistics.intervals import wilson
from tests.quadsim_stand_in import EPOCH_S, OVERRIDES, StandIn, Wire, pose_text

ROOT = Path(__file__).resolve().parents[1]
END_LIMIT_S = 30
LEGS = 5
"""Of the hero's route, at most 60 m each."""


@dataclass(frozen=True)
class Outcome:
    """One flight of the stand-in."""

    seed: int
    classic: bool
    frames: int
    acquire_s: float | None
    """From the first frame to the first report of FOLLOW about the hero."""
    judged_frames: int
    """From then to the end."""
    in_view_frames: int
    wrong_frames: int
    """In FOLLOW with a detection that is not the hero."""
    approach_wrong_frames: int
    """Sent in ACQUIRE to a detection that is not the hero, to look from nearby."""
    losses: int
    error_p50_m: float | None
    """Horizontal distance of the reported point from the hero, in FOLLOW."""
    error_p90_m: float | None
    jitter_m: float | None
    loop_p50_ms: float
    loop_p99_ms: float
    cpu_ms: float
    """Processor time of the server's process per frame."""


class Server:
    """`followme-uav quadsim` as a process."""

    def __init__(self, log, *options):
        self.log, self.summary = log, log.with_suffix(".json")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "followme_uav.cli", "quadsim", "--port", "0"),
                *("--log", str(log), "--summary", str(self.summary), *options),
            ],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stderr.readline()
        found = re.search(r"Waiting for QuadSim on [^ ]*:(\d+);", line)
        assert found, line + self.process.stderr.read()
        self.port = int(found[1])

    def end(self):
        """Ctrl-C; returns (exit code, standard output, standard error)."""
        self.process.send_signal(signal.SIGINT)
        out, errors = self.process.communicate(timeout=END_LIMIT_S)
        return self.process.returncode, out, errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def fly_stand_in(seed, seconds, folder, *, classic=False, revision="old", options=(), world=None):
    """One flight in a world, or in one that is drawn; returns its outcome."""
    name = f"{seed}-{'classic' if classic else 'tracked'}"
    truth_log = folder / f"{name}-truth.mcap"
    config = load_config(overrides=[*OVERRIDES, f"duration_s={seconds}"])
    if classic:
        options = (*options, "--classic")
    with Server(folder / f"{name}.mcap", *options) as server:
        wire = Wire(server.port, revision)
        pilots = []

        def make(config, masks):
            pilots.append(StandIn(config, wire))
            return pilots[0]

        world_file = folder / f"{seed}-world.yaml"
        world_file.write_text(yaml.safe_dump(world or drawn_world(seed)))
        plan = FlightPlan(
            config, pilot=make, masks=blank, seed=seed, log=truth_log, world=world_file
        )
        fly(plan)
        wire.close()
        code, _, errors = server.end()
        assert code == 0, errors
    return judged(seed, classic, server, truth_log, pilots[0].sent)


def resend(log, folder, rate_hz):
    """Send the frames of a log at a rate, as QuadSim does; returns the server's summary."""
    frames = [logged_payload(entry) for entry in read_log(log).entries(())]
    with Server(folder / f"{log.stem}-again.mcap") as server:
        wire = Wire(server.port)
        wire.call("sensor_frame", frames[0])
        next_s = time.monotonic()
        for data in frames[1:]:
            next_s += 1.0 / rate_hz
            time.sleep(max(0.0, next_s - time.monotonic()))
            wire.drain()
            wire.emit("sensor_frame", data)
        time.sleep(1.0)
        wire.close()
        code, _, errors = server.end()
        assert code == 0, errors
    return json.loads(server.summary.read_text())


def logged_payload(entry):
    """The payload that an entry of the server came from."""
    frame = entry.frame
    return {
        "timestamp": f"{EPOCH_S + frame.time_s:.6f}",
        "rgb_image": base64.b64encode(entry.encoded_image.data).decode(),
        "depth_image": base64.b64encode(entry.encoded_depth.data).decode(),
        "pose": pose_text(frame.vehicle.position_m, frame.vehicle.orientation),
        "gimbal_pose": pose_text(frame.camera.position_m, frame.camera.orientation),
    }


def drawn_world(seed):
    """A random scenario's crowd, decoys, light and weather; the hero comes by near the start."""
    rng = np.random.default_rng([seed, 23])
    world = draw_scenario(seed).world.model_dump(mode="json", exclude_defaults=True)
    side = float(rng.choice([-7.2, 7.2]))
    points = [(float(rng.uniform(12.0, 30.0)), side), (52.8, side)]
    while len(points) < LEGS:
        near = [c for c in draws._CORNERS if c not in points[-2:]]
        near = [c for c in near if draws._leg_m(points[-1], c) < draws._MAX_LEG_M]
        points.append(near[int(rng.integers(len(near)))])
    speeds = [[10.0 * i, round(float(rng.uniform(0.8, 2.2)), 2)] for i in range(12)]
    hero = {"waypoints_m": [list(point) for point in points], "speeds_mps": speeds}
    return {**world, "hero": hero, "vehicle": "nimble"}


def blank(frame):
    """A mask source without a network: the stand-in has none."""
    mask = np.zeros_like(frame.rgb)
    mask[..., MaskClass.BACKGROUND] = 255
    return mask


def judged(seed, classic, server, truth_log, sent):
    """Compare the reports of the server's log with the truth of the stand-in's."""
    truths = {e.frame.index: e.truth for e in read_log(truth_log).entries(("truth",))}
    summary = json.loads(server.summary.read_text())
    log = read_log(server.log)
    entries, reporter = list(log.entries(())), Reporter(log.metadata.config, markers=False)
    assert len(entries) == len(sent), (len(entries), len(sent))
    acquired = first_s = None
    judged_frames = in_view = wrong = approach = 0
    latest_right = False
    errors_m = []
    for entry, index in zip(entries, sent, strict=True):
        step, truth = entry.step, truths[index]
        first_s = step.time_s if first_s is None else first_s
        reporter.events(step)
        point = reporter.position_m
        right = step.detection is not None and is_hero(step.detection, _at_size(truth.mask))
        if step.detection is not None:
            latest_right = right
        follows = step.state is MissionState.FOLLOW
        if acquired is None and follows and right:
            acquired = step.time_s - first_s
        if acquired is not None:
            judged_frames += 1
            in_view += is_in_view(truth)
        wrong += follows and step.detection is not None and not right
        approach += not follows and point is not None and not latest_right
        if point is not None and follows:
            hero = truth.hero_position_m
            errors_m.append(float(np.hypot(point[0] - hero[0], point[1] - hero[1])))
    return Outcome(
        seed=seed,
        classic=classic,
        frames=len(entries),
        acquire_s=acquired,
        judged_frames=judged_frames,
        in_view_frames=in_view,
        wrong_frames=wrong,
        approach_wrong_frames=approach,
        losses=summary["losses"],
        error_p50_m=float(np.percentile(errors_m, 50)) if errors_m else None,
        error_p90_m=float(np.percentile(errors_m, 90)) if errors_m else None,
        jitter_m=summary["jitter_m"],
        loop_p50_ms=summary["loop_p50_ms"],
        loop_p99_ms=summary["loop_p99_ms"],
        cpu_ms=summary["cpu_ms"],
    )


def _at_size(mask, size=160):
    """The true mask at the size of the server's detections, hero pixels kept."""
    rows = (2 * np.arange(size) + 1) * mask.shape[0] // (2 * size)
    columns = (2 * np.arange(size) + 1) * mask.shape[1] // (2 * size)
    return mask[np.ix_(rows, columns)]


def table(outcomes, rate_hz=10.0):
    """Rows of a Markdown table: the figures of the tracked flights beside the classic ones."""
    groups = [[o for o in outcomes if o.classic is classic] for classic in (False, True)]
    yield "| | tracked | `--classic` |"
    yield "|---|---|---|"
    for name, figure in FIGURES.items():
        cells = (figure(rows, rate_hz) if rows else "-" for rows in groups)
        yield f"| {name} | {' | '.join(cells)} |"


def _in_view(rows, rate_hz):
    shares = [o.in_view_frames / o.judged_frames for o in rows if o.judged_frames]
    seen, whole = sum(o.in_view_frames for o in rows), sum(o.judged_frames for o in rows)
    if not shares:
        return "-"
    return f"{seen / whole:.3f} of {whole / rate_hz:.0f} s ({min(shares):.3f} to {max(shares):.3f})"


def _good(rows, rate_hz):
    good = sum(o.judged_frames > 0 and o.in_view_frames >= 0.95 * o.judged_frames for o in rows)
    found = wilson(good, len(rows))
    return f"{good} of {len(rows)} ({found.low:.2f} to {found.high:.2f})"


def _spread(field):
    def figure(rows, rate_hz):
        values = [getattr(o, field) for o in rows if getattr(o, field) is not None]
        if not values:
            return "-"
        return f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"

    return figure


def _seconds(field):
    return lambda rows, rate_hz: f"{sum(getattr(o, field) for o in rows) / rate_hz:.1f} s"


FIGURES = {
    "flights that acquired the hero": lambda rows, rate_hz: (
        f"{sum(o.acquire_s is not None for o in rows)} of {len(rows)}"
    ),
    "hero in view after that": _in_view,
    "flights with 0.95 and more": _good,
    "on somebody else, in FOLLOW": _seconds("wrong_frames"),
    "sent to somebody else, in ACQUIRE": _seconds("approach_wrong_frames"),
    "losses": lambda rows, rate_hz: str(sum(o.losses for o in rows)),
    "error of the reported point, median, m": _spread("error_p50_m"),
    "error of the reported point, 90 %, m": _spread("error_p90_m"),
    "jitter, m": _spread("jitter_m"),
    "frame received to event sent, median, ms": _spread("loop_p50_ms"),
    "frame received to event sent, 99 %, ms": _spread("loop_p99_ms"),
    "processor time of the server per frame, ms": _spread("cpu_ms"),
}
"""Functions of the outcomes of one kind and the rate of frames, by name."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="9901:9911", help="FIRST:END")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resend", type=Path, help="log of the server")
    parser.add_argument("--rate-hz", type=float, default=20.0, help="of --resend")
    parser.add_argument("--only", choices=("tracked", "classic"))
    options = parser.parse_args()
    first, end = map(int, options.seeds.split(":"))
    options.out.mkdir(parents=True, exist_ok=True)
    if options.resend:
        print(json.dumps(resend(options.resend, options.out, options.rate_hz), indent=1))
        return
    outcomes = []
    for seed in range(first, end):
        for classic in (False, True):
            if options.only and (options.only == "classic") is not classic:
                continue
            revision = ("old", "new")[seed % 2]
            found = fly_stand_in(
                seed, options.seconds, options.out, classic=classic, revision=revision
            )
            outcomes.append(found)
            print(found, flush=True)
    (options.out / "outcomes.json").write_text(json.dumps([asdict(o) for o in outcomes], indent=1))
    for line in table(outcomes):
        print(line)


if __name__ == "__main__":
    main()
