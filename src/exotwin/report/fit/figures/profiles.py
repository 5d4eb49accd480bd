"""Profiles of the parameters, with what the curvature at the optimum says of them, and the samples' margins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from exotwin.report.figures.shared import Drawing, Sheet, plain_ticks
from exotwin.report.fit.facts import THRESHOLD, Estimate, Floats, estimates, shortened, unscaled
from exotwin.report.fit.figures.shared import SMALL, value_axis
from exotwin.report.palette import BLUE, FAINT, INK, ORANGE, RULE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from exotwin.calibration.fit import Fit
    from exotwin.calibration.uncertainty import Profile

A_FIGURE = 40  # panels
TOP = 1.65 * THRESHOLD
COLOURS = {
    "identifiable": BLUE,
    "only an upper limit": ORANGE,
    "only a lower limit": ORANGE,
    "not identifiable": VERMILION,
    "failed": FAINT,
}
_COLUMNS, _TITLE, _HEIGHT, _AXIS = 5, 0.38, 0.86, 0.36


def draw(fit: Fit) -> list[Drawing]:
    """A panel for each parameter that was profiled, or for each if there are samples; empty without either."""
    profiled = {p.parameter: p for p in fit.profiles}
    shown = [e for e in estimates(fit) if e.name in profiled or fit.samples is not None]
    several = len(shown) > A_FIGURE
    return [
        _sheet(f"profiles-{k + 1}" if several else "profiles", fit, shown[at : at + A_FIGURE], profiled)
        for k, at in enumerate(range(0, len(shown), A_FIGURE))
    ]


def _sheet(name: str, fit: Fit, shown: Sequence[Estimate], profiled: dict[str, Profile]) -> Drawing:
    rows = -(-len(shown) // _COLUMNS)
    sheet = Sheet(rows * (_TITLE + _HEIGHT + _AXIS) + 0.05)
    slot = (sheet.width - 0.3) / _COLUMNS
    at = {p: i for i, p in enumerate(fit.problem.names)}
    for k, e in enumerate(shown):
        row, column = divmod(k, _COLUMNS)
        top = row * (_TITLE + _HEIGHT + _AXIS)
        axes = sheet.panel(0.38 + column * slot, top + _TITLE, slot - 0.28, _HEIGHT)
        draws = None if fit.samples is None else fit.samples.points[:, at[e.name]]
        _panel(axes, fit, e, profiled.get(e.name), draws)
        x = (0.38 + column * slot) / sheet.width
        sheet.figure.text(
            x, 1 - (top + 0.17) / sheet.height, shortened(e.name, 24), fontsize=8, fontweight="bold", va="baseline"
        )
        sheet.figure.text(
            x, 1 - (top + 0.31) / sheet.height, _verdict(e), fontsize=SMALL, va="baseline",
            color=COLOURS.get(e.verdict, FAINT),
        )  # fmt: skip
        if column:
            axes.tick_params(labelleft=False)
    return Drawing(name, sheet.figure, "Profile likelihood of the parameters")


def _verdict(e: Estimate) -> str:
    return e.verdict + (f"; at {e.at_bound} bound" if e.at_bound else "")


def _panel(axes: Axes, fit: Fit, e: Estimate, profile: Profile | None, draws: Floats | None) -> None:
    low, high = _view(e, profile, draws)
    best = fit.best.found.value
    least = 0.0  # below it only where a profile came upon a better optimum
    if draws is not None:
        _margin(axes, e.scale, draws, low, high)
    axes.axhline(THRESHOLD, color=FAINT, linewidth=0.7, linestyle=(0, (4, 2)))
    if math.isfinite(e.se_scaled) and e.se_scaled > 0:
        x = np.linspace(low, high, 121)
        y = ((x - e.scaled) / e.se_scaled) ** 2 / 2
        axes.plot(_values(e.scale, x), y, color=FAINT, linewidth=0.9, linestyle=(0, (1.2, 1.2)), gid="curvature")
    for end, bound in ((low, e.lower), (high, e.upper)):
        at = unscaled(e.scale, end)
        if abs(bound - at) <= 1e-9 * max(abs(at), abs(bound)):
            axes.axvline(bound, color=INK, linewidth=2.2, gid="bound")
    if profile is not None:
        colour = COLOURS.get(profile.verdict, FAINT)
        known = np.isfinite(profile.value)
        above = profile.value[known] - best
        least = 1.1 * float(np.min(above, initial=0.0))
        axes.plot(
            _values(e.scale, profile.grid[known]), above, color=colour, linewidth=1.3, marker="o", markersize=2.2,
            markeredgewidth=0, gid="profile",
        )  # fmt: skip
        for limit in e.profile:
            if math.isfinite(limit):
                axes.plot([limit, limit], [0, THRESHOLD], color=colour, linewidth=0.9, gid="limit")
        if not known.any():
            axes.text(
                0.5, 0.72, "no search succeeded", transform=axes.transAxes, ha="center", fontsize=SMALL, color=FAINT
            )
    axes.plot([e.value], [0], marker="D", markersize=3.6, color=INK, clip_on=False, zorder=5, linestyle="none")
    axes.set_ylim(least, TOP)
    value_axis(axes, e.scale, unscaled(e.scale, low), unscaled(e.scale, high))
    plain_ticks(axes.yaxis, n=3)
    axes.grid(visible=False)
    axes.tick_params(labelsize=6.5, pad=2)


def _view(e: Estimate, profile: Profile | None, draws: Floats | None) -> tuple[float, float]:
    """Ends of the panel on the parameter's scale: where the profile rises to the panel's top, the bulk of the draws."""
    bounds = [float(_scaled(e.scale, b)) for b in (e.lower, e.upper)]
    seen = [e.scaled]
    if profile is not None:
        known = np.isfinite(profile.value)
        above = profile.value - (profile.value[known].min() if known.any() else 0)
        seen += [float(x) for x in profile.grid[known & (above <= 1.7 * TOP)]]
    if draws is not None and len(draws):
        seen += [float(x) for x in np.quantile(draws, [0.002, 0.998])]
    low, high = min(seen), max(seen)
    margin = 0.06 * (high - low) or 0.05 * (bounds[1] - bounds[0]) or 1.0
    return max(low - margin, min(bounds[0], low)), min(high + margin, max(bounds[1], high))


def _margin(axes: Axes, scale: str, draws: Floats, low: float, high: float) -> None:
    """Histogram of the draws behind the profile, its highest bar at the threshold."""
    counts, edges = np.histogram(draws, np.linspace(low, high, 25))
    tall = counts / max(1, counts.max()) * THRESHOLD
    axes.stairs(tall, _values(scale, edges), fill=True, color=RULE, linewidth=0, gid="draws")


def _values(scale: str, at: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return at if scale == "lin" else 10.0**at if scale == "log10" else np.exp(at)


def _scaled(scale: str, value: float) -> float:
    if scale == "lin":
        return value
    if value <= 0:
        return -math.inf
    return math.log10(value) if scale == "log10" else math.log(value)
