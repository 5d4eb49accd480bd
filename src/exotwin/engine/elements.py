"""What an SBML model consists of: everything that formulas can name, with the formulas that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exotwin.errors import ModelError, nearest

NAN = float("nan")


@dataclass
class Element:
    """One thing that formulas can name.

    kind : "compartment", "species", "parameter", "stoichiometry" (of a species reference) or "reaction".
    what : for messages, 'species "S1"'. assignment, rate, initial : its formulas, as libSBML's trees.
    local : of a reaction, its own parameters: id -> value, NaN where open.
    """

    kind: str
    sbml: Any
    what: str
    assignment: Any = None
    rate: Any = None
    initial: Any = None
    local: dict[str, float] = field(default_factory=dict)

    def written_value(self) -> float:
        """The number that the model gives for it; NaN where it gives none."""
        item = self.sbml
        if self.kind == "stoichiometry":
            return written_stoichiometry(item)
        if self.kind == "compartment":
            if item.isSetSize():
                return float(item.getSize())
            return 1.0 if item.getLevel() == 1 or item.getSpatialDimensions() == 0 else NAN
        return float(item.getValue()) if item.isSetValue() else NAN


@dataclass(frozen=True)
class Term:
    """A species reference: the reaction turns over ``sign`` times its stoichiometry of the species."""

    reaction: str
    reference: Any
    sign: int


class Elements(Mapping[str, Element]):
    """All elements by id.

    Raises
    ------
    ModelError : a rule or a reaction that refers to what does not exist.
    """

    def __init__(self, model: Any, name: str) -> None:
        self._model, self._name = model, name
        self.functions = {f.getId(): f.getMath() for f in listed(model, "FunctionDefinition") if f.isSetMath()}
        self._all: dict[str, Element] = {}
        self._collect()
        self._attach_formulas()
        self.terms = self._collect_terms()
        for name, element in self.items():
            if element.kind == "species":
                self.get_named(element.sbml.getCompartment(), element.what)
                if factor := self.conversion(name):
                    self.get_named(factor, element.what)

    def __getitem__(self, name: str) -> Element:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def where(self, what: str) -> str:
        """A place in the model, for messages."""
        return f"{self._name}, {what}"

    def get_named(self, name: str, where: str) -> Element:
        """The element that something at ``where`` refers to."""
        if name not in self._all:
            raise ModelError(
                self.where(where),
                found=f'the name "{name}"',
                expected="something that the model defines",
                nearest=nearest(name, self._all),
            )
        return self._all[name]

    def is_concentration(self, name: str) -> bool:
        """Whether formulas mean the concentration of a species."""
        element = self[name]
        if element.kind != "species" or element.sbml.getHasOnlySubstanceUnits():
            return False
        compartment = self[element.sbml.getCompartment()]
        return compartment.kind == "compartment" and compartment.sbml.getSpatialDimensionsAsDouble() != 0

    def conversion(self, name: str) -> str:
        """Name of the factor between what reactions turn over and the amount of a species, or ""."""
        if self[name].kind != "species":
            return ""
        return str(self[name].sbml.getConversionFactor() or self._model.getConversionFactor())

    def _collect(self) -> None:
        for kind in ("Compartment", "Species", "Parameter"):
            for item in listed(self._model, kind):
                self._all[item.getId()] = Element(kind.lower(), item, f'{kind.lower()} "{item.getId()}"')
        for reaction in listed(self._model, "Reaction"):
            element = Element("reaction", reaction, f'reaction "{reaction.getId()}"')
            self._all[reaction.getId()] = element
            if law := reaction.getKineticLaw():
                for parameter in listed(law, "LocalParameter") or listed(law, "Parameter"):
                    element.local[parameter.getId()] = parameter.getValue() if parameter.isSetValue() else NAN
            for reference in (*listed(reaction, "Reactant"), *listed(reaction, "Product")):
                if reference.isSetId():
                    what = f'species reference "{reference.getId()}"'
                    element = self._all[reference.getId()] = Element("stoichiometry", reference, what)
                    if reference.isSetStoichiometryMath():  # Level 2's way of an assignment rule
                        element.assignment = reference.getStoichiometryMath().getMath()

    def _attach_formulas(self) -> None:
        for rule in listed(self._model, "Rule"):
            where = f'{"assignment" if rule.isAssignment() else "rate"} rule for "{rule.getVariable()}"'
            element = self.get_named(rule.getVariable(), where)
            if element.assignment is not None or element.rate is not None:
                raise ModelError(self.where(where), found="a second rule", expected="one rule for each variable")
            # since Level 3 Version 2 a rule may lack its formula, and then says nothing
            if rule.isSetMath() and rule.isAssignment():
                element.assignment = rule.getMath()
            elif rule.isSetMath():
                element.rate = rule.getMath()
        for start in listed(self._model, "InitialAssignment"):
            element = self.get_named(start.getSymbol(), f'initial assignment of "{start.getSymbol()}"')
            if element.assignment is None and start.isSetMath():
                element.initial = start.getMath()

    def _collect_terms(self) -> dict[str, list[Term]]:
        """Species -> the terms of reactions that move it."""
        terms: dict[str, list[Term]] = {}
        for reaction in listed(self._model, "Reaction"):
            for sign, kind in ((-1, "Reactant"), (1, "Product")):
                for reference in listed(reaction, kind):
                    name, what = reference.getSpecies(), f'reaction "{reaction.getId()}"'
                    element = self.get_named(name, what)
                    if element.kind != "species":
                        raise ModelError(self.where(what), found=f'"{name}"', expected="a species")
                    free = not element.sbml.getBoundaryCondition() and not element.sbml.getConstant()
                    if free and element.rate is None:
                        terms.setdefault(name, []).append(Term(reaction.getId(), reference, sign))
        return terms


def written_stoichiometry(reference: Any) -> float:
    """The number that a species reference gives; NaN where it gives none."""
    if reference.isSetStoichiometry() or reference.getLevel() < 3:
        return float(reference.getStoichiometry()) / (reference.getDenominator() if reference.getLevel() == 1 else 1)
    return NAN


def listed(parent: Any, kind: str) -> list[Any]:
    """All of libSBML's children of a kind."""
    count = getattr(parent, f"getNum{kind}{'' if kind == 'Species' else 's'}")()
    return [getattr(parent, f"get{kind}")(i) for i in range(count)]
