"""An SBML model as plain Python formulas, for the integrators that bring none of their own (SciPy, diffrax).

Written for the models measured here and independent of exotwin's engine, so that it checks the engine as well. What it
does not know (events, algebraic rules, moving compartments …) raises `Unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import TopologicalSorter
from types import SimpleNamespace
from typing import Any

import libsbml
import numpy as np

_INFIX = {
    libsbml.AST_PLUS: "+",
    libsbml.AST_TIMES: "*",
    libsbml.AST_DIVIDE: "/",
    libsbml.AST_RELATIONAL_LT: "<",
    libsbml.AST_RELATIONAL_LEQ: "<=",
    libsbml.AST_RELATIONAL_GT: ">",
    libsbml.AST_RELATIONAL_GEQ: ">=",
}
_CALLS = {libsbml.AST_FUNCTION_EXP: "exp", libsbml.AST_FUNCTION_LN: "log"}
_POWERS = (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER)

NUMPY = SimpleNamespace(exp=np.exp, log=np.log, where=np.where)


class Unknown(Exception):
    """An element that is not translated."""


class Equations:
    """The model's formulas.

    states : what moves, species as amount or concentration, as the model's formulas mean them.
    parameters : id -> value, of those that no rule and no initial assignment sets.
    """

    def __init__(self, document: str) -> None:
        self._document = libsbml.readSBMLFromString(document)
        for option in ("expandFunctionDefinitions", "promoteLocalParameters"):
            properties = libsbml.ConversionProperties()
            properties.addOption(option, True)
            self._document.convert(properties)
        model = self._model = self._document.getModel()
        self._refuse(model)
        self._rules = {rule.getVariable(): rule for rule in model.getListOfRules()}
        self._starts = {i.getSymbol(): i.getMath() for i in model.getListOfInitialAssignments()}
        self._moved = self._by_reactions()
        self.states = (*self._moved, *(name for name, rule in self._rules.items() if rule.isRate()))
        free = [p for p in model.getListOfParameters() if p.getId() not in self._rules]
        self._computed = [p.getId() for p in free if p.getId() in self._starts]
        self.parameters: dict[str, float] = {p.getId(): p.getValue() for p in free if p.getId() not in self._starts}
        self.inputs = (*self.parameters, *self._computed)
        species = model.getListOfSpecies()
        self.concentrations = frozenset(s.getId() for s in species if not s.getHasOnlySubstanceUnits())
        """Species whose name means a concentration."""
        sizes = {c.getId(): c.getSize() for c in model.getListOfCompartments()}
        self.volumes = {s.getId(): sizes[s.getCompartment()] for s in species}
        """Species -> size of its compartment."""

    @staticmethod
    def _refuse(model: Any) -> None:
        if model.getNumEvents():
            raise Unknown("events")
        if any(rule.isAlgebraic() for rule in model.getListOfRules()):
            raise Unknown("algebraic rules")
        if any(model.getRule(compartment.getId()) for compartment in model.getListOfCompartments()):
            raise Unknown("compartments that change")

    def _by_reactions(self) -> dict[str, list[str]]:
        """Species that reactions move -> terms of their rate of change, in the unit of the state."""
        terms: dict[str, list[str]] = {}
        for reaction in self._model.getListOfReactions():
            for sign, references in (("-", reaction.getListOfReactants()), ("+", reaction.getListOfProducts())):
                for reference in references:
                    species = self._model.getSpecies(reference.getSpecies())
                    if species.getBoundaryCondition() or species.getConstant():
                        continue
                    if reference.isSetStoichiometryMath():
                        raise Unknown("stoichiometry by formula")
                    factor = reference.getStoichiometry() / self._volume(species)
                    terms.setdefault(species.getId(), []).append(f"{sign} {factor!r} * v_{reaction.getId()}")
        return terms

    def _volume(self, species: Any) -> float:
        """What an amount is divided by to get what the species' name means."""
        if species.getHasOnlySubstanceUnits():
            return 1.0
        return float(self._model.getCompartment(species.getCompartment()).getSize())

    # code

    def rates(self, library: Any, pack: Callable[[list[Any]], Any]) -> Callable[[Any, Any, Any], Any]:
        """f(t, y, p): y in the order of `states`, p of `inputs`; ``library`` brings exp, log, where."""
        lines = self._unpack("y", self.states) + self._unpack("p", self.inputs)
        fixed = {s.getId(): self._given(s) for s in self._model.getListOfSpecies() if s.getId() not in self.states}
        lines += [f"n_{n} = {value!r}" for n, value in fixed.items() if n not in self._rules and value is not None]
        lines += self._sizes()
        formulas = {f"n_{n}": rule.getMath() for n, rule in self._rules.items() if rule.isAssignment()}
        lines += self._assignments(formulas)
        flows = [(r.getId(), r.getKineticLaw().getMath()) for r in self._model.getListOfReactions()]
        lines += [f"v_{name} = {_code(math)}" for name, math in flows]
        change = [
            " ".join(self._moved[n]) if n in self._moved else _code(self._rules[n].getMath()) for n in self.states
        ]
        return self._function("t, y, p", [*lines, f"return pack([{', '.join(change)}])"], library, pack)

    def start(self, given: Mapping[str, Any], n_patients: int) -> tuple[np.ndarray, np.ndarray]:
        """y (state, patient) and p (input, patient) at time 0."""
        lines = ["t = 0.0", *self._unpack("given", self.parameters), *self._sizes()]
        formulas = {f"n_{n}": math for n, math in self._starts.items()}
        formulas |= {f"n_{n}": rule.getMath() for n, rule in self._rules.items() if rule.isAssignment()}
        plain = [s for s in self._model.getListOfSpecies() if f"n_{s.getId()}" not in formulas]
        lines += [f"n_{s.getId()} = {self._given(s)!r}" for s in plain]
        plain = [p for p in self._model.getListOfParameters() if p.getId() in self.states]
        lines += [f"n_{p.getId()} = {p.getValue()!r}" for p in plain if p.getId() not in self._starts]
        lines += self._assignments(formulas)
        wanted = ", ".join(f"n_{name}" for name in (*self.states, *self.inputs))
        function = self._function("given", [*lines, f"return pack([{wanted}])"], NUMPY, list)
        values = function([given.get(name, value) for name, value in self.parameters.items()])
        table = np.array([np.broadcast_to(np.asarray(value, float), (n_patients,)) for value in values])
        return table[: len(self.states)], table[len(self.states) :]

    def computed(self, given: Mapping[str, Any], n_patients: int) -> dict[str, np.ndarray]:
        """Parameters that initial assignments set, by patient."""
        inputs = self.start(given, n_patients)[1]
        return {name: inputs[self.inputs.index(name)] for name in self._computed}

    def _given(self, species: Any) -> float | None:
        """The initial value of the document, in the unit that formulas mean."""
        volume = self._model.getCompartment(species.getCompartment()).getSize()
        only = species.getHasOnlySubstanceUnits()
        if species.isSetInitialConcentration():
            return float(species.getInitialConcentration() * (volume if only else 1.0))
        return float(species.getInitialAmount() / (1.0 if only else volume)) if species.isSetInitialAmount() else None

    def _sizes(self) -> list[str]:
        return [f"n_{c.getId()} = {c.getSize()!r}" for c in self._model.getListOfCompartments()]

    @staticmethod
    def _unpack(array: str, names: Iterable[str]) -> list[str]:
        return [f"n_{name} = {array}[{i}]" for i, name in enumerate(names)]

    @staticmethod
    def _assignments(formulas: Mapping[str, Any]) -> list[str]:
        """One line each, those first that others need."""
        needs = {name: {n for n in _names(math) if n in formulas} for name, math in formulas.items()}
        return [f"{name} = {_code(formulas[name])}" for name in TopologicalSorter(needs).static_order()]

    @staticmethod
    def _function(arguments: str, lines: list[str], library: Any, pack: Any) -> Callable[..., Any]:
        names = {"exp": library.exp, "log": library.log, "where": library.where, "pack": pack}
        exec("\n    ".join([f"def function({arguments}):", *lines]), names)
        function: Callable[..., Any] = names["function"]
        return function


def _names(node: Any) -> set[str]:
    own = {f"n_{node.getName()}"} if node.getType() == libsbml.AST_NAME else set()
    return own.union(*(_names(node.getChild(i)) for i in range(node.getNumChildren())))


def _code(node: Any, *, exponent: bool = False) -> str:
    """A formula as Python."""
    kind, children = node.getType(), [node.getChild(i) for i in range(node.getNumChildren())]
    if kind == libsbml.AST_NAME:
        return f"n_{node.getName()}"
    if kind == libsbml.AST_NAME_TIME:
        return "t"
    if node.isNumber():
        value = float(node.getValue())
        return repr(int(value) if exponent and value == int(value) else value)
    if kind in _INFIX:
        return "(" + f" {_INFIX[kind]} ".join(map(_code, children)) + ")"
    if kind == libsbml.AST_MINUS:
        return (
            "(" + "".join(f"- {_code(c)}" for c in children[-1:]) + ")"
            if len(children) == 1
            else (f"({_code(children[0])} - {_code(children[1])})")
        )
    if kind in _POWERS:
        return f"({_code(children[0])} ** {_code(children[1], exponent=True)})"
    if kind == libsbml.AST_FUNCTION_ROOT:
        degree = _code(children[0]) if len(children) == 2 else "2.0"
        return f"({_code(children[-1])} ** (1 / {degree}))"
    if kind in _CALLS:
        return f"{_CALLS[kind]}({_code(children[0])})"
    if kind == libsbml.AST_FUNCTION_PIECEWISE:
        otherwise = _code(children[-1]) if len(children) % 2 else "float('nan')"
        for i in range(len(children) // 2 * 2 - 2, -1, -2):
            otherwise = f"where({_code(children[i + 1])}, {_code(children[i])}, {otherwise})"
        return otherwise
    raise Unknown(f"<{node.getOperatorName() or node.getName() or kind}>")
