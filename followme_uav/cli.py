"""The command line. Exit codes: 0 done, 1 mission or check failed, 2 bad input or environment.

Commands import what they need when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import sys

import typer

from followme_uav.commands import flying, log, networks, scenario
from followme_uav.commands.replay import replay
from followme_uav.errors import FollowMeError

app = typer.Typer(
    help="Closed-loop visual follow-me for simulated UAVs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(flying.fly)
app.command()(flying.sim)
app.command()(flying.doctor)
app.command()(replay)
app.add_typer(log.app, name="log")
app.command()(networks.collect)
app.command()(networks.prepare)
app.command()(networks.train)
app.command()(networks.experiment)
app.command()(networks.evaluate)
app.command()(networks.export)
app.command()(networks.models)
app.command("import-weights")(networks.import_weights)
app.add_typer(scenario.app, name="scenario")
app.command()(scenario.tune)


def main() -> None:
    """Run a command; an error the user can cause or cure is one line and its exit code."""
    try:
        app()
    except FollowMeError as error:
        print(f"followme-uav: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("followme-uav: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
