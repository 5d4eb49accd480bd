"""The small figure of one check: what was simulated against what was published, one number or a curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup, escape

from exotwin.report.numbers import tick
from exotwin.report.palette import BLUE, FAINT, INK, NORMAL, RULE
from exotwin.report.scoreboard.axis import Axis, fitting
from exotwin.report.scoreboard.wording import ENGLISH, BoardWords

WIDTH = 360.0
_LEFT, _RIGHT = 66.0, 12.0
_PUBLISHED, _SIMULATED, _FLOOR, _HEIGHT = 13.0, 33.0, 48.0, 78.0  # of a figure of numbers
_CURVE_FLOOR, _CURVE_HEIGHT = 132.0, 166.0
_CURVE_LEFT = 52.0

Interval = tuple[float, float]


@dataclass(frozen=True)
class Shown:
    """What is drawn. All in ``unit``; NaN where there is nothing. One item a point of a curve, one item for a number.

    at : positions along the curve; empty for a number. patients : interval of the population. knowledge : interval of
    its statistic by what is not known. published_spread : 95 % interval. band : where the statistic is within.
    neutral : where there is no effect, or None.
    """

    unit: str
    simulated: tuple[float, ...]
    patients: tuple[Interval, ...]
    knowledge: tuple[Interval, ...]
    published: tuple[float, ...]
    published_spread: tuple[Interval, ...]
    band: tuple[Interval, ...]
    at: tuple[float, ...] = ()
    at_unit: str = ""
    neutral: float | None = None
    log: bool | None = None


def draw(shown: Shown, *, title: str, words: BoardWords = ENGLISH) -> Markup:
    """The figure as an ``<svg>`` element; empty where nothing was simulated and nothing is published as a number."""
    if not any(map(math.isfinite, (*shown.simulated, *shown.published))):
        return Markup("")
    parts, height = _curve(shown) if len(shown.at) > 1 else _numbers(shown, words)
    return Markup(
        f'<svg class="small" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _values(shown: Shown, *more: float) -> list[float]:
    """All that should lie on the axis of the quantity; an interval without end does not stretch it."""
    pairs = chain(shown.patients, shown.knowledge, shown.published_spread)
    return [*shown.simulated, *shown.published, *chain.from_iterable(pairs), *more]


def _numbers(shown: Shown, words: BoardWords) -> tuple[list[str], float]:
    more = [] if shown.neutral is None else [shown.neutral]
    more += [v for pair in shown.band for v in pair]
    axis = fitting(_values(shown, *more), _LEFT + 8, WIDTH - _RIGHT, log=shown.log)
    parts = []
    for low, high in shown.band[:1]:
        x = axis.at(low) if math.isfinite(low) else axis.start
        end = axis.at(high) if math.isfinite(high) else axis.end
        if not (math.isnan(low) or math.isnan(high)):
            parts.append(f'<rect x="{x:.1f}" y="2" width="{end - x:.1f}" height="{_FLOOR - 2:g}" fill="{NORMAL}"/>')
    if shown.neutral is not None and axis.shows(shown.neutral):
        x = axis.at(shown.neutral)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{_FLOOR:g}" stroke="{FAINT}" stroke-dasharray="3 2"/>'
        )
    parts += [_below(axis, _FLOOR, shown.unit)]
    parts += [_label(words("board.published"), _PUBLISHED), _label(words("board.simulated"), _SIMULATED)]
    parts += [_bar(axis, shown.published_spread, _PUBLISHED, INK, 1.5)]
    parts += [_bar(axis, shown.patients, _SIMULATED, BLUE, 1.3), _bar(axis, shown.knowledge, _SIMULATED, BLUE, 4.5)]
    parts += [_dot(axis.at(v), _PUBLISHED, INK, square=True) for v in shown.published[:1] if math.isfinite(v)]
    parts += [_dot(axis.at(v), _SIMULATED, BLUE) for v in shown.simulated[:1] if math.isfinite(v)]
    return parts, _HEIGHT


def _curve(shown: Shown) -> tuple[list[str], float]:
    across = fitting(shown.at, _CURVE_LEFT + 4, WIDTH - _RIGHT)
    up = fitting(_values(shown), _CURVE_FLOOR, 8, log=shown.log)
    parts = [_below(across, _CURVE_FLOOR, shown.at_unit), _beside(up, shown.unit)]
    parts += [_ribbon(across, up, shown.at, shown.patients, 0.14), _ribbon(across, up, shown.at, shown.knowledge, 0.3)]
    path = "L".join(
        f"{across.at(x):.1f} {up.at(y):.1f}" for x, y in zip(shown.at, shown.simulated, strict=True) if math.isfinite(y)
    )
    parts.append(f'<path d="M{path}" fill="none" stroke="{BLUE}" stroke-width="1.8"/>' if path else "")
    for x, y in zip(shown.at, shown.simulated, strict=True):
        parts.append(_dot(across.at(x), up.at(y), BLUE, r=2.4) if math.isfinite(y) else "")
    for x, y, (low, high) in zip(shown.at, shown.published, shown.published_spread, strict=True):
        if math.isfinite(low) and math.isfinite(high):
            parts.append(
                f'<line x1="{across.at(x):.1f}" x2="{across.at(x):.1f}" y1="{up.at(low):.1f}" y2="{up.at(high):.1f}" '
                f'stroke="{INK}" stroke-width="1.3"/>'
            )
        parts.append(_dot(across.at(x), up.at(y), INK, square=True) if math.isfinite(y) else "")
    return parts, _CURVE_HEIGHT


def _ribbon(across: Axis, up: Axis, at: Sequence[float], pairs: Sequence[Interval], opacity: float) -> str:
    kept = [(across.at(x), up.at(a), up.at(b)) for x, (a, b) in zip(at, pairs, strict=True) if math.isfinite(a + b)]
    if len(kept) < 2:
        return ""
    edge = [f"{x:.1f} {low:.1f}" for x, low, _ in kept] + [f"{x:.1f} {high:.1f}" for x, _, high in reversed(kept)]
    return f'<path d="M{"L".join(edge)}Z" fill="{BLUE}" fill-opacity="{opacity}"/>'


def _below(axis: Axis, floor: float, unit: str) -> str:
    middle = (axis.start + axis.end) / 2
    line = f'<line x1="{axis.start:.1f}" x2="{axis.end:.1f}" y1="{floor:g}" y2="{floor:g}" stroke="{FAINT}"/>'
    marks = "".join(
        f'<line x1="{axis.at(v):.1f}" x2="{axis.at(v):.1f}" y1="{floor:g}" y2="{floor + 3:g}" stroke="{FAINT}"/>'
        f'<text class="tick" x="{axis.at(v):.1f}" y="{floor + 13:g}" text-anchor="middle">{tick(v)}</text>'
        for v in _apart(axis, axis.ticks())
    )
    name = f'<text class="tick" x="{middle:.1f}" y="{floor + 26:g}" text-anchor="middle">{escape(unit)}</text>'
    return f"{line}{marks}{name}"


def _beside(axis: Axis, unit: str) -> str:
    x = _CURVE_LEFT
    marks = "".join(
        f'<line x1="{x:g}" x2="{WIDTH - _RIGHT:g}" y1="{axis.at(v):.1f}" y2="{axis.at(v):.1f}" stroke="{RULE}" '
        f'stroke-width=".7"/><text class="tick" x="{x - 5:g}" y="{axis.at(v) + 3.5:.1f}" text-anchor="end">'
        f"{tick(v)}</text>"
        for v in axis.ticks(4)
    )
    middle = (axis.start + axis.end) / 2
    return (
        f'{marks}<text class="tick" transform="translate(9 {middle:.1f}) rotate(-90)" '
        f'text-anchor="middle">{escape(unit)}</text>'
    )


def _apart(axis: Axis, values: Sequence[float]) -> list[float]:
    """The ticks whose numbers do not touch, about 6 px a character."""
    kept: list[float] = []
    end = -math.inf
    for v in values:
        half = 3.1 * len(tick(v)) + 3
        if axis.at(v) - half > end and axis.at(v) + half < WIDTH + 2:
            kept.append(v)
            end = axis.at(v) + half
    return kept


def _label(text: str, y: float) -> str:
    return f'<text class="name" x="0" y="{y + 3.8:g}">{escape(text)}</text>'


def _bar(axis: Axis, pairs: Sequence[Interval], y: float, colour: str, width: float) -> str:
    return "".join(
        f'<line x1="{axis.at(low):.1f}" x2="{axis.at(high):.1f}" y1="{y:g}" y2="{y:g}" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
        for low, high in pairs[:1]
        if not math.isnan(low + high)
    )


def _dot(x: float, y: float, colour: str, *, square: bool = False, r: float = 4.0) -> str:
    if square:
        return f'<rect x="{x - 3.4:.1f}" y="{y - 3.4:.1f}" width="6.8" height="6.8" fill="{colour}" stroke="#fff"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" fill="{colour}" stroke="#fff"/>'
