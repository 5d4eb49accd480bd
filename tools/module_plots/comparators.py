"""Comparators: what diet, exercise, rapamycin and senolytics change, each check with its record."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exotwin.report.palette import BLUE, FAINT, INK, NORMAL, VERMILION
from exotwin.report.scoreboard.rows import intervals, points
from exotwin.validation import Scored, read_checks, validate
from module_plots.shared import WIDTH, dress

TITLES = (
    "Length of life of mice, change in %",
    "Inflammation in people, change in %",
    "Mitochondria and NAD in people, change in %",
    "Effects in other units, published = 1",
)


@lru_cache(maxsize=1)
def _scored() -> tuple[Scored, ...]:
    mine = {c.id for f in read_checks() if f.name == "comparators" for c in f.checks if c.sort}
    return tuple(s for s in validate(checks=sorted(mine)).checks if s.check.id in mine)


def effects() -> Figure:
    """Four panels of rows: simulated against published."""
    kept = [[s for s in _scored() if pick(s)] for pick in PICKS]
    side = kept[1:]
    figure = Figure(
        figsize=(WIDTH, 1.4 + 0.17 * max(len(kept[0]), sum(len(k) + 4 for k in side))), layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)  # type: ignore[union-attr, call-arg]
    grid = figure.add_gridspec(len(side), 2, height_ratios=[len(k) + 2 for k in side])
    panels = [figure.add_subplot(grid[:, 0]), *(figure.add_subplot(grid[k, 1]) for k in range(len(side)))]
    for axes, rows, title in zip(panels, kept, TITLES, strict=True):
        _rows(axes, rows, title, relative=title == TITLES[3])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7.5, handlelength=1.2)
    return figure


def _life(s: Scored) -> bool:
    return s.species == "mouse" and "life" in s.check.observable and _plain(s)


def _inflammation(s: Scored) -> bool:
    named = ("CRP", "IL-6", "TNF", "secreted")
    return s.species == "human" and any(n in s.check.observable for n in named) and _plain(s) and not _other(s)


def _muscle(s: Scored) -> bool:
    return any(n in s.check.observable for n in ("mitochondrial", "NAD")) and _plain(s) and not _other(s)


def _other(s: Scored) -> bool:
    own = s.check.unit != "percent" and s.check.sort == "value" and s.check.neutral == 0
    return own and _plain(s) and bool(points(s.published)) and "frailty index" not in s.check.observable


def _plain(s: Scored) -> bool:
    return len(points(s.simulated)) == 1 and isfinite(points(s.simulated)[0])


PICKS: tuple[Callable[[Scored], bool], ...] = (_life, _inflammation, _muscle, _other)


def _rows(axes: Axes, rows: list[Scored], title: str, *, relative: bool = False) -> None:
    for k, s in enumerate(rows):
        factor = 100.0 if s.check.unit == "dimensionless" and s.check.sort != "value" else 1.0
        factor = 1 / points(s.published)[0] if relative else factor
        for low, high in intervals(s.published_interval)[:1]:
            if s.check.sort == "null":
                axes.plot([factor * low, factor * high], [k, k], color=NORMAL, lw=6, solid_capstyle="butt", zorder=1)
            else:
                axes.plot([factor * low, factor * high], [k, k], color=INK, lw=1.1, zorder=2)
        known = points(s.published)
        if known:
            axes.plot(factor * known[0], k, "s", color=INK, ms=4.4, mec="white", mew=0.6, zorder=3)
        colour = BLUE if s.verdict == "within" else VERMILION
        full = colour if s.basis == "predicted" else "white"
        axes.plot(factor * points(s.simulated)[0], k, "o", color=colour, mfc=full, ms=5.2, mew=1.3, zorder=4)
    for marker, colour, label, face in (
        ("s", INK, "published, 95 % or ± 20 %", INK),
        ("o", BLUE, "simulated, within (hollow: calibrated)", BLUE),
        ("o", VERMILION, "simulated, outside", VERMILION),
    ):
        axes.plot([], [], marker, color=colour, mfc=face, ms=5, label=label)
    axes.plot([], [], color=NORMAL, lw=6, label="bound of a null")
    axes.axvline(1 if relative else 0, color=FAINT, lw=0.8)
    axes.set_yticks(range(len(rows)), [_name(s) for s in rows], fontsize=6.8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    dress(axes, title, "", y="none")


def _name(s: Scored) -> str:
    return s.check.id.replace("-", " ")
