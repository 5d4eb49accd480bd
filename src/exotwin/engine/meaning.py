"""What the names of a model mean, as expressions of time, states and parameters: values, rates of change, starts.

A name followed by a prime stands for its rate of change, which formulas can ask for with rateOf.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from exotwin.engine import mathml
from exotwin.engine.elements import NAN, Elements, Term, written_stoichiometry
from exotwin.errors import ModelError, NotBuiltYet, nearest

PRIME = "′"


class Meaning:
    """Symbols of a model and what is written with them.

    time : casadi symbol. states, parameters : id -> symbol; parameters of a reaction are called "reaction.parameter".
    given : parameter -> number in the model, NaN where there is none.
    values : id -> what formulas mean by it. Known for all names but those of reactions that nothing asks for.
    """

    def __init__(self, elements: Elements) -> None:
        import casadi as ca

        self._elements = elements
        self.time = ca.SX.sym("time")
        self.states: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.given: dict[str, float] = {}
        for name, element in elements.items():
            for own, value in element.local.items():
                self.parameters[f"{name}.{own}"] = ca.SX.sym(f"{name}.{own}")
                self.given[f"{name}.{own}"] = value
            if element.kind == "reaction" or element.assignment is not None:
                continue
            if element.kind == "species" or element.rate is not None:
                self.states[name] = ca.SX.sym(name)
            else:
                self.parameters[name] = ca.SX.sym(name)
                self.given[name] = NAN if element.initial is not None else element.written_value()
        self.values: dict[str, Any] = {}
        self._rates: dict[str, Any] = {}
        self._evaluate(self._wanted())

    def is_amount(self, name: str) -> bool:
        """Whether a state is an amount while formulas mean the concentration."""
        state = name in self.states and self._elements[name].rate is None
        return state and self._elements.is_concentration(name)

    def state_rate(self, name: str) -> Any:
        """Rate of change of a state, which for a concentration in formulas is the amount behind it."""
        return self._amount_rate(name) if self.is_amount(name) else self._rate_expression(name)

    def initial(self, name: str) -> Any:
        """Value at the start: of a parameter with an initial assignment, or of a state."""
        import casadi as ca

        element, item = self._elements[name], self._elements[name].sbml
        if element.initial is not None:
            value = mathml.convert(element.initial, self._scope(f'initial assignment of "{name}"'))
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

    def _wanted(self) -> set[str]:
        wanted = {name for name, element in self._elements.items() if element.kind != "reaction"}
        for name in self.states:
            # of the rate of an amount itself, not of the concentration, whose compartment may change
            wanted |= self._needs_of_state(name)
        for name, element in self._elements.items():
            if element.initial is not None:
                wanted |= self._named(element.initial, f'initial assignment of "{name}"')
        return wanted

    def _named(self, formula: Any, where: str, local: Iterable[str] = ()) -> set[str]:
        """Names in a formula, with a prime where their rate of change is meant."""
        found = set()
        for name, of_rate in mathml.names(formula, self._elements.functions):
            if name not in local:
                self._elements.get_named(name, where)
                found.add(name + PRIME * of_rate)
        return found

    def _needs(self, name: str) -> set[str]:
        element = self._elements[name]
        if element.assignment is not None:
            return self._named(element.assignment, f'assignment rule for "{name}"')
        if element.kind == "reaction":
            law = element.sbml.getKineticLaw()
            if law is None or not law.isSetMath():
                where = self._elements.where(element.what)
                raise ModelError(where, found="no rate law", expected="a kinetic law with a formula")
            return self._named(law.getMath(), f"rate law of {element.what}", element.local)
        return {element.sbml.getCompartment()} if self.is_amount(name) else set()

    def _needs_of_state(self, name: str) -> set[str]:
        element, found = self._elements[name], set()
        if element.rate is not None:
            return self._named(element.rate, f'rate rule for "{name}"')
        for term in self._elements.terms.get(name, ()):
            found.add(term.reaction)
            if term.reference.isSetId() and term.reference.getId() in self._elements:
                found.add(term.reference.getId())
            elif term.reference.isSetStoichiometryMath():
                found |= self._named(term.reference.getStoichiometryMath().getMath(), f'reaction "{term.reaction}"')
        return found | {factor for factor in (self._elements.conversion(name),) if factor}

    def _needs_of_rate(self, name: str) -> set[str]:
        element = self._elements[name]
        if element.assignment is not None or element.kind == "reaction":
            where = self._elements.where(element.what)
            raise NotBuiltYet(where, found="its rateOf, while a formula sets it", expected="rateOf of a state")
        if name not in self.states:
            return set()
        compartment = element.sbml.getCompartment() if self.is_amount(name) else ""
        extra = {name, compartment, compartment + PRIME} if compartment else set()
        return self._needs_of_state(name) | extra

    def _evaluate(self, wanted: set[str]) -> None:
        needs: dict[str, set[str]] = {}
        todo = set(wanted)
        while todo:
            item = todo.pop()
            needs[item] = self._needs_of_rate(item[:-1]) if item.endswith(PRIME) else self._needs(item)
            todo |= needs[item] - needs.keys()
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError as fault:
            circle = list(reversed(fault.args[1]))
            raise ModelError(
                self._elements.where(self._elements[circle[0].rstrip(PRIME)].what),
                found="formulas that depend on each other: " + " → ".join(circle),
                expected="rules that can be evaluated one after the other",
            ) from fault
        for item in order:
            if item.endswith(PRIME):
                self._rates[item[:-1]] = self._rate_expression(item[:-1])
            else:
                self.values[item] = self._value_expression(item)

    # expressions

    def _scope(self, where: str, local: Mapping[str, Any] | None = None) -> mathml.Scope:
        elements = self._elements
        return mathml.Scope(
            elements.where(where), self._value, self._rates.__getitem__, elements.functions, self.time, local or {}
        )

    def _value(self, name: str) -> Any:
        if name not in self.values:  # only the body of a function can still name what does not exist
            where = self._elements.where("a function definition")
            expected = "an argument of the function"
            raise ModelError(where, found=f'the name "{name}"', expected=expected, nearest=nearest(name, self.values))
        return self.values[name]

    def _value_expression(self, name: str) -> Any:
        element = self._elements[name]
        if element.assignment is not None:
            return mathml.convert(element.assignment, self._scope(f'assignment rule for "{name}"'))
        if element.kind == "reaction":
            local = {own: self.parameters[f"{name}.{own}"] for own in element.local}
            return mathml.convert(
                element.sbml.getKineticLaw().getMath(), self._scope(f"rate law of {element.what}", local)
            )
        if self.is_amount(name):
            return self.states[name] / self.values[element.sbml.getCompartment()]
        return self.states[name] if name in self.states else self.parameters[name]

    def _rate_expression(self, name: str) -> Any:
        import casadi as ca

        element = self._elements[name]
        if element.rate is not None:
            return mathml.convert(element.rate, self._scope(f'rate rule for "{name}"'))
        if name not in self.states:
            return ca.SX(0)
        if self.is_amount(name):
            size, growth = (table[element.sbml.getCompartment()] for table in (self.values, self._rates))
            return (self._amount_rate(name) - self.values[name] * growth) / size
        return self._amount_rate(name)

    def _amount_rate(self, name: str) -> Any:
        import casadi as ca

        total = ca.SX(0)
        for term in self._elements.terms.get(name, ()):
            total = total + term.sign * self._stoichiometry(term) * self.values[term.reaction]
        factor = self._elements.conversion(name)
        return total * self.values[factor] if factor else total

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
