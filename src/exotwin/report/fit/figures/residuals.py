"""Residuals in units of their noise: how they are distributed, over time, by observable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exotwin.report.figures.shared import Drawing, Sheet, plain_ticks, side_label
from exotwin.report.fit.facts import Comparison, named, shortened
from exotwin.report.palette import BLUE, FAINT, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGE = 5.0
"""Residuals beyond stand at the edge of the histogram and of the panels."""

OBSERVABLES = 24
"""Rows by observable; of more, those that fit worst."""


def draw(c: Comparison) -> Drawing:
    """Histogram with the density that the noise model claims, against time, and by observable where there are two."""
    distributions = [o.distribution for o in c.problem.observables]
    used = sorted({distributions[k] for k in c.problem.measurements.observable})
    shown = worst(c)
    height = 2.2
    below = 0.17 * len(shown) + 0.9 if len(shown) > 1 else 0.0
    sheet = Sheet(height + 0.85 + below)
    slot = 9.2 / (len(used) + 1)
    for k, distribution in enumerate(used):
        own = np.array([d == distribution for d in distributions])[c.problem.measurements.observable]
        axes = sheet.panel(k * slot + 0.6, 0.32, slot - 0.8, height)
        _histogram(axes, c.residual[own], distribution)
    _against_time(sheet.panel(len(used) * slot + 0.6, 0.32, slot - 0.75, height), c)
    if len(shown) > 1:
        _by_observable(sheet.panel(2.6, height + 1.15, 6.4, 0.17 * len(shown)), c, shown)
    return Drawing("residuals", sheet.figure, "Residuals in units of the noise")


def worst(c: Comparison) -> list[int]:
    """Observables that have residuals, in their order; of more than fit in the figure, those that fit worst."""
    at = c.problem.measurements.observable
    own = {k: c.rms(np.flatnonzero(at == k)) for k in range(len(c.problem.observables))}
    known = [k for k, rms in own.items() if np.isfinite(rms)]
    return sorted(sorted(known, key=lambda k: -own[k])[:OBSERVABLES])


def _histogram(axes: Axes, residual: np.ndarray, distribution: str) -> None:
    known = residual[np.isfinite(residual)]
    edges = np.linspace(-EDGE, EDGE, 41 if len(known) > 150 else 21)
    counts, _ = np.histogram(np.clip(known, -EDGE, EDGE), edges)
    axes.stairs(counts, edges, fill=True, color=BLUE, alpha=0.45, linewidth=0)
    x = np.linspace(-EDGE, EDGE, 201)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) if distribution == "normal" else np.exp(-np.abs(x)) / 2
    expected = density * len(known) * (edges[1] - edges[0])
    axes.plot(x, expected, color=VERMILION, linewidth=1.4)
    name = "normal" if distribution == "normal" else "Laplace"
    axes.set_title(f"Distribution ({name} noise)")
    axes.text(
        0.99, 0.97, f"line: standard {name}", transform=axes.transAxes, ha="right", va="top", fontsize=7.5,
        color=VERMILION,
    )  # fmt: skip
    axes.set_xlim(-EDGE, EDGE)
    axes.set_ylim(0, max(float(counts.max()), float(expected.max())) * 1.2 + 1e-9)
    plain_ticks(axes.xaxis, n=6)
    plain_ticks(axes.yaxis, n=4)
    side_label(axes, "measurements", inches=0.38)
    axes.set_xlabel("residual / SD" if distribution == "normal" else "residual / Laplace scale", labelpad=3)


def _against_time(axes: Axes, c: Comparison) -> None:
    time = c.problem.measurements.time
    finite = np.isfinite(time)
    last = float(time[finite].max()) if finite.any() else 0.0
    steady = last + 0.12 * (last or 1)
    at = np.where(finite, time, steady)
    for level in (-1.96, 1.96):
        axes.axhline(level, color=FAINT, linewidth=0.7, linestyle=(0, (4, 2)))
    axes.axhline(0, color=FAINT, linewidth=0.9)
    _points(axes, at, c.residual, size=3.2 if len(at) < 400 else 2.2, gid="residual")
    axes.set_title("Against time")
    axes.set_ylim(-EDGE - 0.3, EDGE + 0.3)
    plain_ticks(axes.yaxis, n=6)
    plain_ticks(axes.xaxis, n=6)
    if not finite.all():
        axes.axvline((last + steady) / 2, color=FAINT, linewidth=0.6, linestyle=(0, (2, 2)))
        axes.text(steady, 1.01, "steady", transform=axes.get_xaxis_transform(), fontsize=7, color=FAINT, ha="center")
    side_label(axes, "residual / noise", inches=0.36)
    axes.set_xlabel(c.time, labelpad=3)


def _by_observable(axes: Axes, c: Comparison, shown: list[int]) -> None:
    from matplotlib.ticker import FixedLocator

    names = named(c.problem.observables)
    for level in (-1.96, 0, 1.96):
        axes.axvline(level, color=FAINT, linewidth=0.7, linestyle=(0, (4, 2)) if level else "-")
    for row, k in enumerate(shown):
        own = c.residual[c.problem.measurements.observable == k]
        _points(axes, np.full(len(own), row), own, size=2.8, upright=True)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.yaxis.set_major_locator(FixedLocator(range(len(shown))))
    axes.set_yticklabels([shortened(names[k], 38) for k in shown], fontsize=7)
    axes.set_xlim(-EDGE - 0.3, EDGE + 0.3)
    axes.grid(visible=False, axis="x")
    plain_ticks(axes.xaxis, n=8)
    axes.set_title("By observable")
    axes.set_xlabel("residual / noise", labelpad=3)


def _points(
    axes: Axes, at: np.ndarray, residual: np.ndarray, *, size: float, gid: str = "", upright: bool = False
) -> None:
    """Dots; those beyond the edge as triangles at it, that point outwards."""
    inside = np.abs(residual) <= EDGE
    groups = [(inside, "o", BLUE), (residual > EDGE, ">" if upright else "^", VERMILION)]
    groups.append((residual < -EDGE, "<" if upright else "v", VERMILION))
    for chosen, marker, colour in groups:
        if not chosen.any():
            continue
        x, y = at[chosen], np.clip(residual[chosen], -EDGE, EDGE)
        axes.plot(
            *((y, x) if upright else (x, y)), linestyle="none", marker=marker, markersize=size + (marker != "o"),
            markerfacecolor=colour, markeredgewidth=0, alpha=0.6 if marker == "o" else 1, gid=gid or None,
            clip_on=False,
        )  # fmt: skip
