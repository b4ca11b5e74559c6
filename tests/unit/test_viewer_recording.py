"""The viewer shows what belongs to a frame, and nothing of an earlier one."""

import numpy as np
import pytest

pytest.importorskip("rerun", reason="the viewer is part of the extra [view]")

from followme_uav.view.recording import FlightRecording
from tests.conftest import SIZE_PX, hero_mask, make_entry


def test_mask_of_an_earlier_frame_is_hidden(config, monkeypatch):
    """Rerun keeps the last value of each entity until it is cleared."""
    image = np.full((SIZE_PX, SIZE_PX, 3), 90, np.uint8)
    recording, hidden = FlightRecording(config, (), "made up"), []
    monkeypatch.setattr(recording, "_hide", hidden.append)
    recording.log(make_entry(rgb=image, mask=hero_mask((20, 10))))
    assert "world/camera/mask" not in hidden
    recording.log(make_entry(rgb=image, mask=None))
    assert "world/camera/mask" in hidden
