"""Runs a study: enrolment, chunks of patients through all arms and readings, endpoints.

A chunk is a pure function of model, study and its number: however many threads, and whether or not the run was
interrupted, the same bits come out. Arms without a product are the same in each reading and run once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.mechanism import Plausibility, plausibility
from exotwin.progress import Progress, Silent
from exotwin.trial import lock, lot
from exotwin.trial.chunk import UNSAID, intrinsic, n_runs, simulate, simulate_chunk
from exotwin.trial.endpoints import Compared, table
from exotwin.trial.population import Enrolled, draw_knowledge, enrol
from exotwin.trial.result import Screening, TrialResult
from exotwin.trial.setup import Setup, prepare
from exotwin.trial.statistics import DRAWS_FOR_95
from exotwin.trial.store import Chunk, held, open_folder
from exotwin.trial.study import READINGS, Study

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from exotwin.engine import CompiledModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHUNK = 1000
"""Patients a chunk: the unit of work, of resuming, and of memory."""


def simulate_trial(
    study: Study, *, out: Path | None = None, n_threads: int | None = None, progress: Progress | None = None
) -> TrialResult:
    """Simulate a study.

    Parameters
    ----------
    study : what to compare, in whom.
    out : folder for the chunks and ``results.zarr``; a run that was interrupted goes on where it stopped, and gives the
        same bits. None keeps all in memory.
    n_threads : threads of the engine; None takes all cores. The numbers do not depend on it.
    progress : told how far the work has come.

    Raises
    ------
    StudyError : something the study names does not exist; criteria that hardly anybody meets; ``out`` holds unfinished
        chunks of another run, is written to by one, or cannot be written to. ProductError : a product file. Nothing is
        written then.
    """
    from exotwin.engine import load  # a study can be read without the compiler

    progress = progress or Silent()
    setup = prepare(study)
    compiled = load(setup.model.sbml)
    if out is None:
        enrolled = _enrol(setup, compiled, n_threads, progress)
        screening = enrolled.screening
        groups = _joined([chunk for _, chunk in _chunks(setup, compiled, enrolled, n_threads, progress)])
    else:
        with held(out):
            screening, groups = _in_folder(setup, compiled, out, n_threads, progress)
    patients = groups["patients"].load()
    judged = _plausibility(setup, patients)
    return TrialResult(
        study=study,
        model=setup.model,
        products=setup.products,
        mechanisms=setup.mechanisms,
        dataset=groups[""],
        exposure=groups["exposure"],
        screening=screening,
        endpoints=_endpoints(setup, patients["values"], groups[""]),
        plausibility=judged,
        lock=lock.lock_of(setup, screening, groups[""]["outcome"].values),
        values=patients["values"],
        population=patients["drawn"],
        remarks=(*setup.remarks, *_yields(setup, patients["drawn"]), *_remarks(study, judged)),
        folder=out,
        added=setup.added,
    )


def _in_folder(
    setup: Setup, compiled: CompiledModel, out: Path, n_threads: int | None, progress: Progress
) -> tuple[Screening, dict[str, xr.Dataset]]:
    """What the folder holds already if it is the same run, and what is missing of it."""
    folder = open_folder(out, lock.run_key(setup, CHUNK))
    if folder.finished and folder.screening is not None:
        return folder.screening, folder.results()
    enrolled = _enrol(setup, compiled, n_threads, progress)
    folder.begin(enrolled.screening)
    for number, chunk in _chunks(setup, compiled, enrolled, n_threads, progress, done=folder.done):
        folder.write_chunk(number, chunk)
    folder.close(enrolled.n, math.ceil(enrolled.n / CHUNK))
    return enrolled.screening, folder.results()


def _chunks(
    setup: Setup,
    compiled: CompiledModel,
    enrolled: Enrolled,
    n_threads: int | None,
    progress: Progress,
    *,
    done: Collection[int] = (),
) -> Iterator[tuple[int, Chunk]]:
    """Each chunk that is not done yet, with its number."""
    progress.start("treating", enrolled.n * n_runs(setup))
    for number, start in enumerate(range(0, enrolled.n, CHUNK)):
        part = slice(start, min(start + CHUNK, enrolled.n))
        if number in done:
            progress.advance((part.stop - start) * n_runs(setup))
        else:
            yield number, simulate_chunk(setup, compiled, enrolled, part, n_threads, progress)


def _enrol(setup: Setup, compiled: CompiledModel, n_threads: int | None, progress: Progress) -> Enrolled:
    study, model = setup.study, setup.model
    knowledge = draw_knowledge(setup.drawn, n_draws=study.population.n_draws, seed=study.seed)
    symbols = sorted({criterion.symbol for criterion in model.inclusion})

    def run_in(numbers: Mapping[str, Floats], candidate: Ints) -> tuple[Mapping[str, Floats], npt.NDArray[np.str_]]:
        given: dict[str, Floats | float] = {**numbers, **setup.drawn.fixed}
        noise = intrinsic(setup, given, candidate, end=0.0)
        run = simulate(setup, compiled, given, study.potency, np.array([0.0]), symbols, noise, n_threads)
        return {s: run[s].values[:, -1] for s in symbols}, run["outcome"].values

    return _with_yields(setup, compiled, enrol(study, model, setup.drawn, knowledge, run_in, progress), n_threads)


def _with_yields(setup: Setup, compiled: CompiledModel, enrolled: Enrolled, n_threads: int | None) -> Enrolled:
    """With the vesicles that a cell of each lot gives, where only the running model can tell."""
    found, fixed = dict(enrolled.parameters), setup.drawn.fixed
    for key, product in setup.products.items():
        if lot.works_out_release(product, setup.model):
            own = lot.lot_parameters(key, product, setup.model, fixed, enrolled.parameters, enrolled.n)
            known = setup.model.parameters
            numbers: dict[Hashable, npt.ArrayLike] = {
                k: v for k, v in {**enrolled.parameters, **own}.items() if k in known
            }
            run = compiled.simulate(
                np.array([0.0, 1e-6]),
                parameters=numbers,
                outputs=[lot.RELEASE],
                method="rodas5p",
                n_threads=n_threads,
            )
            found[lot.per_cell(key)] = run[lot.RELEASE].values[:, 0] * lot.HARVEST_DAYS
    return replace(enrolled, parameters=found)


def _joined(chunks: list[Chunk]) -> dict[str, xr.Dataset]:
    import xarray as xr

    return {
        group: xr.concat(
            [chunk[group] for chunk in chunks],
            dim="patient",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="override",
            combine_attrs="override",
        )
        for group in chunks[0]
    }


def _endpoints(setup: Setup, values: xr.DataArray, dataset: xr.Dataset) -> pd.DataFrame:
    study = setup.study
    outcome, failed_at = dataset["outcome"].values, dataset["failed_at"].values
    said = np.any(outcome != UNSAID, axis=-1)
    by_endpoint = values.transpose("endpoint", "reading", "arm", "patient").values
    compared = [
        Compared(point, by_endpoint[k], failed_at <= point.day, said) for k, point in enumerate(setup.endpoints)
    ]
    rows = table(
        compared,
        dataset["draw"].values,
        model=setup.model,
        readings=READINGS,
        main=study.potency,
        arms=list(study.arms),
        comparator=study.comparator,
        rtol=study.solver.rtol,
    )
    # readings are of products: an arm without one is the same run in each, and its ratio would say nothing
    rows.loc[~rows["arm"].isin(list(setup.inputs)), "ratio_to_copies"] = math.nan
    return rows


def _plausibility(setup: Setup, patients: xr.Dataset) -> dict[str, tuple[Plausibility, ...]]:
    """By arm that gives vesicles, as far as any of its patients could be followed."""
    judged = {}
    for name, arm in setup.study.arms.items():
        if arm.give != "vesicles":
            continue
        mechanism = setup.mechanisms[str(arm.product)]
        delivered = {}
        for mediator, copies in mechanism.copies_per_vesicle.items():
            peak = patients["peak_copies"].sel(arm=name, mediator=mediator).values
            drawn = patients["drawn"].sel(quantity=f"{arm.product}:copies:{mediator}").values
            # Copies in the cell are proportional to copies per vesicle; the mechanism asks for them at the median.
            ratio = np.divide(copies.copies_per_vesicle, drawn, out=np.zeros_like(drawn), where=drawn > 0)
            reached = (peak * ratio)[~np.isnan(peak)]
            if reached.size:
                delivered[mediator] = max(0.0, float(np.median(reached)))
        if delivered.keys() == mechanism.copies_per_vesicle.keys():
            judged[name] = plausibility(mechanism, delivered)
    return judged


def _yields(setup: Setup, drawn: xr.DataArray) -> tuple[str, ...]:
    """What a cell equivalent was in each arm that is dosed in them."""
    said, n = [], int(drawn.sizes["patient"])
    patients = {str(name): drawn.sel(quantity=name).values for name in drawn["quantity"].values}
    for name, arm in setup.study.arms.items():
        if arm.product is None or arm.give is None or "equivalents" not in arm.amount[1]:
            continue
        key, product, fixed = arm.product, setup.products[arm.product], setup.drawn.fixed
        own = lot.lot_parameters(key, product, setup.model, fixed, patients, n)
        harvested = lot.particles_per_cell(key, product, setup.model, own, patients, n)
        said.append(lot.of_yield(name, product, float(np.median(harvested))))
    return tuple(said)


def _remarks(study: Study, judged: Mapping[str, object]) -> tuple[str, ...]:
    said = [
        f"{name}: no patient could be followed, so nothing is said of the copies delivered."
        for name, arm in study.arms.items()
        if arm.give == "vesicles" and name not in judged
    ]
    draws = study.population.n_draws
    if draws < DRAWS_FOR_95:
        covered = 100 * (draws - 1) / (draws + 1)
        said.append(f"With {draws} draws of what is not known, intervals cover about {covered:.0f} % instead of 95 %.")
    if study.parameters:
        said.append("Fixed by the study in place of the model's own: " + ", ".join(study.parameters) + ".")
    return tuple(said)
