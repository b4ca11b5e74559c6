"""Closed-loop visual follow-me for simulated UAVs."""

from followme_uav.privacy import keep_private

__version__ = "0.1.0"

keep_private()
