"""The command line as a whole: its options, what all commands share, and how an error ends it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from exotwin import __version__, console
from exotwin.errors import ExotwinError

app = typer.Typer(
    name="exotwin",
    help="In-silico laboratory for MSC and MSC-exosome therapy against ageing. A research tool, not medical advice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"exotwin {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@contextmanager
def stoppable(left: str) -> Iterator[None]:
    """Ctrl-C ends the work inside with one line, of what is left of it, and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        console.err.print(f"stopped; {left}", markup=False)
        raise typer.Exit(130) from None


def main() -> None:
    """Entry point: an error becomes one message and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without our letters shows "?" in their place
            stream.reconfigure(errors="replace")
    try:
        app()
    except ExotwinError as error:
        console.show_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk, a folder without permission: nothing that a traceback would explain
        found = error.strerror or str(error)
        where = f"file or folder {error.filename}" if error.filename else "exotwin"
        console.show_error(ExotwinError(where, found=found, expected="a place that can be read and written, with room"))
        sys.exit(ExotwinError.exit_code)
