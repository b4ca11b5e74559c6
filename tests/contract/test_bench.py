"""If these fail, `make bench` ends in a traceback."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
DEADLINE_S = 240


@pytest.mark.slow
def test_flight_and_its_parts_are_measured(tmp_path):
    figures = tmp_path / "bench.json"
    command = (sys.executable, TOOLS / "bench.py", "--flight", "--seconds", "4", "--repeats", "5")
    subprocess.run([*command, "--json", figures], check=True, timeout=DEADLINE_S)
    measured = json.loads(figures.read_text())
    assert set(measured) == {"loop", "parts", "replay"}
    assert all(value > 0.0 for part in measured.values() for value in part.values())


def test_start_memory_and_rpc_of_the_simulator_are_measured(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    bench = importlib.import_module("bench_simulator")
    monkeypatch.setattr(bench, "STARTS", 1)
    assert all(value > 0.0 for value in bench.process_figures().values())
