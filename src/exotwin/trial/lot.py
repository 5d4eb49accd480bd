"""What a lot says to the model beside its cargo: source tissue, passage, donor's age, size of its vesicles, its yield.

- Source tissue: the model's numbers for that source (`Model.sources`) take the place of its own. Where such a number
  has a spread it is not known, and the same for all patients of a draw: they all get this one lot.
- Passage, donor's age and the median diameter are inputs of the model; what is not declared stays the model's own.
- Yield: a dose in cell equivalents is the vesicles harvested from so many cells, by the count that the product
  declares, else by what the model's cells of this source release within the `HARVEST_DAYS` of a usual collection.

What the study itself fixes goes before all of this.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.biology import Model, Parameter, Spread

if TYPE_CHECKING:
    from exotwin.product import Product

Floats = npt.NDArray[np.float64]

HARVEST_DAYS = 2.0
"""Conditioned medium is usually collected for 48 hours; assumed where the product declares no yield."""
SECRETION, RELEASE = "secretion_rate", "release_per_cell"
PERINATAL = ("umbilical cord", "Wharton's jelly", "cord blood", "placenta", "amnion")
"""Tissues of birth: their donor's age is none."""
INPUTS = ("passage", "donor_age", "vesicle_diameter")


def own_numbers(model: Model, product: Product) -> Mapping[str, Parameter]:
    """The model's numbers for cells of the product's source; empty where it has none for that source.

    Numbers of that source that no equation of the condition uses, such as those of the culture, are left out.
    """
    of_source = model.sources.get(product.source_tissue, {})
    return {name: parameter for name, parameter in of_source.items() if name in model.parameters}


def lot_knowledge(key: str, product: Product, model: Model, fixed: Collection[str]) -> dict[str, Spread]:
    """What is not known of cells of this source, by ``key:source:parameter``."""
    return {
        f"{key}:source:{name}": parameter.spread
        for name, parameter in own_numbers(model, product).items()
        if parameter.level != "fixed" and name not in fixed
    }


def lot_parameters(
    key: str, product: Product, model: Model, fixed: Collection[str], patients: Mapping[str, Floats], n: int
) -> dict[str, Floats]:
    """Parameters of the model that the lot sets, (patient,) each."""
    found: dict[str, Floats] = {}
    for name, parameter in own_numbers(model, product).items():
        found[name] = patients.get(f"{key}:source:{name}", np.full(n, parameter.value))
    found |= {name: np.full(n, value) for name, value in declared(product).items() if name in model.parameters}
    return {name: values for name, values in found.items() if name not in fixed}


def declared(product: Product) -> dict[str, float]:
    """What the product file says for the inputs of the model: passage, year, nm."""
    found: dict[str, float] = {}
    if product.cells is not None:
        if product.cells.passage is not None:
            found["passage"] = float(product.cells.passage)
        if product.cells.donor_age is not None:
            found["donor_age"] = product.cells.donor_age
        elif product.source_tissue in PERINATAL:
            found["donor_age"] = 0.0
    if product.vesicles is not None:
        found["vesicle_diameter"] = product.vesicles.size.d50
    return found


def particles_per_cell(
    key: str,
    product: Product,
    model: Model,
    parameters: Mapping[str, Floats],
    patients: Mapping[str, Floats],
    n: int,
) -> Floats:
    """Vesicles harvested from a cell (patient,): as declared, else released within a usual collection.

    parameters : what the lot sets. patients : everything drawn, and `per_cell` where the model works the release out.
    """
    if product.vesicles is not None and product.vesicles.particles_per_cell is not None:
        return np.full(n, product.vesicles.particles_per_cell)
    own = model.parameters[SECRETION].value if SECRETION in model.parameters else np.nan
    rate = parameters.get(SECRETION, patients.get(SECRETION, np.full(n, own)))
    return patients.get(per_cell(key), rate * HARVEST_DAYS)


def per_cell(key: str) -> str:
    """Name of the worked out yield among what is known of each patient."""
    return f"{key}:particles_per_cell"


def works_out_release(product: Product, model: Model) -> bool:
    """Whether the yield has to be asked of the running model: what a cell releases hangs on source, passage, donor."""
    counted = product.vesicles is not None and product.vesicles.particles_per_cell is not None
    return not counted and re.search(rf"^\s*{RELEASE}\s*:=", model.antimony, re.MULTILINE) is not None


def can_count_equivalents(product: Product, model: Model) -> bool:
    """Whether anything says how many vesicles a cell gives."""
    known = product.vesicles is not None and product.vesicles.particles_per_cell is not None
    return known or SECRETION in model.parameters


def remarks(name: str, product: Product, model: Model, *, form: str) -> list[str]:
    """What was not known of the lot that an arm gives, and what stood in for it."""
    said = []
    if model.sources and product.source_tissue not in model.sources:
        named = ", ".join(model.sources)
        said.append(
            f"{name}: the model has no numbers for cells from {product.source_tissue} (only for {named}); "
            "its own, of no one source, stand in."
        )
    known = {*declared(product), *own_numbers(model, product)}
    wanted = {"passage": "passage", "donor_age": "donor's age"} if form == "cells" else {}
    for symbol, words in wanted.items():
        if symbol in model.parameters and symbol not in known:
            own = model.parameters[symbol]
            said.append(f"{name}: the {words} of {product.name} is not declared; {_shown(own)} is assumed.")
    return said


def _shown(own: Parameter) -> str:
    plural = "s" if own.unit == "year" else ""
    return f"{own.value:g}" if own.unit == "dimensionless" else f"{own.value:g} {own.unit}{plural}"


def of_yield(name: str, product: Product, harvested: float) -> str:
    """What a cell equivalent was in an arm; ``harvested``: particles per cell, median of the patients."""
    if product.vesicles is not None and (count := product.vesicles.particles_per_cell) is not None:
        return f"{name}: a cell equivalent is the {count:g} particles per cell that {product.name} declares."
    return (
        f"{name}: {product.name} declares no yield; a cell equivalent is what the model's cells of its source "
        f"release in {HARVEST_DAYS:g} days (about {float(f'{harvested:.2g}'):.0f} particles)."
    )
