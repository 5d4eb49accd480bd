"""Forward sensitivities: how states and outputs change with parameters and initial values.

Derivatives S_p = ∂y/∂p of the states move by equations of their own,

    S_p' = J S_p + F_p,   F_p = ∂f/∂p, with all that depends on p and stays the same during a run.

They become states of a larger system, which the driver carries through time like any other; only the step knows what
they are (`sensitivity_step`). What the start computes, initial values and parameters, hands its derivatives on by the
chain rule. A rate that jumps where it depends on p would make S_p jump too, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from exotwin.engine.kernels import Equations, Graph, Place, SensitivityEquations
from exotwin.engine.reading.system import System, equations_of
from exotwin.errors import ModelError, NotBuiltYet, nearest

_JUMPING = frozenset({"lt", "le", "floor", "ceil", "sign", "fmod"})


Table = tuple[tuple[Place, tuple[Place, ...]], ...]
"""Where a number stands, and where its derivatives do."""


def with_sensitivities(system: System, wrt: Sequence[str]) -> tuple[System, Table, dict[int, tuple[int, ...]]]:
    """The larger system, in which derivatives have no names, and where they stand, each time in the order of ``wrt``.

    Returns
    -------
    (system; of all states and of all that names mean, where their derivatives are; parameter that is computed at the
    start -> the parameters that hold its derivatives).

    Raises
    ------
    ModelError : names that are no parameters or states, or stand twice.
    NotBuiltYet : events, algebraic rules; rates that jump where they depend on a chosen number.
    """
    equations, title = system.equations, system.title
    chosen = [_chosen(system, name) for name in wrt]
    for name in wrt:
        if list(wrt).count(name) > 1:
            raise ModelError(f'{title}, sensitivities "{name}"', found="the name twice", expected="each name once")
    if equations.events:
        where = f'{title}, event "{equations.events[0].name}"'
        raise NotBuiltYet(where, found="sensitivities asked for", expected="models without events")
    if equations.algebraic:
        where = f'{title}, algebraic rule for "{system.states[min(equations.algebraic)]}"'
        raise NotBuiltYet(where, found="sensitivities asked for", expected="models without algebraic rules")
    start = _Start(system, chosen)
    outputs = _Outputs(start)
    meant = [place for name, place in system.outputs.items() if name not in system.reactions]
    named = dict.fromkeys([*(("state", i) for i in range(start.m)), *meant])
    places = {place: tuple(outputs.place(place, p) for p in range(len(wrt))) for place in named}
    larger = _equations(start, outputs.added)
    _check_jumps(start, larger)
    numbers = [start.number(i) for i in range(start.m)]
    states = [""] * larger.n_states
    for name, i in zip(system.states, numbers, strict=True):
        states[i] = name

    def moved(place: Place) -> Place:
        kind, index = place
        return kind, numbers[index] if kind == "state" else index

    extended = replace(
        system,
        equations=larger,
        states=tuple(states),
        parameters=(*system.parameters, *("" for _ in start.computed)),
        values=(*system.values, *(float("nan") for _ in start.computed)),
        outputs={name: moved(place) for name, place in system.outputs.items()},
        volumes={numbers[i]: compartment for i, compartment in system.volumes.items()},
    )
    computed: dict[int, tuple[int, ...]] = {}
    for row, (j, _) in enumerate(start.computed, len(system.parameters)):
        computed[j] = (*computed.get(j, ()), row)
    return extended, tuple((moved(key), p) for key, p in places.items()), computed


def _chosen(system: System, name: str) -> Place:
    if name in system.parameters:
        return "param", system.parameters.index(name)
    if name in system.states:
        return "state", system.states.index(name)
    raise ModelError(
        f'{system.title}, sensitivities "{name}"',
        found="a name of another kind" if name in system.outputs else "no such name in the model",
        expected="a parameter or a state",
        nearest=nearest(name, [*system.parameters, *system.states]),
    )


class _Start:
    """Derivatives at the start, and of all that stays the same from then on.

    n, m, size : moving states, all states, chosen numbers. movers, rest : symbols of states that move or do not.
    moving : (state, p) symbols of the derivatives of the former.
    still, computed : (state, p) and (parameter, p) -> symbol of a derivative that stays the same.
    expressions : ("state" | "param", index in the larger system) -> what it is at the start.
    """

    def __init__(self, system: System, chosen: Sequence[Place]) -> None:
        import casadi as ca

        self.system, self.chosen, self.symbols = system, chosen, system.symbols
        self.n, self.m = int(self.symbols.rates.numel()), int(self.symbols.states.numel())
        self.size = len(chosen)
        states = ca.vertsplit(self.symbols.states) if self.m else []
        self.movers, self.rest = (ca.vertcat(ca.SX(0, 1), *part) for part in (states[: self.n], states[self.n :]))
        self.moving = ca.SX.sym("S", self.n, self.size)
        self.still: dict[tuple[int, int], Any] = {}
        self.computed: dict[tuple[int, int], Any] = {}
        self.expressions = {
            (kind, self.number(i) if kind == "state" else i): value for (kind, i), value in self.symbols.start.items()
        }
        self._known: dict[Place, dict[int, Any]] = {}
        for p, (kind, index) in enumerate(chosen):
            if kind == "param":
                self._known.setdefault((kind, index), {})[p] = ca.SX(1)
        for kind, index, _ in system.equations.setup:
            for p, total in self.total(self.symbols.start[kind, index], at_start=True).items():
                if chosen[p] != (kind, index):
                    self._note(kind, index, p, total)
        self._differentiate_given()

    def _differentiate_given(self) -> None:
        """Derivatives that depend on an initial value that is given, after all others are known."""
        import casadi as ca

        sizes = {i: self.meant(compartment) for i, compartment in self.system.volumes.items()}
        for p, (kind, i) in enumerate(self.chosen):
            if kind == "state":
                self._note(kind, i, p, sizes.get(i, ca.SX(1)))
        for i, size in sizes.items():
            # of a given concentration, the amount follows the size of the compartment
            for p in self.total(size, at_start=True):
                if i >= self.n and (i, p) not in self.still:
                    self._note("state", i, p, ca.SX(0))
        for i in range(self.n):
            for p in range(self.size):
                self.expressions.setdefault(("state", self.derivative(i, p)), ca.SX(0))

    def _note(self, kind: str, index: int, p: int, value: Any) -> None:
        import casadi as ca

        if kind == "state" and index < self.n:
            symbol = self.moving[index, p]
        else:
            symbol = ca.SX.sym(f"{kind}{index}/{p}")
            (self.still if kind == "state" else self.computed)[index, p] = symbol
        place = self.derivative(index, p) if kind == "state" else len(self.system.parameters) + len(self.computed) - 1
        self.expressions[kind, place] = value
        self._known.setdefault((kind, index), {})[p] = symbol

    def number(self, i: int) -> int:
        """A state's place in the larger system."""
        return i if i < self.n else i + self.n * self.size

    def derivative(self, i: int, p: int) -> int:
        """Place of a state's derivative in the larger system, −1 if it is always zero."""
        if i < self.n:
            return self.n * (1 + p) + i
        return self.m + self.n * self.size + list(self.still).index((i, p)) if (i, p) in self.still else -1

    def meant(self, name: str) -> Any:
        """What formulas mean by a name."""
        kind, index = self.system.outputs[name]
        symbols = self.symbols
        return {"state": symbols.states, "parameter": symbols.parameters, "output": symbols.outputs}[kind][index]

    def of(self, kind: str, index: int, *, at_start: bool = False) -> dict[int, Any]:
        """p -> derivative of a state or parameter, where it is not always zero."""
        if kind == "state" and index < self.n and not at_start:
            return {p: self.moving[index, p] for p in range(self.size)}
        return self._known.get((kind, index), {})

    def total(self, expression: Any, *, at_start: bool = False) -> dict[int, Any]:
        """p -> derivative of an expression, where it is not always zero."""
        import casadi as ca

        found: dict[int, Any] = {}
        row = ca.jacobian(expression, ca.vertcat(self.symbols.states, self.symbols.parameters))
        for column, slope in zip(row.sparsity().get_triplet()[1], row.nonzeros(), strict=True):
            kind, index = ("state", column) if column < self.m else ("param", column - self.m)
            for p, tangent in self.of(kind, index, at_start=at_start).items():
                found[p] = found.get(p, 0) + slope * tangent
        return {p: value for p, value in found.items() if not value.is_zero()}


class _Outputs:
    """Derivatives of what names mean. added : expressions of new outputs."""

    def __init__(self, start: _Start) -> None:
        self._start, self.added = start, list[Any]()
        self._first = start.symbols.outputs.numel()
        self._totals: dict[int, dict[int, Any]] = {}
        self._constants: dict[float, Place] = {}

    def place(self, place: Place, p: int) -> Place:
        """Where the derivative of what stands at a place is recorded from."""
        (kind, index), start = place, self._start
        if kind == "state":
            number = start.derivative(index, p)
            return ("state", number) if number >= 0 else self._constant(0.0)
        if kind == "parameter":
            if (index, p) in start.computed:
                return "parameter", len(start.system.parameters) + list(start.computed).index((index, p))
            return self._constant(1.0 if start.chosen[p] == ("param", index) else 0.0)
        if index not in self._totals:
            self._totals[index] = start.total(start.symbols.outputs[index])
        return self._add(self._totals[index][p]) if p in self._totals[index] else self._constant(0.0)

    def _constant(self, value: float) -> Place:
        import casadi as ca

        if value not in self._constants:
            self._constants[value] = self._add(ca.SX(value))
        return self._constants[value]

    def _add(self, expression: Any) -> Place:
        self.added.append(expression)
        return "output", self._first + len(self.added) - 1


def _equations(start: _Start, outputs: Sequence[Any]) -> SensitivityEquations:
    import casadi as ca

    old = start.symbols
    symbols = replace(
        old,
        states=ca.vertcat(start.movers, ca.vec(start.moving), start.rest, *start.still.values()),
        parameters=ca.vertcat(old.parameters, *start.computed.values()),
        start=start.expressions,
        outputs=ca.vertcat(old.outputs, *outputs),
    )
    smaller = equations_of(start.system.title, symbols)
    graph = smaller.graph
    behind = ca.vertcat(start.movers, old.time)
    jacobian = ca.jacobian(old.rates, start.movers)
    entries = list(zip(*jacobian.sparsity().get_triplet(), strict=True))
    forcing = _forcing(start)
    columns = [ca.vertcat(ca.SX(0, 1), *part) for part in (jacobian.nonzeros(), forcing.values())]
    second = [ca.jacobian(column, behind) for column in columns]
    numbers = {p: old.parameters[j] for p, (kind, j) in enumerate(start.chosen) if kind == "param"}
    sizes = [ca.if_else(number == 0, 0, 1 / ca.fabs(number)) for number in numbers.values()]
    function = ca.Function(
        "sensitivities",
        [symbols.time, symbols.states, symbols.parameters],
        [*second, ca.densify(columns[1]), ca.vertcat(ca.SX(0, 1), *sizes)],
    )
    leaves = [
        [graph.add("time")],
        [graph.add("state", i) for i in range(smaller.n_states)],
        [graph.add("param", j) for j in range(smaller.n_parameters)],
    ]
    curvature, slopes, forced, inverse = (_finite_powers(graph, nodes) for nodes in graph.from_casadi(function, leaves))

    def table(keys: Sequence[tuple[int, int]], matrix: Any, nodes: Sequence[int]) -> dict[tuple[int, int, int], int]:
        rows, ks = matrix.sparsity().get_triplet()
        found = {(*keys[row], k): node for row, k, node in zip(rows, ks, nodes, strict=True)}
        return {key: node for key, node in found.items() if not graph.is_zero(node)}

    common = {field.name: getattr(smaller, field.name) for field in fields(Equations)}
    common["outputs"] = tuple(_finite_powers(graph, smaller.outputs))
    return SensitivityEquations(
        **common,
        directions=start.size,
        curvature=table(entries, second[0], curvature),
        forcing=dict(zip(forcing, forced, strict=True)),
        forcing_slope=table(list(forcing), second[1], slopes),
        inverse_size=dict(zip(numbers, inverse, strict=True)),
        starts={
            p: (start.number(i), start.derivative(i, p)) for p, (kind, i) in enumerate(start.chosen) if kind == "state"
        },
    )


def _forcing(start: _Start) -> dict[tuple[int, int], Any]:
    """(i, p) -> ∂ rate i / ∂p through parameters and states that do not move."""
    import casadi as ca

    symbols, n, found = start.symbols, start.n, dict[tuple[int, int], Any]()
    slopes = ca.jacobian(symbols.rates, ca.vertcat(start.rest, symbols.parameters))
    for i, column, slope in zip(*slopes.sparsity().get_triplet(), slopes.nonzeros(), strict=True):
        still = start.m - n
        kind, index = ("state", n + column) if column < still else ("param", column - still)
        for p, tangent in start.of(kind, index).items():
            found[i, p] = found.get((i, p), 0) + slope * tangent
    return {key: value for key, value in found.items() if not value.is_zero()}


def _finite_powers(graph: Graph, nodes: Sequence[int]) -> list[int]:
    """The same nodes, with x^y log x, the derivative of a power by its exponent, zero where x is zero."""
    new: dict[int, int] = {}
    for n in graph.needed(nodes):
        operation, *arguments = graph.nodes[n]
        if not graph.arguments(n):
            new[n] = n
            continue
        new[n] = graph.add(operation, *(new[a] for a in arguments))
        if operation == "mul":
            for a, b in (arguments, arguments[::-1]):
                (first, *x), (second, *powers) = graph.nodes[a], graph.nodes[b]
                if first == "log" and second in ("pow", "constpow") and powers[0] == x[0]:
                    zero = graph.add("const", 0.0)
                    new[n] = graph.add("select", graph.add("eq", new[x[0]], zero), zero, new[n])
    return [new[n] for n in nodes]


def _check_jumps(start: _Start, equations: SensitivityEquations) -> None:
    """Refuse conditions that change during a run, in rates, and depend on what depends on a chosen number."""
    graph, system = equations.graph, start.system
    for node in graph.needed(equations.rates):
        if graph.nodes[node][0] not in _JUMPING or not graph.varies[node]:
            continue
        names = [
            name
            for kind, ids in (("state", system.states), ("param", system.parameters))
            for index, name in enumerate(ids)
            if start.of(kind, index)
            and (start.number(index) if kind == "state" else index) in graph.leaves([node], kind)
        ]
        if names:
            raise NotBuiltYet(
                f"{system.title}, sensitivities",
                found=f'a rate that changes its formula where it depends on "{names[0]}"',
                expected="conditions of time and of parameters that were not chosen",
            )
