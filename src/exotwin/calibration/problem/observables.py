"""The observable table: formulas, noise and what measurements must fill in."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from exotwin.calibration.problem.library import petab
from exotwin.calibration.problem.problem import Observable
from exotwin.calibration.problem.tables import Table, quoted
from exotwin.errors import InputError, nearest

REQUIRED = ("observableId", "observableFormula", "noiseFormula")
OPTIONAL = ("observableName", "observableTransformation", "noiseDistribution")
STATISTIC = "statistic"

_TRANSFORMATIONS = ("lin", "log", "log10")
_DISTRIBUTIONS = ("normal", "laplace")
# petab's reader has no error of its own, and lets through those of its parser and of sympy
_LEAKS = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError, AssertionError, RecursionError)


def resolve_observables(table: Table, known: Collection[str], fixed: Mapping[str, float]) -> dict[str, Observable]:
    """Observables by name, with formulas over ``known`` names, their placeholders and the time.

    fixed : numbers behind some of the names.

    Raises
    ------
    InputError : a formula that cannot be read or names what does not exist, noise that is not above zero, a cell that
        is not what its column asks for; names file, line and column.
    """
    parsed: dict[str, Any] = {}
    found = {}
    rows = table.ids("observableId")
    names = {*known, "time"}
    for name, row in rows.items():
        if name in names:
            expected = "a name that neither the model nor a parameter has"
            raise InputError(table.where(row, "observableId"), found=quoted(name), expected=expected)
        formula = _formula(table, row, "observableFormula", parsed)
        noise = _formula(table, row, "noiseFormula", parsed)
        placeholders = _placeholders(table, row, "observable", "observableFormula", name, formula)
        noise_placeholders = _placeholders(table, row, "noise", "noiseFormula", name, noise)
        _check_symbols(table, row, "observableFormula", formula, names.union(placeholders))
        # noise may grow with what is measured
        _check_symbols(table, row, "noiseFormula", noise, names.union(placeholders, noise_placeholders, [name]))
        number = value(noise, fixed)
        if number is not None and not 0 < number < math.inf:
            told = f"{quoted(table.columns['noiseFormula'][row])}, which is {number:g}"
            raise InputError(table.where(row, "noiseFormula"), found=told, expected="noise above zero")
        found[name] = Observable(
            name,
            formula,
            noise,
            transformation=table.choice(row, "observableTransformation", _TRANSFORMATIONS),
            distribution=table.choice(row, "noiseDistribution", _DISTRIBUTIONS),
            placeholders=placeholders,
            noise_placeholders=noise_placeholders,
            statistic=table.cells(STATISTIC)[row],
            label=table.cells("observableName")[row],
        )
    return found


def symbols(formula: Any) -> list[str]:
    """Names in a formula, in order."""
    return sorted(str(symbol) for symbol in formula.free_symbols)


def value(formula: Any, values: Mapping[str, float]) -> float | None:
    """The number that a formula is with ``values``, NaN where it is undefined; None if it names anything else."""
    names = {symbol: str(symbol) for symbol in formula.free_symbols}
    if not all(name in values for name in names.values()):
        return None
    if formula.is_Symbol:
        return values[names[formula]]
    try:
        return float(formula.subs({symbol: values[name] for symbol, name in names.items()}))
    except TypeError:  # complex, or infinite without a sign
        return math.nan


def _formula(table: Table, row: int, column: str, parsed: dict[str, Any]) -> Any:
    text = table.needed(row, column, "a formula, or a number")
    if text not in parsed:
        try:
            parsed[text] = petab().formula(text)
        except _LEAKS as fault:
            _, kind, rest = (str(fault) or type(fault).__name__).rpartition("Syntax error")
            told = f"{kind}{rest}".splitlines()[0]
            expected = "a formula as PEtab writes it, such as 2 * A + offset"
            raise InputError(table.where(row, column), found=f"{quoted(text)}: {told}", expected=expected) from fault
    formula = parsed[text]
    if formula.is_finite is False or formula.has(*_not_numbers()):
        raise InputError(table.where(row, column), found=quoted(text), expected="a formula with finite values")
    return formula


def _not_numbers() -> tuple[Any, ...]:
    import sympy

    return sympy.nan, sympy.zoo, sympy.oo, -sympy.oo


def _placeholders(table: Table, row: int, kind: str, column: str, name: str, formula: Any) -> tuple[str, ...]:
    form = re.compile(rf"{kind}Parameter(\d+)_{name}")
    numbers = sorted(int(match[1]) for text in symbols(formula) if (match := form.fullmatch(text)))
    if numbers != list(range(1, len(numbers) + 1)):
        found = ", ".join(f"{kind}Parameter{n}_{name}" for n in numbers)
        raise InputError(table.where(row, column), found=found, expected="placeholders numbered 1, 2, 3 without gaps")
    return tuple(f"{kind}Parameter{n}_{name}" for n in numbers)


def _check_symbols(table: Table, row: int, column: str, formula: Any, known: Collection[str]) -> None:
    for name in symbols(formula):
        if name not in known:
            expected = "a name of the model, the parameter table or the condition table, or a placeholder"
            where = table.where(row, column)
            raise InputError(where, found=f'the name "{name}"', expected=expected, nearest=nearest(name, known))
