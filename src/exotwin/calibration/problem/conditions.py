"""The condition table: what each condition sets in the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from exotwin.calibration.problem.model import Model
from exotwin.calibration.problem.parameters import Names
from exotwin.calibration.problem.problem import Condition, Simulation, Source
from exotwin.calibration.problem.tables import Table, quoted
from exotwin.errors import InputError, NotBuiltYet, nearest

REQUIRED = ("conditionId",)
OPTIONAL = ("conditionName",)


def columns(table: Table) -> tuple[str, ...]:
    """What the conditions set."""
    return tuple(name for name in table.columns if name and name not in REQUIRED + OPTIONAL)


def resolve_conditions(table: Table, model: Model, names: Names, outputs: Collection[str]) -> dict[str, Condition]:
    """Conditions by name. outputs : names that only formulas of observables have.

    Raises
    ------
    InputError : a column that names nothing, or what cannot be set; a value that is neither a number nor a name; names
        file, line and column.
    """
    rows = table.ids("conditionId")
    set_here = columns(table)
    for column in set_here:
        _check_column(table, column, model, names, outputs)
    in_model: dict[str, Source] = {**names.fixed, **{name: name for name in names.estimated}}
    common = {name: in_model[name] for name in names.rows if name in model.compiled.parameters}
    found = {}
    for name, row in rows.items():
        parameters, initial = dict(common), dict[str, Source]()
        for column in set_here:
            source = _value(table, row, column, model, names, set_here)
            if source is not None:
                (initial if model.is_state(column) else parameters)[column] = source
        found[name] = Condition(name, parameters, initial)
    return found


def check_outputs(table: Table, simulations: Collection[Simulation], outputs: Collection[str]) -> None:
    """Refuse a condition that is measured and leaves open what formulas of observables need.

    Raises
    ------
    InputError : an empty cell; names file, line and column.
    """
    rows = table.ids("conditionId")
    for simulation in simulations:
        for column in columns(table):
            if column in outputs:
                table.needed(rows[simulation.condition], column, "a value; the model has none")


def check_starts(
    table: Table, model: Model, made: Mapping[str, Condition], simulations: Collection[Simulation]
) -> None:
    """Refuse a start that a condition sets and that the model computes something else from.

    What else is computed would stay as the model has it; PEtab does not say whether it should, and other tools let it
    follow. A start that is also a parameter of the engine, such as that of a rate rule, is followed here too.

    Raises
    ------
    NotBuiltYet : names the column, and what is computed from it.
    """
    runs = {(simulation.condition, simulation.before is None) for simulation in simulations}
    runs |= {(simulation.before, True) for simulation in simulations if simulation.before is not None}
    for name, fresh in sorted(runs):
        condition = made[name]
        for target, seen in model.starts.items():
            if target in condition.initial or target in condition.parameters:
                continue
            if model.is_state(target) and not fresh:  # goes on from where it came to rest
                continue
            for start in sorted(seen.intersection(condition.initial).difference(model.compiled.parameters)):
                found = f'a start from which the model computes "{target}"'
                expected = f'a column "{target}" too, or a model that computes both from a parameter'
                raise NotBuiltYet(table.header(start), found=found, expected=expected)


def _check_column(table: Table, column: str, model: Model, names: Names, outputs: Collection[str]) -> None:
    if column in names.rows:
        expected = "a name in the parameter table or a column of the condition table, not both"
        raise InputError(table.header(column), found="a parameter of the parameter table", expected=expected)
    if column in model.compiled.parameters or model.is_state(column) or column in outputs:
        return
    expected = "a parameter, species or compartment of the model, or a name in formulas of observables"
    if model.has(column):
        raise InputError(table.header(column), found="what a rule or a reaction computes", expected=expected)
    near = nearest(column, {*model.compiled.parameters, *model.compiled.states, *outputs, *OPTIONAL})
    raise InputError(
        table.header(column), found=f"{quoted(column)}, which the model does not have", expected=expected, nearest=near
    )


def _value(
    table: Table,
    row: int,
    column: str,
    model: Model,
    names: Names,
    set_here: Collection[str],
    via: tuple[str, ...] = (),
) -> Source | None:
    """What a cell sets, or None where it is empty. via : columns whose cells led here."""
    text = table.columns[column][row]
    if not text:
        return None
    where = table.where(row, column)
    if text in via or text == column:
        raise InputError(
            where, found=f"{quoted(text)}, which leads back to itself", expected="a number, or another name"
        )
    if names.get(text) is None and text in model.compiled.parameters and not model.is_state(text):
        found = _value(table, row, text, model, names, set_here, (*via, column)) if text in set_here else None
        return model.own_value(where, text) if found is None else found
    return names.source(where, text, "a number, or a parameter of the parameter table or the model")


def values_named(table: Table) -> Mapping[str, None]:
    """All texts in the table's values."""
    return dict.fromkeys(text for column in columns(table) for text in table.columns[column])
