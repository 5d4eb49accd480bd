"""What is measured: models, how long they run, and an ensemble of virtual patients for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("EXOTWIN_SHARED", ROOT.parent / "shared")) / "data" / "petab-models"

PUBLISHED = {
    "Bachmann_MSB2011": 240.0,
    "Boehm_JProteomeRes2014": 240.0,
    "Brannmark_JBC2010": 120.0,
    "Fiedler_BMCSystBiol2016": 120.0,
    "Zheng_PNAS2012": 120.0,
}
"""Published models of the shared data, with the time they run for."""

OWN = {("poi", "human"): 730.0}
"""Our own conditions, with days from the start."""


@dataclass(frozen=True)
class Model:
    """A document, and the times at which its states are asked for."""

    name: str
    document: str
    end: float
    points: int = 41

    @property
    def times(self) -> np.ndarray:
        """Even times from 0."""
        return np.linspace(0, self.end, self.points)

    def draws(self, n_patients: int, *, seed: int = 1, spread: float = 0.1) -> dict[str, np.ndarray]:
        """Lognormal draws of the positive parameters that the model itself neither computes nor sets to exactly one."""
        rng = np.random.default_rng(seed)
        free = [p for p in self._parameters(computed=False) if p.getValue() > 0 and p.getValue() != 1]
        return {p.getId(): p.getValue() * np.exp(rng.normal(0, spread, n_patients)) for p in free}

    def computed(self) -> list[str]:
        """Parameters that follow from others at the start."""
        return [p.getId() for p in self._parameters(computed=True)]

    def in_concentration(self) -> set[str]:
        """Species whose concentration formulas mean."""
        return {s.getId() for s in self._sbml.getModel().getListOfSpecies() if not s.getHasOnlySubstanceUnits()}

    @cached_property
    def _sbml(self) -> Any:
        import libsbml

        return libsbml.readSBMLFromString(self.document)

    def _parameters(self, *, computed: bool) -> list[Any]:
        model = self._sbml.getModel()
        return [
            p
            for p in model.getListOfParameters()
            if model.getRule(p.getId()) is None and (model.getInitialAssignment(p.getId()) is not None) == computed
        ]


def models() -> Iterator[Model]:
    """All models that are there; says which are not."""
    for name, end in PUBLISHED.items():
        path = SHARED / name / f"model_{name}.xml"
        if path.is_file():
            yield Model(name, path.read_text("utf-8"), end)
        else:
            print(f"left out: {name} (not in the folder of shared data)")
    for (condition, species), end in OWN.items():
        from exotwin.biology import assemble

        yield Model(f"{condition} {species}", assemble(condition, species).sbml, end)
