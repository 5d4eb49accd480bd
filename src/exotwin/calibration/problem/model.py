"""What the names of a problem's model are."""

from __future__ import annotations

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
