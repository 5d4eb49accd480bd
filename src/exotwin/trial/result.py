"""What a trial gives: trajectories, endpoints, how patients were found, and what the run rested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from exotwin.trial import arms, lot, statistics, wording

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from exotwin.biology import Model
    from exotwin.mechanism import Mechanism, Plausibility
    from exotwin.product import Product
    from exotwin.trial.comparators import Held
    from exotwin.trial.study import Study

Floats = npt.NDArray[np.float64]

COLUMNS: Mapping[str, str] = {
    "reading": "animal, animal untranslated or copies",
    "main": "whether this is the reading that the study names",
    "endpoint": "id of the endpoint's rule",
    "observable": "id of the observable",
    "label": "English name",
    "label_zh": "Chinese name",
    "day": "days after enrolment",
    "kind": "value, change or ratio (both to enrolment), share",
    "unit": "of median, p5 and p95",
    "better": "higher or lower",
    "arm": "name of the arm",
    "comparator": "name of the arm compared to; empty in the comparator's own row",
    "n": "pairs in the comparison (patients, in the comparator's own row)",
    "n_failed": "patients left out because an integration failed in this arm or in the comparator",
    "n_undefined": "patients left out because a ratio or logarithm does not exist (value not above zero)",
    "n_draws": "draws of knowledge that the patients belong to",
    "median": "median between patients of one draw, mean over draws; NaN for a share",
    "p5": "5 % of patients lie below, likewise",
    "p95": "5 % of patients lie above, likewise",
    "share": "share of patients (kind share only)",
    "share_low": "95 % limit of the share, patients only",
    "share_high": "95 % limit of the share, patients only",
    "effect_kind": "difference of means, ratio of geometric means, or risk difference; paired by virtual patient",
    "effect_unit": "unit of effect and its limits",
    "no_effect": "the value of effect that means none: 0 or 1",
    "effect": "arm against comparator",
    "low": "95 % limit, with what is not known and the number of patients",
    "high": "95 % limit, with what is not known and the number of patients",
    "low_patients": "95 % limit from the number of patients alone",
    "high_patients": "95 % limit from the number of patients alone",
    "p_better": "probability that the arm is better than the comparator, over what is not known",
    "nnt": "number needed to treat, 1 / risk difference in the better direction; negative: to harm",
    "nnt_low": "1 / the upper limit of the risk difference",
    "nnt_high": "1 / the lower limit; nnt_low and nnt_high of unlike sign: the interval runs through infinity",
    "nnt_text": "the same in words",
    "ratio_to_copies": "effect in this reading over that by counted copies (differences, or logarithms of ratios)",
}
"""Columns of `TrialResult.endpoints`, one row a reading, endpoint, day and arm; NaN or "" where nothing is said."""


@dataclass(frozen=True)
class Screening:
    """How virtual patients were found: ``n_screened`` = ``n_enrolled`` + all that were left out.

    left_out : criterion in words, record id, and how many candidates failed it first (criteria are held in order).
    failed : outcome of the integration of the untreated course before enrolment -> how many candidates.
    """

    n_screened: int
    n_enrolled: int
    left_out: tuple[tuple[str, str, int], ...]
    failed: Mapping[str, int]

    @property
    def n_failed(self) -> int:
        """Candidates whose untreated course before enrolment could not be integrated."""
        return sum(self.failed.values())

    def flow(self) -> tuple[str, ...]:
        """The flow of participants, a line each."""
        lines = [f"{self.n_screened} candidates screened"]
        lines += [f"  {n} left out: not {rule}" for rule, _, n in self.left_out]
        lines += [f"  {n} left out: integration failed ({outcome})" for outcome, n in self.failed.items()]
        return (*lines, f"{self.n_enrolled} enrolled")


@dataclass(frozen=True)
class TrialResult:
    """A simulated trial.

    dataset : (reading, arm, patient, time), one variable an observable, float32; attributes: units, label, label_zh,
        log (0 or 1). Coordinates: time (days after enrolment), draw (patient), outcome (reading, arm, patient) =
        "ok" or why the integration stopped; values after that are NaN.
    exposure : (arm, patient, time), one variable an exposure, float32, the first four weeks, finest at their start;
        main reading. Where a lot is given in both forms, also cells and uptake of vesicles in each tissue.
    values : (endpoint, reading, arm, patient), float64: what each patient brings to each row of ``endpoints``;
        coordinates rule (endpoint) and day (endpoint); a share is 0 or 1.
    population : (quantity, patient), float64: every number that was drawn or fixed by the study, by its name in the
        model; for the knowledge on products ``product:quantity``, such as ``umbilical:viability``. Coordinate level
        (quantity) = "patient", "knowledge" or "fixed by the study".
    endpoints : columns as in `COLUMNS`.
    plausibility : by arm that gives vesicles.
    added : arm -> the comparators that it adds.
    lock : versions, hashes, seed, tolerances, counts, overridden parameters.
    folder : where ``results.zarr`` lies, None if all is in memory.
    """

    study: Study
    model: Model
    products: Mapping[str, Product]
    mechanisms: Mapping[str, Mechanism]
    dataset: xr.Dataset
    exposure: xr.Dataset
    screening: Screening
    endpoints: pd.DataFrame
    plausibility: Mapping[str, tuple[Plausibility, ...]]
    lock: Mapping[str, Any]
    values: xr.DataArray = field(repr=False)
    population: xr.DataArray = field(repr=False)
    remarks: tuple[str, ...] = ()
    folder: Path | None = None
    added: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)

    def given(self, arm: str) -> Floats:
        """Each dose of the arm's product in each patient (patient,): living cells or particles; 0 without one."""
        study, drawn = self.study.arms[arm], self.drawn()
        n = int(self.population.sizes["patient"])
        if study.product is None:
            return np.zeros(n)
        return arms.given(study, self.model, self.products[study.product], drawn, n, fixed=self.study.parameters)

    def starting_cells(self, arm: str) -> Floats:
        """Living cells behind each dose of the arm's product (patient,): given as such, or those that released it."""
        study, each = self.study.arms[arm], self.given(arm)
        if study.product is None or study.give == "cells":
            return each
        drawn, product, fixed = self.drawn(), self.products[study.product], self.study.parameters
        numbers = lot.lot_parameters(study.product, product, self.model, fixed, drawn, each.size)
        return each / lot.particles_per_cell(study.product, product, self.model, numbers, drawn, each.size)

    def drawn(self, *, level: str = "") -> dict[str, Floats]:
        """What each patient was given by the draws, or by the study: name -> (patient,); of one level if asked."""
        population = self.population
        names, levels = (population[c].values.astype(str) for c in ("quantity", "level"))
        return {
            str(name): values
            for name, found, values in zip(names, levels, population.values, strict=True)
            if level in ("", str(found))
        }

    def bands(self, observable: str) -> xr.Dataset:
        """Median and 5-95 % band between patients, as in ``endpoints``, at every time.

        Returns
        -------
        (reading, arm, time): ``median``, ``p5``, ``p95`` in the observable's unit.

        Raises
        ------
        StudyError : no such observable; names the nearest.
        """
        return statistics.bands(self.dataset, observable)

    def summary(self) -> tuple[str, ...]:
        """The trial in a few lines of plain text."""
        return wording.summary(self.study, self.screening.n_screened, self.screening.n_enrolled, self.remarks)

    def effects(self) -> pd.DataFrame:
        """The main reading against the comparator in words: a row an endpoint and arm, a column a day."""
        return wording.effects(self.endpoints)

    def comparisons(self) -> tuple[wording.Comparison, ...]:
        """The same, a row an endpoint, arm and day."""
        return wording.comparisons(self.endpoints)

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in self.summary()) + self.effects().to_html(border=0)
