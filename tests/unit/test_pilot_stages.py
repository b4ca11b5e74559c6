"""The pilot is a one-way street: tracking, mission, guidance, control, each entered once a step.

Observed while a flight with all kinds of events is flown, and read from the imports.
"""

import ast
import sys
from pathlib import Path

import pytest

import followme_uav.pilot
from followme_uav.config import load_config
from followme_uav.messages import MissionState
from followme_uav.pilot import pilot as pilot_module
from followme_uav.pilot.pilot import Pilot
from tests.toy_world import ToyWorld

CONFIG = load_config(overrides=["duration_s=45"])
PACKAGE = Path(followme_uav.pilot.__file__).parent
STAGES = ("tracking", "mission", "guidance", "control")
ENTRANCES = ["tracking.update", "mission.update", "guidance.guide", "control.command"]
NOTICES = {"guidance.enter", "control.stop"}
"""Calls that tell a stage of a transition."""


class Entrances:
    """Records every method of a stage that is called from outside of its stage's modules."""

    def __init__(self, pilot):
        self._stage_of = {
            id(pilot._tracker): "tracking",
            id(pilot._mission): "mission",
            id(pilot._behaviours): "guidance",
            id(pilot._control): "control",
        }
        self.calls, self.callers = [], set()

    def __call__(self, frame, event, _):
        code, caller = frame.f_code, frame.f_back
        if event != "call" or caller is None or not code.co_argcount:
            return
        stage = self._stage_of.get(id(frame.f_locals.get(code.co_varnames[0])))
        file = caller.f_code.co_filename
        if stage is not None and stage_of(file) != stage:
            self.calls.append(f"{stage}.{code.co_name}")
            self.callers.add(file)

    def of_step(self, pilot, frame):
        """The step, and the calls that it made."""
        self.calls, before = [], sys.getprofile()
        sys.setprofile(self)
        try:
            step = pilot.step(frame)
        finally:
            sys.setprofile(before)
        return step, self.calls


def stage_of(file):
    """The stage to which a file of the pilot belongs; None outside of the stages."""
    try:
        first = Path(file).relative_to(PACKAGE).parts[0]
    except ValueError:
        return None
    return first.removesuffix(".py") if first.removesuffix(".py") in STAGES else None


@pytest.fixture(scope="module")
def steps():
    """(step, calls into the stages) of each frame; a loss, frames without images, a landing."""

    def hero(time_s):
        return None if 24.0 < time_s < 29.0 else (15.0 + 1.2 * time_s, 6.0)

    world = ToyWorld(hero)
    pilot = Pilot(CONFIG, world.mask)
    entrances = Entrances(pilot)
    recorded = []
    for i in range(600):
        world.blind = 180 <= i < 190
        recorded.append(entrances.of_step(pilot, world.frame()))
        world.obey(recorded[-1][0].command)
    assert {step.state for step, _ in recorded} == set(MissionState)
    assert entrances.callers == {pilot_module.__file__}, "no stage calls into another one"
    return recorded


def test_each_stage_is_entered_once_per_step_and_in_order(steps):
    for step, calls in steps:
        assert [call for call in calls if call not in NOTICES] == ENTRANCES, step.frame_index


def test_stages_are_told_of_transitions_between_mission_and_guidance_only(steps):
    for step, calls in steps:
        notices = [call for call in calls if call in NOTICES]
        if step.transition is None:
            assert notices == []
            continue
        is_fault = step.transition.target is MissionState.FAILSAFE
        assert notices == (["guidance.enter", "control.stop"] if is_fault else ["guidance.enter"])
        decided, guided = calls.index("mission.update"), calls.index("guidance.guide")
        assert calls[decided + 1 : guided] == notices


def test_feedback_of_the_mission_reaches_the_tracker_in_the_next_step_only():
    """A decision that changed the track within its own step would enter tracking twice."""
    world = ToyWorld(lambda _: (15.0, 6.0))
    pilot = Pilot(CONFIG, world.mask)
    given, update = [], pilot._tracker.update

    def recording(frame, detections, shape, state, feedback=None):
        given.append(feedback)
        return update(frame, detections, shape, state, feedback)

    pilot._tracker.update = recording
    steps = world.fly(pilot, 15.0)
    assert sum(step.transition is not None for step in steps) >= 3
    for step, feedback in zip(steps, given[1:], strict=False):
        assert (feedback is not None) == (step.transition is not None)
        assert feedback is None or feedback.time_s == step.time_s


def imported_stages(path):
    """Stages that a module imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            assert name is not None, "no relative imports"
            if name.startswith("followme_uav.pilot."):
                yield name.split(".")[2]


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if stage_of(path) is not None)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_of_a_stage_import_no_later_stage(path):
    position = STAGES.index(stage_of(path))
    later = set(STAGES[position + 1 :]) & set(imported_stages(path))
    assert not later


def test_every_stage_has_modules():
    assert {stage_of(path) for path in MODULES} == set(STAGES)
    assert len(MODULES) >= 13


@pytest.mark.parametrize("helper", ["navigation", "safety"])
def test_helpers_of_the_stages_import_no_stage(helper):
    for path in (PACKAGE / helper).glob("*.py"):
        assert not set(imported_stages(path)) & set(STAGES), path
