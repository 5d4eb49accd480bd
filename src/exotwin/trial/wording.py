"""A result in a few lines of plain English, for the terminal and a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.trial.result import TrialResult


def summary(result: TrialResult) -> tuple[str, ...]:
    """Who was treated, then each endpoint at its last time in the main reading."""
    study, screening = result.study, result.screening
    lines = [
        study.title,
        f"{screening.n_enrolled} of {screening.n_screened} virtual patients screened; {study.population.n_draws} draws "
        f"of what is not known; reading {study.potency}; day 0 to {study.horizon_days:g}",
        f"against {study.comparator}, with 95 % interval (of what is not known and of chance; [of chance alone]):",
    ]
    rows = last_rows(result)
    for _, row in rows[rows["comparator"] != ""].iterrows():
        lines.append(f"  {row['arm']}: {row['label']}, day {row['day']:g}: {effect_in_words(dict(row))}")
    lines += [f"  note: {remark}" for remark in result.remarks]
    return (*lines, "A research tool, not medical advice.")


def headline(result: TrialResult) -> pd.DataFrame:
    """The main reading's endpoints at their last time, the columns that are read first."""
    rows = last_rows(result)
    columns = ["label", "day", "arm", "n", "median", "p5", "p95", "share", "unit", "effect", "low", "high"]
    return rows[[*columns, "effect_kind", "p_better", "nnt_text"]]


def last_rows(result: TrialResult) -> pd.DataFrame:
    """The rows of the main reading at the last day of each endpoint."""
    table = result.endpoints
    last = table.groupby("endpoint")["day"].transform("max")
    return table[table["main"] & (table["day"] == last)]


def effect_in_words(row: Mapping[str, Any]) -> str:
    """Such as ``x 1.31 (0.98 to 2.4; [1.28 to 1.35]), better with probability 93%``."""
    if math.isnan(row["effect"]):
        return "no statement"
    sign = "x " if row["no_effect"] == 1 else ""
    unit = "" if row["effect_unit"] == "dimensionless" else f" {row['effect_unit']}"
    form = ".3g" if row["no_effect"] == 1 else "+.3g"
    chance = f"[{row['low_patients']:{form}} to {row['high_patients']:{form}}]"
    text = f"{sign}{row['effect']:{form}}{unit} ({row['low']:{form}} to {row['high']:{form}}; {chance})"
    text += f", better with probability {row['p_better']:.0%}"
    return text + (f", number needed to treat: {row['nnt_text']}" if row["nnt_text"] else "")
