"""Small readings of a trial result that several parts of the report share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from exotwin.trial import TrialResult

Direction = Literal["better", "worse", "unclear", "unknown"]

NOT_FAILED = ("ok", "not measured")
"""Outcomes of a course that are no failure: computed to the end, or nothing to compute (no cargo was measured)."""


def arms(result: TrialResult) -> tuple[str, ...]:
    """Names of the arms, as the study orders them."""
    return tuple(str(a) for a in result.dataset["arm"].values)


def treated(result: TrialResult) -> tuple[str, ...]:
    """Arms other than the comparator."""
    return tuple(a for a in arms(result) if a != result.study.comparator)


def readings(result: TrialResult) -> tuple[str, ...]:
    """The readings that were run, the main one first."""
    main = result.study.potency
    return (main, *(str(r) for r in result.dataset["reading"].values if str(r) != main))


def last_rows(result: TrialResult) -> pd.DataFrame:
    """Rows of `endpoints` at the last time of each endpoint, all readings."""
    table = result.endpoints
    last = table.groupby("endpoint")["day"].transform("max")
    return table[table["day"] == last]


def main_rows(result: TrialResult) -> pd.DataFrame:
    """Rows of `endpoints` in the main reading at the last time of each endpoint."""
    table = last_rows(result)
    return table[table["reading"] == result.study.potency]


def direction(row: Mapping[str, object] | pd.Series) -> Direction:
    """What the 95 % interval says of a comparison: better, worse, or unclear because it holds no effect.

    "unknown": there is no comparison, as in the comparator's own row or where nobody could be computed.
    """
    low, high, none = (float(row[k]) for k in ("low", "high", "no_effect"))  # type: ignore[arg-type]
    if not low <= high:  # also NaN
        return "unknown"
    if low <= none <= high:
        return "unclear"
    return "better" if (low > none) == (row["better"] == "higher") else "worse"


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
