"""What the figures share: sheets with panels at fixed places, axes whose numbers read like those of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exotwin.report.numbers import superscript, tick
from exotwin.report.palette import FAINT
from exotwin.report.wording import MONTH, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.2  # inches; a figure fills the page of the report, and A4 with its margins


@dataclass(frozen=True)
class Drawing:
    """A figure with the words that go with it: name of its file, title for those who do not see it, caption."""

    name: str
    figure: Figure
    title: str


class Sheet:
    """A figure whose panels are placed in inches from the top left corner."""

    def __init__(self, height: float, *, width: float = WIDTH) -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height))

    def panel(self, left: float, top: float, width: float, height: float, **options: Any) -> Axes:
        """A panel; ``options`` as of `Figure.add_axes`."""
        box = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box, **options)


def root(axes: Axes) -> Figure:
    """The figure that a panel stands on."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # panels of a sheet always stand on one
    return figure


def side_label(axes: Axes, text: str, *, inches: float = 0.47) -> None:
    """Name of the vertical axis, this far from it: fixed, since no width of a tick's text is known."""
    width = axes.bbox.width / root(axes).dpi
    axes.set_ylabel(text)
    axes.yaxis.set_label_coords(-inches / width, 0.5)


def plain_ticks(axis: Any, *, n: int = 5) -> None:
    """At most ``n`` round ticks, written like the numbers of the text."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(n, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(round(float(value), 12))))


def log_ticks(axis: Any, *, n: int = 6) -> None:
    """Powers of ten as 10ⁿ, with 2 and 5 between them where there are fewer than two; 0.1, 1, 10 and 100 as such."""
    from math import log10

    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = sorted(axis.get_view_interval())
    few = log10(high / low) < 2
    axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=n + 1))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(float(value)) if few else power_of_ten(float(value))))


def power_of_ten(value: float) -> str:
    """A tick of a logarithmic axis."""
    if 0.0099 < value < 1001:
        return tick(value)
    if value <= 0:
        return ""
    from math import log10

    return f"10{superscript(round(log10(value)))}"


def calendar(axes: Axes, words: Words, *, last: float, label: bool = True) -> None:
    """A time axis after enrolment; data in days, ticks in months (or days, if all is over within two months)."""
    from matplotlib.ticker import FixedLocator, FuncFormatter

    unit = MONTH if last > 2 * MONTH else 1.0
    span = last / unit
    steps = (1, 2, 3, 6, 12, 24, 60, 120) if unit == MONTH else (1, 2, 7, 14)
    step = next((s for s in steps if span / s <= 6), 240)
    ticks = [k * step * unit for k in range(int(span / step + 1e-6) + 1)]
    axes.set_xlim(0, last)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(round(float(value) / unit, 3))))
    if label:
        axes.set_xlabel(words("figure.months" if unit == MONTH else "figure.days"), labelpad=3)


def first_days(axes: Axes, words: Words, days: Sequence[float], *, label: bool = True) -> None:
    """A logarithmic time axis over the first days with ticks at spans that people use."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    ticks = [
        t
        for t in (1 / 1440, 10 / 1440, 1 / 24, 6 / 24, 1.0, 7.0, 28.0)
        if days[0] <= t * 1.001 and t <= days[-1] * 1.001
    ]
    axes.set_xscale("log")
    axes.set_xlim(days[0], days[-1])
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.short_time(float(value))))
    if label:
        axes.set_xlabel(words("figure.time_after"), labelpad=3)


def legend(sheet: Sheet, entries: Sequence[tuple[Any, str]], *, left: float, top: float, step: float) -> None:
    """A row of line samples with names from ``left`` inches on, ``step`` inches apart."""
    from matplotlib.lines import Line2D

    y = 1 - top / sheet.height
    for k, (stroke, name) in enumerate(entries):
        x = (left + k * step) / sheet.width
        sample = Line2D(
            [x, x + 0.36 / sheet.width],
            [y, y],
            color=stroke.colour,
            linestyle=stroke.dashes,
            linewidth=2.2,
            transform=sheet.figure.transFigure,
        )
        sheet.figure.add_artist(sample)
        sheet.figure.text(x + 0.44 / sheet.width, y, name, va="center", fontsize=9)


def quiet(axes: Axes, text: str) -> None:
    """A word in the middle of a panel that has nothing to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=9)
