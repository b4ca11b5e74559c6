"""Light and weather as data: what the picture will look like before anything is drawn."""

import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.city.atmosphere import PRESETS, Weather, at_time, atmosphere, day_of, preset
from followme_uav.sim.city.environment import Environment, TimeOfDay

HOUR_NS = 3_600_000_000_000


def test_the_sun_rises_in_the_east_and_sets_in_the_west():
    """Shadows that point the wrong way would contradict any script that sets the time of day."""
    morning, noon, evening = (at_time(hour) for hour in (8.0, 12.0, 16.0))
    assert morning.towards_sun[1] > 0.3
    assert noon.towards_sun[0] < -0.3
    assert evening.towards_sun[1] < -0.3
    assert noon.sun_elevation_deg > morning.sun_elevation_deg > 0.0
    assert at_time(0.0).sun_elevation_deg < 0.0


def test_weather_takes_the_sun_and_the_view():
    """Fog that hides nothing, or rain with hard shadows, would train for no weather at all."""
    clear = atmosphere(0.0, 45.0)
    foggy = atmosphere(0.0, 45.0, Weather(fog=0.7))
    rainy = atmosphere(0.0, 45.0, Weather(rain=0.8))
    assert foggy.fog_per_m > 20.0 * clear.fog_per_m
    assert max(foggy.shadow, rainy.shadow) < 0.3 * clear.shadow
    assert sum(rainy.sun) < 0.5 * sum(clear.sun)
    assert rainy.wetness > clear.wetness
    assert PRESETS["dusk"].window_light > 0.2 > clear.window_light


def test_the_light_of_a_day_belongs_to_its_seed():
    """Equal seeds must give equal pictures, others another sun."""
    assert day_of(3) == day_of(3)
    assert day_of(3).sun_azimuth_deg != day_of(4).sun_azimuth_deg


def test_an_unknown_preset_is_one_clear_line():
    """The user must learn the names that exist."""
    with pytest.raises(ConfigError, match="dusk"):
        preset("sunny")


def test_nobody_asked_nothing_changes():
    """Flights that set no weather must look as they always did."""
    environment = Environment(3)
    assert environment.atmosphere(0) is None
    environment.set_weather(fog=0.5)
    assert environment.atmosphere(0) == day_of(3)  # set, but not enabled
    environment.enable_weather(True)
    assert environment.atmosphere(0) == day_of(3, Weather(fog=0.5))


def test_the_sun_moves_with_simulated_time_and_starts_again():
    """A wall clock in the light would make two equal flights differ."""
    environment = Environment(3)
    environment.set_time_of_day(TimeOfDay(10.0, speed=2.0, update_s=60.0), 0)
    assert environment.atmosphere(0) == at_time(10.0)
    assert environment.atmosphere(HOUR_NS) == at_time(12.0)
    assert environment.atmosphere(HOUR_NS + 59_000_000_000) == at_time(12.0)
    environment.restart_time_of_day(HOUR_NS)
    assert environment.atmosphere(HOUR_NS) == at_time(10.0)
