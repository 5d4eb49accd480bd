"""A study with all that it names: model, products, doses, endpoints. Whatever a study can be wrong in shows up here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.biology import DoseInput, Model, Observable, Parameter, assemble, conditions, species_of
from exotwin.errors import StudyError, nearest
from exotwin.mechanism import Mechanism, mechanism_of, proteins_of
from exotwin.product import Product
from exotwin.trial import arms
from exotwin.trial.comparators import Held, added_to_arms
from exotwin.trial.endpoints import TimedEndpoint, endpoint_rules, timed_endpoints
from exotwin.trial.faults import shown
from exotwin.trial.forms import followed
from exotwin.trial.population import Drawn, what_is_drawn
from exotwin.units import parse_amount

if TYPE_CHECKING:
    from exotwin.trial.study import Study

Floats = npt.NDArray[np.float64]

_MOST_TIMES = 160
_MINUTES = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 600, 720, 960, 1200)
_DAYS = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 8, 9, 10, 12, 14, 17, 21, 24, 28)
_EARLY = (0.0, *(m / 1440 for m in _MINUTES), *_DAYS)
_ALMOST_NEVER = 1e-9  # probability below which a draw of a parameter does not count as possible
_AFTER_A_DOSE = (0.25, 0.5, 1.0, 2.0, 4.0)  # days; when copies in the cell come to their peak


@dataclass(frozen=True)
class Setup:
    """Everything that a chunk of patients needs to know.

    followed : what is kept of the first weeks, by its id in the result.
    inputs : arm with a product -> where its doses go in. added : arm -> its comparators.
    times : outcomes, days. early : exposures, days. all_times : both, and the days after each dose, for the peak of
    copies.
    """

    study: Study
    model: Model
    products: Mapping[str, Product]
    mechanisms: Mapping[str, Mechanism]
    followed: Mapping[str, Observable]
    inputs: Mapping[str, DoseInput]
    added: Mapping[str, tuple[Held, ...]]
    endpoints: tuple[TimedEndpoint, ...]
    drawn: Drawn
    times: Floats
    early: Floats
    all_times: Floats
    remarks: tuple[str, ...]

    @property
    def study_digest(self) -> str:
        """sha256 of what the study says and its products' files hold, wherever they lie and whatever it is called.

        The order of arms, endpoints and products counts: it is that of the stored arrays.
        """
        said = self.study.model_dump(mode="json", exclude={"title": True, "products": True})
        files = {key: sorted((f.kind, f.sha256) for f in p.files) for key, p in self.products.items()}
        pages = {key: file_digest(self.study, key) for key in self.products}
        return hashlib.sha256(json.dumps([said, files, pages]).encode()).hexdigest()


def prepare(study: Study) -> Setup:
    """Read and assemble what a study names.

    Raises
    ------
    StudyError : a name that the condition or the package does not have. ProductError : a product file.
    """
    model = _model(study)
    products = {key: Product.from_toml(entry.file) for key, entry in study.products.items()}
    if proteins := proteins_of(products.values(), model.processes):
        model = assemble(study.condition, study.species, combination=study.combination, proteins=proteins)
    fixed = _fixed(study, model)
    inputs = {name: arms.dose_input(study, name, model) for name, arm in study.arms.items() if arm.give}
    added = added_to_arms(study, model)
    points = timed_endpoints(endpoint_rules(study, model), model)
    for name in inputs:
        arms.check_product(study, name, products[str(study.arms[name].product)], model)
    mechanisms = {key: mechanism_of(p, model.mediators, model.processes) for key, p in products.items()}
    _check_main_reading(study, products)
    spreads = {
        name: spread
        for key in products
        for name, spread in arms.product_knowledge(key, products[key], mechanisms[key], model, fixed).items()
    }
    times, early, all_times = _times(study, points)
    return Setup(
        study=study,
        model=model,
        products=products,
        mechanisms=mechanisms,
        followed=followed(study, model),
        inputs=inputs,
        added=added,
        endpoints=points,
        drawn=what_is_drawn(model, age=study.population.age, fixed=fixed, products=spreads),
        times=times,
        early=early,
        all_times=all_times,
        remarks=arms.remarks(study, products, mechanisms, model),
    )


def file_digest(study: Study, product: str) -> str:
    """sha256 of a product file."""
    return hashlib.sha256(study.products[product].file.read_bytes()).hexdigest()


def _model(study: Study) -> Model:
    known = conditions()
    if study.condition not in known:
        raise StudyError(
            study.where("condition"),
            found=f'"{study.condition}"',
            expected="one of " + ", ".join(f'"{c}"' for c in known),
            nearest=nearest(study.condition, known),
        )
    kinds = species_of(study.condition)
    if study.species not in kinds:
        raise StudyError(
            study.where("species"),
            found=f'"{study.species}"',
            expected=f"for {study.condition} one of " + ", ".join(f'"{s}"' for s in kinds),
            nearest=nearest(study.species, kinds),
        )
    return assemble(study.condition, study.species, combination=study.combination)


def _fixed(study: Study, model: Model) -> dict[str, float]:
    kept = arms.reserved(model)
    fixed = {}
    for name, value in study.parameters.items():
        where = study.where("parameters", name)
        if name not in model.parameters:
            raise StudyError(
                where,
                found=f'"{name}"',
                expected=f"a parameter of {model.condition} ({model.species}); see `exotwin model`",
                nearest=nearest(name, model.parameters),
            )
        if name in kept:
            raise StudyError(where, found=f'"{name}"', expected="a parameter that no reading and no product sets")
        if name == "age_start" and study.population.age is not None:
            raise StudyError(where, found="age_start beside an age in [population]", expected="one of the two")
        fixed[name] = _number(value, model.parameters[name], where)
    return fixed


def _number(given: float | str, parameter: Parameter, where: str) -> float:
    """In the parameter's unit. Volumes, weights and rates that are never negative in the model stay so."""
    unit, value = parameter.unit, given
    if isinstance(value, str):
        example = f"{parameter.value:g} {unit}"
        value, _ = parse_amount(value, where=where, kinds={unit: unit}, example=example, error=StudyError, signed=True)
    lowest = min(parameter.value, float(parameter.spread.quantile(_ALMOST_NEVER)))
    if value < 0 <= lowest and unit != "dimensionless":
        raise StudyError(where, found=shown(given), expected=f"zero or more {unit}; the model has {parameter.value:g}")
    return float(value)


def _check_main_reading(study: Study, products: Mapping[str, Product]) -> None:
    if study.potency != "copies":
        return
    for arm in study.arms.values():
        if arm.product is not None and not arms.has_cargo(products[arm.product]):
            raise StudyError(
                study.where("potency"),
                found=f'"copies", with {products[arm.product].name}, whose cargo was not measured',
                expected='"animal", or a product with a table of its cargo',
            )


def _times(study: Study, points: tuple[TimedEndpoint, ...]) -> tuple[Floats, Floats, Floats]:
    horizon = study.horizon_days
    step = 7.0 * max(1, int(np.ceil(horizon / (7.0 * _MOST_TIMES))))
    times = np.unique(np.concatenate([np.arange(0.0, horizon, step), [horizon], [p.day for p in points]]))
    early = np.array([t for t in _EARLY if t <= horizon])
    doses = np.array(sorted({day for arm in study.arms.values() for day in arm.days}))
    after = np.add.outer(doses, _AFTER_A_DOSE).ravel()
    return times, early, np.unique(np.concatenate([times, early, after[after <= horizon]]))
