"""Check this machine: can it fly, and if not, what to do.

TensorFlow and OpenGL may hang or print noise when they are broken: their checks run in processes of
their own, with a deadline.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from followme_uav.errors import FollowMeError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.terminal import print_table

logger = logging.getLogger(__name__)

RPC_PORT = 41451
NEEDED_DISK_BYTES = 2 << 30
PROBE_DEADLINE_S = 120.0
PING_DEADLINE_S = 2.0

_probes: set[subprocess.Popen[str]] = set()
"""The processes that run now."""

MODULES = {
    "foxglove_schemas_protobuf": "foxglove-schemas-protobuf",
    "h5py": "h5py",
    "mcap": "mcap",
    "mcap_protobuf": "mcap-protobuf-support",
    "msgpack": "msgpack",
    "mujoco": "mujoco-core",
    "numpy": "numpy",
    "onnx": "onnx",
    "openvino": "openvino",
    "panda3d.core": "panda3d",
    "PIL": "pillow",
    "pydantic": "pydantic",
    "scipy": "scipy",
    "simple_pid": "simple-pid",
    "simplejpeg": "simplejpeg",
    "transforms3d": "transforms3d",
    "yaml": "pyyaml",
}
"""Module to import -> its package. TensorFlow has its own check."""

REINSTALL = "run 'make setup' in a checkout, or install followme-uav and its requirements again"

TENSORFLOW_PROBE = """
import tensorflow as tf
gpus = [tf.config.experimental.get_device_details(g).get("device_name", g.name)
        for g in tf.config.list_physical_devices("GPU")]
print(f"RESULT {tf.__version__} on " + (", ".join(gpus) or "CPU, no GPU found"))
"""

RENDERING_PROBE = """
from panda3d import core
core.load_prc_file_data("", "window-type offscreen\\naudio-library-name null\\ngl-version 3 3")
pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe("p3headlessgl")
engine = core.GraphicsEngine.get_global_ptr()
size, pixels = core.WindowProperties.size(8, 8), core.FrameBufferProperties()
pixels.set_rgba_bits(8, 8, 8, 8)
view = engine.make_output(pipe, "", 0, pixels, size, core.GraphicsPipe.BF_refuse_window)
image = core.Texture()
view.add_render_texture(image, core.GraphicsOutput.RTM_copy_ram)
view.set_clear_color((1, 0, 0, 1))
engine.render_frame()
drawn = tuple(memoryview(image.get_ram_image_as("RGB"))[:3])
assert drawn == (255, 0, 0), f"drew {drawn} instead of red"
gsg = view.get_gsg()
print(f"RESULT OpenGL {gsg.driver_version} on {gsg.driver_renderer}")
"""


NETWORK_PROBE = """
from pathlib import Path
from followme_uav.perception.segmenter import Segmenter
segmenter = Segmenter(Path({path!r}))
print(f"RESULT {{segmenter.architecture}} runs on {{segmenter.device}}")
"""


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    """The instruction for a check that is not ok."""


def doctor(as_json: bool = False) -> int:
    """Run and print all checks; return the exit code: 0 if all are ok, else 2."""
    checks = run_checks()
    if as_json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        print_table(_table(checks))
    return 0 if all(check.ok for check in checks) else 2


def run_checks() -> list[Check]:
    """Run all checks; their order is that in which problems should be solved."""
    checks: tuple[Callable[[], Check], ...] = (
        check_python,
        check_packages,
        check_tensorflow,
        check_rendering,
        check_port,
        check_weights,
        check_network,
        check_disk,
    )
    with ThreadPoolExecutor(len(checks)) as pool:
        try:
            return [run.result() for run in [pool.submit(check) for check in checks]]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for probe in list(_probes):
                probe.kill()
            raise


def check_python() -> Check:
    """Check the version of the interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 10) <= sys.version_info[:2] <= (3, 13)
    return Check("Python", ok, found, "use Python 3.10 to 3.13: make setup PYTHON=/path/to/python3")


def check_packages() -> Check:
    """Check that every package can be imported."""
    broken = []
    for module, package in MODULES.items():
        try:
            importlib.import_module(module)
        except Exception as error:  # a broken binary package may raise anything
            logger.debug("Package %s cannot be imported.", package, exc_info=True)
            broken.append(f"{package} ({_one_line(str(error))})")
    detail = "; ".join(broken) or f"all {len(MODULES)} import"
    return Check("Packages", not broken, detail, REINSTALL)


def check_tensorflow() -> Check:
    """Check that TensorFlow can be imported; name its devices."""
    ok, detail = _probe(TENSORFLOW_PROBE)
    remedy = REINSTALL if _installed("tensorflow") else f"TensorFlow is not installed; {REINSTALL}"
    return Check("TensorFlow", ok, detail, remedy)


def check_rendering() -> Check:
    """Check that OpenGL draws without a screen."""
    ok, detail = _probe(RENDERING_PROBE)
    remedy = (
        "sudo apt-get install libegl1 libegl-mesa0 libgl1 libgles2 libgl1-mesa-dri "
        "(with an NVIDIA GPU its driver's EGL serves as well)"
    )
    return Check("Rendering", ok, detail, remedy)


def check_port(port: int = RPC_PORT) -> Check:
    """Check that the simulator's port is free, or that a simulator answers on it."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            if _simulator_answers(port):
                return Check("RPC port", True, f"a simulator answers on port {port}")
            remedy = f"end the program that uses port {port}, or give another to 'sim --port'"
            return Check("RPC port", False, f"port {port}: {error.strerror}", remedy)
    return Check("RPC port", True, f"port {port} is free")


def check_weights(path: Path = DEFAULT_WEIGHTS) -> Check:
    """Check that the weights of the network are there and valid."""
    from followme_uav.perception.weights import read_weights

    try:
        weights = read_weights(path)
    except (FollowMeError, ImportError) as error:
        remedy = "install followme-uav again (in a checkout: git checkout weights), or train"
        return Check("Weights", False, _one_line(str(error)), remedy)
    return Check("Weights", True, f"{path.name}: {weights.architecture}")


def check_network(path: Path = DEFAULT_WEIGHTS) -> Check:
    """Check that the network runs; name its library and device."""
    ok, detail = _probe(NETWORK_PROBE.format(path=str(path)))
    return Check("Network", ok, detail, "solve the problems above, or fly with --oracle")


def check_disk(path: Path | None = None) -> Check:
    """Check the disk space; flight logs take up to 40 MB a minute."""
    free = shutil.disk_usage(path or Path()).free
    remedy = "free some space, or log to another disk with 'fly --log'"
    return Check("Disk", free >= NEEDED_DISK_BYTES, f"{free / 1e9:.1f} GB free", remedy)


def _probe(code: str, deadline_s: float = PROBE_DEADLINE_S) -> tuple[bool, str]:
    """Run `code` in a new interpreter; return (success, its RESULT line or error message)."""
    with subprocess.Popen(  # noqa: S603 - the probes above
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    ) as probe:
        _probes.add(probe)
        try:
            out, err = probe.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            probe.kill()
            logger.debug("A check has not ended within %g s.", deadline_s)
            return False, f"no answer within {deadline_s:g} s"
        finally:
            _probes.discard(probe)
    for line in out.splitlines():
        if line.startswith("RESULT "):
            return True, line.removeprefix("RESULT ")
    logger.debug("A check ended with exit code %d and prints: %s", probe.returncode, err.strip())
    errors = err.strip().splitlines() or [f"ended with exit code {probe.returncode}"]
    return False, _one_line(errors[-1])


def _simulator_answers(port: int) -> bool:
    from followme_uav.rpc.session import RpcSession

    try:
        with RpcSession("127.0.0.1", port, deadline_s=PING_DEADLINE_S) as session:
            return bool(session.call("ping"))
    except FollowMeError:
        return False


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _table(checks: list[Check]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    for check in checks:
        mark = "[green]ok[/green]" if check.ok else "[red]no[/red]"
        table.add_row(mark, check.name, escape(check.detail))
        if not check.ok:
            table.add_row("", "", f"[bold]-> {escape(check.remedy)}[/bold]")
    return table
