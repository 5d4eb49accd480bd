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
        f"{n_enrolled} of {n_screened} virtual patients screened, followed for {study.horizon_days:g} days; "
        f"{study.population.n_draws} draws of what is not known; reading: {study.potency}",
    ]
    return (*lines, *(f"note: {remark}" for remark in remarks), "A research tool, not medical advice.")


def effects(endpoints: pd.DataFrame) -> pd.DataFrame:
    """The main reading against the comparator: a row an endpoint and arm, a column a day, each cell in words.

    A cell such as ``x 1.31 (0.98 to 2.4) 93%``: effect, 95 % interval, share of draws in which the arm is better.
    """
    import pandas as pd

    rows = endpoints[endpoints["main"] & (endpoints["comparator"] != "")]
    cells: dict[tuple[Any, Any], dict[str, str]] = {}
    for row in rows.to_dict(orient="records"):
        cells.setdefault((row["label"], row["arm"]), {})[f"day {row['day']:.0f}"] = _effect(row)
    index = pd.MultiIndex.from_tuples(list(cells), names=["endpoint", "arm"])
    return pd.DataFrame(list(cells.values()), index=index).fillna("")


def _effect(row: Mapping[Hashable, Any]) -> str:
    if math.isnan(row["effect"]):
        return "no statement"
    ratio = row["no_effect"] == 1
    share = row["effect_kind"] == "risk difference"
    scale, unit = (100.0, " points") if share else (1.0, "")
    if not ratio and not share and row["effect_unit"] != "dimensionless":
        unit = f" {row['effect_unit']}"
    form = ".3g" if ratio else "+.2g"
    value, low, high = (f"{scale * row[name]:{form}}" for name in ("effect", "low", "high"))
    return f"{'x ' if ratio else ''}{value}{unit} ({low} to {high}) {row['p_better']:.0%}"
