"""If these fail, the program recommends an installation that does not help."""

import sys

import pytest

from followme_uav import extras
from followme_uav.errors import EnvironmentSetupError
from followme_uav.extras import require


def test_extra_that_this_python_cannot_have_is_not_recommended(monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(EnvironmentSetupError, match=r"pip install 'followme-uav\[view\]'"):
        require("rerun", "view", "--view")
    monkeypatch.setattr(extras, "OLDEST_PYTHON", {"view": (9, 1)})
    with pytest.raises(EnvironmentSetupError, match=r"exists for Python 9\.1 and later"):
        require("rerun", "view", "--view")
