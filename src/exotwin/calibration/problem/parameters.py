"""The parameter table: what is estimated, what is fixed, and how a name or number elsewhere refers to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exotwin.calibration.problem.problem import Parameter, Prior, Source
from exotwin.calibration.problem.tables import Table, as_number, quoted
from exotwin.errors import InputError, nearest

REQUIRED = ("parameterId", "parameterScale", "lowerBound", "upperBound", "estimate")
OPTIONAL = (
    "parameterName",
    "nominalValue",
    "initializationPriorType",
    "initializationPriorParameters",
    "objectivePriorType",
    "objectivePriorParameters",
)

_SCALES = ("lin", "log", "log10")
_UNIFORM = "parameterScaleUniform"
_PRIORS = (
    _UNIFORM,
    "uniform",
    "normal",
    "laplace",
    "logNormal",
    "logLaplace",
    "parameterScaleNormal",
    "parameterScaleLaplace",
)
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Names:
    """The names of a parameter table. rows : where each stands."""

    estimated: Mapping[str, Parameter]
    fixed: Mapping[str, float]
    rows: Mapping[str, int]

    def get(self, name: str) -> Source | None:
        """What a name of the table stands for; None if it is no such name."""
        return name if name in self.estimated else self.fixed.get(name)

    def source(self, where: str, text: str, what: str = "a number, or a parameter of the parameter table") -> Source:
        """What a cell refers to.

        Raises
        ------
        InputError : no number and no name of the table, or a number that is not finite.
        """
        value = as_number(text)
        if value is not None and math.isfinite(value):
            return value
        found = self.get(text)
        if value is not None or found is None:
            near = nearest(text, self.rows) if value is None else None
            raise InputError(where, found=quoted(text), expected=what, nearest=near)
        return found


def resolve_parameters(table: Table) -> tuple[Names, tuple[str, ...]]:
    """The table's parameters, and remarks on them.

    Raises
    ------
    InputError : a cell that is not what its column asks for; names file, line and column.
    """
    rows = table.ids("parameterId")
    estimated: dict[str, Parameter] = {}
    fixed: dict[str, float] = {}
    remarks: list[str] = []
    for name, row in rows.items():
        scale = table.needed(row, "parameterScale", "one of " + ", ".join(_SCALES))
        table.choice(row, "parameterScale", _SCALES)
        if not _is_estimated(table, row):
            fixed[name] = _fixed(table, row)
            continue
        estimated[name], more = _estimated(table, row, name, scale)
        remarks += more
    if not estimated:
        raise InputError(table.files, found="no parameter with estimate 1", expected="one at least")
    return Names(estimated, fixed, rows), tuple(remarks)


def _is_estimated(table: Table, row: int) -> bool:
    text = table.needed(row, "estimate", "0 or 1")
    value = float(_TRUTH[text.lower()]) if text.lower() in _TRUTH else as_number(text)
    if value not in (0.0, 1.0):
        raise InputError(table.where(row, "estimate"), found=quoted(text), expected="0 or 1")
    return value == 1.0


def _fixed(table: Table, row: int) -> float:
    expected = "the value of a parameter that is not estimated"
    if "nominalValue" not in table.columns:
        where = table.where(row, "estimate")
        raise InputError(
            where, found="0, and no column nominalValue", expected=f"a column nominalValue with {expected}"
        )
    for column in ("lowerBound", "upperBound"):
        if table.cells(column)[row]:
            table.number(row, column, "a number, or nothing", infinite=True)
    return table.number(row, "nominalValue", expected)


def _estimated(table: Table, row: int, name: str, scale: str) -> tuple[Parameter, list[str]]:
    lower, upper = _bounds(table, row, scale)
    nominal, remarks = _nominal(table, row, name, scale, lower, upper)
    start = _prior(table, row, "initialization", scale, lower, upper)
    if start is None and not (math.isfinite(lower) and math.isfinite(upper)):
        column = "lowerBound" if math.isinf(lower) else "upperBound"
        expected = "a finite bound, or an initializationPriorType that starts can be drawn from"
        raise InputError(table.where(row, column), found="an infinite bound", expected=expected)
    prior = _prior(table, row, "objective", scale, lower, upper)
    label = table.cells("parameterName")[row]
    return Parameter(name, scale, lower, upper, nominal, prior, start, label), remarks


def _bounds(table: Table, row: int, scale: str) -> tuple[float, float]:
    lower = table.number(row, "lowerBound", "a number, the smallest value", infinite=True)
    upper = table.number(row, "upperBound", "a number, the largest value", infinite=True)
    for column, bound in (("lowerBound", lower), ("upperBound", upper)):
        if scale != "lin" and bound <= 0:
            expected = f"a bound above zero on the scale {scale}"
            raise InputError(table.where(row, column), found=f"{bound:g}", expected=expected)
    if not lower < upper:
        found = f"{lower:g} with the upper bound {upper:g}"
        expected = "a lower bound below the upper one, or estimate 0"
        raise InputError(table.where(row, "lowerBound"), found=found, expected=expected)
    return lower, upper


def _nominal(table: Table, row: int, name: str, scale: str, lower: float, upper: float) -> tuple[float, list[str]]:
    """Nominal value, NaN if there is none, and what is to be said of it: published tables leave their own bounds."""
    if not table.cells("nominalValue")[row]:
        return math.nan, []
    nominal = table.number(row, "nominalValue", "a number, or nothing")
    if scale != "lin" and nominal <= 0:
        told = f"the nominal value {nominal:g} of {name} has no place on the scale {scale} and is left out"
        return math.nan, [told]
    if not lower <= nominal <= upper:
        return nominal, [f"the nominal value {nominal:g} of {name} lies outside its bounds {lower:g} and {upper:g}"]
    return nominal, []


def _prior(table: Table, row: int, which: str, scale: str, lower: float, upper: float) -> Prior | None:
    """None where neither kind nor numbers are given: PEtab's default is even between the bounds."""
    kinds, numbers = f"{which}PriorType", f"{which}PriorParameters"
    kind, text = table.cells(kinds)[row], table.cells(numbers)[row]
    if not kind and not text:
        return None
    kind = table.choice(row, kinds, _PRIORS) if kind else _UNIFORM
    if text:
        first, second = _two(table, row, numbers, text)
    elif kind == _UNIFORM:
        first, second = (_scaled(bound, scale) for bound in (lower, upper))
    else:
        where = table.where(row, kinds)
        raise InputError(where, found=f"{kind} without numbers", expected=f"two numbers in {numbers}, such as 0;1")
    if kind in (_UNIFORM, "uniform") and not first < second:
        raise InputError(table.where(row, numbers), found=quoted(text), expected="two numbers that rise, such as 0;1")
    if kind not in (_UNIFORM, "uniform") and second <= 0:
        raise InputError(table.where(row, numbers), found=quoted(text), expected="a spread above zero, such as 0;1")
    return Prior(kind, first, second)


def _two(table: Table, row: int, column: str, text: str) -> Sequence[float]:
    values = [as_number(part.strip()) for part in text.split(";")]
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    if len(values) != 2 or len(numbers) != 2:
        raise InputError(table.where(row, column), found=quoted(text), expected="two numbers, such as 0;1")
    return numbers


def _scaled(value: float, scale: str) -> float:
    return value if scale == "lin" else math.log(value) if scale == "log" else math.log10(value)
