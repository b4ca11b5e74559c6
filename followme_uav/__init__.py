"""Closed-loop visual follow-me for simulated UAVs."""

import logging

from followme_uav.privacy import keep_private

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())
keep_private()
