"""If these fail, `doctor` misses problems of a machine, hangs, or ends in a traceback."""

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


def test_checks_pass_on_a_machine_that_runs_the_tests():
    """Otherwise the doctor would report problems that are not there."""
    checks = [doctor.check_python(), doctor.check_packages(), doctor.check_rendering()]
    assert [check for check in checks if not check.ok] == []


def test_missing_package_is_named(monkeypatch):
    """Otherwise a user would not know which package to install."""
    monkeypatch.setitem(doctor.MODULES, "no_such_module", "no-such-package")
    check = doctor.check_packages()
    assert not check.ok
    assert "no-such-package" in check.detail
    assert "make setup" in check.remedy


def test_remedy_for_broken_rendering_names_the_packages_to_install(monkeypatch):
    """Otherwise the cause of the simulator's failure to start would be unknown."""
    monkeypatch.setattr(doctor, "RENDERING_PROBE", "raise SystemExit('noise\\nno EGL')")
    check = doctor.check_rendering()
    assert (check.ok, check.detail) == (False, "no EGL")
    assert "apt-get install libegl1" in check.remedy


def test_probe_that_hangs_is_killed_at_its_deadline():
    """Otherwise a driver that hangs would hang the doctor, too."""
    assert doctor._probe("import time; time.sleep(600)", deadline_s=0.5) == (
        False,
        "no answer within 0.5 s",
    )


def test_probe_that_crashes_is_reported():
    """Otherwise a driver that crashes would pass the check."""
    ok, detail = doctor._probe("import os; os.kill(os.getpid(), 11)")
    assert (ok, detail) == (False, "ended with exit code -11")


def test_port_used_by_another_program_is_reported(busy_port, monkeypatch):
    """Otherwise `sim` would fail later with an address error."""
    monkeypatch.setattr(doctor, "PING_DEADLINE_S", 0.2)
    check = doctor.check_port(busy_port)
    assert not check.ok
    assert str(busy_port) in check.remedy


def test_port_used_by_a_simulator_is_ok(busy_port, monkeypatch):
    """Otherwise a user of Unity would be told to end the simulator."""
    monkeypatch.setattr(RpcSession, "call", lambda self, method: True)
    check = doctor.check_port(busy_port)
    assert check.ok
    assert "simulator answers" in check.detail


def test_missing_and_damaged_weights_are_reported(tmp_path):
    """Otherwise a flight would fail instead."""
    assert not doctor.check_weights(tmp_path / "none.h5").ok
    (tmp_path / "bad.h5").write_bytes(b"not weights")
    check = doctor.check_weights(tmp_path / "bad.h5")
    assert not check.ok
    assert "\n" not in check.detail


def test_network_check_names_the_device_or_fails(tmp_path):
    """Otherwise an unused GPU or a broken library would show only in the first flight."""
    check = doctor.check_network()
    assert check.ok
    assert check.detail.startswith("model1 runs on ")
    assert not doctor.check_network(tmp_path / "none.h5").ok


def test_full_disk_is_reported(tmp_path, monkeypatch):
    """Otherwise the log would end in mid-flight."""
    monkeypatch.setattr(doctor, "NEEDED_DISK_BYTES", 1 << 60)
    assert not doctor.check_disk(tmp_path).ok


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 2)])
def test_exit_code_and_json_tell_whether_all_checks_are_ok(monkeypatch, capsys, ok, code):
    """Otherwise a script could not use the result."""
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


def test_disk_is_checked_in_a_folder_that_was_removed(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert doctor.check_disk().detail.endswith("GB free")
