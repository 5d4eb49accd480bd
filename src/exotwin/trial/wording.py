"""A result in a few lines of plain English and one table, for the terminal and a notebook."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.trial.study import Study


def summary(study: Study, n_screened: int, n_enrolled: int, remarks: Sequence[str]) -> tuple[str, ...]:
    """Who was treated and how, and what the reader should know beside the table of effects."""
    lines = [
        study.title,
        f"{n_enrolled} enrolled of {n_screened} virtual patients screened, followed for {study.horizon_days:g} days; "
        f"{study.population.n_draws} draws of what is not known; reading: {study.potency}",
    ]
    return (*lines, *(f"note: {remark}" for remark in remarks), "A research tool, not medical advice.")


def effects(endpoints: pd.DataFrame) -> pd.DataFrame:
    """The main reading against the comparator: a row an endpoint and arm, a column a day, each cell in words.

    A cell such as ``x 1.31 (0.98 to 2.4) 93%``: effect, 95 % interval, probability that the arm is better. Effects on
    shares are in points (per cent points); "" where the endpoint does not have that day, "no statement" where nobody
    could be compared.
    """
    import pandas as pd

    rows = endpoints[endpoints["main"] & (endpoints["comparator"] != "")]
    named = _days(rows["day"])
    cells: dict[tuple[Any, ...], dict[str, str]] = {}
    for row in rows.to_dict(orient="records"):
        cells.setdefault((row["endpoint"], row["label"], row["arm"]), {})[named[row["day"]]] = _effect(row)
    index = pd.MultiIndex.from_tuples([names[1:] for names in cells], names=["endpoint", "arm"])
    return pd.DataFrame(list(cells.values()), index=index, columns=list(named.values())).fillna("")


class Comparison(NamedTuple):
    """One arm on one day in words. better : higher or lower. effect : "no statement" where nobody could be compared, as
    all that follows is "" then. probability : of being better."""

    endpoint: str
    better: str
    arm: str
    day: str
    effect: str
    interval: str
    probability: str


def comparisons(endpoints: pd.DataFrame) -> tuple[Comparison, ...]:
    """The main reading against the comparator in words, each arm's days one after the other."""
    rows = endpoints[endpoints["main"] & (endpoints["comparator"] != "")].to_dict(orient="records")
    days = _days(row["day"] for row in rows)
    names = [(row["endpoint"], row["arm"]) for row in rows]
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    endpoint = {name: k for k, name in enumerate(dict.fromkeys(row["endpoint"] for row in rows))}
    kept = sorted(zip(rows, names, strict=True), key=lambda one: (endpoint[one[1][0]], order[one[1]], one[0]["day"]))
    return tuple(Comparison(row["label"], row["better"], row["arm"], days[row["day"]], *_words(row)) for row, _ in kept)


def _days(days: Iterable[float]) -> dict[float, str]:
    """Day -> its name, in their order; whole days where these keep them apart."""
    rising = sorted(set(days))
    names = [f"day {day:.0f}" for day in rising]
    if len(set(names)) < len(names):
        names = [f"day {day:.12g}" for day in rising]
    return dict(zip(rising, names, strict=True))


def _effect(row: Mapping[Hashable, Any]) -> str:
    effect, interval, probability = _words(row)
    return f"{effect} ({interval}) {probability}" if interval else effect


def _words(row: Mapping[Hashable, Any]) -> tuple[str, str, str]:
    """Effect with unit, its interval, the probability of being better."""
    if math.isnan(row["effect"]):
        return "no statement", "", ""
    numbers = [row[name] for name in ("effect", "low", "high")]
    if row["no_effect"] == 1:
        # Above one, three digits would hide what is there for sure, but small.
        form, unit = ".3f" if all(0.95 < number < 1.05 for number in numbers) else ".3g", ""
        value, low, high = (f"{number:{form}}" for number in numbers)
        value = f"x {value}"
    else:
        share = row["effect_kind"] == "risk difference"
        named = "" if row["effect_unit"] == "dimensionless" else f" {row['effect_unit']}"
        scale, unit = (100.0, " points") if share else (1.0, named)
        value, low, high = (_signed(scale * number) for number in numbers)
    return f"{value}{unit}", f"{low} to {high}", f"{row['p_better']:.0%}"


def _signed(number: float) -> str:
    """Two digits with a sign, and no power of ten where a number of metres or days is read: +120, not +1.2e+02."""
    text = f"{number + 0.0:+.2g}"  # adding zero makes +0 of -0
    return f"{float(text):+,.0f}".replace(",", " ") if 100 <= abs(float(text)) < 1e6 else text
