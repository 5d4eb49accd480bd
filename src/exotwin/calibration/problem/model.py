"""What the names of a problem's model are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exotwin.calibration.problem.library import petab
from exotwin.engine import CompiledModel, load
from exotwin.errors import InputError, NotBuiltYet


@dataclass(frozen=True)
class Model:
    """A model as the engine sees it. where : file, or what stands for it, for messages."""

    where: str
    sbml: str
    compiled: CompiledModel

    @cached_property
    def petab(self) -> Any:
        """The same as petab sees it."""
        return petab().model.from_string(self.sbml)

    def is_state(self, name: str) -> bool:
        """Whether a name has an initial value of its own: species, and whatever a rate rule or an event moves."""
        return name in self.compiled.states

    def has(self, name: str) -> bool:
        """Whether formulas can name it."""
        return name in self.compiled.names

    @cached_property
    def starts(self) -> Mapping[str, frozenset[str]]:
        """Name with an initial assignment -> names that this looks at, through assignment rules too."""
        sbml = self.petab.sbml_model
        rules = {rule.getVariable(): _names(rule.getMath()) for rule in sbml.getListOfRules() if rule.isAssignment()}
        found = {}
        for assignment in sbml.getListOfInitialAssignments():
            seen: set[str] = set()
            open_ = {*_names(assignment.getMath())}
            while open_:
                seen |= open_
                open_ = {inner for name in open_ for inner in rules.get(name, ())} - seen
            found[assignment.getSymbol()] = frozenset(seen)
        return found

    def own_value(self, where: str, name: str) -> float:
        """The number that the model gives a parameter.

        Raises
        ------
        NotBuiltYet : the model computes it, maybe from what is estimated. InputError : it gives none.
        """
        if self.petab.sbml_model.getInitialAssignmentBySymbol(name) is not None:
            raise NotBuiltYet(where, found=f'"{name}", which the model computes', expected="a number, or a name of one")
        value = self.compiled.parameters[name].value
        if value != value:
            raise InputError(where, found=f'"{name}", which has no value in the model', expected="one that has")
        return value


def _names(formula: Any) -> frozenset[str]:
    """Names in a formula of SBML."""

    def below(node: Any) -> Iterator[str]:
        if node.isName():
            yield node.getName()
        for i in range(node.getNumChildren()):
            yield from below(node.getChild(i))

    return frozenset(() if formula is None else below(formula))


def open_model(where: str, sbml: str) -> Model:
    """Compile a document.

    Raises
    ------
    ModelError, NotBuiltYet : as the engine's, with the file in front.
    """
    try:
        # an empty text would name the current folder
        return Model(where, sbml, load(sbml if sbml.strip() else "<"))
    except InputError as fault:
        told = f"{where}: {fault.where}"
        raise type(fault)(told, found=fault.found, expected=fault.expected, nearest=fault.nearest) from fault
