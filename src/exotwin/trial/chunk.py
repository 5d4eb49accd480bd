"""One chunk of patients through all arms and readings: a pure function of model, study and the chunk's number."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from exotwin.biology import Observable
from exotwin.progress import Progress
from exotwin.trial import arms
from exotwin.trial.endpoints import patient_value
from exotwin.trial.noise import kicks
from exotwin.trial.population import Enrolled
from exotwin.trial.setup import Setup
from exotwin.trial.store import Chunk
from exotwin.trial.study import READINGS, Reading

if TYPE_CHECKING:
    import xarray as xr

    from exotwin.engine import CompiledModel, Dose

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

UNSAID = "not measured"
"""Outcome of an arm in a reading that says nothing about it: by copies, of a product without measured cargo."""
_OUTCOME = "<U16"  # one width for all chunks: joining them must cut no text


def n_runs(setup: Setup) -> int:
    """Simulations a patient goes through: each arm with a product in each reading, the others once."""
    read = len(setup.inputs)
    return read * len(READINGS) + len(setup.study.arms) - read


def intrinsic(setup: Setup, numbers: Mapping[str, Floats | float], candidate: Ints, *, end: float) -> tuple[Dose, ...]:
    """The kicks of the patients' own noise from the injury to ``end``; none where the condition has no noise.

    They hang on the seed and the candidate's number alone, so that a patient meets the same luck in all arms.
    """
    if not setup.model.noises:
        return ()
    return kicks(setup.model, numbers, seed=setup.study.seed, patients=candidate, start=-setup.model.run_in, end=end)


def simulate_chunk(
    setup: Setup,
    compiled: CompiledModel,
    enrolled: Enrolled,
    part: slice,
    n_threads: int | None,
    progress: Progress,
) -> Chunk:
    """Patients ``part`` of those enrolled, through all arms and readings; arms without a product run once."""
    from exotwin.engine import Dose

    study, model = setup.study, setup.model
    numbers = {name: values[part] for name, values in enrolled.parameters.items()}
    n, names = enrolled.draw[part].size, list(study.arms)
    noise = intrinsic(setup, numbers, enrolled.candidate[part], end=study.horizon_days)
    arrays = _Arrays(setup, n)
    for a, name in enumerate(names):
        arm, product = study.arms[name], setup.products.get(str(study.arms[name].product))
        own, doses, carried = dict(numbers), noise, tuple[str, ...]()
        doses += tuple(Dose(state, day, amount) for held in setup.added[name] for state, day, amount in held.steps())
        if product is not None:
            mechanism, where = setup.mechanisms[str(arm.product)], setup.inputs[name]
            what = arms.treatment(arm, where, model, product, mechanism, numbers, n, fixed=setup.drawn.fixed)
            own |= what.parameters
            doses += tuple(Dose(state=what.state, time=day, amount=what.amount) for day in what.days)
            carried = tuple(mechanism.copies_per_vesicle) if arm.give == "vesicles" else ()
        for r, reading in enumerate(READINGS):
            main = reading == study.potency
            if product is None and not main:
                continue
            if reading == "copies" and product is not None and not arms.has_cargo(product):
                continue
            outputs = [seen.symbol for seen in model.observables.values()]
            if main:
                outputs += [seen.symbol for seen in setup.followed.values()]
                outputs += [f"copies_{model.mediators[m]}" for m in carried]
            times = setup.all_times if main else setup.times
            found = simulate(setup, compiled, own, reading, times, list(dict.fromkeys(outputs)), doses, n_threads)
            arrays.outcomes(found, slice(None) if product is None else slice(r, r + 1), a)
            if main:
                arrays.exposures(found, a, carried)
            progress.advance(n)
    return arrays.chunk(enrolled, part)


class _Arrays:
    """The arrays of one chunk, filled reading by reading and arm by arm."""

    def __init__(self, setup: Setup, n: int) -> None:
        self._setup, shape = setup, (len(READINGS), len(setup.study.arms), n)
        model, n_arms = setup.model, len(setup.study.arms)
        self._seen = {o: np.full((*shape, setup.times.size), np.nan, np.float32) for o in model.observables}
        self._exposed = {e: np.full((n_arms, n, setup.early.size), np.nan, np.float32) for e in setup.followed}
        self._outcome = np.full(shape, UNSAID, _OUTCOME)
        self._failed_at = np.full(shape, np.nan)
        self._values = np.full((len(setup.endpoints), *shape), np.nan)
        self._peak = np.full((n_arms, len(model.mediators), n), np.nan)

    def outcomes(self, found: xr.Dataset, r: slice, a: int) -> None:
        """Trajectories (rounded for the store) and endpoints (before rounding)."""
        at = np.searchsorted(found["time"].values, self._setup.times)
        for name, seen in self._setup.model.observables.items():
            self._seen[name][r, a] = found[seen.symbol].values[:, at]
        self._outcome[r, a] = found["outcome"].values
        self._failed_at[r, a] = found["failed_at"].values
        for k, point in enumerate(self._setup.endpoints):
            course = found[point.symbol].values
            at_day = course[:, np.searchsorted(found["time"].values, point.day)]
            self._values[k, r, a] = patient_value(point, at_day, course[:, 0])

    def exposures(self, found: xr.Dataset, a: int, carried: tuple[str, ...]) -> None:
        """The first weeks, and the highest number of copies in a recipient cell over all times."""
        model = self._setup.model
        at = np.searchsorted(found["time"].values, self._setup.early)
        for name, seen in self._setup.followed.items():
            self._exposed[name][a] = found[seen.symbol].values[:, at]
        for m, (mediator, symbol) in enumerate(model.mediators.items()):
            if mediator in carried:
                self._peak[a, m] = found[f"copies_{symbol}"].values.max(axis=1)

    def chunk(self, enrolled: Enrolled, part: slice) -> Chunk:
        """As datasets, one a group of the store."""
        import xarray as xr

        setup, model = self._setup, self._setup.model
        draw = ("patient", enrolled.draw[part])
        patient = np.arange(part.start, part.stop)
        names = {"reading": list(READINGS), "arm": list(setup.study.arms), "patient": patient, "draw": draw}
        dims = ("reading", "arm", "patient", "time")
        day = {"units": "day", "long_name": "time after enrolment"}
        dataset = xr.Dataset(
            {o: (dims, values, _attributes(model.observables[o])) for o, values in self._seen.items()},
            coords=names
            | {
                "time": ("time", setup.times, day),
                "outcome": (dims[:3], self._outcome),
                "failed_at": (dims[:3], self._failed_at, {"units": "day"}),
            },
            attrs={"title": setup.study.title, "condition": model.condition, "species": model.species},
        )
        exposure = xr.Dataset(
            {e: (dims[1:], values, _attributes(setup.followed[e])) for e, values in self._exposed.items()},
            coords={k: v for k, v in names.items() if k != "reading"} | {"time": ("time", setup.early, day)},
            attrs={"reading": setup.study.potency},
        )
        drawn = {name: values[part] for name, values in enrolled.parameters.items()}
        patients = xr.Dataset(
            {
                "values": (("endpoint", *dims[:3]), self._values),
                "drawn": (("quantity", "patient"), np.array(list(drawn.values()))),
                "peak_copies": (("arm", "mediator", "patient"), self._peak),
            },
            coords=names
            | {
                "endpoint": [point.name for point in setup.endpoints],
                "rule": ("endpoint", [point.rule.id for point in setup.endpoints]),
                "day": ("endpoint", [point.day for point in setup.endpoints], {"units": "day"}),
                "quantity": list(drawn),
                "level": ("quantity", [_level(setup, name) for name in drawn]),
                "mediator": list(model.mediators),
            },
        )
        return {"": dataset, "exposure": exposure, "patients": patients}


def _attributes(seen: Observable) -> dict[str, Any]:
    return {"units": seen.unit, "label": seen.label, "label_zh": seen.label_zh, "log": int(seen.log)}


def _level(setup: Setup, name: str) -> str:
    if name in setup.drawn.fixed:
        return "fixed by the study"
    return "patient" if name in setup.drawn.patient else "knowledge"


def simulate(
    setup: Setup,
    compiled: CompiledModel,
    numbers: Mapping[str, Floats | float],
    reading: Reading,
    times: Floats,
    outputs: list[str],
    doses: tuple[Dose, ...],
    n_threads: int | None,
) -> xr.Dataset:
    """From the injury on: ``times`` after enrolment, with the run-in before them."""
    known = setup.model.parameters
    parameters: dict[Hashable, npt.ArrayLike] = {k: v for k, v in numbers.items() if k in known}
    parameters.update(arms.reading_parameters(reading))
    start = [-setup.model.run_in] if setup.model.run_in > 0 else []
    found: xr.Dataset = compiled.simulate(
        np.concatenate([start, times]),
        parameters=parameters,
        doses=doses,
        outputs=outputs,
        rtol=setup.study.solver.rtol,
        atol=setup.study.solver.atol,
        method="rodas5p",  # one for all: a pilot could choose otherwise for chunks of another size
        n_threads=n_threads,
    )
    return found.isel(time=slice(len(start), None))
