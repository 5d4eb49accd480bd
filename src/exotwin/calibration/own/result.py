"""What one of exotwin's own calibrations gives: numbers for the tables, and every measurement beside the model."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin.calibration.fit import Fit
from exotwin.calibration.own.definition import Definition, Target
from exotwin.calibration.own.documents import renew
from exotwin.calibration.own.tables import Cells, shown, write_cells, write_nominal
from exotwin.errors import CalibrationError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """A measurement beside the fitted model.

    time : days. low, high : 95 % limits: of a fitted row from the noise of the fit, of a check from its record; NaN
    where there are none. role : "fit", or "check" (not fitted). needs : what the model lacks for it, "" if nothing.
    """

    observable: str
    label: str
    condition: str
    time: float
    observed: float
    low: float
    high: float
    simulated: float
    role: str
    record: str
    needs: str
    note: str

    @property
    def outcome(self) -> str:
        """Whether the model lies within the limits: "within", "outside", or "no limits"."""
        if math.isnan(self.low) or math.isnan(self.high):
            return "no limits"
        return "within" if self.low <= self.simulated <= self.high else "outside"


@dataclass(frozen=True)
class Estimate:
    """A number that a calibration fits, and the row of a table that it is written to.

    value, se : in the unit of the row; of a spread, SD of the distribution (lognormal: of the natural logarithm).
    relative_se : standard error of the natural logarithm of the value. low, high : 95 % limits of the profile,
    infinite where it has none. verdict : of the profile. shipped : the number that the table holds, as ``value``;
    error_as_spread : the standard error as the row's distribution has it: of a normal one ``se``, of a lognormal one
    ``relative_se``. shipped_spread : the row's spread, as ``error_as_spread`` where the error is the spread.
    """

    target: Target
    value: float
    se: float
    relative_se: float
    error_as_spread: float
    low: float
    high: float
    verdict: str
    unit: str
    shipped: float
    shipped_se: float
    shipped_identifiability: str
    shipped_spread: float

    @property
    def identifiability(self) -> str:
        """As it stands in the table, "identifiable (0.12 to 0.19)"."""
        ends = {
            "identifiable": f" ({shown(self.low, 3)} to {shown(self.high, 3)})",
            "only a lower limit": f" ({shown(self.low, 3)})",
            "only an upper limit": f" ({shown(self.high, 3)})",
        }
        return self.verdict + ends.get(self.verdict, "")

    @property
    def held(self) -> bool:
        """Whether the data hold the number well enough for it to be called fitted."""
        return self.verdict == "identifiable" and math.isfinite(self.se)


@dataclass(frozen=True)
class OwnCalibration:
    """A finished calibration. comparisons : fitted measurements and checks, in the order of the tables."""

    definition: Definition
    fit: Fit
    estimates: tuple[Estimate, ...]
    comparisons: tuple[Comparison, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """As rows of the tables call it behind ``calibration:``."""
        return self.definition.name

    @property
    def records(self) -> tuple[str, ...]:
        """Records of all measurements, in the order of the tables."""
        return tuple(dict.fromkeys(record for c in self.comparisons for record in c.record.split()))

    def __getitem__(self, row: str) -> Estimate:
        for estimate in self.estimates:
            if estimate.target.name == row:
                return estimate
        raise KeyError(row)

    def table(self) -> pd.DataFrame:
        """One row a measurement: observed with limits, simulated, role, outcome, record, note."""
        import pandas as pd

        names = ["observable", "label", "condition", "time", "observed", "low", "high", "simulated", "role", "outcome"]
        names += ["record", "needs", "note"]
        return pd.DataFrame([[getattr(c, n) for n in names] for c in self.comparisons], columns=names)

    def summary(self) -> str:
        """Values with standard errors beside the shipped ones, how measurements and checks come out, and why."""
        wide = max(len(e.target.label) for e in self.estimates)
        lines = [f"{self.name}: {self.definition.title}"]
        lines += [
            f"  {e.target.label:<{wide}}  {shown(e.value)} ± {shown(e.se, 2)} {e.unit}  {e.identifiability}"
            f"  (table: {shown(e.shipped)})"
            for e in self.estimates
        ]
        for role, word in (("fit", "fitted measurements"), ("check", "checks")):
            chosen = [c for c in self.comparisons if c.role == role]
            limits = [c for c in chosen if c.outcome != "no limits"]
            if chosen:
                within = sum(c.outcome == "within" for c in limits)
                told = f"; of {len(limits)} with 95 % limits, the model lies within {within}" if limits else ""
                lines.append(f"  {len(chosen)} {word if len(chosen) > 1 else word.removesuffix('s')}{told}")
        lines += [f"  outside: {_told(c)}" for c in self.comparisons if c.role == "check" and c.outcome == "outside"]
        # those of the problem name observables and conditions that only the checks use
        lines += [f"  {remark}" for remark in self.fit.remarks if remark not in self.fit.problem.remarks]
        return "\n".join([*lines, f"  {self.definition.text}"])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>{self.table().to_html(index=False)}"

    def write(self) -> tuple[Path, ...]:
        """Write values, standard errors and identifiability into the parameter tables, and the fitted values into the
        problem as nominal ones; then bring the models of all calibrations up to date. Gives the files that changed.

        Calibrations that come later in `calibrations` stand on these numbers and should be refitted.

        Raises
        ------
        CalibrationError : a number that the data do not hold; a table without the row; tables that cannot be written
            to, as in an installed package.
        """
        loose = [e for e in self.estimates if not e.held]
        if loose:
            raise CalibrationError(
                f"calibration {self.name}",
                found="; ".join(f"{e.target.label}: {e.verdict}" for e in loose),
                expected="numbers that the data hold; the others stay out of calibration.toml, their rows as they were",
            )
        best = self.fit.problem.unscaled(self.fit.best.found.point)
        changed = write_cells(self.definition.root, self.name, [_cells(e) for e in self.estimates])
        changed += write_nominal(self.definition.folder, dict(zip(self.fit.problem.names, best.tolist(), strict=True)))
        return (*changed, *renew(root=self.definition.root))


def _told(c: Comparison) -> str:
    needs = f"; needs the {c.needs}" if c.needs else ""
    where = f"{c.label}, {c.condition}, time {c.time:g}"
    return f"{where}: {c.simulated:.3g}, measured {c.observed:.3g} ({c.record}{needs})"


def _cells(e: Estimate) -> Cells:
    if e.target.column == "spread":
        return Cells(e.target, spread=e.value, se=e.se, identifiability=e.identifiability)
    spread = e.error_as_spread if e.target.error_is_spread else None
    return Cells(e.target, value=e.value, spread=spread, se=e.se, identifiability=e.identifiability)
