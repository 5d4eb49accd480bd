"""An SBML model → one canonical system of ordinary differential equations.

States are what the equations integrate: the *amount* of every species that reactions move (so that sums of amounts are
conserved exactly), the value itself of everything that a rate rule moves or an event assigns, and what algebraic rules
determine. Parameters are what stays constant. Everything else is an expression of these and time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from exotwin.engine.kernels import Equations, Event, Graph, elimination_order
from exotwin.engine.reading import algebraic
from exotwin.engine.reading.elements import Elements
from exotwin.engine.reading.happenings import Happening
from exotwin.engine.reading.meaning import Meaning
from exotwin.engine.reading.unit_names import UnitNames
from exotwin.errors import ModelError, NotBuiltYet


@dataclass(frozen=True)
class Symbols:
    """A system as casadi expressions, before it becomes a graph. All columns are dense.

    time : symbol. states : (state,) symbols, moving ones first. parameters : (parameter,) symbols.
    rates : (moving,) change per unit of time; where algebraic, the residual that has to be zero.
    algebraic : indices of those. start : ("param", j) or ("state", i) -> its expression, as `Equations.setup`, not in
    order. outputs : (output,). happenings : the events, each with its expressions by name and its assignments as
    (state, value, scale or None), see `equations.Event`.
    """

    time: Any
    states: Any
    parameters: Any
    rates: Any
    algebraic: frozenset[int]
    start: Mapping[tuple[str, int], Any]
    outputs: Any
    happenings: tuple[tuple[Happening, Mapping[str, Any], tuple[tuple[int, Any, Any], ...]], ...]

    def happening(self) -> list[Any]:
        """All expressions of events: of each first those by name, then of each assignment value and scale."""
        found = []
        for _, parts, assigned in self.happenings:
            found += [*parts.values(), *(e for _, *pair in assigned for e in pair if e is not None)]
        return found


@dataclass(frozen=True)
class System:
    """Equations, and what their numbers are called.

    symbols : the equations before they became a graph.
    states : (state,) in the order of the equations: id. parameters : (parameter,) id; local ones "reaction.parameter".
    values : (parameter,) as the model gives them; NaN where it gives none or computes it at the start.
    open : parameters and states whose value the equations need and the model does not give.
    outputs : id -> ("state" | "parameter" | "output", index): what a name of the model means, for recording.
    reactions : those of the names that stand for rates of reactions.
    species : id -> its compartment, and whether formulas mean the concentration.
    volumes : state index -> name of the compartment by whose size its amount is divided to get the concentration.
    units : id -> unit as text, "" where the model gives none. time_unit : the same of time.
    remarks : what a careful reader of the model should be told.
    """

    title: str
    equations: Equations
    symbols: Symbols
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    values: tuple[float, ...]
    open: tuple[str, ...]
    outputs: Mapping[str, tuple[str, int]]
    reactions: tuple[str, ...]
    species: Mapping[str, tuple[str, bool]]
    volumes: Mapping[int, str]
    units: Mapping[str, str]
    time_unit: str
    remarks: tuple[str, ...]


def build(model: Any, name: str) -> System:
    """The system of a libSBML model.

    Raises
    ------
    ModelError : missing references, rules that depend on each other; names the element.
    NotBuiltYet : what this version does not run.
    """
    elements = Elements(model, name)
    try:
        meaning = Meaning(elements)
        return _assemble(model, name, elements, meaning)
    except RecursionError as fault:
        expected = "formulas split by assignment rules"
        raise ModelError(name, found="a formula nested too deeply", expected=expected) from fault


def _assemble(model: Any, name: str, elements: Elements, meaning: Meaning) -> System:
    rates = {state: meaning.state_rate(state) for state in meaning.states}
    moving = [state for state in meaning.states if state in meaning.determined or not rates[state].is_zero()]
    moving = _ordered(moving, rates, meaning)
    states, parameters = list(dict.fromkeys([*moving, *meaning.states])), list(meaning.parameters)
    observed = [n for n in elements if elements[n].assignment is not None]
    reactions = [n for n in elements if elements[n].law is not None]
    shown = [*observed, *(n for n in states if meaning.is_amount(n)), *reactions]
    symbols = Symbols(
        time=meaning.time,
        states=_column(meaning.states[n] for n in states),
        parameters=_column(meaning.parameters.values()),
        rates=_column(rates[n] for n in moving),
        algebraic=frozenset(i for i, n in enumerate(moving) if n in meaning.determined),
        start=_start(elements, meaning, states),
        outputs=_column(meaning.values[n] for n in shown),
        happenings=tuple(_happening(h, elements, meaning, states) for h in elements.happenings),
    )
    equations = equations_of(name, symbols)
    outputs: dict[str, tuple[str, int]] = {n: ("parameter", j) for j, n in enumerate(parameters)}
    outputs |= {n: ("state", i) for i, n in enumerate(states)}
    outputs |= {n: ("output", k) for k, n in enumerate(shown)}
    units = UnitNames(model)
    given = [meaning.given[n] for n in parameters]
    return System(
        title=model.getName() or model.getId() or name,
        equations=equations,
        symbols=symbols,
        states=tuple(states),
        parameters=tuple(parameters),
        values=tuple(given),
        open=_open(elements, meaning, symbols, states),
        outputs=outputs,
        reactions=tuple(reactions),
        species={
            n: (element.sbml.getCompartment(), elements.is_concentration(n))
            for n, element in elements.items()
            if element.kind == "species"
        },
        volumes={i: elements[n].sbml.getCompartment() for i, n in enumerate(states) if meaning.is_amount(n)},
        units=units.of_all(elements),
        time_unit=units.time(),
        remarks=(*elements.remarks, *_unchecked(model)),
    )


def _unchecked(model: Any) -> list[str]:
    remarks = []
    if constraints := model.getNumConstraints():
        remarks.append(f"{constraints} constraint(s) of the model are not checked")
    if model.getNumUnitDefinitions():
        remarks.append("units are shown as the model names them, neither checked nor converted")
    return remarks


def _ordered(moving: list[str], rates: Mapping[str, Any], meaning: Meaning) -> list[str]:
    """Moving states in the order in which the linear systems are eliminated."""
    import casadi as ca

    if not moving:
        return moving
    sparsity = ca.jacobian_sparsity(ca.vcat([rates[n] for n in moving]), ca.vcat([meaning.states[n] for n in moving]))
    rows, columns = sparsity.get_triplet()
    return [moving[i] for i in elimination_order(len(moving), zip(rows, columns, strict=True))]


def _column(expressions: Iterable[Any]) -> Any:
    import casadi as ca

    listed = list(expressions)
    return ca.densify(ca.vcat(listed)) if listed else ca.SX(0, 1)


def _start(elements: Elements, meaning: Meaning, states: list[str]) -> dict[tuple[str, int], Any]:
    """What is computed at the start, in no order."""
    import casadi as ca

    computed = [n for n in meaning.parameters if n in elements and elements[n].initial is not None]
    place = {n: j for j, n in enumerate(meaning.parameters)}
    start = {("param", place[n]): meaning.parameter_start(n) for n in computed}
    start |= {("state", i): meaning.state_start(n) for i, n in enumerate(states)}
    determined = [n for n in states if n in meaning.determined]
    if not determined:
        return start
    residuals = [meaning.state_rate(n) for n in determined]
    symbols = [meaning.states[n] for n in determined]
    algebraic.check_index(elements, residuals, symbols, determined)
    own = [start["state", states.index(n)] for n in determined]
    guesses = [ca.SX(1) if guess.is_constant() and math.isnan(float(guess)) else guess for guess in own]
    values, exact = algebraic.starts(residuals, symbols, guesses)
    start |= {("state", states.index(n)): value for n, value in zip(determined, values, strict=True)}
    names = {"param": list(meaning.parameters), "state": states}
    guessed = {n for n, known in zip(determined, exact, strict=True) if not known}
    for (kind, i), expression in start.items():
        needed = sorted(guessed & {symbol.name() for symbol in ca.symvar(expression)})
        if needed and names[kind][i] not in guessed:
            raise NotBuiltYet(
                elements.where(f'initial value of "{names[kind][i]}"'),
                found=f'"{needed[0]}", which an algebraic rule determines that is not linear in it',
                expected="initial values that do not need its solution",
            )
    return start


def _happening(
    happening: Happening, elements: Elements, meaning: Meaning, states: list[str]
) -> tuple[Happening, dict[str, Any], tuple[tuple[int, Any, Any], ...]]:
    """An event with its expressions. What is assigned to a concentration becomes an amount.

    The size by which it does is that before the event, even if the event assigns the size as well: all assignments of
    an event rest on the same state of the model (SBML Test Suite, case 01779).
    """
    assigned = []
    for n, tree in happening.assignments:
        value = meaning.formula(tree, happening.place_of(n))
        size = meaning.values[elements[n].sbml.getCompartment()] if meaning.is_amount(n) else None
        assigned.append((states.index(n), value, size))
    formulas = {"trigger": happening.trigger, "delay": happening.delay, "priority": happening.priority}
    parts = {
        part: meaning.formula(tree, f"{happening.what}, {part}") for part, tree in formulas.items() if tree is not None
    }
    return happening, parts, tuple(assigned)


def equations_of(name: str, symbols: Symbols) -> Equations:
    """The system as nodes of one graph.

    Raises
    ------
    ModelError : initial assignments that depend on each other.
    """
    import casadi as ca

    jacobian = ca.jacobian(symbols.rates, symbols.states[: symbols.rates.numel()])
    function = ca.Function(
        "model",
        [symbols.time, symbols.states, symbols.parameters],
        [
            symbols.rates,
            jacobian,
            ca.densify(ca.jacobian(symbols.rates, symbols.time)),
            symbols.outputs,
            _column(symbols.start.values()),
            _column(symbols.happening()),
        ],
    )
    graph = Graph()
    leaves = [
        [graph.add("time")],
        [graph.add("state", i) for i in range(symbols.states.numel())],
        [graph.add("param", j) for j in range(symbols.parameters.numel())],
    ]
    f_nodes, j_nodes, t_nodes, shown_nodes, start_nodes, event_nodes = graph.from_casadi(function, leaves)
    rows, columns = jacobian.sparsity().get_triplet()
    return Equations(
        graph=graph,
        n_states=len(leaves[1]),
        n_parameters=len(leaves[2]),
        rates=tuple(f_nodes),
        jacobian={(i, j): n for i, j, n in zip(rows, columns, j_nodes, strict=True) if not graph.is_zero(n)},
        time_derivative=tuple(t_nodes),
        setup=_in_order(name, graph, dict(zip(symbols.start, start_nodes, strict=True))),
        outputs=tuple(shown_nodes),
        algebraic=symbols.algebraic,
        events=_events(graph, symbols, event_nodes),
    )


def _events(graph: Graph, symbols: Symbols, nodes: list[int]) -> tuple[Event, ...]:
    """The events, from their nodes in the order in which their expressions were given."""
    left = iter(nodes)
    events = []
    for happening, parts, assigned in symbols.happenings:
        part = {name: next(left) for name in parts}
        events.append(
            Event(
                name=happening.name,
                trigger=_truth(graph, part["trigger"]),
                initially=happening.initially,
                persistent=happening.persistent,
                delay=part.get("delay"),
                priority=part.get("priority"),
                values_of_trigger=happening.values_of_trigger,
                assignments=tuple(
                    (state, next(left), None if scale is None else next(left)) for state, _, scale in assigned
                ),
            )
        )
    return tuple(events)


def _truth(graph: Graph, node: int) -> int:
    """A node that is 1 where the given one is not zero, else 0."""
    if graph.nodes[node][0] in ("lt", "le", "eq", "ne", "not", "and", "or"):
        return node
    return graph.add("ne", node, graph.add("const", 0.0))


def _in_order(name: str, graph: Graph, steps: Mapping[tuple[str, int], int]) -> tuple[tuple[str, int, int], ...]:
    """Parameters and initial values that are computed at the start, those first that others need."""
    needs = {
        step: {
            place for kind in ("param", "state") for i in graph.leaves([node], kind) if (place := (kind, i)) in steps
        }
        for step, node in steps.items()
    }
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as fault:
        found = "initial assignments that depend on each other"
        raise ModelError(name, found=found, expected="an order to evaluate them in") from fault
    return tuple((*step, steps[step]) for step in order)


def _open(elements: Elements, meaning: Meaning, symbols: Symbols, states: list[str]) -> tuple[str, ...]:
    """Names without a value that the equations need.

    What an event assigns may be without one until then, and shows as not a number.
    """
    import casadi as ca

    given = {n for n, value in meaning.given.items() if value == value}
    computed = {n for n in meaning.given if n in elements and elements[n].initial is not None}
    later = {n for n in states if elements[n].by_event}
    settled = given | computed | later
    bare = {n: meaning.parameters[n] for n in meaning.given if n not in settled}
    nan = [n for i, n in enumerate(states) if (e := symbols.start["state", i]).is_constant() and math.isnan(float(e))]
    bare |= {n: meaning.states[n] for n in nan if n not in later}
    if not bare:
        return ()
    moving = symbols.rates.numel()
    formulas = [meaning.values[n] for n in elements if n in elements and elements[n].assignment is not None]
    used = ca.symvar(ca.vcat([symbols.rates, *formulas, *symbols.happening(), *symbols.start.values()]))
    names = {symbol.name() for symbol in used} | {symbol.name() for symbol in ca.symvar(symbols.states[:moving])}
    return tuple(n for n, symbol in bare.items() if symbol.name() in names)
