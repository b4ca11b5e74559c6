"""Keys of the window and what each changes; the line of help is made of the same list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from followme_uav.sim.viewer.chase_view import ChaseView, change_speed, chase, with_pace, zoom


@dataclass(frozen=True)
class KeyBinding:
    """A change of the view, and the key events that cause it."""

    events: tuple[str, ...]
    """Names of the events in Panda3D."""
    label: str
    does: str
    change: Callable[[ChaseView], ChaseView]


KEY_BINDINGS = (
    KeyBinding(("space",), "Space", "pause", lambda view: with_pace(view, held=not view.pace.held)),
    KeyBinding(("-",), "-", "slower", lambda view: change_speed(view, -1)),
    KeyBinding(("+", "="), "+", "faster", lambda view: change_speed(view, 1)),
    KeyBinding(("1",), "1", "real time", lambda view: with_pace(view, speed=1.0)),
    KeyBinding(("c",), "C", "chase", chase),
    KeyBinding(("p",), "P", "picture", lambda view: replace(view, inset=not view.inset)),
    KeyBinding(("m",), "M", "mask", lambda view: replace(view, mask=not view.mask)),
    KeyBinding(("h",), "H", "help", lambda view: replace(view, help=not view.help)),
    KeyBinding(("escape",), "Esc", "quit", lambda view: with_pace(view, quit=True)),
)
MOUSE_HELP = (("Drag", "orbit"), ("Wheel", "distance"))
"""Label and effect of what the mouse does."""
_WHEEL_CLICKS = {"wheel_up": 1, "wheel_down": -1}
_BINDING_OF_EVENT = {event: binding for binding in KEY_BINDINGS for event in binding.events}


def react(view: ChaseView, event: str) -> ChaseView:
    """The view after an event; unknown events change nothing."""
    if event in _WHEEL_CLICKS:
        return zoom(view, _WHEEL_CLICKS[event])
    binding = _BINDING_OF_EVENT.get(event)
    return view if binding is None else binding.change(view)
