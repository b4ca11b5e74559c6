"""Reproducible sensor noise: it depends on seed, sensor and simulated time alone.

A reading at one instant is therefore the same however often a client asks, and a flight can be
repeated. The sizes are those of AirSim's default sensors (an MPU-6000, a MEAS MS5611); a bias that
wanders there over many minutes is drawn once per simulation here.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.vehicle.vehicle_model import TIME_STEP_NS
from followme_uav.sim.vehicle.vehicle_spec import GRAVITY_MPS2

# Noise densities (per root of a second) and constant biases, 1 sigma.
GYRO_WALK = math.radians(0.30) / 60.0  # rad / sqrt(s): 0.30 degrees per root of an hour
GYRO_BIAS_RADPS = math.radians(4.6) / 3600.0
ACCELERATION_WALK = 0.24e-3 * GRAVITY_MPS2  # (m/s^2) sqrt(s)
ACCELERATION_BIAS_MPS2 = 36e-6 * GRAVITY_MPS2
PRESSURE_NOISE_PA = 2.7
PRESSURE_DRIFT = 0.0365 / 20.0  # share of the pressure, by the weather
MAGNETIC_NOISE_GAUSS = 0.005
DISTANCE_NOISE_M = 0.2

Draws = NDArray[np.float64]


class NoiseSource(IntEnum):
    """The sensors with noise, each with random numbers of its own."""

    IMU, BAROMETER, MAGNETOMETER, GPS, DISTANCE = range(5)


class SensorNoise:
    """Random numbers for the noise of the sensors.

    Attributes:
        is_on: readings have noise.

    Args:
        seed: None for readings without noise.
        start_ns: time stamp of the simulation's start.
    """

    def __init__(self, seed: int | None, start_ns: int) -> None:
        self._seed, self._start_ns = seed, start_ns
        self.is_on = seed is not None

    def draw(self, source: NoiseSource, time_ns: int, count: int) -> tuple[Draws, Draws]:
        """(count,) standard normal numbers of this instant, and (count,) of the simulation."""
        if self._seed is None:
            return np.zeros(count), np.zeros(count)
        step = (time_ns - self._start_ns) // TIME_STEP_NS
        now = np.random.default_rng([self._seed, source, step + 1])
        constant = np.random.default_rng([self._seed, source, 0])
        return now.standard_normal(count), constant.standard_normal(count)

    def elapsed_s(self, time_ns: int) -> float:
        """Seconds since the simulation's start."""
        return (time_ns - self._start_ns) * 1e-9


def plus(vector: tuple[float, float, float], noise: Draws) -> tuple[float, float, float]:
    """A vector with noise added."""
    x, y, z = (float(v + n) for v, n in zip(vector, noise, strict=True))
    return x, y, z
