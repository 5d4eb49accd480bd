"""An SBML model → one canonical system of ordinary differential equations.

States are what the equations integrate: the *amount* of every species that reactions move (so that sums of amounts are
conserved exactly), and the value itself of everything that a rate rule moves. Parameters are what stays constant.
Everything else is an expression of these and time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from exotwin.engine import mathml
from exotwin.engine.graph import Graph
from exotwin.engine.kernels import Equations
from exotwin.engine.sbml_units import UnitNames
from exotwin.engine.sparse import elimination_order
from exotwin.errors import ModelError, NotBuiltYet, nearest


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


@dataclass
class _Element:
    """One thing of the model that formulas can name."""

    kind: str  # "species", "compartment", "parameter", "stoichiometry", "reaction"
    sbml: Any
    what: str  # for messages: 'species "S1"'
    assignment: Any = None  # formulas, where the model has them
    rate: Any = None
    initial: Any = None


def build(model: Any, name: str) -> System:
    """The system of a libSBML model.

    Raises
    ------
    ModelError : missing references, rules that depend on each other; names the element.
    NotBuiltYet : what this version does not run.
    """
    try:
        return _Builder(model, name).build()
    except RecursionError as fault:
        raise ModelError(
            name, found="a formula nested too deeply", expected="formulas split by assignment rules"
        ) from fault


class _Builder:
    def __init__(self, model: Any, name: str) -> None:
        import casadi as ca

        self._model, self._name = model, name
        self._time = ca.SX.sym("time")
        self._functions = {f.getId(): f.getMath() for f in _listed(model, "FunctionDefinition") if f.isSetMath()}
        self._elements = self._collect()
        self._attach_formulas()
        self._local: dict[str, dict[str, tuple[str, Any, float]]] = {}  # reaction -> name -> (full name, symbol, value)
        self._states: dict[str, Any] = {}  # id -> symbol
        self._parameters: dict[str, Any] = {}
        self._given: dict[str, float] = {}
        self._make_symbols()
        self._values: dict[str, Any] = {}  # id -> meaning in formulas
        self._rates: dict[str, Any] = {}  # id -> rate of change of that
        self._amount_rates = self._reaction_terms()

    # what there is

    def _where(self, what: str) -> str:
        return f"{self._name}, {what}"

    def _collect(self) -> dict[str, _Element]:
        model = self._model
        elements: dict[str, _Element] = {}
        for kind, list_name in (("compartment", "Compartment"), ("species", "Species"), ("parameter", "Parameter")):
            for item in _listed(model, list_name):
                elements[item.getId()] = _Element(kind, item, f'{kind} "{item.getId()}"')
        for reaction in _listed(model, "Reaction"):
            elements[reaction.getId()] = _Element("reaction", reaction, f'reaction "{reaction.getId()}"')
            for reference in (*_listed(reaction, "Reactant"), *_listed(reaction, "Product")):
                if reference.isSetId():
                    what = f'species reference "{reference.getId()}"'
                    element = elements[reference.getId()] = _Element("stoichiometry", reference, what)
                    if reference.isSetStoichiometryMath():  # Level 2's way of an assignment rule
                        element.assignment = reference.getStoichiometryMath().getMath()
        return elements

    def _element(self, name: str, where: str) -> _Element:
        if name not in self._elements:
            raise ModelError(
                self._where(where),
                found=f'the name "{name}"',
                expected="something that the model defines",
                nearest=nearest(name, self._elements),
            )
        return self._elements[name]

    def _attach_formulas(self) -> None:
        for rule in _listed(self._model, "Rule"):
            kind = "assignment rule" if rule.isAssignment() else "rate rule"
            where = f'{kind} for "{rule.getVariable()}"'
            element = self._element(rule.getVariable(), where)
            if element.assignment is not None or element.rate is not None:
                raise ModelError(self._where(where), found="a second rule", expected="one rule for each variable")
            if rule.isSetMath():
                if rule.isAssignment():
                    element.assignment = rule.getMath()
                else:
                    element.rate = rule.getMath()
        for start in _listed(self._model, "InitialAssignment"):
            element = self._element(start.getSymbol(), f'initial assignment of "{start.getSymbol()}"')
            if element.assignment is None and start.isSetMath():
                element.initial = start.getMath()

    def _make_symbols(self) -> None:
        import casadi as ca

        for name, element in self._elements.items():
            if element.kind == "reaction":
                law = element.sbml.getKineticLaw()
                self._local[name] = {}
                for parameter in _listed(law, "LocalParameter") or _listed(law, "Parameter") if law else ():
                    full = f"{name}.{parameter.getId()}"
                    symbol = self._parameters[full] = ca.SX.sym(full)
                    self._given[full] = parameter.getValue() if parameter.isSetValue() else float("nan")
                    self._local[name][parameter.getId()] = (full, symbol, self._given[full])
            elif element.assignment is not None:
                continue
            elif element.kind == "species" or element.rate is not None:
                self._states[name] = ca.SX.sym(name)
            else:
                self._parameters[name] = ca.SX.sym(name)
                self._given[name] = float("nan") if element.initial is not None else self._written_value(element)

    def _written_value(self, element: _Element) -> float:
        item = element.sbml
        if element.kind == "stoichiometry":
            if item.isSetStoichiometry() or item.getLevel() < 3:
                return float(item.getStoichiometry()) / (item.getDenominator() if item.getLevel() == 1 else 1)
        elif element.kind == "compartment":
            if item.isSetSize():
                return float(item.getSize())
            if item.getLevel() == 1 or item.getSpatialDimensions() == 0:
                return 1.0
        elif item.isSetValue():
            return float(item.getValue())
        return float("nan")

    # meaning of names

    def _is_concentration(self, element: _Element) -> bool:
        """Whether formulas mean the concentration of a species."""
        species = element.sbml
        if element.kind != "species" or species.getHasOnlySubstanceUnits():
            return False
        compartment = self._element(species.getCompartment(), element.what)
        return compartment.kind == "compartment" and compartment.sbml.getSpatialDimensionsAsDouble() != 0

    def _is_amount_state(self, name: str) -> bool:
        element = self._elements[name]
        return name in self._states and element.rate is None and self._is_concentration(element)

    def _scope(self, where: str, local: Mapping[str, Any] | None = None) -> mathml.Scope:
        return mathml.Scope(
            self._where(where), self._value, self._rate, self._functions, self._time, local if local is not None else {}
        )

    def _value(self, name: str) -> Any:
        """What formulas mean by a name. Names it depends on have been evaluated before (`_evaluate_in_order`)."""
        if name not in self._values:
            raise ModelError(
                self._name,
                found=f'the name "{name}"',
                expected="something that the model defines",
                nearest=nearest(name, self._elements),
            )
        return self._values[name]

    def _rate(self, name: str) -> Any:
        return self._rates[name]

    def _formulas(self, name: str) -> Iterator[tuple[Any, frozenset[str]]]:
        """Formulas that give the value of a name, each with the names that are local to it."""
        element = self._elements[name]
        if element.assignment is not None:
            yield element.assignment, frozenset()
        elif element.kind == "reaction":
            law = element.sbml.getKineticLaw()
            if law is not None and law.isSetMath():
                yield law.getMath(), frozenset(self._local[name])

    def _needs(self, name: str) -> set[str]:
        """What has to be known before the value of a name; rates of change are called "name′"."""
        element, found = self._elements[name], set()
        for formula, local in self._formulas(name):
            for other, of_rate in mathml.names(formula, self._functions):
                if other not in local:
                    self._element(other, element.what if element.kind == "reaction" else f'rule for "{name}"')
                    found.add(other + "′" * of_rate)
        if self._is_amount_state(name):
            found.add(element.sbml.getCompartment())
        return found

    def _needs_of_rate(self, name: str) -> set[str]:
        element = self._elements[name]
        if element.assignment is not None or element.kind == "reaction":
            raise NotBuiltYet(
                self._where(element.what), found="its rateOf, while a rule sets it", expected="rateOf of a state"
            )
        found: set[str] = set()
        if element.rate is not None:
            for other, of_rate in mathml.names(element.rate, self._functions):
                self._element(other, f'rate rule for "{name}"')
                found.add(other + "′" * of_rate)
        elif name in self._states:
            for reaction, reference, _ in self._amount_rates.get(name, ()):
                found.add(reaction)
                found |= self._needs_of_stoichiometry(reference)
            if self._is_amount_state(name):
                found |= {name, element.sbml.getCompartment(), element.sbml.getCompartment() + "′"}
            found |= {factor for factor in (self._conversion(element),) if factor}
        return found

    def _needs_of_stoichiometry(self, reference: Any) -> set[str]:
        if reference.isSetId() and reference.getId() in self._elements:
            return {reference.getId()}
        if reference.isSetStoichiometryMath():
            return {other for other, _ in mathml.names(reference.getStoichiometryMath().getMath(), self._functions)}
        return set()

    def _evaluate_in_order(self, wanted: set[str]) -> None:
        """Values and rates of all names, those first that others need."""
        graph: dict[str, set[str]] = {}
        todo = set(wanted)
        while todo:
            item = todo.pop()
            graph[item] = self._needs_of_rate(item[:-1]) if item.endswith("′") else self._needs(item)
            todo |= graph[item] - graph.keys()
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as fault:
            raise ModelError(
                self._where(self._elements[fault.args[1][0].rstrip("′")].what),
                found="formulas that depend on each other: " + " → ".join(reversed(fault.args[1])),
                expected="rules that can be evaluated one after the other",
            ) from fault
        for item in order:
            if item.endswith("′"):
                self._rates[item[:-1]] = self._rate_expression(item[:-1])
            else:
                self._values[item] = self._value_expression(item)

    def _value_expression(self, name: str) -> Any:
        element = self._elements[name]
        if element.assignment is not None:
            return mathml.convert(element.assignment, self._scope(f'assignment rule for "{name}"'))
        if element.kind == "reaction":
            return self._reaction_rate(name, element)
        if self._is_amount_state(name):
            return self._states[name] / self._values[element.sbml.getCompartment()]
        return self._states[name] if name in self._states else self._parameters[name]

    def _reaction_rate(self, name: str, element: _Element) -> Any:
        law = element.sbml.getKineticLaw()
        if law is None or not law.isSetMath():
            raise ModelError(self._where(element.what), found="no rate law", expected="a kinetic law with a formula")
        local = {short: symbol for short, (_, symbol, _) in self._local[name].items()}
        return mathml.convert(law.getMath(), self._scope(f'rate law of reaction "{name}"', local))

    # rates of change

    def _reaction_terms(self) -> dict[str, list[tuple[str, Any, int]]]:
        """Species -> (reaction, species reference, −1 or +1) of every reaction that moves it."""
        terms: dict[str, list[tuple[str, Any, int]]] = {}
        for reaction in _listed(self._model, "Reaction"):
            for sign, kind in ((-1, "Reactant"), (1, "Product")):
                for reference in _listed(reaction, kind):
                    name, what = reference.getSpecies(), f'reaction "{reaction.getId()}"'
                    element = self._element(name, what)
                    if element.kind != "species":
                        raise ModelError(self._where(what), found=f'"{name}"', expected="a species")
                    species = element.sbml
                    if not species.getBoundaryCondition() and not species.getConstant() and element.rate is None:
                        terms.setdefault(name, []).append((reaction.getId(), reference, sign))
        return terms

    def _conversion(self, element: _Element) -> str:
        """Name of the factor between what reactions turn over and the amount of a species, or ""."""
        if element.kind != "species":
            return ""
        return str(element.sbml.getConversionFactor() or self._model.getConversionFactor())

    def _stoichiometry(self, reaction: str, reference: Any) -> Any:
        import casadi as ca

        where = f'reaction "{reaction}"'
        if reference.isSetId() and reference.getId() in self._values:
            return self._values[reference.getId()]
        if reference.isSetStoichiometryMath():
            return mathml.convert(reference.getStoichiometryMath().getMath(), self._scope(where))
        value = self._written_value(_Element("stoichiometry", reference, where))
        if value != value:
            raise ModelError(
                self._where(where), found=f'no stoichiometry of "{reference.getSpecies()}"', expected="a number"
            )
        return ca.SX(value)

    def _amount_rate(self, name: str) -> Any:
        import casadi as ca

        total = ca.SX(0)
        for reaction, reference, sign in self._amount_rates.get(name, ()):
            total = total + sign * self._stoichiometry(reaction, reference) * self._values[reaction]
        factor = self._conversion(self._elements[name])
        return total * self._values[factor] if factor else total

    def _rate_expression(self, name: str) -> Any:
        import casadi as ca

        element = self._elements[name]
        if element.rate is not None:
            return mathml.convert(element.rate, self._scope(f'rate rule for "{name}"'))
        if name not in self._states:
            return ca.SX(0)
        if self._is_amount_state(name):
            size, growth = (table[element.sbml.getCompartment()] for table in (self._values, self._rates))
            return (self._amount_rate(name) - self._values[name] * growth) / size
        return self._amount_rate(name)

    def _state_rate(self, name: str) -> Any:
        """Rate of the integrated quantity itself, which for a concentration in formulas is the amount behind it."""
        return self._amount_rate(name) if self._is_amount_state(name) else self._rate_expression(name)

    # the start

    def _initial_expression(self, name: str) -> Any:
        import casadi as ca

        element, item = self._elements[name], self._elements[name].sbml
        if element.initial is not None:
            value = mathml.convert(element.initial, self._scope(f'initial assignment of "{name}"'))
            return value * self._values[item.getCompartment()] if self._is_amount_state(name) else value
        if element.kind != "species":
            return ca.SX(self._written_value(element))
        if not item.isSetInitialAmount() and not item.isSetInitialConcentration():
            return ca.SX(float("nan"))
        in_amount = item.isSetInitialAmount()
        value = ca.SX(item.getInitialAmount() if in_amount else item.getInitialConcentration())
        want_amount = self._is_amount_state(name) or not self._is_concentration(element)
        if in_amount == want_amount:
            return value
        size = self._values[item.getCompartment()]
        return value * size if want_amount else value / size

    def _start_needs(self) -> set[str]:
        found: set[str] = set()
        for name, element in self._elements.items():
            if element.initial is not None:
                for other, of_rate in mathml.names(element.initial, self._functions):
                    self._element(other, f'initial assignment of "{name}"')
                    found.add(other + "′" * of_rate)
        return found

    # all together

    def build(self) -> System:
        import casadi as ca

        wanted = {n for n, e in self._elements.items() if e.kind != "reaction"}
        for element in self._elements.values():
            if element.kind == "species":
                self._element(element.sbml.getCompartment(), element.what)
                wanted |= {factor for factor in (self._conversion(element),) if factor}
        rates_need: set[str] = set()
        for name in self._states:
            rates_need |= {
                n for n in self._needs_of_rate(name) if not n.endswith("′") or self._elements[name].rate is not None
            }
        for name in wanted | rates_need:
            self._element(name.rstrip("′"), "the model")
        self._evaluate_in_order(wanted | rates_need | self._start_needs())

        rates = {name: ca.SX(self._state_rate(name)) for name in self._states}
        moving = [name for name in self._states if not rates[name].is_zero()]
        moving = self._ordered(moving, rates)
        states = [*moving, *(name for name in self._states if name not in set(moving))]
        return self._system(states, moving, rates)

    def _ordered(self, moving: list[str], rates: Mapping[str, Any]) -> list[str]:
        import casadi as ca

        if not moving:
            return moving
        sparsity = ca.jacobian_sparsity(ca.vcat([rates[n] for n in moving]), ca.vcat([self._states[n] for n in moving]))
        rows, columns = sparsity.get_triplet()
        return [moving[i] for i in elimination_order(len(moving), zip(rows, columns, strict=True))]

    def _system(self, states: list[str], moving: list[str], rates: Mapping[str, Any]) -> System:
        import casadi as ca

        parameters = list(self._parameters)
        x = ca.vcat([self._states[n] for n in states]) if states else ca.SX(0, 1)
        p = ca.vcat([self._parameters[n] for n in parameters]) if parameters else ca.SX(0, 1)
        f = ca.vcat([rates[n] for n in moving]) if moving else ca.SX(0, 1)
        jacobian = ca.jacobian(f, x[: len(moving)])
        observed = {n: self._values[n] for n in self._elements if self._elements[n].assignment is not None}
        concentrations = {n: self._values[n] for n in states if self._is_amount_state(n)}
        shown = {**observed, **concentrations}
        computed = [n for n in parameters if n in self._elements and self._elements[n].initial is not None]
        start = [
            *(("param", parameters.index(n), self._initial_expression(n)) for n in computed),
            *(("state", i, self._initial_expression(n)) for i, n in enumerate(states)),
        ]
        function = ca.Function(
            "model",
            [self._time, x, p],
            [
                ca.densify(f),
                jacobian,
                ca.densify(ca.jacobian(f, self._time)),
                ca.densify(ca.vcat(list(shown.values()))) if shown else ca.SX(0, 1),
                ca.densify(ca.vcat([e for _, _, e in start])) if start else ca.SX(0, 1),
            ],
            {"allow_free": True},
        )
        if function.get_free():
            raise ModelError(self._name, found=f"names without a value: {function.get_free()}", expected="none")
        graph = Graph()
        leaves = [
            [graph.add("time")],
            [graph.add("state", i) for i in range(len(states))],
            [graph.add("param", j) for j in range(len(parameters))],
        ]
        f_nodes, j_nodes, t_nodes, shown_nodes, start_nodes = graph.from_casadi(function, leaves)
        rows, columns = jacobian.sparsity().get_triplet()
        equations = Equations(
            graph=graph,
            n_states=len(states),
            n_parameters=len(parameters),
            rates=tuple(f_nodes),
            jacobian={(i, j): n for i, j, n in zip(rows, columns, j_nodes, strict=True) if not graph.is_zero(n)},
            time_derivative=tuple(t_nodes),
            setup=self._start_in_order(graph, start, start_nodes),
            outputs=tuple(shown_nodes),
        )
        outputs: dict[str, tuple[str, int]] = {n: ("parameter", j) for j, n in enumerate(parameters)}
        outputs |= {n: ("state", i) for i, n in enumerate(states)}
        outputs |= {n: ("output", k) for k, n in enumerate(shown)}
        units = UnitNames(self._model)
        return System(
            title=self._model.getName() or self._model.getId() or self._name,
            equations=equations,
            states=tuple(states),
            parameters=tuple(parameters),
            values=tuple(self._given[n] for n in parameters),
            open=self._open(graph, equations, states, parameters, computed),
            outputs=outputs,
            volumes={i: self._elements[n].sbml.getCompartment() for i, n in enumerate(states) if n in concentrations},
            units=units.of_all(self._elements),
            time_unit=units.time(),
            remarks=self._remarks(),
        )

    def _start_in_order(self, graph: Graph, start: list[Any], nodes: list[int]) -> tuple[tuple[str, int, int], ...]:
        steps = {(kind, index): node for (kind, index, _), node in zip(start, nodes, strict=True)}
        needs = {
            step: {(kind, i) for kind in ("param", "state") for i in graph.leaves([node], kind)} & steps.keys()
            for step, node in steps.items()
        }
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError as fault:
            raise ModelError(
                self._name, found="initial assignments that depend on each other", expected="an order to evaluate them in"
            ) from fault
        return tuple((*step, steps[step]) for step in order)

    def _open(
        self, graph: Graph, equations: Equations, states: list[str], parameters: list[str], computed: list[str]
    ) -> tuple[str, ...]:
        nodes = [*equations.driving, *equations.outputs, *(node for _, _, node in equations.setup)]
        used = [parameters[j] for j in sorted(graph.leaves(nodes, "param"))]
        bare = [n for n in used if self._given[n] != self._given[n] and n not in set(computed)]
        missing = [i for kind, i, node in equations.setup if kind == "state" and graph.is_nan(node)]
        return (*bare, *(states[i] for i in missing))

    def _remarks(self) -> tuple[str, ...]:
        count = self._model.getNumConstraints()
        return (f"{count} constraint(s) of the model are not checked",) if count else ()


def _listed(parent: Any, kind: str) -> list[Any]:
    count = getattr(parent, f"getNum{kind}{'' if kind == 'Species' else 's'}")()
    return [getattr(parent, f"get{kind}")(i) for i in range(count)]
