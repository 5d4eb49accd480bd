"""What the figures of a fit share: strokes, legends of markers, axes of a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from exotwin.report.figures.shared import Sheet, log_ticks, plain_ticks
from exotwin.report.palette import BLUE, GREEN, INK, ORANGE, PURPLE, VERMILION, Stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SOLID: tuple[float, tuple[float, ...]] = (0, ())
STROKES = (
    Stroke(BLUE, SOLID, "o"),
    Stroke(VERMILION, (0, (6, 1.6)), "s"),
    Stroke(GREEN, (0, (3, 1.2)), "D"),
    Stroke(PURPLE, (0, (6, 1.4, 1.4, 1.4)), "^"),
    Stroke(ORANGE, (0, (1.4, 1.2)), "v"),
    Stroke(INK, (0, (9, 2)), "P"),
)
"""For series of one panel."""

OUTCOMES = {
    "converged": Stroke(BLUE, SOLID, "o"),
    "creeping": Stroke(GREEN, SOLID, "s"),
    "iteration limit": Stroke(ORANGE, SOLID, "^"),
    "failed": Stroke(VERMILION, SOLID, "X"),
}
"""For starts."""

SMALL = 7.0  # points; names in panels
CHARACTER = 0.052  # inches that a character of that size takes, at most on average


def marker_legend(
    sheet: Sheet,
    entries: Sequence[tuple[Stroke, str]],
    *,
    left: float,
    top: float,
    step: float,
    columns: int = 99,
    line: bool = False,
    size: float = SMALL,
    marker: float = 3.6,
) -> None:
    """Markers with names in a grid, ``step`` inches apart, rows 0.14 inches."""
    from matplotlib.lines import Line2D

    for k, (stroke, name) in enumerate(entries):
        row, column = divmod(k, columns)
        x, y = (left + column * step) / sheet.width, 1 - (top + row * 0.14) / sheet.height
        ends = [x, x + 0.12 / sheet.width, x + 0.24 / sheet.width]
        sheet.figure.add_artist(
            Line2D(
                ends if line else ends[1:2],
                [y] * (3 if line else 1),
                color=stroke.colour,
                linestyle=stroke.dashes if line else "none",
                linewidth=1.1,
                marker=stroke.marker,
                markersize=marker,
                markevery=[1] if line else None,
                markeredgewidth=0,
                transform=sheet.figure.transFigure,
            )
        )
        sheet.figure.text(x + 0.3 / sheet.width, y, name, va="center_baseline", fontsize=size)


def value_axis(axes: Axes, scale: str, low: float, high: float, *, n: int = 3) -> None:
    """A horizontal axis over values of a parameter or observable, logarithmic if it is and spans enough for that."""
    axes.set_xlim(low, high)
    if scale != "lin" and low > 0 and high > 3 * low:
        axes.set_xscale("log")
        log_ticks(axes.xaxis, n=n)
    else:
        plain_ticks(axes.xaxis, n=n)
