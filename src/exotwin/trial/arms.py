"""An arm of the study, its product and what the cargo can reach → doses and parameters of each virtual patient.

- Cells: the dose counts cells as the label does; the living ones act, dose x viability (drawn at the level of
  knowledge; without a measured viability all count as living, and the result says so).
- Vesicles: a dose in mL is volume x particles/mL; a dose in particles is the volume that holds them by the same
  measurement. Both share its error: a factor, lognormal around 1, as wide as the interval of the measurement. A dose in
  cell equivalents is what so many cells of the starting material gave: no count of particles enters it, hence no error
  of one.
- Source, passage, donor, size of the vesicles: see `lot`.
- Cargo: copies of each mediator per vesicle (lognormal) and the gain of each mediator on each process (normal) are not
  known exactly; both are drawn at the level of knowledge. They hold for cells too, whose vesicles carry the same cargo.

A reading says which of the two effects is switched on; all readings share doses, patients and draws.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.biology import DoseInput, Model, Spread
from exotwin.errors import StudyError, nearest
from exotwin.quantities import Z95, Estimate
from exotwin.trial import lot
from exotwin.units import registry

if TYPE_CHECKING:
    from exotwin.mechanism import Mechanism
    from exotwin.product import Product
    from exotwin.trial.arm import Arm
    from exotwin.trial.study import Reading, Study

Floats = npt.NDArray[np.float64]

_SET_BY_READING: Mapping[Reading, Mapping[str, float]] = {
    "animal": {"reading_animal": 1.0, "reading_copies": 0.0},
    "animal untranslated": {"reading_animal": 1.0, "reading_copies": 0.0, "translation": 1.0},
    "copies": {"reading_animal": 0.0, "reading_copies": 1.0},
}


@dataclass(frozen=True)
class Treatment:
    """What an arm does to each patient: ``amount`` (patient,) into ``state`` on each of ``days``; ``parameters``."""

    state: str
    days: tuple[float, ...]
    amount: Floats
    parameters: Mapping[str, Floats]


def reading_parameters(reading: Reading) -> dict[str, float]:
    """The switches of a reading, by SBML id."""
    return dict(_SET_BY_READING[reading])


def reserved(model: Model) -> frozenset[str]:
    """Parameters that readings, products and doses set, and a study therefore must not."""
    names = {"reading_animal", "reading_copies", *(set(lot.INPUTS) & set(model.parameters))}
    for mediator in model.mediators.values():
        names.add(f"copies_per_vesicle_{mediator}")
        names |= {f"gain_{mediator}_{process}" for process in model.processes}
    return frozenset(names)


def dose_input(study: Study, name: str, model: Model) -> DoseInput:
    """Where the doses of an arm go in.

    Raises
    ------
    StudyError : the condition's model has no such route for what the arm gives.
    """
    arm = study.arms[name]
    assert arm.give is not None
    assert arm.route is not None
    if (arm.give, arm.route) in model.dosing:
        return model.dosing[arm.give, arm.route]
    routes = [route for form, route in model.dosing if form == arm.give]
    raise StudyError(
        study.where("arms", name, "route"),
        found=f'"{arm.route}" for {arm.give}',
        expected="one of " + ", ".join(f'"{r}"' for r in routes) if routes else f"no {arm.give} in this condition",
        nearest=nearest(arm.route, routes),
    )


def check_product(study: Study, name: str, product: Product, model: Model) -> None:
    """Whether the product of an arm holds what the arm gives.

    Raises
    ------
    StudyError : cells of a lot without cells, vesicles of a lot without vesicles, cell equivalents that nobody counted.
    """
    arm = study.arms[name]
    held = {"cells": product.cells, "vesicles": product.vesicles}
    if arm.give is not None and held[arm.give] is None:
        has = [form for form, lot in held.items() if lot is not None]
        raise StudyError(
            study.where("arms", name, "give"),
            found=f'"{arm.give}" of the product {product.name}, which has none',
            expected=" or ".join(f'"{form}"' for form in has) or "a product with cells or vesicles",
        )
    if arm.give is not None and "equivalents" in arm.amount[1] and not lot.can_count_equivalents(product, model):
        raise StudyError(
            study.where("arms", name, "dose"),
            found=f'"{arm.dose}", but no yield in {product.name} and no secretion in {model.condition}',
            expected="particles_per_cell in [vesicles] of the product file, or a dose in particles",
        )


def product_knowledge(
    key: str, product: Product, mechanism: Mechanism, model: Model, fixed: Collection[str]
) -> dict[str, Spread]:
    """What is not known of a product, by ``key:quantity``; ``fixed``: names of the numbers that the study sets."""
    spreads = lot.lot_knowledge(key, product, model, fixed)
    if product.cells is not None and (viability := product.cells.viability) is not None:
        spreads[f"{key}:viability"] = _fraction(viability)
    if product.vesicles is not None:
        spreads[f"{key}:particles"] = _factor(product.vesicles.particles_per_mL)
    for mediator, copies in mechanism.copies_per_vesicle.items():
        median, width = copies.copies_per_vesicle, copies.log10_sd * math.log(10)
        known = median <= 0 or width <= 0
        spreads[f"{key}:copies:{mediator}"] = (
            Spread("fixed", median) if known else Spread("lognormal", median, width, text=f"log10 sd {copies.log10_sd}")
        )
    for (mediator, process), (gain, sd) in mechanism.gains.items():
        spread = Spread("normal", gain, sd, text=f"sd {sd}") if sd > 0 else Spread("fixed", gain)
        spreads[f"{key}:gain:{mediator}:{process}"] = spread
    return spreads


def treatment(
    arm: Arm,
    where: DoseInput,
    model: Model,
    product: Product,
    mechanism: Mechanism,
    patients: Mapping[str, Floats],
    n: int,
    *,
    fixed: Collection[str],
) -> Treatment:
    """Doses and parameters of an arm for ``n`` patients; ``patients``: everything drawn, by name (patient,)."""
    key = str(arm.product)
    parameters = lot.lot_parameters(key, product, model, fixed, patients, n)
    each = given(arm, model, product, patients, n, fixed=fixed)
    unit = "cell" if arm.give == "cells" else "particle"
    each = each * float(registry().Quantity(1.0, unit).to(where.unit).magnitude)
    parameters |= {
        f"copies_per_vesicle_{model.mediators[m]}": patients[f"{key}:copies:{m}"] for m in mechanism.copies_per_vesicle
    }
    parameters |= {f"gain_{model.mediators[m]}_{p}": patients[f"{key}:gain:{m}:{p}"] for m, p in mechanism.gains}
    return Treatment(where.state, arm.days, each, parameters)


def given(
    arm: Arm, model: Model, product: Product, patients: Mapping[str, Floats], n: int, *, fixed: Collection[str]
) -> Floats:
    """Each dose of an arm in each patient (patient,): living cells, or particles."""
    key, (amount, kind) = str(arm.product), arm.amount
    each = np.full(n, amount)
    if kind.endswith("/kg"):
        each = each * weight(model, patients, n)
    if kind.startswith("cell equivalents"):
        parameters = lot.lot_parameters(key, product, model, fixed, patients, n)
        return each * lot.particles_per_cell(key, product, model, parameters, patients, n)
    if kind == "mL":
        assert product.vesicles is not None
        each = each * product.vesicles.particles_per_mL.value
    return each * patients.get(f"{key}:{'viability' if arm.give == 'cells' else 'particles'}", np.ones(n))


def weight(model: Model, patients: Mapping[str, Floats], n: int) -> Floats:
    """Body weight in kg (patient,), drawn or the model's own."""
    return patients.get("body_weight", np.full(n, model.parameters["body_weight"].value))


def remarks(
    study: Study, products: Mapping[str, Product], mechanisms: Mapping[str, Mechanism], model: Model
) -> tuple[str, ...]:
    """What a reader of the result should know about doses and cargo."""
    used = {arm.product for arm in study.arms.values()}
    said = [f"No arm uses the product {key}." for key in products if key not in used]
    for name, arm in study.arms.items():
        if arm.product is None or arm.give is None:
            continue
        product = products[arm.product]
        equivalents = "equivalents" in arm.amount[1]
        said += lot.remarks(name, product, model, form=arm.give)
        if arm.give == "cells" and product.cells is not None and product.cells.viability is None:
            said.append(f"{name}: the viability of {product.name} was not measured; all cells count as living.")
        counted = arm.give == "vesicles" and not equivalents
        if counted and product.vesicles is not None and product.vesicles.particles_per_mL.low is None:
            said.append(f"{name}: the concentration of {product.name} has no interval; its error is left out.")
        if not has_cargo(product):
            said.append(f"{name}: no cargo of {product.name} was measured, so there is no reading by copies.")
        elif unmeasured := mechanisms[arm.product].unmeasured:
            listed = ", ".join(unmeasured)
            said.append(f"{name}: {listed} not measured in {product.name}; the reading by copies leaves them out.")
    return tuple(dict.fromkeys(said))


def has_cargo(product: Product) -> bool:
    """Whether copies per vesicle were measured at all, of miRNA or of proteins."""
    lot = product.vesicles
    return lot is not None and (lot.cargo is not None or lot.proteins is not None)


def _fraction(estimate: Estimate) -> Spread:
    value = min(max(estimate.value, 0.0), 1.0)
    if estimate.low is None or estimate.high is None or not estimate.low < estimate.high:
        return Spread("fixed", value)
    sd = (estimate.high - estimate.low) / (2 * Z95)
    return Spread("normal", value, sd, low=0.0, high=1.0, text=f"sd {sd:.3g} within 0 1")


def _factor(estimate: Estimate) -> Spread:
    if estimate.low is None or estimate.high is None or not estimate.low < estimate.high or estimate.value <= 0:
        return Spread("fixed", 1.0)
    # Few captures make intervals that are cut off at zero: then the upper half alone says how wide they are.
    half = (estimate.high - estimate.low) / 2 if estimate.low > 0 else estimate.high - estimate.value
    relative = half / (Z95 * estimate.value)
    width = math.sqrt(math.log1p(relative**2))
    return Spread("lognormal", 1.0, width, text=f"sd of logarithm {width:.3g}")
