"""What a fit gives: values with errors, measurements beside what the model makes of them, and how well it is held."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fitted:
    """A number of a parameter table as the fit finds it.

    value, se : in ``unit``; ``se`` is None where the target itself is an assumption without error.
    shipped : the number that the table holds.
    """

    parameter: str
    species: str
    value: float
    se: float | None
    unit: str
    shipped: float


@dataclass(frozen=True)
class Comparison:
    """A measurement beside the fitted model.

    at : age or time that it belongs to, NaN where it has none. observed, low, high : value and 95 % limits, NaN where
    the record has none. role : "fit" (aimed at) or "check" (not used).
    """

    quantity: str
    at: float
    observed: float
    low: float
    high: float
    simulated: float
    unit: str
    role: str
    record: str
    note: str

    @property
    def outcome(self) -> str:
        """Whether the simulated value lies within the limits: "within", "outside", or "no limits"."""
        if self.low != self.low or self.high != self.high:
            return "no limits"
        return "within" if self.low <= self.simulated <= self.high else "outside"


@dataclass(frozen=True)
class Calibration:
    """A finished fit.

    profile : (value of the fitted number, sum of squared standardised deviations), for a figure; empty where the fit
    has a closed form. identifiability : what holds the value, and what would move it. settings : how it was run.
    """

    name: str
    values: tuple[Fitted, ...]
    comparisons: tuple[Comparison, ...]
    identifiability: str
    settings: str
    profile: tuple[tuple[float, float], ...] = field(default=(), repr=False)

    @property
    def records(self) -> tuple[str, ...]:
        """Records of the measurements, in the order of the table."""
        return tuple(dict.fromkeys(c.record for c in self.comparisons if c.record))

    def __getitem__(self, parameter: str) -> Fitted:
        for fitted in self.values:
            if fitted.parameter == parameter:
                return fitted
        raise KeyError(parameter)

    def table(self) -> pd.DataFrame:
        """One row a measurement: observed with limits, simulated, role, outcome, record."""
        import pandas as pd

        columns = ["quantity", "at", "observed", "low", "high", "simulated", "unit", "role", "record", "note"]
        rows = [{**{c: getattr(m, c) for c in columns}, "outcome": m.outcome} for m in self.comparisons]
        return pd.DataFrame(rows, columns=[*columns[:8], "outcome", *columns[8:]])

    def summary(self) -> str:
        """Values with errors beside the shipped ones, counts of checks, and what holds the fit."""
        lines = [f"calibration {self.name}: {self.settings}"]
        for v in self.values:
            error = "" if v.se is None else f" ± {v.se:.3g}"
            lines.append(f"  {v.parameter:<26} {v.value:.4g}{error} {v.unit} ({v.species}; shipped {v.shipped:.4g})")
        for role in ("fit", "check"):
            chosen = [c for c in self.comparisons if c.role == role and c.outcome != "no limits"]
            if chosen:
                within = sum(c.outcome == "within" for c in chosen)
                lines.append(f"  {role:<6} {within} of {len(chosen)} measurements with limits hold the simulated value")
        return "\n".join([*lines, f"  {self.identifiability}"])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>{self.table().to_html(index=False)}"
