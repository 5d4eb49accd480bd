"""What an SBML model consists of: everything that formulas can name, with the formulas that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exotwin.engine.reading.happenings import Happening, read_events
from exotwin.engine.reading.mathml import Functions
from exotwin.errors import ModelError, nearest

NAN = float("nan")


@dataclass
class Element:
    """One thing that formulas can name.

    kind : "compartment", "species", "parameter", "stoichiometry" (of a species reference) or "reaction".
    what : for messages, 'species "S1"'. assignment, rate, initial : its formulas, as libSBML's trees.
    by_event : whether an event assigns it. law, local : of a reaction, its rate law and own parameters, id -> value,
    NaN where open.
    """

    kind: str
    sbml: Any
    what: str
    assignment: Any = None
    rate: Any = None
    initial: Any = None
    by_event: bool = False
    law: Any = None
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

    def has_value(self) -> bool:
        """Whether the model gives a value for the start, as a number or by a formula."""
        if self.kind == "species":
            item = self.sbml
            return self.initial is not None or bool(item.isSetInitialAmount() or item.isSetInitialConcentration())
        value = self.written_value()
        return self.initial is not None or value == value

    def is_constant(self) -> bool:
        """Whether the model says that nothing may change it."""
        if self.kind == "stoichiometry" and self.sbml.getLevel() < 3:
            return True  # only its own formula sets it
        return self.sbml.getLevel() > 1 and bool(self.sbml.getConstant())


@dataclass(frozen=True)
class Term:
    """A species reference: the reaction turns over ``sign`` times its stoichiometry of the species."""

    reaction: str
    reference: Any
    sign: int


class Elements(Mapping[str, Element]):
    """All elements by id.

    terms : species -> the terms of reactions that move it. algebraic : (place for messages, formula that must be zero).
    happenings : the events. remarks : what a careful reader of the model should be told.

    Raises
    ------
    ModelError : a rule, an event or a reaction that refers to what does not exist, or sets what it must not.
    """

    def __init__(self, model: Any, name: str) -> None:
        self._model, self._name = model, name
        definitions = listed(model, "FunctionDefinition")
        self.functions = Functions({f.getId(): f.getMath() for f in definitions if f.isSetMath()})
        self._all: dict[str, Element] = {}
        self.algebraic: list[tuple[str, Any]] = []
        self.happenings: list[Happening]
        self.happenings, self.remarks = read_events(model)
        self._collect()
        self._attach_formulas()
        self._attach_events()
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
                self._add(Element(kind.lower(), item, f'{kind.lower()} "{item.getId()}"'))
        for reaction in listed(self._model, "Reaction"):
            element = Element("reaction", reaction, f'reaction "{reaction.getId()}"')
            self._add(element)
            law = reaction.getKineticLaw()
            if law is None or not law.isSetMath():
                self.remarks.append(f"the {element.what} has no rate law and turns over nothing")
            if law is not None:
                if law.isSetTimeUnits() or law.isSetSubstanceUnits():
                    self.remarks.append(
                        f"units of its own, which the rate law of {element.what} has, are not converted"
                    )
                element.law = law.getMath() if law.isSetMath() else None
                for parameter in listed(law, "LocalParameter") or listed(law, "Parameter"):
                    element.local[parameter.getId()] = parameter.getValue() if parameter.isSetValue() else NAN
            for reference in (*listed(reaction, "Reactant"), *listed(reaction, "Product")):
                if reference.isSetId():
                    element = Element("stoichiometry", reference, f'species reference "{reference.getId()}"')
                    self._add(element)
                    if reference.isSetStoichiometryMath():  # Level 2's way of an assignment rule
                        element.assignment = reference.getStoichiometryMath().getMath()

    def _add(self, element: Element) -> None:
        name = element.sbml.getId()
        if name in self._all:
            found, expected = f"the id of {self._all[name].what} again", "an id of its own"
            raise ModelError(self.where(element.what), found=found, expected=expected)
        self._all[name] = element

    def _attach_formulas(self) -> None:
        for i, rule in enumerate(listed(self._model, "Rule")):
            if rule.isAlgebraic():
                if rule.isSetMath():
                    self.algebraic.append((f"algebraic rule (rule {i + 1} of the model)", rule.getMath()))
                continue
            where = f'{"assignment" if rule.isAssignment() else "rate"} rule for "{rule.getVariable()}"'
            element = self._variable(rule.getVariable(), where)
            if element.assignment is not None or element.rate is not None:
                raise ModelError(self.where(where), found="a second rule", expected="one rule for each variable")
            # since Level 3 Version 2 a rule may lack its formula, and then says nothing
            if rule.isSetMath() and rule.isAssignment():
                element.assignment = rule.getMath()
            elif rule.isSetMath():
                element.rate = rule.getMath()
        for start in listed(self._model, "InitialAssignment"):
            where = f'initial assignment of "{start.getSymbol()}"'
            element = self.get_named(start.getSymbol(), where)
            if start.isSetMath() and element.assignment is not None:
                found, expected = f'an assignment rule for "{start.getSymbol()}" as well', "one of the two"
                raise ModelError(self.where(where), found=found, expected=expected)
            if start.isSetMath():
                element.initial = start.getMath()

    def _attach_events(self) -> None:
        for happening in self.happenings:
            seen: set[str] = set()
            for name, _ in happening.assignments:
                where = happening.place_of(name)
                element = self._variable(name, where)
                if element.assignment is not None:
                    found, expected = "a variable that an assignment rule sets at all times", "one without"
                    raise ModelError(self.where(where), found=found, expected=expected)
                if name in seen:
                    raise ModelError(self.where(where), found="a second one", expected="one for each variable")
                seen.add(name)
                element.by_event = True

    def _variable(self, name: str, where: str) -> Element:
        """What a rule or an event may set."""
        element = self.get_named(name, where)
        if element.kind == "reaction" or element.is_constant():
            found = f"{element.what}, which is constant" if element.kind != "reaction" else element.what
            raise ModelError(self.where(where), found=found, expected="something with constant=false")
        return element

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
                    if element.sbml.getBoundaryCondition() or self[reaction.getId()].law is None:
                        continue
                    ruled = element.assignment is not None or element.rate is not None
                    if ruled or element.is_constant():
                        raise ModelError(
                            self.where(what),
                            found=f'"{name}", which is {"set by a rule" if ruled else "constant"} as well',
                            expected="a species with boundaryCondition=true, or without a rule and not constant",
                        )
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
