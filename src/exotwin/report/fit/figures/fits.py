"""Measurements and simulation, a panel for each observable and group of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exotwin.report.figures.shared import Drawing, Sheet, log_ticks, plain_ticks
from exotwin.report.fit.facts import Comparison, named, shortened
from exotwin.report.fit.figures.shared import CHARACTER, SMALL, STROKES, marker_legend
from exotwin.report.fit.panels import Panel
from exotwin.report.numbers import number
from exotwin.report.palette import BLUE, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

A_FIGURE = 24  # panels; more would be more than one looks at
_LEFT, _RIGHT, _TITLE, _HEIGHT, _AXIS, _NAMES = 0.5, 0.14, 0.52, 1.35, 0.4, 22


@dataclass(frozen=True)
class _Grid:
    """Places of panels on the sheet, in inches."""

    columns: int
    slot: float
    tops: tuple[float, ...]
    height: float

    @property
    def width(self) -> float:
        return self.slot - _LEFT - _RIGHT


def draw(c: Comparison, panels: Sequence[Panel]) -> list[Drawing]:
    """All panels, on as many sheets as they need; up to eight stand three a row, more four."""
    columns = min(len(panels), 3 if len(panels) <= 9 else 4)
    several = len(panels) > A_FIGURE
    return [
        _sheet(f"fits-{k + 1}" if several else "fits", c, panels[at : at + A_FIGURE], columns)
        for k, at in enumerate(range(0, len(panels), A_FIGURE))
    ]


def _sheet(name: str, c: Comparison, panels: Sequence[Panel], columns: int) -> Drawing:
    rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    width = 9.2 if columns > 2 else 3.6 * columns + 0.4
    slot = width / columns
    tops, y = [], 0.05
    for row in rows:
        tops.append(y)
        y += _TITLE + _HEIGHT + max(_foot(panel, slot) for panel in row) + 0.12
    sheet, grid = Sheet(y, width=width), _Grid(columns, slot, tuple(tops), y)
    for k, panel in enumerate(panels):
        _panel(sheet, grid, c, panel, k)
    title = "Measurements and simulation: " + ", ".join(
        dict.fromkeys(named(c.problem.observables)[p.observable] for p in panels)
    )
    return Drawing(name, sheet.figure, title)


def _foot(panel: Panel, slot: float) -> float:
    """Inches below a panel: its axis, and names of conditions."""
    if not panel.over_time:
        return 0.1 + CHARACTER * max(len(shortened(s.label, _NAMES)) for s in panel.series)
    if not _named_below(panel):
        return _AXIS
    return _AXIS + 0.08 + 0.14 * -(-len(panel.series) // _legend_columns(panel, slot))


def _named_below(panel: Panel) -> bool:
    """Whether conditions are told by a legend; a single one with a short name stands in the heading."""
    return panel.over_time and (len(panel.series) > 1 or len(panel.series[0].label) > 18)


def _legend_columns(panel: Panel, slot: float) -> int:
    """As many as fit side by side."""
    longest = max(len(shortened(s.label, 40)) for s in panel.series)
    return 2 if 2 * (0.36 + CHARACTER * longest) <= slot - 0.1 else 1


def _panel(sheet: Sheet, grid: _Grid, c: Comparison, panel: Panel, k: int) -> None:
    row, column = divmod(k, grid.columns)
    left, top = column * grid.slot + _LEFT, grid.tops[row]
    axes = sheet.panel(left, top + _TITLE, grid.width, _HEIGHT)
    if panel.over_time:
        _over_time(axes, c, panel)
    else:
        _side_by_side(axes, c, panel)
    _value_axis(axes, c, panel)
    _heading(sheet, c, panel, left, top, grid.slot)
    if _named_below(panel):
        columns = _legend_columns(panel, grid.slot)
        entries = [(s, shortened(x.label, 40)) for s, x in zip(STROKES, panel.series, strict=False)]
        marker_legend(
            sheet,
            entries,
            left=left - 0.42,
            top=top + _TITLE + _HEIGHT + _AXIS + 0.08,
            step=(grid.slot - 0.1) / columns,
            columns=columns,
            line=True,
        )


def _heading(sheet: Sheet, c: Comparison, panel: Panel, left: float, top: float, slot: float) -> None:
    """Name of the observable, below it what the panel holds and how well it fits."""
    name = named(c.problem.observables)[panel.observable]
    x = (left - 0.42) / sheet.width
    most = int((slot - 0.12) / 0.076)
    sheet.figure.text(
        x, 1 - (top + 0.2) / sheet.height, shortened(name, most), fontsize=9, fontweight="bold", va="baseline"
    )
    said = [] if panel.parts == 1 else [f"{panel.part} of {panel.parts}"]
    n, rms = len(panel.rows), c.rms(panel.rows)
    said.append(f"{number(n)} value{'' if n == 1 else 's'}, rms {number(rms, digits=2)} SD")
    times = np.unique(c.problem.measurements.time[panel.rows])
    if not panel.over_time and len(times) == 1:
        said.append("steady state" if np.isinf(times[0]) else f"time {number(float(times[0]))}")
    if panel.over_time and not _named_below(panel) and len(c.problem.simulations) > 1:
        said.append(panel.series[0].label)
    text = shortened("; ".join(said), int((slot - 0.1) / CHARACTER))
    sheet.figure.text(x, 1 - (top + 0.36) / sheet.height, text, fontsize=SMALL, color=FAINT, va="baseline")


def _over_time(axes: Axes, c: Comparison, panel: Panel) -> None:
    time = c.problem.measurements.time
    finite = time[panel.rows][np.isfinite(time[panel.rows])]
    first, last = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    steady = last + 0.12 * (last - first or 1)  # steady states stand right of all times
    low, high = c.band
    faint = 0.14 if len(panel.series) <= 2 else 0.07  # bands lie upon each other
    for stroke, series in zip(STROKES, panel.series, strict=False):
        rows = series.rows
        at = np.where(np.isfinite(time[rows]), time[rows], steady)
        _, once = np.unique(at, return_index=True)
        line = rows[once]
        axes.fill_between(at[once], low[line], high[line], color=stroke.colour, alpha=faint, linewidth=0)
        axes.plot(at[once], c.simulated[line], color=stroke.colour, linestyle=stroke.dashes, linewidth=1.2)
        if len(once) == 1:  # neither line nor band has a width then
            axes.plot(at[once], c.simulated[line], color=stroke.colour, marker="_", markersize=9, markeredgewidth=1.4)
            axes.plot([at[0], at[0]], [low[line[0]], high[line[0]]], color=stroke.colour, linewidth=1, alpha=0.5)
        axes.plot(
            at, c.measured[rows], linestyle="none", marker=stroke.marker, markersize=3.6,
            markerfacecolor=stroke.colour, markeredgecolor="white", markeredgewidth=0.3, zorder=3, gid="measured",
        )  # fmt: skip
    plain_ticks(axes.xaxis, n=5)
    if np.isinf(time[panel.rows]).any():
        axes.axvline((last + steady) / 2, color=FAINT, linewidth=0.6, linestyle=(0, (2, 2)))
        axes.text(steady, 1.0, "steady", transform=axes.get_xaxis_transform(), fontsize=6.5, color=FAINT, ha="center")
    axes.set_xlabel(c.time, labelpad=1, fontsize=8)


def _side_by_side(axes: Axes, c: Comparison, panel: Panel) -> None:
    from matplotlib.ticker import FixedLocator

    low, high = c.band
    for at, series in enumerate(panel.series):
        rows, first = series.rows, series.rows[:1]
        axes.vlines(at, low[first], high[first], color=BLUE, linewidth=4.5, alpha=0.25)
        axes.plot([at - 0.3, at + 0.3], np.repeat(c.simulated[first], 2), color=BLUE, linewidth=1.8)
        spread = np.linspace(-0.14, 0.14, len(rows)) if len(rows) > 1 else np.zeros(1)
        axes.plot(
            at + spread, c.measured[rows], linestyle="none", marker="o", markersize=3.6,
            markerfacecolor=INK, markeredgecolor="white", markeredgewidth=0.3, zorder=3, gid="measured",
        )  # fmt: skip
    n = len(panel.series)
    axes.set_xlim(-0.6 - 0.4 * (n == 1), n - 0.4 + 0.4 * (n == 1))
    axes.xaxis.set_major_locator(FixedLocator(range(n)))
    axes.set_xticklabels([shortened(s.label, _NAMES) for s in panel.series], rotation=90, fontsize=6.5)
    axes.grid(visible=False, axis="x")


def _value_axis(axes: Axes, c: Comparison, panel: Panel) -> None:
    if c.problem.observables[panel.observable].transformation != "lin" and (c.measured[panel.rows] > 0).all():
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        if high < 3 * low:
            axes.set_ylim(low / 1.3, high * 1.3)
        log_ticks(axes.yaxis, n=4)
        if high < 8 * low:  # a few round numbers, since there may be no power of ten, or one alone
            plain_ticks(axes.yaxis, n=4)
    else:
        plain_ticks(axes.yaxis, n=4)
    axes.tick_params(axis="y", labelsize=7)
    axes.tick_params(axis="x", labelsize=7 if panel.over_time else 6.5, pad=2)
