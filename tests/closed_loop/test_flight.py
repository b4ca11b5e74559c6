"""Tests of whole flights in the embedded simulator, as a user flies them.

All but one fly in lockstep, in a city whose hero starts in front of the vehicle, so that twenty
seconds are enough to find the hero.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest

from followme_uav.config import load_config
from followme_uav.flight.fly import FlightPlan, fly
from followme_uav.flight.metrics import metrics_of
from followme_uav.learn.data.collect import collect
from followme_uav.log.reader import content_digest, read_log
from followme_uav.messages import MissionState
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception.weights import sha256

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 280
SEED, SHORT_S = 8, 4
"""A city whose hero is 13 m ahead after the take-off."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("flights")


def fly_command(log, *arguments):
    """Run `followme-uav fly` in a process; return its log and summary."""
    summary = log.with_suffix(".json")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "followme_uav.cli", "fly"),
            *("--log", str(log), "--summary", str(summary)),
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        cwd=log.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode in (0, 1), done.stderr
    result = json.loads(summary.read_text())
    assert done.returncode == (0 if result["success"] else 1)
    return read_log(log), result


def fly_here(log, duration_s, profile=None, *, seed=SEED, weights=None):
    """Fly in this process; without weights on the simulator's own masks."""
    plan = FlightPlan(
        config=load_config(overrides=[f"duration_s={duration_s}"], simulator=profile),
        weights=weights,
        seed=seed,
        log=log,
        embedded=True,
        lockstep=True,
    )
    return fly(plan)


@pytest.fixture(scope="module")
def short_flight(folder):
    """The log of a flight on the simulator's own masks."""
    fly_here(folder / "short.mcap", SHORT_S)
    return folder / "short.mcap"


@pytest.fixture(scope="module")
def network_flight(folder):
    return fly_command(folder / "network.mcap", "--seed", SEED, "--duration", 20)


# With the network


def test_flight_takes_off_patrols_and_lands(network_flight):
    log, summary = network_flight
    states = [entry.step.state for entry in log.entries()]
    assert states[0] is MissionState.TAKEOFF
    assert MissionState.PATROL in states
    assert states[-1] is MissionState.DONE
    assert MissionState.FAILSAFE not in states
    assert summary["final_state"] == "done"
    assert summary["collisions"] == 0


def test_every_frame_of_a_flight_is_in_its_log(network_flight):
    """Replay and metrics depend on it."""
    log, summary = network_flight
    entries = list(log.entries())
    assert not log.truncated
    assert len(entries) == summary["frames"]
    assert [entry.frame.index for entry in entries] == list(range(len(entries)))
    for before, after in pairwise(entries):
        assert after.frame.time_s - before.frame.time_s == pytest.approx(0.1, abs=1e-6)
    for entry in entries:
        assert entry.frame.rgb.shape == entry.step.mask.shape == (160, 160, 3)
        assert entry.truth.mask.shape == (160, 160, 3)
        assert entry.truth.time_s == pytest.approx(entry.frame.time_s, abs=1e-6)


def test_log_has_weights_seed_and_configuration(network_flight):
    log, summary = network_flight
    weights_sha256 = sha256(DEFAULT_WEIGHTS)
    assert log.metadata.weights_sha256 == summary["weights_sha256"] == weights_sha256
    assert log.metadata.extra["seed"] == str(SEED)
    assert log.metadata.extra["lockstep"] == "True"
    assert log.metadata.config.duration_s == 20


def test_metrics_of_the_log_are_those_of_the_summary(network_flight):
    log, summary = network_flight
    metrics = asdict(metrics_of(log.entries(), log.metadata.config))
    metrics.pop("real_time_factor")  # a log has no wall-clock time
    assert metrics == {name: summary[name] for name in metrics}
    assert summary["real_time_factor"] > 0


def test_shipped_network_finds_the_hero(network_flight):
    """The only test here that depends on the quality of the shipped weights."""
    _, summary = network_flight
    assert summary["acquire_s"] is not None


def test_same_seed_gives_the_same_flight_bit_for_bit(network_flight, folder):
    """Comparisons of two versions depend on it; the second flight has another process."""
    log, _ = network_flight
    fly_here(folder / "again.mcap", 20, weights=DEFAULT_WEIGHTS)
    assert content_digest(folder / "again.mcap") == content_digest(log.path)


# On the simulator's own masks: control without vision


@pytest.mark.parametrize("profile", ["embedded", "embedded-unity"])
def test_hero_is_kept_in_view_on_true_masks(folder, profile):
    """With the conventions of AirSim on Unreal and on Unity."""
    summary = fly_here(folder / f"{profile}.mcap", 25, profile)
    metrics = summary.metrics
    assert summary.success, summary.reason
    assert metrics.acquire_s < 20.0
    assert metrics.in_view >= 0.95
    assert metrics.wrong_target_s == 0
    assert metrics.collisions == 0
    assert metrics.min_clearance_m > 1.0
    assert metrics.final_state == "done"


@pytest.mark.parametrize("profile", ["embedded-colosseum", "embedded-cosys"])
def test_flight_is_the_same_in_every_dialect(folder, short_flight, profile):
    """Colosseum's arrays and Cosys-AirSim's parameters change the encoding only."""

    def steps(log):
        return [(entry.frame.vehicle, entry.step.command) for entry in read_log(log).entries()]

    fly_here(folder / f"{profile}.mcap", SHORT_S, profile)
    flown = steps(folder / f"{profile}.mcap")
    assert min(vehicle.position_m[2] for vehicle, _ in flown) < -1.0
    assert flown == steps(short_flight)


def test_different_seeds_give_different_flights(folder, short_flight):
    fly_here(folder / "other.mcap", SHORT_S, seed=SEED + 1)
    assert content_digest(folder / "other.mcap") != content_digest(short_flight)


def test_flight_in_real_time_is_completed_and_logged_in_order(folder):
    """The simulation runs on while the pilot computes."""
    log, summary = fly_command(
        *(folder / "realtime.mcap", "--oracle", "--realtime"),
        *("--seed", SEED, "--duration", SHORT_S),
    )
    entries = list(log.entries())
    assert summary["final_state"] == "done"
    assert log.metadata.extra["lockstep"] == "False"
    assert max(-entry.frame.vehicle.position_m[2] for entry in entries) > 1.0
    times_s = [entry.frame.time_s for entry in entries]
    assert times_s == sorted(times_s)
    assert times_s[-1] - times_s[0] > SHORT_S


def test_labelled_frames_are_the_same_in_every_dialect(folder):
    """Rows, channels and the camera's pose differ on the wire; training data must not."""
    seen = []
    for profile in ("embedded", "embedded-unity", "embedded-colosseum", "embedded-cosys"):
        out = folder / f"frames-{profile}"
        size = ["camera.width_px=64", "camera.height_px=64"]
        config = load_config(overrides=size, simulator=profile)
        collect(config, out, frames_per_kind=1, seeds=[50], embedded=True)
        seen.append({p.relative_to(out): p.read_bytes() for p in out.rglob("*.*") if p.is_file()})
    assert len(seen[0]) == 6
    assert all(frames == seen[0] for frames in seen)
