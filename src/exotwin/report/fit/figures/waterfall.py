"""Starts sorted by where they ended, above the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exotwin.report.figures.shared import Drawing, Sheet, power_of_ten, side_label
from exotwin.report.fit.facts import NEAR, kind
from exotwin.report.fit.figures.shared import OUTCOMES, marker_legend
from exotwin.report.numbers import tick
from exotwin.report.palette import FAINT, RULE

if TYPE_CHECKING:
    from exotwin.calibration.fit import Fit

FLOOR = 1e-3
"""Differences below this are drawn here: they tell of the optimiser's tolerance, not of the optimum."""


def draw(fit: Fit) -> Drawing:
    """A point for each start that ended with a value; colour and marker by outcome."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    ended = sorted((s for s in fit.starts if np.isfinite(s.found.value)), key=lambda s: (s.found.value, s.number))
    above = np.array([s.found.value - fit.best.found.value for s in ended])
    shown, rank = np.maximum(above, FLOOR), np.arange(1, len(ended) + 1)
    sheet = Sheet(3.0)
    axes = sheet.panel(0.8, 0.42, 8.2, 2.1)
    axes.axhline(NEAR, color=FAINT, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.plot(rank, shown, color=RULE, linewidth=1, zorder=1)
    kinds = np.array([kind(s) for s in ended])
    size = 5.5 if len(ended) <= 60 else 4.2 if len(ended) <= 250 else 2.8
    for name, stroke in OUTCOMES.items():
        own = kinds == name
        if own.any():
            axes.plot(
                rank[own], shown[own], linestyle="none", marker=stroke.marker, markersize=size,
                markerfacecolor=stroke.colour, markeredgecolor="white", markeredgewidth=0.3, zorder=3, gid=name,
            )  # fmt: skip
    axes.set_yscale("log")
    top = max(float(shown.max()) * 2.5, 1.0)
    axes.set_ylim(FLOOR / 2, top)
    decades = range(-3, int(np.ceil(np.log10(top))))
    step = max(1, len(decades) // 6)
    axes.yaxis.set_major_locator(FixedLocator([10.0**k for k in decades if (k + 3) % step == 0]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"≤ {tick(FLOOR)}" if value < FLOOR * 1.01 else power_of_ten(float(value)))
    )
    axes.set_xlim(0.5 - 0.01 * len(ended), len(ended) + 0.5 + 0.01 * len(ended))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("starts, the best first", labelpad=3)
    side_label(axes, "objective above the best", inches=0.62)
    axes.annotate(
        f"{NEAR}: counted as the same optimum", (1, NEAR), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", ha="right", fontsize=7.5, color=FAINT,
    )  # fmt: skip
    marker_legend(
        sheet, [(s, n) for n, s in OUTCOMES.items() if n in kinds], left=0.75, top=0.18, step=1.3, size=8.5, marker=5
    )
    return Drawing("waterfall", sheet.figure, "Objective of the starts above the best, sorted")
