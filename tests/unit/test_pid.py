"""PID loops: sign, limit, reported terms, and independence of the clock."""

import pytest

from followme_uav.config import PidGains
from followme_uav.pilot.pid import PidLoop

DT_S = 0.1


def loop(kp=2.0, ki=0.0, kd=0.0, limit=5.0):
    return PidLoop("forward", PidGains(kp=kp, ki=ki, kd=kd, limit=limit))


@pytest.mark.parametrize(("error", "output"), [(1.0, 2.0), (-1.0, -2.0), (9.0, 5.0), (-9.0, -5.0)])
def test_output_has_the_sign_of_the_error_and_stays_within_the_limit(error, output):
    assert loop().update(error, DT_S).output == pytest.approx(output)


def test_terms_of_the_loop_add_up_to_its_output():
    """Viewers draw the terms."""
    turned = loop(ki=0.5, kd=0.3)
    for error in (0.1, 0.4, -0.2):
        terms = turned.update(error, DT_S)
        assert (terms.name, terms.error) == ("forward", error)
        assert terms.p + terms.i + terms.d == pytest.approx(terms.output)
        assert terms.p == pytest.approx(2.0 * error)
    assert terms.i != 0.0 != terms.d


def test_reset_forgets_the_integral_and_the_last_error():
    used = loop(ki=1.0, kd=0.3)
    for _ in range(50):
        used.update(1.0, DT_S)
    assert abs(used.update(0.0, DT_S).output) > 1.0
    used.reset()
    assert used.update(0.2, DT_S) == loop(ki=1.0, kd=0.3).update(0.2, DT_S)


def test_equal_errors_give_equal_outputs_whatever_the_clock_says(monkeypatch):
    """A replay runs at another speed than the flight: time steps come from the frames."""

    def outputs(turned):
        return [turned.update(error, DT_S).output for error in (0.3, 0.1, 0.4, -0.1)]

    at_first = outputs(loop(ki=0.5, kd=0.3))
    monkeypatch.setattr("time.time", lambda: 1e9)
    monkeypatch.setattr("time.monotonic", lambda: 5e6)
    assert outputs(loop(ki=0.5, kd=0.3)) == at_first
    assert [loop(ki=0.5).update(1.0, dt_s).i for dt_s in (0.1, 0.2)] == pytest.approx([0.05, 0.1])
