"""Correlations of the estimates, from the curvature at the optimum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exotwin.report.figures.shared import Drawing, Sheet, plain_ticks
from exotwin.report.fit.facts import Floats, shortened
from exotwin.report.fit.figures.shared import CHARACTER
from exotwin.report.palette import BLUE, INK, VERMILION

READABLE = 40
"""Parameters; of more, the strongest pairs are told instead."""

NUMBERED = 14
"""Up to as many, the cells say their numbers."""

STRONG = 0.8
"""Beyond, a pair is told by name."""

SHOWN = 30
"""Pairs that the table holds."""


@dataclass(frozen=True)
class Pair:
    """Two parameters and the correlation of their estimates."""

    first: str
    second: str
    correlation: float


def draw(names: Sequence[str], correlation: Floats) -> Drawing | None:
    """Lower triangle over the parameters that have correlations; None for fewer than two or too many to read."""
    from matplotlib.colors import LinearSegmentedColormap

    known = np.flatnonzero(np.isfinite(correlation).sum(axis=0) > 1)
    n = len(known)
    if not 2 <= n <= READABLE:
        return None
    matrix = correlation[np.ix_(known, known)]
    shown = np.where(np.tri(n, k=-1, dtype=bool), matrix, np.nan)[1:, :-1]
    side = max(1.3, (n - 1) * (0.34 if n <= NUMBERED else 0.17))
    labels = [shortened(names[int(k)], 28) for k in known]
    margin = 0.2 + CHARACTER * 1.15 * max(len(label) for label in labels)
    sheet = Sheet(side + margin + 0.1, width=max(4.2, side + margin + 1.1))
    axes = sheet.panel(margin, 0.08, side, side)
    # few enough steps for the bar to be drawn as shapes: a picture inside the SVG would be the page's only one
    colours = LinearSegmentedColormap.from_list("correlation", [BLUE, "#f4f4f2", VERMILION], N=41)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(shown), cmap=colours, vmin=-1, vmax=1, edgecolors="white", linewidth=0.6
    )
    axes.invert_yaxis()
    axes.set_xticks(np.arange(n - 1) + 0.5, labels[:-1], rotation=90, fontsize=7)
    axes.set_yticks(np.arange(n - 1) + 0.5, labels[1:], fontsize=7)
    axes.tick_params(length=0, pad=3)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if n <= NUMBERED:
        for row, column in zip(*np.nonzero(np.isfinite(shown)), strict=True):
            r = float(shown[row, column])
            axes.text(
                column + 0.5, row + 0.5, f"{r:.2f}".replace("0.", ".").replace("-", "−"), ha="center", va="center",
                fontsize=6.5, color="white" if abs(r) > 0.7 else INK,
            )  # fmt: skip
    bar = sheet.panel(margin + side + 0.25, 0.08, 0.14, min(side, 1.8))
    solids = sheet.figure.colorbar(mesh, cax=bar).solids
    assert solids is not None  # a mesh always has them
    solids.set_edgecolor("face")  # no seams
    bar.set_ylabel("correlation", fontsize=7.5, labelpad=2)
    plain_ticks(bar.yaxis, n=4)
    bar.tick_params(labelsize=7)
    return Drawing("correlations", sheet.figure, "Correlations of the parameters' estimates")


def strongest(names: Sequence[str], correlation: Floats) -> list[Pair]:
    """Strong pairs by falling size of their correlation."""
    found = [
        Pair(names[i], names[j], float(correlation[i, j]))
        for i in range(len(names))
        for j in range(i)
        if math.isfinite(correlation[i, j]) and abs(correlation[i, j]) >= STRONG
    ]
    return sorted(found, key=lambda p: -abs(p.correlation))
