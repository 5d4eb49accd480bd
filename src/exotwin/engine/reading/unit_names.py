"""What the units of a model are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class UnitNames:
    """Units as the model names them; "" where it gives none."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._names: dict[str, str] = {}
        for i in range(model.getNumUnitDefinitions()):
            definition = model.getUnitDefinition(i)
            self._names[definition.getId()] = definition.getName() or definition.getId()

    def time(self) -> str:
        """Unit of time."""
        return self._model_wide("Time", "time", "second")

    def of_all(self, elements: Mapping[str, Any]) -> dict[str, str]:
        """id -> unit of what formulas mean by it."""
        return {name: self._of(element.kind, element.sbml) for name, element in elements.items()}

    def _name(self, unit: str) -> str:
        return self._names.get(unit, unit)

    def _model_wide(self, what: str, predefined: str, builtin: str) -> str:
        if self._model.getLevel() >= 3:
            return self._name(getattr(self._model, f"get{what}Units")())
        return self._names.get(predefined, builtin)

    def _of(self, kind: str, item: Any) -> str:
        if kind == "species":
            return self._of_species(item)
        if kind == "compartment":
            return self._of_compartment(item)
        if kind == "parameter":
            return self._name(item.getUnits())
        return "dimensionless" if kind == "stoichiometry" else ""

    def _of_compartment(self, item: Any) -> str:
        if item.isSetUnits():
            return self._name(item.getUnits())
        return {
            3: lambda: self._model_wide("Volume", "volume", "litre"),
            2: lambda: self._model_wide("Area", "area", "metre^2"),
            1: lambda: self._model_wide("Length", "length", "metre"),
        }.get(item.getSpatialDimensions(), lambda: "")()

    def _of_species(self, item: Any) -> str:
        substance = (
            self._name(item.getSubstanceUnits())
            if item.isSetSubstanceUnits()
            else self._model_wide("Substance", "substance", "mole")
        )
        compartment = self._model.getCompartment(item.getCompartment())
        if item.getHasOnlySubstanceUnits() or compartment is None or compartment.getSpatialDimensionsAsDouble() == 0:
            return substance
        size = self._of_compartment(compartment)
        return f"{substance}/{size}" if substance and size else ""
