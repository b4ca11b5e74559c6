"""Tests; they, and the processes that they start, use no configuration of the developer's own."""

import os

from followme_uav.resources import VARIABLE

os.environ[VARIABLE] = ""
