"""Where the dose is over the first days, arm by arm, and how much of the lung's capillaries cells plug."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.report.figures.shared import Drawing, Sheet, first_days, log_ticks, plain_ticks, side_label
from exotwin.report.palette import INK, PLACES, RULE, TARGET, Stroke
from exotwin.report.tables.exposure import PER_DOSE, place_of
from exotwin.report.wording import Words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from exotwin.trial import TrialResult

_FLOOR = 1e-4  # % of dose below which a place counts as empty in the picture
_OTHER = Stroke("#8a6d3b", (0, (2, 1)), "v")


def draw(result: TrialResult, words: Words, table: pd.DataFrame) -> Drawing | None:
    """Per cent of the dose in each place, a panel an arm; None if no arm puts anything anywhere."""
    table = table[table["unit"] == PER_DOSE]
    arms = list(table["arm"].unique())
    if not arms:
        return None
    columns = min(3, len(arms))
    rows = -(-len(arms) // columns)
    sheet = Sheet(0.35 + rows * 3.05, width=9.2 if columns > 1 else 6.0)
    slot = (sheet.width - 0.1) / columns
    lowest = max(_FLOOR, float(table.loc[table["median"] > 0, "median"].min()) / 3)
    for k, arm in enumerate(arms):
        row, column = divmod(k, columns)
        axes = sheet.panel(column * slot + 0.62, 0.42 + row * 3.05, slot - 1.72, 2.1)
        one = table[table["arm"] == arm]
        _places(axes, result, words, one, lowest)
        axes.set_title(words.arm(arm))
        side_label(axes, words("figure.percent_of_dose") if column == 0 else "")
        first_days(axes, words, [max(float(one["day"].min()), 1 / 1440), float(one["day"].max())])
    return Drawing("exposure", sheet.figure, words("title.exposure"))


def _places(axes: Axes, result: TrialResult, words: Words, table: pd.DataFrame, lowest: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(lowest, 200)
    ends: list[tuple[float, bool, str, Stroke]] = []
    for name in table["exposure"].unique():
        one = table[(table["exposure"] == name) & (table["day"] > 0)]
        place = place_of(result, str(name))
        assert place is not None  # only places are per cent of the dose
        target = place[1] in ("target", result.model.target)
        stroke = TARGET if target else PLACES.get(place[1], _OTHER)
        day, middle = one["day"].to_numpy(dtype=float), one["median"].to_numpy(dtype=float)
        axes.fill_between(
            day,
            one["p5"].clip(lower=lowest),
            one["p95"].clip(lower=lowest),
            color=stroke.colour,
            alpha=0.12,
            linewidth=0,
        )
        axes.plot(day, middle, color=stroke.colour, linestyle=stroke.dashes, linewidth=2.2 if target else 1.5)
        label = words.known(f"figure.{place[1]}", words.label(result.model.exposures[str(name)]))
        if len(middle) and middle.max() > 0:
            seen = bool(middle[-1] > lowest)
            # what has left the picture is named at the height that it had
            ends.append((max(float(middle[-1] if seen else middle.max()), lowest), seen, label, stroke))
    log_ticks(axes.yaxis, n=8)
    _names(axes, ends, lowest)


def _names(axes: Axes, ends: list[tuple[float, bool, str, Stroke]], lowest: float) -> None:
    """Names at the ends of the lines, moved apart where they would overlap."""
    import math

    span = math.log10(200 / lowest)
    previous = -1.0
    for value, seen, label, stroke in sorted(ends, key=lambda e: e[0]):
        at = max(math.log10(value / lowest) / span, previous + 0.085)
        previous = at
        line = {"arrowstyle": "-", "color": RULE, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
        axes.annotate(
            label,
            (1.0, math.log10(value / lowest) / span),
            xycoords="axes fraction",
            xytext=(1.05, at),
            textcoords="axes fraction",
            va="center",
            fontsize=8.5,
            color=stroke.colour,
            fontweight="bold" if stroke.colour == INK else "normal",
            arrowprops=line if seen else None,
        )


def obstruction(words: Words, table: pd.DataFrame, strokes: dict[str, Stroke]) -> Drawing | None:
    """Share of lung capillaries closed; None if no arm plugs any."""
    table = table[table["exposure"] == "obstruction_index"]
    if table.empty:
        return None
    sheet = Sheet(2.5, width=5.4)
    axes = sheet.panel(0.72, 0.3, 3.5, 1.65)
    for arm in table["arm"].unique():
        one, stroke = table[(table["arm"] == arm) & (table["day"] > 0)], strokes[str(arm)]
        day, middle, low, high = (one[c].to_numpy(dtype=float) for c in ("day", "median", "p5", "p95"))
        axes.fill_between(day, 100 * low, 100 * high, color=stroke.colour, alpha=0.15, linewidth=0)
        axes.plot(day, 100 * middle, color=stroke.colour, linestyle=stroke.dashes)
        axes.annotate(
            words.arm(str(arm)),
            (day[-1], 100 * middle[-1]),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=stroke.colour,
        )
    axes.set_ylim(bottom=0)
    plain_ticks(axes.yaxis)
    side_label(axes, words("figure.obstruction"), inches=0.55)
    first_days(axes, words, [max(float(table["day"].min()), 1 / 1440), float(table["day"].max())])
    return Drawing("obstruction", sheet.figure, words("exposure.obstruction"))
