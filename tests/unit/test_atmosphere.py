"""Light and weather as data, before rendering."""

import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.city.atmosphere import PRESETS, Weather, at_time, atmosphere, day_of, preset
from followme_uav.sim.city.environment import Environment, TimeOfDay

HOUR_NS = 3_600_000_000_000


def test_sun_rises_in_the_east_and_sets_in_the_west():
    """Otherwise shadows contradict the time of day."""
    morning, noon, evening = (at_time(hour) for hour in (8.0, 12.0, 16.0))
    assert morning.towards_sun[1] > 0.3
    assert noon.towards_sun[0] < -0.3
    assert evening.towards_sun[1] < -0.3
    assert noon.sun_elevation_deg > morning.sun_elevation_deg > 0.0
    assert at_time(0.0).sun_elevation_deg < 0.0


def test_fog_and_rain_reduce_sunlight_shadows_and_visibility():
    """Otherwise frames with weather look like frames without."""
    clear = atmosphere(0.0, 45.0)
    foggy = atmosphere(0.0, 45.0, Weather(fog=0.7))
    rainy = atmosphere(0.0, 45.0, Weather(rain=0.8))
    assert foggy.fog_per_m > 20.0 * clear.fog_per_m
    assert max(foggy.shadow, rainy.shadow) < 0.3 * clear.shadow
    assert sum(rainy.sun) < 0.5 * sum(clear.sun)
    assert rainy.wetness > clear.wetness
    assert PRESETS["dusk"].window_light > 0.2 > clear.window_light


def test_equal_seeds_give_equal_daylight():
    """Equal seeds must give equal images."""
    assert day_of(3) == day_of(3)
    assert day_of(3).sun_azimuth_deg != day_of(4).sun_azimuth_deg


def test_an_unknown_preset_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError, match="dusk"):
        preset("sunny")


def test_light_is_unchanged_until_weather_is_enabled():
    """Flights without weather must keep their light."""
    environment = Environment(3)
    assert environment.atmosphere(0) is None
    environment.set_weather(fog=0.5)
    assert environment.atmosphere(0) == day_of(3)  # set, but not enabled
    environment.enable_weather(True)
    assert environment.atmosphere(0) == day_of(3, Weather(fog=0.5))


def test_sun_moves_with_simulated_time_and_restarts():
    """With a wall clock, two equal flights would differ."""
    environment = Environment(3)
    environment.set_time_of_day(TimeOfDay(10.0, speed=2.0, update_s=60.0), 0)
    assert environment.atmosphere(0) == at_time(10.0)
    assert environment.atmosphere(HOUR_NS) == at_time(12.0)
    assert environment.atmosphere(HOUR_NS + 59_000_000_000) == at_time(12.0)
    environment.restart_time_of_day(HOUR_NS)
    assert environment.atmosphere(HOUR_NS) == at_time(10.0)
