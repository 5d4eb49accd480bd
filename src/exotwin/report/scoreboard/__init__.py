"""A scoreboard of checks → its page."""

from __future__ import annotations

from exotwin.report.scoreboard.html import write_scoreboard

__all__ = ["write_scoreboard"]
