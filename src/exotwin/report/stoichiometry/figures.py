"""Two figures: copies delivered against needed, and where on the way they are lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from exotwin.report.figures.shared import Drawing, Sheet, legend, log_ticks
from exotwin.report.numbers import number
from exotwin.report.palette import BLUE, FAINT, GREEN, INK, NORMAL, RULE, VERMILION, Stroke
from exotwin.report.stoichiometry.counts import DAYS, Range, Stoichiometry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ONE, DAILY, OWN = Stroke(BLUE, (0, ()), "o"), Stroke(VERMILION, (0, (4, 1.6)), "D"), Stroke(GREEN, (0, (1.4, 1.2)), "s")
_ROW, _HEAD, _LEFT = 0.66, 0.75, 1.35


def delivered(found: Stoichiometry) -> Drawing:
    """One row a mediator: after one dose, after daily doses, what the cell holds itself; the band of what is needed."""
    n = len(found.counts)
    sheet = Sheet(_HEAD + n * _ROW + 0.6)
    axes = sheet.panel(_LEFT, _HEAD, 7.4, n * _ROW)
    lowest = min(c.delivered.low for c in found.counts)
    highest = max(max(c.needed.high, c.own.high, c.repeated.high) for c in found.counts)
    axes.set_xscale("log")
    axes.set_xlim(10 ** math.floor(math.log10(lowest)), 10 ** math.ceil(math.log10(highest)))
    axes.set_ylim(n, 0)
    for first, last, needed in _bands(found):
        axes.axvspan(needed.low, needed.high, 1 - last / n, 1 - first / n, color=NORMAL, zorder=0, linewidth=0)
        axes.axvline(needed.median, 1 - last / n, 1 - first / n, color="#3a6b52", linewidth=1.2)
        axes.annotate(
            f"needed: {number(needed.median, digits=2)}" if first == 0 else number(needed.median, digits=2),
            (needed.median, first),
            xytext=(0, 5) if first == 0 else (4, -9),
            textcoords="offset points",
            ha="center" if first == 0 else "left",
            fontsize=8.5,
            color="#2f5f48",
        )
    for k, count in enumerate(found.counts):
        name = f"{count.mediator}\n({count.site})" if count.site else count.mediator
        axes.text(-0.012, k + 0.5, name, transform=axes.get_yaxis_transform(), ha="right", va="center")
        if k:
            axes.axhline(k, color=RULE, linewidth=0.6)
        for place, stroke, bar in ((0.25, ONE, count.delivered), (0.5, DAILY, count.repeated), (0.75, OWN, count.own)):
            _bar(axes, stroke, bar, k + place)
    _bare(axes)
    axes.set_xlabel("copies per recipient cell")
    names = [(ONE, "one dose"), (DAILY, f"{DAYS} daily doses"), (OWN, "the cell's own")]
    legend(sheet, names, left=_LEFT, top=0.22, step=1.9)
    return Drawing("copies", sheet.figure, "Copies delivered to a cell against copies needed")


def _bands(found: Stoichiometry) -> list[tuple[int, int, Range]]:
    """Neighbouring rows that need the same: first row, row after the last, what is needed."""
    bands: list[tuple[int, int, Range]] = []
    for k, count in enumerate(found.counts):
        if bands and bands[-1][2] == count.needed:
            bands[-1] = (bands[-1][0], k + 1, count.needed)
        else:
            bands.append((k, k + 1, count.needed))
    return bands


def way(found: Stoichiometry) -> Drawing:
    """From the dose to one cell: what is left at each step."""
    steps = list(found.steps.items())
    best = found.nearest
    if best and best.site == "outside":  # it acts where its vesicle meets the cell
        steps = steps[:3]
    on_the_way = len(steps)
    if best:
        steps += [(f"copies of {best.mediator} at their peak", best.delivered), ("copies needed", best.needed)]
    sheet = Sheet(0.25 + len(steps) * 0.36 + 0.6)
    axes = sheet.panel(3.1, 0.25, 5.5, len(steps) * 0.36)
    axes.set_xscale("log")
    lowest = min(bar.low for _, bar in steps)
    axes.set_xlim(10 ** math.floor(math.log10(lowest)), 10 ** math.ceil(math.log10(found.dose) + 1))
    axes.set_ylim(len(steps), 0)
    for k, (name, bar) in enumerate(steps):
        axes.text(-0.015, k + 0.5, name, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=8.5)
        copies = k >= on_the_way
        _bar(axes, OWN if name == "copies needed" else DAILY if copies else ONE, bar, k + 0.5)
        axes.annotate(
            number(bar.median, digits=2),
            (bar.high, k + 0.5),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    _bare(axes)
    axes.set_xlabel("particles, then copies (last two rows)")
    return Drawing("way", sheet.figure, "From the dose to one cell")


def _bar(axes: Axes, stroke: Stroke, bar: Range, y: float) -> None:
    axes.plot([bar.low, bar.high], [y, y], color=stroke.colour, linewidth=1.6)
    axes.plot([bar.median], [y], marker=stroke.marker, color=stroke.colour, markersize=5, markeredgecolor="white")


def _bare(axes: Axes) -> None:
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.grid(axis="y", visible=False)
    log_ticks(axes.xaxis, n=12)
