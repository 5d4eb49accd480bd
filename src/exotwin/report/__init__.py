"""A trial result → a report to read, figures as SVG, tables as CSV."""

from __future__ import annotations

from exotwin.report.files import figure, write_figures, write_folder, write_tables
from exotwin.report.fit import write_fit, write_simulation
from exotwin.report.html import write_report
from exotwin.report.palette import arm_strokes
from exotwin.report.scoreboard import write_scoreboard
from exotwin.report.wording import catalogue

__all__ = [
    "arm_strokes",
    "catalogue",
    "figure",
    "write_figures",
    "write_fit",
    "write_folder",
    "write_report",
    "write_scoreboard",
    "write_simulation",
    "write_tables",
]
