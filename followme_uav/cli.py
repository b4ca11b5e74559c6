"""The command line. Exit codes: 0 done, 1 mission or check failed, 2 bad input or environment.

130: ended by Ctrl-C. A closed pipe behind the output does not change the exit code.

Commands import slow modules when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import logging
import sys
from contextlib import suppress
from typing import Annotated

try:
    import typer

    from followme_uav import __version__
    from followme_uav.commands import (
        campaign,
        config,
        flying,
        log,
        networks,
        quadsim,
        scenario,
        world,
    )
    from followme_uav.commands.logging_options import (
        LogFile,
        Verbose,
        add_logging_options,
        keep_logging_options,
    )
    from followme_uav.commands.replay import replay
    from followme_uav.errors import FollowMeError
    from followme_uav.interrupts import EXIT_CODE, Interrupts
    from followme_uav.program_log import PRINTED, finish
    from followme_uav.terminal import finish_streams, prepare_streams
except KeyboardInterrupt:  # no work has begun yet
    sys.exit(130)

logger = logging.getLogger("followme_uav.cli")  # __name__ is "__main__" with -m
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
"""Errors of a full or read-only disk, raised out of any library."""
_PATH_ERRORS = (errno.ENAMETOOLONG, errno.EACCES)
"""Errors of a path that may not even be looked for; `Path.exists` raises them."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"followme-uav {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
    verbose: Verbose = 0,
    log_file: LogFile = None,
) -> None:
    """Closed-loop visual follow-me for simulated UAVs."""
    keep_logging_options(context, verbose, log_file)


app.command()(flying.fly)
app.command()(flying.sim)
app.command()(quadsim.quadsim)
app.command()(flying.doctor)
app.command()(replay)
app.add_typer(config.app, name="config")
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
app.add_typer(campaign.app, name="campaign")
app.add_typer(world.app, name="world")
app.command()(scenario.tune)
add_logging_options(app)


def main() -> None:
    """Run a command; print an expected error as one line and end with its exit code."""
    interrupts = Interrupts()
    interrupts.install()
    code = EXIT_CODE
    try:
        prepare_streams()
        code = _run()
        finish_streams()
    except FollowMeError as error:
        _print_error(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        interrupts.end()
    except Exception:
        logger.critical("The program has an error.", exc_info=True, extra={"topic": PRINTED})
        raise
    if code == EXIT_CODE:
        interrupts.end()
        _print_error("interrupted")
    logger.info("The command ends with exit code %d.", code, extra={"topic": PRINTED})
    finish()
    with suppress(FollowMeError):
        finish_streams()
    interrupts.over()
    sys.exit(code)


def _run() -> int:
    """Run the command of the arguments; return its exit code."""
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        if error.errno in _DISK_ERRORS:
            _print_error(f"{where}cannot write ({error.strerror}); free some space")
        elif error.errno in _PATH_ERRORS:
            _print_error(f"{where}{error.strerror}; choose another path")
        elif error.errno == errno.ENOENT and error.filename is None:  # of `os.getcwd`
            _print_error("the current folder was removed; change to another folder")
        else:
            raise
        return FollowMeError.exit_code
    return 0


def _print_error(text: str) -> None:
    if sys.exc_info()[1] is not None:
        logger.debug("The command fails here.", exc_info=True)
    logger.error("%s", text, extra={"topic": PRINTED})
    print(f"followme-uav: {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
