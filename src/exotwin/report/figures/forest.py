"""Effects in the three readings, endpoint by endpoint: interval, the effect in each draw, the better side shaded."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from exotwin.report import facts
from exotwin.report.figures.shared import Drawing, Sheet, plain_ticks, root
from exotwin.report.palette import FAINT, INK, NORMAL, RULE, Stroke, arm_strokes
from exotwin.report.wording import Words

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes

    from exotwin.trial import TrialResult

_LANE = 0.27
_HEAD, _FOOT = 0.5, 0.5
_MARKERS = {"animal": "o", "animal untranslated": "s", "copies": "D"}


def draw(result: TrialResult, words: Words, rows: pd.DataFrame, draws: pd.DataFrame) -> Drawing:
    """A panel an endpoint, three a row; lanes: readings within arms. ``rows``: endpoints at their last time."""
    compared = rows[rows["arm"] != result.study.comparator]
    names = list(compared["endpoint"].unique())
    arms, readings = facts.treated(result), facts.readings(result)
    lanes = len(arms) * (len(readings) + 1)
    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    height = _HEAD + lanes * _LANE + _FOOT
    left = 2.3
    sheet = Sheet(lines * height)
    slot = (sheet.width - left) / 3
    strokes = arm_strokes(facts.arms(result), comparator=result.study.comparator)
    for k, name in enumerate(names):
        line, column = divmod(k, columns)
        axes = sheet.panel(left + column * slot, line * height + _HEAD, slot - 0.2, lanes * _LANE)
        one = compared[compared["endpoint"] == name]
        _panel(axes, result, words, one, draws[draws["endpoint"] == name], strokes)
        if column == 0:
            _lane_names(axes, result, words, strokes)
    return Drawing("readings", sheet.figure, words("outcome.forest"))


def _panel(
    axes: Axes, result: TrialResult, words: Words, rows: pd.DataFrame, draws: pd.DataFrame, strokes: dict[str, Stroke]
) -> None:
    arms, readings = facts.treated(result), facts.readings(result)
    first = rows.iloc[0]
    scale = 100.0 if first["effect_kind"] == "risk difference" else 1.0
    none = float(rows["no_effect"].dropna().iloc[0]) * scale if rows["no_effect"].notna().any() else 0.0
    block = len(readings) + 1  # one lane for the arm's name
    axes.set_ylim(len(arms) * block, 0)
    lanes = []
    extent = [none]
    for a, arm in enumerate(arms):
        for r, reading in enumerate(readings):
            found = rows[(rows["arm"] == arm) & (rows["reading"] == reading)]
            dots = draws[(draws["arm"] == arm) & (draws["reading"] == reading)]["effect"].to_numpy(dtype=float) * scale
            row = found.iloc[0] if len(found) and np.isfinite(found["effect"].iloc[0]) else None
            extent += [] if row is None else [float(row["low"]) * scale, float(row["high"]) * scale, *dots]
            lanes.append((a * block + r + 1.45, row, dots, strokes[arm]))
        if a:
            axes.axhline(a * block, color=RULE, linewidth=0.7)
    low, high = min(extent), max(extent)
    pad = (high - low) * 0.08 or 0.5
    for y, row, dots, stroke in lanes:
        if row is None:
            where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "center", "va": "center"}
            axes.text(0.5, y, words("word.unknown"), fontsize=7.5, color=FAINT, **where)
            continue
        _lane(axes, row, y, stroke, scale)
        if np.ptp(dots) > 0.01 * (high - low):  # else all would lie under the marker
            _dots(axes, dots, y, stroke)
    axes.set_xlim(low - pad, high + pad)
    better = (none, high + pad) if first["better"] == "higher" else (low - pad, none)
    axes.axvspan(*better, color=NORMAL, alpha=0.75, zorder=0, linewidth=0)
    axes.axvline(none, color=FAINT, linewidth=0.9)
    axes.set_yticks([])
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    plain_ticks(axes.xaxis, n=4)
    title = str(first["label_zh"]) if words.language == "zh" and first["label_zh"] else str(first["label"])
    axes.set_title("\n".join(textwrap.wrap(title, 30)) if words.language == "en" else title)
    axes.set_xlabel(_axis(first, words), labelpad=2)


def _axis(row: pd.Series, words: Words) -> str:
    kind = str(row["effect_kind"])
    if kind == "risk difference":
        return words("figure.points")
    if kind.startswith("ratio"):
        return words("figure.ratio")
    unit = words.unit(str(row["effect_unit"]))
    return words("figure.difference", unit=unit) if unit else words("outcome.difference_short")


def _lane(axes: Axes, row: pd.Series, y: float, stroke: Stroke, scale: float) -> None:
    effect, low, high = (float(row[c]) * scale for c in ("effect", "low", "high"))
    main = bool(row["main"])
    axes.plot([low, high], [y, y], color=stroke.colour, linewidth=2.0 if main else 1.1)
    axes.plot(
        [effect],
        [y],
        marker=_MARKERS.get(str(row["reading"]), "o"),
        markersize=6 if main else 4.8,
        color=stroke.colour,
        markerfacecolor=stroke.colour if main else "white",
        markeredgewidth=1.1,
    )


def _dots(axes: Axes, dots: npt.NDArray[np.float64], y: float, stroke: Stroke) -> None:
    # steps of the golden ratio: no two neighbours lie beside each other
    spread = y + 0.3 + 0.22 * ((np.arange(dots.size) * 0.618) % 1 - 0.5)
    axes.plot(dots, spread, "o", markersize=2.3, color=stroke.colour, alpha=0.45, markeredgewidth=0)


def _lane_names(axes: Axes, result: TrialResult, words: Words, strokes: dict[str, Stroke]) -> None:
    readings = facts.readings(result)
    for a, arm in enumerate(facts.treated(result)):
        top = a * (len(readings) + 1)
        axes.text(
            -2.2,
            top + 0.5,
            words.arm(arm),
            transform=_inches(axes),
            va="center",
            fontsize=9,
            fontweight="bold",
            color=strokes[arm].colour,
        )
        for r, reading in enumerate(readings):
            main = reading == result.study.potency
            axes.text(
                -0.1,
                top + r + 1.45,
                words(f"reading.{reading}"),
                transform=_inches(axes),
                ha="right",
                va="center",
                fontsize=8,
                fontweight="bold" if main else "normal",
                color=INK,
            )


def _inches(axes: Axes) -> Any:
    """x in inches from the panel's left edge, y in data."""
    from matplotlib.transforms import Affine2D, blended_transform_factory

    figure = root(axes)
    x = Affine2D().translate(axes.bbox.x0 / figure.dpi, 0) + figure.dpi_scale_trans
    return blended_transform_factory(x, axes.transData)
