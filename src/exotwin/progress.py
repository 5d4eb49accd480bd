"""One way to tell how far long work has come, free of how it is shown."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by a room, shown by the command line. ``advance`` may raise KeyboardInterrupt to stop the work at once."""

    def start(self, task: str, total: int) -> None:
        """A piece of work of ``total`` units begins."""

    def advance(self, n: int = 1) -> None:
        """``n`` units of the present piece are done."""

    def note(self, text: str) -> None:
        """What the present piece has come to so far, in a few words; each replaces the one before."""


class Silent:
    """Shows nothing."""

    def start(self, task: str, total: int) -> None:
        """Does nothing."""

    def advance(self, n: int = 1) -> None:
        """Does nothing."""

    def note(self, text: str) -> None:
        """Does nothing."""
