"""An SBML model → one canonical system of ordinary differential equations.

States are what the equations integrate: the *amount* of every species that reactions move (so that sums of amounts are
conserved exactly), and the value itself of everything that a rate rule moves. Parameters are what stays constant.
Everything else is an expression of these and time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from exotwin.engine.elements import Elements
from exotwin.engine.equations import Equations
from exotwin.engine.graph import Graph
from exotwin.engine.meaning import Meaning
from exotwin.engine.sbml_units import UnitNames
from exotwin.engine.sparse import elimination_order
from exotwin.errors import ModelError


@dataclass(frozen=True)
class System:
    """Equations, and what their numbers are called.

    states : (state,) in the order of the equations: id. parameters : (parameter,) id; local ones "reaction.parameter".
    values : (parameter,) as the model gives them; NaN where it gives none or computes it at the start.
    open : parameters and states whose value the equations need and the model does not give.
    outputs : id -> ("state" | "parameter" | "output", index): what a name of the model means, for recording.
    volumes : state index -> name of the compartment by whose size its amount is divided to get the concentration.
    units : id -> unit as text, "" where the model gives none. time_unit : the same of time.
    remarks : what a careful reader of the model should be told.
    """

    title: str
    equations: Equations
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    values: tuple[float, ...]
    open: tuple[str, ...]
    outputs: Mapping[str, tuple[str, int]]
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
    moving = _ordered([state for state in meaning.states if not rates[state].is_zero()], rates, meaning)
    still = [state for state in meaning.states if state not in set(moving)]
    states, parameters = [*moving, *still], list(meaning.parameters)
    observed = [n for n in elements if elements[n].assignment is not None]
    shown = [*observed, *(n for n in states if meaning.is_amount(n))]
    computed = [n for n in parameters if n in elements and elements[n].initial is not None]
    equations = _equations(name, meaning, states, [rates[n] for n in moving], shown, computed)
    outputs: dict[str, tuple[str, int]] = {n: ("parameter", j) for j, n in enumerate(parameters)}
    outputs |= {n: ("state", i) for i, n in enumerate(states)}
    outputs |= {n: ("output", k) for k, n in enumerate(shown)}
    units = UnitNames(model)
    constraints = model.getNumConstraints()
    return System(
        title=model.getName() or model.getId() or name,
        equations=equations,
        states=tuple(states),
        parameters=tuple(parameters),
        values=tuple(meaning.given[n] for n in parameters),
        open=_open(equations, states, parameters, [meaning.given[n] for n in parameters], computed),
        outputs=outputs,
        volumes={i: elements[n].sbml.getCompartment() for i, n in enumerate(states) if meaning.is_amount(n)},
        units=units.of_all(elements),
        time_unit=units.time(),
        remarks=(f"{constraints} constraint(s) of the model are not checked",) if constraints else (),
    )


def _ordered(moving: list[str], rates: Mapping[str, Any], meaning: Meaning) -> list[str]:
    """Moving states in the order in which the linear systems are eliminated."""
    import casadi as ca

    if not moving:
        return moving
    sparsity = ca.jacobian_sparsity(ca.vcat([rates[n] for n in moving]), ca.vcat([meaning.states[n] for n in moving]))
    rows, columns = sparsity.get_triplet()
    return [moving[i] for i in elimination_order(len(moving), zip(rows, columns, strict=True))]


def _equations(
    name: str, meaning: Meaning, states: list[str], rates: list[Any], shown: list[str], computed: list[str]
) -> Equations:
    import casadi as ca

    def column(expressions: Sequence[Any]) -> Any:
        return ca.densify(ca.vcat(list(expressions))) if expressions else ca.SX(0, 1)

    parameters = list(meaning.parameters)
    x, f = column([meaning.states[n] for n in states]), column(rates)
    jacobian = ca.jacobian(f, x[: len(rates)])
    start = [
        *(("param", parameters.index(n), meaning.initial(n)) for n in computed),
        *(("state", i, meaning.initial(n)) for i, n in enumerate(states)),
    ]
    function = ca.Function(
        "model",
        [meaning.time, x, column(list(meaning.parameters.values()))],
        [
            f,
            jacobian,
            ca.densify(ca.jacobian(f, meaning.time)),
            column([meaning.values[n] for n in shown]),
            column([expression for _, _, expression in start]),
        ],
    )
    graph = Graph()
    leaves = [
        [graph.add("time")],
        [graph.add("state", i) for i in range(len(states))],
        [graph.add("param", j) for j in range(len(parameters))],
    ]
    f_nodes, j_nodes, t_nodes, shown_nodes, start_nodes = graph.from_casadi(function, leaves)
    rows, columns = jacobian.sparsity().get_triplet()
    return Equations(
        graph=graph,
        n_states=len(states),
        n_parameters=len(parameters),
        rates=tuple(f_nodes),
        jacobian={(i, j): n for i, j, n in zip(rows, columns, j_nodes, strict=True) if not graph.is_zero(n)},
        time_derivative=tuple(t_nodes),
        setup=_in_order(name, graph, {(kind, i): n for (kind, i, _), n in zip(start, start_nodes, strict=True)}),
        outputs=tuple(shown_nodes),
    )


def _in_order(name: str, graph: Graph, steps: Mapping[tuple[str, int], int]) -> tuple[tuple[str, int, int], ...]:
    """Parameters and initial values that are computed at the start, those first that others need."""
    needs = {
        step: {(kind, i) for kind in ("param", "state") for i in graph.leaves([node], kind)} & steps.keys()
        for step, node in steps.items()
    }
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as fault:
        found = "initial assignments that depend on each other"
        raise ModelError(name, found=found, expected="an order to evaluate them in") from fault
    return tuple((*step, steps[step]) for step in order)


def _open(
    equations: Equations, states: list[str], parameters: list[str], given: list[float], computed: list[str]
) -> tuple[str, ...]:
    nodes = [*equations.driving, *equations.outputs, *(node for _, _, node in equations.setup)]
    used = sorted(equations.graph.leaves(nodes, "param"))
    bare = [parameters[j] for j in used if given[j] != given[j] and parameters[j] not in computed]
    missing = [i for kind, i, node in equations.setup if kind == "state" and equations.graph.is_nan(node)]
    return (*bare, *(states[i] for i in missing))
