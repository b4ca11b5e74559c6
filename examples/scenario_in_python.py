"""A scenario written in Python: the same flight with gusts of several strengths.

    python examples/scenario_in_python.py

The keys are those of a script, see docs/scenarios.md. Flights run in other processes;
these import this file, therefore the work stands below `if __name__ == "__main__"`.
"""

import sys
from pathlib import Path

from followme_uav import Scenario, ScenarioRun, run_scenarios


def gust(strength_mps: float, duration_s: float) -> Scenario:
    """Return a scenario with a gust of this strength from the west, shortly after take-off."""
    return Scenario.model_validate(
        {
            "name": f"gust-{strength_mps:g}",
            "why": "The vehicle has to stay clear of the houses in a gust.",
            "duration_s": duration_s,
            "seeds": [8],  # of the city; one flight for each
            "world": {"people": 5, "cars": 0},
            "events": [{"at_s": 2, "lasts_s": 3, "gust": {"east_mps": strength_mps}}],
            "expect": {"collisions": 0, "landed": True},
        }
    )


if __name__ == "__main__":
    duration_s = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    run = ScenarioRun(
        Path("runs/gusts"),  # results and logs; flights in it are not flown again
        pilot="oracle",  # exact masks; "examples/own_pilot.py:Lookout" would fly that pilot
        workers=2,
    )
    for result in run_scenarios([gust(2.0, duration_s), gust(8.0, duration_s)], run):
        metrics = result.metrics
        clearance = f"{metrics['min_clearance_m']:.1f} m" if metrics else "?"
        print(f"{result.name}: {result.reason}; nearest obstacle {clearance}")
