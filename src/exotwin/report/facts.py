"""Small readings of a trial result that several parts of the report share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from exotwin.trial import TrialResult

Direction = Literal["better", "worse", "unclear", "unknown"]

Row = Mapping[str, Any]

LITTLE, LITTLE_SHARE = 0.1, 0.02
"""Below these an effect is told as "very little": part of the spread between patients; difference of shares."""
NOISE = 100.0
"""Relative tolerances of the solver below which an effect is its error and no effect."""
NOT_FAILED = ("ok", "not measured")
"""Outcomes of a course that are no failure: computed to the end, or nothing to compute (no cargo was measured)."""


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows of a table with their cells as attributes; what a column holds is the business of its table."""
    return iter(frame.itertuples(index=False))


def dicts(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table by column name."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict(orient="records")]


def arms(result: TrialResult) -> tuple[str, ...]:
    """Names of the arms, as the study orders them."""
    return tuple(str(a) for a in result.dataset["arm"].values)


def treated(result: TrialResult) -> tuple[str, ...]:
    """Arms other than the comparator."""
    return tuple(a for a in arms(result) if a != result.study.comparator)


def with_product(result: TrialResult) -> tuple[str, ...]:
    """Arms other than the comparator that give a product; readings are of these alone."""
    return tuple(a for a in treated(result) if result.study.arms[a].give is not None)


def readings(result: TrialResult) -> tuple[str, ...]:
    """The readings that were run, the main one first."""
    main = result.study.potency
    return (main, *(str(r) for r in result.dataset["reading"].values if str(r) != main))


def observables(result: TrialResult) -> tuple[str, ...]:
    """Ids of the observables, in the order of the condition's page."""
    return tuple(name for name in result.model.observables if name in result.dataset.data_vars)


def last_rows(result: TrialResult) -> pd.DataFrame:
    """Rows of `endpoints` at the last time of each endpoint, all readings."""
    table = result.endpoints
    last = table.groupby("endpoint")["day"].transform("max")
    return table[table["day"] == last]


def main_rows(result: TrialResult) -> pd.DataFrame:
    """Rows of `endpoints` in the main reading at the last time of each endpoint."""
    table = last_rows(result)
    return table[table["reading"] == result.study.potency]


def direction(row: Row) -> Direction:
    """What the 95 % interval says of a comparison: better, worse, or unclear because it holds no effect.

    "unknown": there is no comparison, as in the comparator's own row or where nobody could be computed.
    """
    low, high, none = (float(row[k]) for k in ("low", "high", "no_effect"))
    if not low <= high:  # also NaN
        return "unknown"
    if low <= none <= high:
        return "unclear"
    return "better" if (low > none) == (row["better"] == "higher") else "worse"


def is_little(row: Row, comparator: Row | None) -> bool:
    """Whether an effect is less than a tenth of what separates 5 % from 95 % of the patients of the comparator.

    For a share of patients: less than 2 in 100. An effect can be sure and yet too small for a patient to notice.
    """
    if str(row["effect_kind"]) == "risk difference":
        return size(row) < LITTLE_SHARE
    if comparator is None:
        return False
    low, high = float(comparator["p5"]), float(comparator["p95"])
    if str(row["effect_kind"]).startswith("ratio") and not low > 0:
        return False
    return size(row) < LITTLE * (_additive(row, high) - _additive(row, low))


def size(row: Row) -> float:
    """How far an effect is from none, on the scale on which effects add up; NaN without a comparison."""
    if math.isnan(row["effect"]):
        return math.nan
    return abs(_additive(row, float(row["effect"])) - _additive(row, float(row["no_effect"])))


def is_noise(result: TrialResult, row: Row) -> bool:
    """Whether an effect is less than the solver's error lets one tell from none; the limit is that of ``p_better``."""
    limit = NOISE * result.study.solver.rtol
    effect, none = float(row["effect"]), float(row["no_effect"])
    if str(row["effect_kind"]) == "risk difference":
        return effect == none and row["low"] == row["high"]
    if none == 1:
        return abs(math.log(effect)) < limit
    return abs(effect) <= limit * abs(float(row["median"]))


def comparator_row(result: TrialResult, row: Row) -> Row | None:
    """The comparator's row of the same endpoint, day and reading."""
    table = result.endpoints
    same = (table["endpoint"] == row["endpoint"]) & (table["day"] == row["day"]) & (table["reading"] == row["reading"])
    found = table[same & (table["arm"] == result.study.comparator)]
    return {str(k): v for k, v in found.iloc[0].items()} if len(found) else None


def _additive(row: Row, value: float) -> float:
    """A value on the scale on which effects add up."""
    return math.log(value) if str(row["effect_kind"]).startswith("ratio") else value


def thresholds(result: TrialResult) -> dict[str, float]:
    """Observables of which the share of patients at or above a threshold is an endpoint, with that threshold."""
    rules = result.study.endpoints.values() if result.study.endpoints else result.model.endpoints
    return {r.observable: float(r.threshold) for r in rules if r.kind == "share" and r.threshold is not None}


def drawn(result: TrialResult, *, level: str = "") -> dict[str, npt.NDArray[np.float64]]:
    """Everything that was drawn, by name: (patient,); of one level if asked ("patient", "knowledge")."""
    population = result.population
    levels = (str(found) for found in population["level"].values)
    names = (str(name) for name in population["quantity"].values)
    return {
        name: values
        for name, found, values in zip(names, levels, population.values, strict=True)
        if level in ("", found)
    }
