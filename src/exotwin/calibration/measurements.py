"""The table of measurements: what the fits aim at, and what they are held against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from exotwin.calibration.result import Comparison
from exotwin.errors import CalibrationError, InputError
from exotwin.tables import Row, read_csv

_TABLE = Path(__file__).with_name("measurements.csv")
_COLUMNS = ("calibration", "quantity", "at", "value", "low", "high", "deviation", "unit", "role", "record", "note")


@dataclass(frozen=True)
class Measurement:
    """A row: a value with its 95 % limits (NaN: none), its standard error in the fit, and the record it stands in."""

    quantity: str
    at: float
    value: float
    low: float
    high: float
    error: float
    unit: str
    role: str
    record: str
    note: str

    def beside(self, simulated: float) -> Comparison:
        """The measurement beside what the model gives."""
        return Comparison(
            self.quantity,
            self.at,
            self.value,
            self.low,
            self.high,
            simulated,
            self.unit,
            self.role,
            self.record,
            self.note,
        )


def measurements(calibration: str) -> tuple[Measurement, ...]:
    """Rows of one fit, in the order of the table.

    Raises
    ------
    CalibrationError : a cell that is no number, a role that does not exist, a fit without rows.
    """
    rows = [r for r in read_csv(_TABLE, _COLUMNS, error=InputError) if r["calibration"] == calibration]
    if not rows:
        raise CalibrationError(str(_TABLE), found=f'no rows of "{calibration}"', expected="measurements to fit")
    return tuple(_measurement(row) for row in rows)


def _measurement(row: Row) -> Measurement:
    at, value, low, high, deviation = (_number(row, c) for c in ("at", "value", "low", "high", "deviation"))
    if row["role"] not in ("fit", "check") or math.isnan(value):
        raise CalibrationError(row.where, found=f'role "{row["role"]}"', expected='a value, and "fit" or "check"')
    error = (high - low) / 3.92 if math.isnan(deviation) else deviation
    return Measurement(
        row["quantity"], at, value, low, high, error, row["unit"], row["role"], row["record"], row["note"]
    )


def _number(row: Row, column: str) -> float:
    if not row[column]:
        return math.nan
    try:
        return float(row[column])
    except ValueError as fault:
        raise CalibrationError(f"{row.where}, {column}", found=f'"{row[column]}"', expected="a number") from fault
