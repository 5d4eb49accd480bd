"""Copies delivered to a target cell against copies needed, one row a mediator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from exotwin.report.figures.shared import Drawing, Sheet, log_ticks
from exotwin.report.numbers import number
from exotwin.report.palette import FAINT, INK, NORMAL, RULE, Stroke
from exotwin.report.wording import Words

if TYPE_CHECKING:
    import pandas as pd

_ROW, _HEAD = 0.27, 0.5


def draw(words: Words, table: pd.DataFrame, strokes: dict[str, Stroke]) -> Drawing:
    """Rows of the table ``copies``: a point with its interval for each mediator and arm."""
    mediators, arms = list(table["mediator"].unique()), list(table["arm"].unique())
    lanes = len(mediators) * len(arms)
    sheet = Sheet(_HEAD + lanes * _ROW + 0.55, width=7.4)
    axes = sheet.panel(1.35, _HEAD, 5.8, lanes * _ROW)
    positive = [float(v) for c in ("low", "delivered", "needed") for v in table[c] if v and v > 0 and math.isfinite(v)]
    low, high = min(positive), max(*positive, float(table["high"].max()))
    axes.set_xscale("log")
    axes.set_xlim(10 ** (math.floor(math.log10(low)) - 0.3), 10 ** (math.ceil(math.log10(high)) + 0.5))
    axes.set_ylim(lanes, 0)
    for first, last, needed in _bands(table, mediators):
        below, above = 1 - last / len(mediators), 1 - first / len(mediators)
        axes.axvspan(needed, axes.get_xlim()[1], below, above, color=NORMAL, zorder=0, linewidth=0)
        axes.axvline(needed, below, above, color="#3a6b52", linewidth=1.2)
        axes.annotate(
            words("figure.needed", n=number(needed)),
            (needed, first * len(arms)),
            xytext=(-4, -9 if first else 5),
            textcoords="offset points",
            ha="right",
            fontsize=8.5,
            color="#2f5f48",
        )
    for m, mediator in enumerate(mediators):
        middle = (m + 0.5) * len(arms)
        axes.text(-0.015, middle, mediator, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=9)
        if m:
            axes.axhline(m * len(arms), color=RULE, linewidth=0.6)
        for a, arm in enumerate(arms):
            row = table[(table["mediator"] == mediator) & (table["arm"] == arm)]
            _lane(axes, words, row.iloc[0] if len(row) else None, m * len(arms) + a + 0.5, strokes[arm])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", visible=False)
    log_ticks(axes.xaxis, n=10)
    axes.set_xlabel(words("figure.copies_per_cell"))
    if len(arms) > 1:
        from exotwin.report.figures.shared import legend

        legend(sheet, [(strokes[a], words.arm(a)) for a in arms], left=0.1, top=0.14, step=1.9)
    return Drawing("copies", sheet.figure, words("exposure.copies"))


def _bands(table: pd.DataFrame, mediators: list[str]) -> list[tuple[int, int, float]]:
    """Neighbouring mediators of which as many are needed: the first, the one after the last, how many."""
    each = [float(table.loc[table["mediator"] == m, "needed"].iloc[0]) for m in mediators]
    starts = [k for k, needed in enumerate(each) if k == 0 or needed != each[k - 1]]
    return [(k, end, each[k]) for k, end in zip(starts, [*starts[1:], len(each)], strict=True)]


def _lane(axes: object, words: Words, row: pd.Series | None, y: float, stroke: Stroke) -> None:
    delivered = math.nan if row is None else float(row["delivered"])
    if not delivered > 0:
        empty = "figure.nothing" if delivered == 0 else "figure.not_measured"
        axes.text(0.01, y, words(empty), transform=axes.get_yaxis_transform(), va="center", fontsize=8, color=FAINT)  # type: ignore[attr-defined]
        return
    assert row is not None
    axes.plot([row["low"], row["high"]], [y, y], color=stroke.colour, linewidth=1.6)  # type: ignore[attr-defined]
    axes.plot([delivered], [y], marker=stroke.marker, color=stroke.colour, markersize=5.5, markeredgecolor="white")  # type: ignore[attr-defined]
    axes.text(row["high"], y, f"  {number(delivered, digits=2)}", va="center", fontsize=8, color=INK)  # type: ignore[attr-defined]
