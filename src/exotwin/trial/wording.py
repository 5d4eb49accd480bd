"""A result in a few lines of plain English and one table, for the terminal and a notebook."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    days = sorted(set(rows["day"]))
    columns = [f"day {day:.0f}" for day in days]
    if len(set(columns)) < len(columns):
        columns = [f"day {day:.12g}" for day in days]
    named = dict(zip(days, columns, strict=True))
    cells: dict[tuple[Any, ...], dict[str, str]] = {}
    for row in rows.to_dict(orient="records"):
        cells.setdefault((row["endpoint"], row["label"], row["arm"]), {})[named[row["day"]]] = _effect(row)
    index = pd.MultiIndex.from_tuples([names[1:] for names in cells], names=["endpoint", "arm"])
    return pd.DataFrame(list(cells.values()), index=index, columns=columns).fillna("")


def _effect(row: Mapping[Hashable, Any]) -> str:
    if math.isnan(row["effect"]):
        return "no statement"
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
        # Adding zero makes +0 of -0.
        value, low, high = (f"{scale * number + 0.0:+.2g}" for number in numbers)
    return f"{value}{unit} ({low} to {high}) {row['p_better']:.0%}"
