"""Courses of the observables with bands, and below each the mean difference from the comparator."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from exotwin.report import facts
from exotwin.report.figures.shared import Drawing, Sheet, calendar, legend, log_ticks, plain_ticks, quiet, side_label
from exotwin.report.palette import FAINT, NORMAL, Stroke, arm_strokes
from exotwin.report.wording import Words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from exotwin.trial import TrialResult

_LEFT, _TOP, _UPPER, _GAP, _LOWER, _FOOT = 0.62, 0.86, 1.62, 0.16, 0.78, 0.95


def draw(result: TrialResult, words: Words, curves: pd.DataFrame, differences: pd.DataFrame) -> Drawing:
    """Small multiples, three a row, of every observable in ``curves``; ``differences`` below each."""
    names = list(curves["observable"].unique())
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    row_height = _UPPER + _GAP + _LOWER + _FOOT
    sheet = Sheet(_TOP + rows * row_height - 0.4) if columns > 1 else Sheet(_TOP + row_height - 0.35, width=5.4)
    slot = (sheet.width - 0.1) / columns
    strokes = arm_strokes(facts.arms(result), comparator=result.study.comparator)
    step = min(1.9, (sheet.width - 0.3) / max(1, len(strokes)))
    legend(sheet, [(s, words.arm(a)) for a, s in strokes.items()], left=_LEFT - 0.5, top=0.18, step=step)
    for k, name in enumerate(names):
        row, column = divmod(k, columns)
        left, top = column * slot + _LEFT, _TOP + row * row_height
        width = slot - _LEFT - 0.22
        upper = sheet.panel(left, top, width, _UPPER)
        lower = sheet.panel(left, top + _UPPER + _GAP, width, _LOWER)
        _course(upper, result, words, curves[curves["observable"] == name], strokes)
        _difference(lower, result, words, differences[differences["observable"] == name], strokes)
    title = words("outcome.curves") if len(names) > 1 else words.label(result.model.observables[names[0]])
    return Drawing("curves", sheet.figure, title)


def _course(axes: Axes, result: TrialResult, words: Words, table: pd.DataFrame, strokes: dict[str, Stroke]) -> None:
    observable = result.model.observables[str(table["observable"].iloc[0])]
    share = bool((table["kind"] == "share").any())
    logarithmic = observable.log and not share
    scale = 100.0 if share else 1.0
    for name, stroke in strokes.items():
        one = table[table["arm"] == name]
        middle, low, high = (scale * one[c].to_numpy(dtype=float) for c in ("middle", "low", "high"))
        day = one["day"].to_numpy(dtype=float)
        if name == result.study.comparator or share:
            axes.fill_between(day, low, high, color=stroke.colour, alpha=0.12, linewidth=0)
        else:  # all arms treat the same patients: fills would lie upon each other and hide what differs
            for edge in (low, high):
                axes.plot(day, edge, color=stroke.colour, linestyle=stroke.dashes, linewidth=0.7)
        axes.plot(day, middle, color=stroke.colour, linestyle=stroke.dashes)
    if logarithmic:
        axes.set_yscale("log")
        log_ticks(axes.yaxis, n=5)
    else:
        axes.set_ylim(bottom=0)
        plain_ticks(axes.yaxis)
    if observable.normal is not None and not share:
        _normal(axes, words, observable.normal)
    unit = words.unit(observable.unit)
    side_label(axes, "%" if share else unit)
    title = _share_label(result, words, observable.id) if share else words.label(observable)
    axes.set_title("\n".join(textwrap.wrap(title, 34)) if words.language == "en" else title)
    calendar(axes, words, last=float(table["day"].max()), label=False)
    axes.tick_params(labelbottom=False)


def _share_label(result: TrialResult, words: Words, observable: str) -> str:
    """The endpoint's name: a share of patients is not what the observable itself is called."""
    table = result.endpoints
    row = table[(table["observable"] == observable) & (table["kind"] == "share")].iloc[0]
    return str(row["label_zh"]) if words.language == "zh" and row["label_zh"] else str(row["label"])


def _normal(axes: Axes, words: Words, normal: tuple[float, float]) -> None:
    """The normal range as a shade, its nearer edge always in view: how far away it is belongs to the answer."""
    bottom, top = axes.get_ylim()
    low, high = normal
    logarithmic = axes.get_yscale() == "log"
    span = 0.12 * (top - bottom)
    if top < high:
        top = max(top, low * 1.6 if logarithmic else low + span)
    if bottom > low:
        bottom = min(bottom, high / 1.6 if logarithmic else high - span)
    axes.set_ylim(bottom, top)
    axes.axhspan(max(low, bottom), min(high, top), color=NORMAL, zorder=0, linewidth=0)
    at = min(high, top)
    axes.annotate(
        words("figure.normal"),
        (1, at),
        xycoords=("axes fraction", "data"),
        xytext=(-3, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=7.5,
        color="#3a6b52",
    )


def _difference(axes: Axes, result: TrialResult, words: Words, table: pd.DataFrame, strokes: dict[str, Stroke]) -> None:
    kind = str(table["effect_kind"].iloc[0]) if len(table) else ""
    ratio, scale = kind.startswith("ratio"), 100.0 if kind == "risk difference" else 1.0
    axes.axhline(1.0 if ratio else 0.0, color=FAINT, linewidth=0.8)
    for name in table["arm"].unique():
        one, stroke = table[table["arm"] == name], strokes[str(name)]
        middle, low, high = (scale * one[c].to_numpy(dtype=float) for c in ("effect", "low", "high"))
        day = one["day"].to_numpy(dtype=float)
        axes.fill_between(day, low, high, color=stroke.colour, alpha=0.13, linewidth=0)
        for edge in (low, high):
            axes.plot(day, edge, color=stroke.colour, linewidth=0.6, alpha=0.7)
        axes.plot(day, middle, color=stroke.colour, linestyle=stroke.dashes)
    if table.empty or not np.isfinite(table["effect"]).any():
        quiet(axes, words("word.unknown"))
    plain_ticks(axes.yaxis, n=3)
    side_label(axes, words("outcome.ratio_short" if ratio else "outcome.difference_short"))
    calendar(axes, words, last=float(result.dataset["time"].values.max()))
