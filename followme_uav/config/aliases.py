"""Former names of configuration keys, which old logs, files and `--set` overrides may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from followme_uav.errors import ConfigError

ALIASES = {
    "control.hero_area_m2": "hero.area_m2",
    "mission.distant_weight": "mission.probable_weight",
    "mission.follow_doubt_s": "mission.doubt_time_s",
    "mission.follow_doubt_share": "mission.doubt_share",
    "mission.glimpse_misses": "mission.first_misses",
    "mission.glimpse_s": "mission.vanished_s",
    "mission.wrong_weight": "mission.rejected_weight",
    "observe.area_log_sigma": "association.area_log_sigma",
    "observe.close_distance_m": "classification.confirm_distance_m",
    "observe.expected_confidence": "classification.expected_confidence_min",
    "observe.expected_distance_m": "classification.expected_distance_m",
    "observe.follow_area_max": "association.follow_area_max",
    "observe.follow_area_min": "association.follow_area_min",
    "observe.follow_confidence": "association.follow_confidence_min",
    "observe.height_max": "association.height_max",
    "observe.height_min": "association.height_min",
    "observe.hero_threshold": "detection.hero_threshold",
    "observe.join_px": "detection.join_px",
    "observe.min_area_px": "detection.min_area_px",
    "observe.min_confidence": "detection.min_confidence",
    "observe.notice_area_min": "association.approach_area_min",
    "observe.notice_confidence": "association.approach_confidence_min",
    "observe.notice_distance_m": "association.approach_distance_m",
    "observe.purity_reach": "detection.purity_reach",
    "observe.purity_sigma": "association.purity_sigma",
    "observe.purity_width": "detection.purity_width",
    "observe.reject_radius_m": "association.reject_radius_m",
    "observe.reject_share": "association.reject_share",
    "observe.sure_area_max": "classification.area_max",
    "observe.sure_area_min": "classification.area_min",
    "observe.sure_confidence": "classification.confidence_min",
    "observe.sure_distance_m": "classification.distance_m",
    "observe.sure_height_max": "classification.height_max",
    "observe.sure_height_min": "classification.height_min",
    "observe.sure_purity": "classification.purity_min",
    "search.expect_s": "search.predicted_s",
    "search.far_from_her_cost": "search.track_distance_weight",
    "search.glance_deg": "search.scan_deg",
    "search.glance_period_s": "search.scan_period_s",
    "search.look_s": "search.view_s",
    "search.spot_radius_m": "search.place_radius_m",
    "search.stare_s": "search.dwell_s",
    "tracker.centroid_height_m": "hero.centroid_height_m",
    "tracker.dawdle_mps": "track.turn_extra_mps",
    "tracker.direction_sigma_rad": "measurement.direction_sigma_rad",
    "tracker.gate": "association.gate",
    "tracker.hero_height_m": "hero.height_m",
    "tracker.hidden_sigma_m": "measurement.hidden_sigma_m",
    "tracker.max_speed_mps": "track.max_speed_mps",
    "tracker.memory_s": "track.velocity_memory_s",
    "tracker.merged_area_min": "measurement.merged_area_min",
    "tracker.merged_sigma_m": "measurement.merged_sigma_m",
    "tracker.place_sigma_m": "measurement.position_sigma_m",
    "tracker.speed_sigma_mps": "track.speed_sigma_mps",
    "tracker.turn_share": "track.turn_share",
    "tracker.turn_surprise": "track.turn_gate",
    "tracker.wide_gate": "association.fallback_gate",
}
"""Former name -> name, each as section.key."""


def renamed_key(key: str) -> str:
    """Return the present name of a dotted key."""
    return ALIASES.get(key, key)


def renamed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` with the present names of all keys.

    Raises:
        ConfigError: `data` has a key under both names.
    """
    result: dict[str, Any] = {
        name: dict(value) if isinstance(value, Mapping) else value for name, value in data.items()
    }
    for former, name in ALIASES.items():
        section, key = former.split(".")
        if not isinstance(result.get(section), dict) or key not in result[section]:
            continue
        value = result[section].pop(key)
        new_section, new_key = name.split(".")
        target = result.setdefault(new_section, {})
        if not isinstance(target, dict) or new_key in target:
            raise ConfigError(f"{former} is the former name of {name}; give only one of them")
        target[new_key] = value
    emptied = {former.partition(".")[0] for former in ALIASES} - {"control", "mission", "search"}
    return {name: v for name, v in result.items() if name not in emptied or v != {}}
