"""What is measured: models, how long they run, and an ensemble of virtual patients for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from equations import Equations

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("EXOTWIN_SHARED", ROOT.parent / "shared")) / "data" / "petab-models"

PATIENTS = 2000
DRAWN = 3 * PATIENTS
"""More than are used, since there are models in which some drawn patients grow beyond all bounds."""
SPREAD = 0.2
"""Standard deviation of the natural logarithm of every parameter."""

_NOTHING: Mapping[str, float] = {}
PUBLISHED = {
    "Bachmann_MSB2011": (240.0, _NOTHING),
    "Boehm_JProteomeRes2014": (240.0, _NOTHING),
    "Brannmark_JBC2010": (120.0, _NOTHING),
    "Crauste_CellSystems2017": (28.0, _NOTHING),
    "Fiedler_BMCSystBiol2016": (120.0, _NOTHING),
    # the document leaves the amounts that its experiments set at zero, and nothing happens: those of the condition
    # model1_data4 with the nominal values of the problem's parameter table
    "Lucarelli_CellSystems2018": (
        600.0,
        {"init_TGFb": 1.0, "init_S2": 142.781779487328, "init_S3": 16.2589451746389, "init_S4": 67.0231777556657},
    ),
    "Zheng_PNAS2012": (120.0, _NOTHING),
}
"""Published models of the shared data: the time they run for, and what is set beside the numbers of the document."""

_OWN_DAYS = 730.0
_OWN_DOSES = {"cells_venous": 1e6, "vesicles_blood": 1e9}
"""Per kg of body weight at the start: nothing moves in the chains of cells and vesicles before they are given."""


@dataclass(frozen=True, eq=False)
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

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """(patient,) of the positive parameters that the model itself neither computes nor sets to exactly one."""
        rng = np.random.default_rng(1)
        free = {p: value for p, value in self.equations.parameters.items() if value > 0 and value != 1}
        return {p: value * np.exp(rng.normal(0, SPREAD, DRAWN)) for p, value in free.items()}

    @cached_property
    def told(self) -> dict[str, np.ndarray]:
        """The draws, and the parameters that the model computes from them at the start.

        For simulators that compute these once, when they read the document.
        """
        return {**self.draws, **self.equations.computed(self.draws, DRAWN)}

    @property
    def states(self) -> tuple[str, ...]:
        """What moves, in the order in which everybody gives it."""
        return self.equations.states

    @cached_property
    def equations(self) -> Equations:
        """The model without any simulator."""
        return Equations(self.document)


def names() -> list[str]:
    """All models, whether their documents are here or not."""
    return [*PUBLISHED, *(f"{condition}-{species}" for condition, species in _own())]


def read(name: str) -> Model:
    """The model.

    Raises
    ------
    FileNotFoundError : it belongs to the shared data, and these are not here.
    """
    if name in PUBLISHED:
        end, settings = PUBLISHED[name]
        document = (SHARED / name / f"model_{name}.xml").read_text("utf-8")
        return Model(name, _changed(document, settings), end)
    from exotwin.biology import assemble

    condition, species = name.rsplit("-", 1)
    document = assemble(condition, species).sbml
    weight = Equations(document).parameters["body_weight"]
    return Model(name, _changed(document, {state: dose * weight for state, dose in _OWN_DOSES.items()}), _OWN_DAYS)


def _own() -> Iterable[tuple[str, str]]:
    from exotwin.biology import conditions, species_of

    return ((condition, species) for condition in conditions() for species in species_of(condition))


def _changed(document: str, settings: Mapping[str, float]) -> str:
    """The document with other values of parameters, or initial amounts of species."""
    if not settings:
        return document
    import libsbml

    sbml: Any = libsbml.readSBMLFromString(document)
    model = sbml.getModel()
    for name, value in settings.items():
        species = model.getSpecies(name)
        if species is None:
            model.getParameter(name).setValue(value)
        else:
            species.setInitialAmount(value)
    return str(libsbml.writeSBMLToString(sbml))
