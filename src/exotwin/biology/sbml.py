"""Antimony text → checked SBML: every symbol with value and unit, every equation with consistent units, no dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exotwin.biology.module import Line, owned_symbols
from exotwin.biology.sbml_units import text_of
from exotwin.biology.unit_check import check_units
from exotwin.errors import BiologyError, nearest

if TYPE_CHECKING:
    import libsbml


@dataclass(frozen=True)
class Translated:
    """A model as SBML Level 3 Version 2; ``states``: ids of what has a rate; ``units``: unit text by symbol."""

    sbml: str
    states: tuple[str, ...]
    units: Mapping[str, str]


def to_sbml(lines: Sequence[Line], *, name: str) -> Translated:
    """Translate and check a model.

    Parameters
    ----------
    lines : the Antimony text, each line with the file that it came from.
    name : what the model is called.

    Raises
    ------
    BiologyError : text that Antimony does not read; a symbol without value or unit; units that do not agree. Names the
        file and line where that is known.
    """
    import libsbml

    document = libsbml.readSBMLFromString(_translate(lines))
    model = document.getModel()
    model.setName(name)
    places = {symbol: line.where for line in lines for symbol in owned_symbols(line.text)}
    _check_symbols(model, places)
    check_units(model, places)
    _name_literals(model)
    _check_consistency(document)
    units = {p.getId(): text_of(p.getUnits()) for p in model.getListOfParameters()}
    units |= {s.getId(): text_of(s.getSubstanceUnits()) for s in model.getListOfSpecies()}
    return Translated(str(libsbml.writeSBMLToString(document)), tuple(_states(model)), units)


def _translate(lines: Sequence[Line]) -> str:
    import antimony

    antimony.clearPreviousLoads()
    try:
        if antimony.loadAntimonyString("\n".join(line.text for line in lines) + "\n") < 0:
            message = str(antimony.getLastError()).strip()
            number = next((int(w.rstrip(":,.")) for w in message.split() if w.rstrip(":,.").isdigit()), 0)
            at = lines[number - 1] if 0 < number <= len(lines) else Line("", "the joined model")
            raise BiologyError(at.where, found=f'"{at.text.strip()}": {message}', expected="Antimony text")
        return str(antimony.getSBMLString(antimony.getMainModuleName()))
    finally:
        antimony.clearPreviousLoads()


def _name_literals(model: libsbml.Model) -> None:
    # A bare number counts as dimensionless, so that libSBML checks every equation instead of giving up at each literal.
    for math in _equations(model):
        pending = [math]
        while pending:
            node = pending.pop()
            if node.isNumber() and not node.isSetUnits():
                node.setUnits("dimensionless")
            pending += [node.getChild(i) for i in range(node.getNumChildren())]


def _equations(model: libsbml.Model) -> Iterator[Any]:
    for rule in model.getListOfRules():
        yield rule.getMath()
    for assignment in model.getListOfInitialAssignments():
        yield assignment.getMath()
    for reaction in model.getListOfReactions():
        yield reaction.getKineticLaw().getMath()
    for event in model.getListOfEvents():
        yield event.getTrigger().getMath()
        if event.isSetDelay():
            yield event.getDelay().getMath()
        for assignment in event.getListOfEventAssignments():
            yield assignment.getMath()


def _check_symbols(model: libsbml.Model, places: Mapping[str, str]) -> None:
    def place(symbol: str) -> str:
        return f'{places.get(symbol, "the joined model")}, "{symbol}"'

    ruled = {r.getVariable() for r in model.getListOfRules() if r.isAssignment()}
    ruled |= {a.getSymbol() for a in model.getListOfInitialAssignments()}
    known = [p.getId() for p in model.getListOfParameters() if p.isSetValue() or p.getId() in ruled]
    known += [s.getId() for s in model.getListOfSpecies()]
    for parameter in model.getListOfParameters():
        symbol = parameter.getId()
        if not parameter.isSetValue() and symbol not in ruled:
            raise BiologyError(
                place(symbol),
                found="a symbol without value",
                expected="a row in a table, an equation, or an input with its neutral value",
                nearest=nearest(symbol, known),
            )
        if not parameter.isSetUnits():
            raise BiologyError(place(symbol), found="no unit", expected=f'a line "{symbol} has UNIT;" in its module')
    for species in model.getListOfSpecies():
        if not (species.isSetInitialAmount() or species.getId() in ruled) or not species.getHasOnlySubstanceUnits():
            raise BiologyError(
                place(species.getId()),
                found="a species without initial amount, or as concentration",
                expected=f'"substanceOnly species {species.getId()} in body; {species.getId()} = 0;"',
            )


def _check_consistency(document: libsbml.SBMLDocument) -> None:
    import libsbml

    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    # Advice on good modelling practice asks, among others, for initial values where rules give them.
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    for n in range(document.getNumErrors()):
        fault = document.getError(n)
        if fault.getSeverity() >= libsbml.LIBSBML_SEV_WARNING:
            words = " ".join(str(fault.getMessage()).split())
            raise BiologyError("the joined model", found=words, expected="SBML with consistent units in every equation")


def _states(model: libsbml.Model) -> Iterator[str]:
    for species in model.getListOfSpecies():
        if not species.getConstant() and not model.getAssignmentRule(species.getId()):
            yield species.getId()
    for rule in model.getListOfRules():
        if rule.isRate():
            yield rule.getVariable()
