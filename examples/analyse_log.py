"""Analyse a flight log with NumPy: how well the vehicle kept its distance from the hero.

followme-uav fly --seed 8 --duration 60 --log flight.mcap
python examples/analyse_log.py flight.mcap
"""

import sys

import numpy as np

from followme_uav import MissionState, read_log

if __name__ == "__main__":
    log = read_log(sys.argv[1])
    # parts: what is slow to read and needed here. The others are "image" and "mask".
    entries = list(log.entries(parts=["truth"]))
    time_s = np.array([entry.step.time_s for entry in entries])
    vehicle_m = np.array([entry.frame.vehicle.position_m for entry in entries])
    velocity_mps = np.array([entry.frame.vehicle.velocity_mps for entry in entries])
    follows = np.array([entry.step.state is MissionState.FOLLOW for entry in entries])
    # The hero's true position is logged where the simulator offers it; else take the track.
    hero_m = np.array(
        [
            entry.truth.hero_position_m
            if entry.truth
            else entry.step.track.position_m
            if entry.step.track
            else (np.nan, np.nan, np.nan)
            for entry in entries
        ]
    )
    distance_m = np.linalg.norm(hero_m - vehicle_m, axis=1)

    wanted_m = log.metadata.config.control.wanted_distance_m
    print(f"{len(entries)} frames, {time_s[-1] - time_s[0]:.1f} s")
    print(f"fastest: {np.linalg.norm(velocity_mps, axis=1).max():.1f} m/s")
    print(f"highest: {-vehicle_m[:, 2].min():.1f} m")
    if follows.any():
        error_m = distance_m[follows] - wanted_m
        print(f"followed: {follows.mean():.0%} of the frames")
        print(f"distance: {np.nanmean(distance_m[follows]):.1f} m, wanted {wanted_m:g} m")
        print(f"largest error: {np.nanmax(np.abs(error_m)):.1f} m")
