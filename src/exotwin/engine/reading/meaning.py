"""What the names of a model mean, as expressions of time, states and parameters: values, rates of change, starts.

Formulas can ask for rates of change (rateOf), even for those of what formulas set. What has to be known before what is
therefore found for pairs: a name, and how many times it is differentiated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from exotwin.engine.reading import algebraic, mathml
from exotwin.engine.reading.elements import NAN, Elements, Term, written_stoichiometry
from exotwin.errors import ModelError, nearest

Item = tuple[str, int]  # a name, and the order of its derivative


class Meaning:
    """Symbols of a model and what is written with them.

    time : casadi symbol. states, parameters : id -> symbol; parameters of a reaction are called "reaction.parameter".
        What a rate rule or an event moves, species apart, is both: its parameter is its value at the start.
    given : parameter -> number in the model, NaN where there is none.
    determined : variable -> number of the algebraic rule that determines it.
    values : id -> what formulas mean by it.
    residuals : (algebraic rule,) what has to be zero.
    """

    def __init__(self, elements: Elements) -> None:
        import casadi as ca

        self._elements = elements
        self.time = ca.SX.sym("(time)")
        self.states: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.given: dict[str, float] = {}
        self.determined = algebraic.match(elements)
        for name, element in elements.items():
            for own, value in element.local.items():
                self.parameters[f"{name}.{own}"] = ca.SX.sym(f"{name}.{own}")
                self.given[f"{name}.{own}"] = value
            if element.kind == "reaction" or element.assignment is not None:
                continue
            species, determined = element.kind == "species", name in self.determined
            if species or determined or element.rate is not None or element.by_event:
                self.states[name] = ca.SX.sym(name)
            if not species and not determined:
                self.parameters[name] = ca.SX.sym(f"(parameter) {name}")
                self.given[name] = NAN if element.initial is not None else element.written_value()
        self._derivatives: dict[Item, Any] = {}
        self._state_rates: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self._evaluate(self._wanted())
        self.residuals = [self.formula(tree, where) for where, tree in elements.algebraic]

    def is_amount(self, name: str) -> bool:
        """Whether a state is an amount while formulas mean the concentration.

        Reactions move amounts. A rate rule moves a concentration; but where the compartment can jump, it is the amount
        that goes through the jump unchanged.
        """
        if name not in self.states or not self._elements.is_concentration(name):
            return False
        compartment = self._elements[self._elements[name].sbml.getCompartment()]
        jumps = compartment.by_event or compartment.assignment is not None
        return self._elements[name].rate is None or jumps

    def state_rate(self, name: str) -> Any:
        """Rate of change of a state, which may be the amount behind a concentration; if algebraic, the residual."""
        if name in self.determined:
            return self.residuals[self.determined[name]]
        return self._state_rate(name)

    def formula(self, tree: Any, where: str) -> Any:
        """What a formula outside of any reaction means."""
        return mathml.convert(tree, self._scope(where))

    def parameter_start(self, name: str) -> Any:
        """What the initial assignment of a parameter gives."""
        return self.formula(self._elements[name].initial, f'initial assignment of "{name}"')

    def state_start(self, name: str) -> Any:
        """Value of a state at the start; of an algebraic one, what the model gives for it."""
        import casadi as ca

        element, item = self._elements[name], self._elements[name].sbml
        if name in self.parameters:
            return self.parameters[name]
        if element.initial is not None:
            value = self.formula(element.initial, f'initial assignment of "{name}"')
            return value * self.values[item.getCompartment()] if self.is_amount(name) else value
        if element.kind != "species":
            return ca.SX(element.written_value())
        if not item.isSetInitialAmount() and not item.isSetInitialConcentration():
            return ca.SX(NAN)
        is_amount = item.isSetInitialAmount()
        value = ca.SX(item.getInitialAmount() if is_amount else item.getInitialConcentration())
        want_amount = self.is_amount(name) or not self._elements.is_concentration(name)
        if is_amount == want_amount:
            return value
        size = self.values[item.getCompartment()]
        return value * size if want_amount else value / size

    # what is needed before what

    def _wanted(self) -> set[Item]:
        elements = self._elements
        wanted = {(name, 0) for name in elements}
        for name in self.states:
            if name not in self.determined:
                wanted |= self._needs_of_state(name)
        formulas = [
            (f'initial assignment of "{name}"', element.initial)
            for name, element in elements.items()
            if element.initial is not None
        ]
        formulas += elements.algebraic
        for happening in elements.happenings:
            formulas += happening.formulas()
            for name, _ in happening.assignments:
                elements.get_named(name, happening.place_of(name))
        for where, tree in formulas:
            wanted |= self._named(tree, where)
        return wanted

    def _named(self, formula: Any, where: str, local: Iterable[str] = ()) -> set[Item]:
        """Names in a formula, each with whether its value or its rate of change is meant."""
        found = set()
        for name, of_rate in mathml.names(formula, self._elements.functions):
            if name in local:
                continue
            element = self._elements.get_named(name, where)
            if element.kind == "reaction" and element.law is None:
                found_there = f'the rate of "{name}", which has no rate law'
                raise ModelError(self._elements.where(where), found=found_there, expected="a reaction with a rate law")
            found.add((name, int(of_rate)))
        return found

    def _needs(self, item: Item) -> set[Item]:
        name, order = item
        element = self._elements[name]
        if order == 0:
            if element.assignment is not None:
                return self._named(element.assignment, f'assignment rule for "{name}"')
            if element.law is not None:
                return self._named(element.law, f"rate law of {element.what}", element.local)
            return {(element.sbml.getCompartment(), 0)} if self.is_amount(name) else set()
        if order > 1 or name not in self.states:
            return {(name, order - 1)} | {(other, k + 1) for other, k in self._needs((name, order - 1))}
        if name in self.determined:
            # all rules together give the rates of all their variables
            needs = set().union(*(self._needs_of_state(n) for n in self.states if n not in self.determined))
            return needs.union(*(self._named(tree, where) for where, tree in self._elements.algebraic), {(name, 0)})
        compartment = element.sbml.getCompartment() if self.is_amount(name) else ""
        extra = {(compartment, 0), (compartment, 1)} if compartment else set()
        return self._needs_of_state(name) | extra | {(name, 0)}

    def _needs_of_state(self, name: str) -> set[Item]:
        """What the rate of a state needs, which is that of the amount where the state is one."""
        element, found = self._elements[name], set()
        if element.rate is not None:
            compartment = element.sbml.getCompartment() if self.is_amount(name) else ""
            extra = {(name, 0), (compartment, 0), (compartment, 1)} if compartment else set()
            return self._named(element.rate, f'rate rule for "{name}"') | extra
        for term in self._elements.terms.get(name, ()):
            found.add((term.reaction, 0))
            if term.reference.isSetId() and term.reference.getId() in self._elements:
                found.add((term.reference.getId(), 0))
            elif term.reference.isSetStoichiometryMath():
                found |= self._named(term.reference.getStoichiometryMath().getMath(), f'reaction "{term.reaction}"')
        return found | {(factor, 0) for factor in (self._elements.conversion(name),) if factor}

    def _evaluate(self, wanted: set[Item]) -> None:
        needs: dict[Item, set[Item]] = {}
        todo = set(wanted)
        while todo:
            item = todo.pop()
            needs[item] = self._needs(item)
            todo |= {name for name in needs[item] if name not in needs}
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError as fault:
            circle = list(reversed(fault.args[1]))
            raise ModelError(
                self._elements.where(self._elements[circle[0][0]].what),
                found="formulas that depend on each other: " + " → ".join(n + "′" * k for n, k in circle),
                expected="rules that can be evaluated one after the other",
            ) from fault
        for name, times in order:
            if times == 0:
                self.values[name] = self._value_expression(name)
            else:
                self._derivatives[name, times] = self._derivative(name, times)

    # expressions

    def _scope(self, where: str, local: Mapping[str, Any] | None = None) -> mathml.Scope:
        elements = self._elements
        return mathml.Scope(elements.where(where), self._value, self._rate, elements.functions, self.time, local or {})

    def _value(self, name: str) -> Any:
        if name not in self.values:  # only the body of a function can still name what does not exist
            where = self._elements.where("a function definition")
            expected = "an argument of the function"
            raise ModelError(where, found=f'the name "{name}"', expected=expected, nearest=nearest(name, self.values))
        return self.values[name]

    def _rate(self, name: str) -> Any:
        return self._derivatives[name, 1]

    def _value_expression(self, name: str) -> Any:
        import casadi as ca

        element = self._elements[name]
        if element.assignment is not None:
            return self.formula(element.assignment, f'assignment rule for "{name}"')
        if element.kind == "reaction":
            if element.law is None:
                return ca.SX(0)
            local = {own: self.parameters[f"{name}.{own}"] for own in element.local}
            return mathml.convert(element.law, self._scope(f"rate law of {element.what}", local))
        if self.is_amount(name):
            return self.states[name] / self.values[element.sbml.getCompartment()]
        return self.states[name] if name in self.states else self.parameters[name]

    def _derivative(self, name: str, order: int) -> Any:
        """Of what formulas mean by a name, along the flow."""
        import casadi as ca

        value = self.values[name] if order == 1 else self._derivatives[name, order - 1]
        total = ca.jacobian(value, self.time)
        moved = [symbol.name() for symbol in ca.symvar(value) if symbol.name() in self.states]
        if moved:
            rates = ca.vcat([self._state_rate(n) for n in moved])
            total = total + ca.jtimes(value, ca.vcat([self.states[n] for n in moved]), rates)
        return total

    def _state_rate(self, name: str) -> Any:
        if name not in self._state_rates:
            if name in self.determined:
                self._state_rates |= self._algebraic_rates()
            else:
                self._state_rates[name] = self._differential_rate(name)
        return self._state_rates[name]

    def _differential_rate(self, name: str) -> Any:
        import casadi as ca

        element = self._elements[name]
        if element.rate is not None:
            rate = self.formula(element.rate, f'rate rule for "{name}"')
            if not self.is_amount(name):
                return rate
            compartment = element.sbml.getCompartment()
            return rate * self.values[compartment] + self.values[name] * self._rate(compartment)
        total = ca.SX(0)
        for term in self._elements.terms.get(name, ()):
            total = total + term.sign * self._stoichiometry(term) * self.values[term.reaction]
        factor = self._elements.conversion(name)
        return total * self.values[factor] if factor else total

    def _algebraic_rates(self) -> dict[str, Any]:
        import casadi as ca

        names = list(self.determined)
        others = [n for n in self.states if n not in self.determined]
        residuals = [self.formula(tree, where) for where, tree in self._elements.algebraic]
        rates = algebraic.rates(
            ca.vcat(residuals),
            ca.vcat([self.states[n] for n in names]),
            ca.vcat([self.states[n] for n in others]),
            ca.vcat([self._differential_rate(n) for n in others]),
            self.time,
        )
        return {name: rates[i] for i, name in enumerate(names)}

    def _stoichiometry(self, term: Term) -> Any:
        import casadi as ca

        reference, where = term.reference, f'reaction "{term.reaction}"'
        if reference.isSetId() and reference.getId() in self.values:
            return self.values[reference.getId()]
        if reference.isSetStoichiometryMath():
            return mathml.convert(reference.getStoichiometryMath().getMath(), self._scope(where))
        value = written_stoichiometry(reference)
        if value != value:
            found = f'no stoichiometry of "{reference.getSpecies()}"'
            raise ModelError(self._elements.where(where), found=found, expected="a number")
        return ca.SX(value)
