"""A module's checks as points: one row a sort, since each sort is judged on a scale of its own.

Values lie on the axis of the published standard errors; directions on that of the change, counted in the published
direction; nulls on that of the bound. Points that would cover each other are stacked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from exotwin.report.numbers import number, tick
from exotwin.report.palette import BLUE, FAINT, INK, NORMAL, RULE, VERMILION
from exotwin.report.scoreboard.axis import Axis
from exotwin.report.scoreboard.wording import ENGLISH, BoardWords

WIDTH, LEFT, RIGHT = 928.0, 150.0, 118.0  # the page's width; room for the names of rows, and for their counts
_RADIUS, _APART, _STEP = 5.2, 12.6, 12.6  # of a point; between neighbours; between layers of a stack
_TALLEST = 92.0  # stack; a higher one is pushed together
_ABOVE, _TICKS, _BELOW = 9.0, 17.0, 9.0  # room above the points of a row, for its ticks, below them
_OPEN = "#fff"


@dataclass(frozen=True)
class Scale:
    """How one sort is shown. band : where a check is within; ends beyond which points become arrows."""

    sort: str
    low: float
    high: float
    band: tuple[float, float]
    ticks: tuple[tuple[float, str], ...]


SCALES = (
    Scale(
        "value",
        -6,
        6,
        (-2, 2),
        tuple((float(k), tick(k)) for k in (-6, -4, -2, 0, 2, 4, 6)),
    ),
    Scale(
        "direction",
        -1,
        1.5,
        (0.1, 1.5),
        ((-1, "−100 %"), (-0.5, "−50 %"), (0.1, "10 %"), (0.5, "50 %"), (1, "100 %"), (1.5, "150 %")),
    ),
    Scale(
        "null",
        -2,
        2,
        (-1, 1),
        ((-2, "−2"), (-1, "−1"), (0, "0"), (1, "1"), (2, "2")),
    ),
)


@dataclass(frozen=True)
class Mark:
    """One check as a point. position : on the scale of its sort, NaN if there is none. told : on hovering."""

    id: str
    sort: str
    position: float
    predicted: bool
    verdict: str
    told: str


@dataclass(frozen=True)
class _Placed:
    mark: Mark
    x: float
    layer: int


def draw(marks: Sequence[Mark], *, name: str, title: str, words: BoardWords = ENGLISH) -> Markup:
    """The strip as an ``<svg>`` element; sorts without checks have no row. name : makes its ids unique on the page."""
    rows: list[str] = []
    top = 2.0
    for scale in SCALES:
        own = [m for m in marks if m.sort == scale.sort]
        if own:
            text, height = _row(scale, own, top, words)
            rows.append(text)
            top += height
    head = (
        f'<svg class="strip" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {top:.1f}" '
        f'width="{WIDTH:g}" height="{top:.1f}" role="group" aria-labelledby="{escape(name)}-title">'
    )
    return Markup(f'{head}<title id="{escape(name)}-title">{escape(title)}</title>{"".join(rows)}</svg>')


def _row(scale: Scale, marks: Sequence[Mark], top: float, words: BoardWords) -> tuple[str, float]:
    axis = Axis(scale.low, scale.high, LEFT + 14, WIDTH - RIGHT - 14)
    placed = stacked([(m, axis) for m in marks])
    layers = 1 + max(p.layer for p in placed)
    step = min(_STEP, _TALLEST / max(layers - 1, 1))
    inner = _ABOVE + _RADIUS * 2 + (layers - 1) * step + _BELOW
    floor = top + inner
    parts = [_ground(scale, axis, top, floor), _names(scale, marks, top, floor, words)]
    for p in placed:
        y = floor - _BELOW - _RADIUS - p.layer * step
        parts.append(_point(p, y, scale))
    return "".join(parts), inner + _TICKS + 6


def stacked(marks: Sequence[tuple[Mark, Axis]]) -> list[_Placed]:
    """Points from left to right, each in the lowest layer where it touches none; left of the axis without position."""
    ordered = sorted(marks, key=lambda item: (_x(*item), item[0].id))
    ends: list[float] = []
    found: list[_Placed] = []
    for mark, axis in ordered:
        x = _x(mark, axis)
        layer = next((k for k, end in enumerate(ends) if x - end >= _APART - 1e-9), len(ends))
        ends[layer : layer + 1] = [x]
        found.append(_Placed(mark, x, layer))
    return found


def _x(mark: Mark, axis: Axis) -> float:
    if math.isnan(mark.position):
        return LEFT - 12
    if mark.position > axis.high:
        return axis.end + 12
    return axis.start - 12 if mark.position < axis.low else axis.at(mark.position)


def _ground(scale: Scale, axis: Axis, top: float, floor: float) -> str:
    low, high = axis.at(scale.band[0]), axis.at(scale.band[1])
    parts = [
        f'<rect x="{low:.1f}" y="{top:.1f}" width="{high - low:.1f}" height="{floor - top:.1f}" fill="{NORMAL}"/>',
        f'<line x1="{axis.at(0):.1f}" x2="{axis.at(0):.1f}" y1="{top:.1f}" y2="{floor:.1f}" stroke="{FAINT}" '
        f'stroke-width=".8"/>',
        f'<line x1="{axis.start:.1f}" x2="{axis.end:.1f}" y1="{floor:.1f}" y2="{floor:.1f}" stroke="{RULE}"/>',
    ]
    for at, text in scale.ticks:
        x = axis.at(at)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{floor:.1f}" y2="{floor + 3:.1f}" stroke="{FAINT}"/>'
            f'<text class="tick" x="{x:.1f}" y="{floor + 13.5:.1f}" text-anchor="middle">{text}</text>'
        )
    return "".join(parts)


def _names(scale: Scale, marks: Sequence[Mark], top: float, floor: float, words: BoardWords) -> str:
    judged = [m for m in marks if m.verdict in ("within", "outside")]
    within = sum(m.verdict == "within" for m in judged)
    y = (top + floor) / 2
    share = words("board.strip_share", within=number(within), n=number(len(judged)))
    return (
        f'<text class="row" x="0" y="{y - 1:.1f}">{escape(words.named("sort", scale.sort))}</text>'
        f'<text class="tick" x="0" y="{y + 12:.1f}">{escape(words(f"board_scale.{scale.sort}"))}</text>'
        f'<text class="share" x="{WIDTH:g}" y="{y + 4:.1f}" text-anchor="end">{escape(share)}</text>'
    )


def _point(placed: _Placed, y: float, scale: Scale) -> str:
    m = placed.mark
    beyond = 0 if math.isnan(m.position) else (m.position > scale.high) - (m.position < scale.low)
    if math.isnan(m.position):
        shape = cross(placed.x, y)
    else:
        shape = arrow(placed.x, y, beyond) if beyond else outline(m.sort, placed.x, y)
    return (
        f'<a class="point" href="#check-{escape(m.id)}" data-check="{escape(m.id)}" aria-label="{escape(m.told)}">'
        f"<title>{escape(m.told)}</title>{filled(shape, predicted=m.predicted, verdict=m.verdict)}</a>"
    )


def filled(shape: str, *, predicted: bool, verdict: str) -> str:
    """The SVG of an outline: full if predicted, hollow if calibrated; coloured by the verdict."""
    colour = {"within": BLUE, "outside": VERMILION}.get(verdict, INK)
    return f'<path d="{shape}" fill="{colour if predicted else _OPEN}" stroke="{colour}" stroke-width="1.7"/>'


def outline(sort: str, x: float, y: float, r: float = _RADIUS) -> str:
    """Path of a point: circle for a value, triangle for a direction, diamond for a null."""
    if sort == "direction":
        return (
            f"M{x:.1f} {y - 1.1 * r:.1f}L{x + 1.08 * r:.1f} {y + 0.85 * r:.1f}L{x - 1.08 * r:.1f} {y + 0.85 * r:.1f}Z"
        )
    if sort == "null":
        d = 1.18 * r
        return f"M{x:.1f} {y - d:.1f}L{x + d:.1f} {y:.1f}L{x:.1f} {y + d:.1f}L{x - d:.1f} {y:.1f}Z"
    return f"M{x - r:.1f} {y:.1f}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0Z"


def arrow(x: float, y: float, side: int, r: float = _RADIUS) -> str:
    """Path of a point that lies beyond the end of its axis, on the left (-1) or on the right (1)."""
    tip, back = x + side * 1.5 * r, x - side * 0.7 * r
    return (
        f"M{back:.1f} {y - r:.1f}L{x + side * 0.3 * r:.1f} {y - r:.1f}L{tip:.1f} {y:.1f}"
        f"L{x + side * 0.3 * r:.1f} {y + r:.1f}L{back:.1f} {y + r:.1f}Z"
    )


def cross(x: float, y: float, r: float = _RADIUS) -> str:
    """Path of a point that has no position."""
    d = 0.8 * r
    return f"M{x - d:.1f} {y - d:.1f}L{x + d:.1f} {y + d:.1f}M{x - d:.1f} {y + d:.1f}L{x + d:.1f} {y - d:.1f}"
