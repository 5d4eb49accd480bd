"""The command line: each command reads, calls one room, prints or writes. Exit codes: 0 done, 1 failed, 2 bad input."""

from exotwin.cli import studies, models, checks, facts, fits  # noqa: F401,I001  they enter their commands, in this order
from exotwin.cli.root import app, main

__all__ = ["app", "main"]
