"""The doctor: says what is wrong with a machine, and never hangs or falls over itself."""

import json
import socket

import pytest

from followme_uav import doctor
from followme_uav.doctor import Check
from followme_uav.rpc.session import RpcSession


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_this_machine_can_run_the_tests():
    """Else the doctor would call a sound machine ill."""
    checks = [doctor.check_python(), doctor.check_packages(), doctor.check_rendering()]
    assert [check for check in checks if not check.ok] == []


def test_missing_package_is_named(monkeypatch):
    """Else a user would not know which package to install."""
    monkeypatch.setitem(doctor.MODULES, "no_such_module", "no-such-package")
    check = doctor.check_packages()
    assert not check.ok
    assert "no-such-package" in check.detail
    assert "make setup" in check.remedy


def test_broken_rendering_says_what_to_install(monkeypatch):
    """Else the simulator's failure to start would be a riddle."""
    monkeypatch.setattr(doctor, "RENDERING_PROBE", "raise SystemExit('noise\\nno EGL')")
    check = doctor.check_rendering()
    assert (check.ok, check.detail) == (False, "no EGL")
    assert "apt-get install libegl1" in check.remedy


def test_hanging_driver_is_given_up():
    """Else a driver that hangs would hang the doctor too."""
    assert doctor._probe("import time; time.sleep(600)", deadline_s=0.5) == (
        False,
        "no answer within 0.5 s",
    )


def test_crash_of_a_probe_is_reported():
    """Else a driver that crashes would pass as sound."""
    ok, detail = doctor._probe("import os; os.kill(os.getpid(), 11)")
    assert (ok, detail) == (False, "ended with exit code -11")


def test_port_of_another_program_is_reported(busy_port, monkeypatch):
    """Else 'sim' would fail with an address error that nobody expected."""
    monkeypatch.setattr(doctor, "PING_DEADLINE_S", 0.2)
    check = doctor.check_port(busy_port)
    assert not check.ok
    assert str(busy_port) in check.remedy


def test_port_of_a_simulator_is_fine(busy_port, monkeypatch):
    """Else a user of Unity would be told to end the simulator to be flown in."""
    monkeypatch.setattr(RpcSession, "call", lambda self, method: True)
    check = doctor.check_port(busy_port)
    assert check.ok
    assert "simulator answers" in check.detail


def test_missing_and_damaged_weights(tmp_path):
    """Else the first sign of bad weights would be a failing flight."""
    assert not doctor.check_weights(tmp_path / "none.h5").ok
    (tmp_path / "bad.h5").write_bytes(b"not weights")
    check = doctor.check_weights(tmp_path / "bad.h5")
    assert not check.ok
    assert "\n" not in check.detail


def test_says_what_runs_the_network(tmp_path):
    """Else a GPU that is not used, or a library that fails, would show only in the first flight."""
    check = doctor.check_network()
    assert check.ok
    assert check.detail.startswith("model1 runs on ")
    assert not doctor.check_network(tmp_path / "none.h5").ok


def test_full_disk(tmp_path, monkeypatch):
    """Else the log would end in the middle of a flight."""
    monkeypatch.setattr(doctor, "NEEDED_DISK_BYTES", 1 << 60)
    assert not doctor.check_disk(tmp_path).ok


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 2)])
def test_exit_code_and_json(monkeypatch, capsys, ok, code):
    """Else a script could not act on what the doctor finds."""
    checks = [Check("One", True, "fine"), Check("Two", ok, "hm", "do this")]
    monkeypatch.setattr(doctor, "run_checks", lambda: checks)
    assert doctor.doctor(as_json=True) == code
    assert json.loads(capsys.readouterr().out)[1] == {
        "name": "Two",
        "ok": ok,
        "detail": "hm",
        "remedy": "do this",
    }
    assert doctor.doctor() == code
    assert ("do this" in capsys.readouterr().out) is not ok
