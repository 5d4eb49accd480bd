"""What a user of the engine holds: a compiled model, its names and units, and its simulations as labelled arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache as remembered
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.engine import cache
from exotwin.engine.compile import Loaded, Processor, machine_code, processor
from exotwin.engine.doses import Dose, schedule
from exotwin.engine.driver import write_module
from exotwin.engine.integrator import Kernels, Results, Run, Shape, integrate
from exotwin.engine.rosenbrock import RosenbrockStepper
from exotwin.engine.steps import NO_SIZE
from exotwin.engine.tableaux import RODAS5P
from exotwin.engine.task import OUTCOMES
from exotwin.errors import ModelError, nearest
from exotwin.progress import Progress, Silent

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

_FADE = 1e-3
_MAX_STEPS = 100_000
_COORDINATES = frozenset({"patient", "time", "outcome", "failed_at", "steps", "rejected"})


@dataclass(frozen=True)
class Quantity:
    """A number with its unit as the model names it, "" where it gives none."""

    value: float
    unit: str


@dataclass(frozen=True)
class _Description:
    """All that is kept of a model beside its machine code."""

    title: str
    states: list[str]
    parameters: list[str]
    values: list[float]
    open: list[str]
    outputs: dict[str, list[Any]]
    volumes: dict[str, str]
    needs: dict[str, list[int]]
    units: dict[str, str]
    time_unit: str
    remarks: list[str]
    shape: dict[str, int]


def load(path_or_sbml: str | Path, *, width: int | None = None) -> CompiledModel:
    """Compile an SBML document, or take it from the cache if it was compiled before.

    Parameters
    ----------
    path_or_sbml : file, or the document itself as text.
    width : virtual patients computed side by side (1, 2, 4 or 8); default: what fits this processor. Results do not
        depend on it.

    Raises
    ------
    ModelError : no such file, malformed or wrong SBML; names the element.
    NotBuiltYet : events, algebraic rules, delays, fast reactions, required packages.
    """
    from exotwin.engine.sbml import source

    name, text = source(path_or_sbml)
    target = processor(width)
    key = cache.key(text, _version(), target.name, target.features, str(target.width), str(target.fma))
    stored = cache.read(key)
    if stored is None:
        stored = _compile(name, text, target)
        cache.write(key, *stored)
    description = _Description(**json.loads(stored[0]))
    return CompiledModel(description, stored[1])


@remembered
def _version() -> str:
    """What machine code depends on beside the model: versions, and the source of this room."""
    import llvmlite

    from exotwin import __version__

    here = Path(__file__).parent
    return cache.key(
        __version__, llvmlite.__version__, *(path.read_text("utf-8") for path in sorted(here.glob("*.py")))
    )


def _compile(name: str, text: str, target: Processor) -> tuple[bytes, bytes]:
    from exotwin.engine.sbml import parse
    from exotwin.engine.system import build

    document = parse(name, text)
    system = build(document.getModel(), name)
    equations = system.equations
    ir, workspace = write_module(RosenbrockStepper(equations, RODAS5P), width=target.width, fma=target.fma)
    shape = Shape(
        width=target.width,
        n_states=equations.n_states,
        moving=equations.moving,
        n_parameters=equations.n_parameters,
        n_rows=len(equations.rows()[0]),
        n_outputs=len(equations.outputs),
        workspace=workspace,
    )
    needs = {
        name: sorted(equations.graph.leaves([equations.outputs[index]], "state")) if kind == "output" else [index]
        for name, (kind, index) in system.outputs.items()
        if kind != "parameter"
    }
    description = _Description(
        title=system.title,
        states=list(system.states),
        parameters=list(system.parameters),
        values=list(system.values),
        open=list(system.open),
        outputs={name: list(place) for name, place in system.outputs.items()},
        volumes={str(state): compartment for state, compartment in system.volumes.items()},
        needs=needs,
        units=dict(system.units),
        time_unit=system.time_unit,
        remarks=list(system.remarks),
        shape=asdict(shape),
    )
    return json.dumps(asdict(description)).encode(), machine_code(ir, target)


class CompiledModel:
    """A model as machine code. Made by `load`.

    title : the model's name. time_unit : as the model names it. width : lanes of its vectors.
    remarks : what a careful reader should be told.
    parameters, states, observables : id -> value at time 0 with the model's own numbers, NaN where it leaves one open;
        observables are what assignment rules set.
    """

    def __init__(self, description: _Description, code: bytes) -> None:
        self._description = description
        self._shape = Shape(**description.shape)
        self._loaded = Loaded(code)
        self._kernels = Kernels(*(self._loaded.function(name) for name in ("setup", "integrate", "observe")))
        self._index = {name: i for i, name in enumerate(description.states)}
        self._parameter_index = {name: j for j, name in enumerate(description.parameters)}
        self._values = np.array(description.values, float)
        self.width = self._shape.width
        self.title, self.time_unit, self.remarks = description.title, description.time_unit, tuple(description.remarks)
        at_start = self._at_start()
        self.parameters: Mapping[str, Quantity] = self._quantities(description.parameters, at_start)
        self.states: Mapping[str, Quantity] = self._quantities(description.states, at_start)
        ruled = [
            name for name, (kind, _) in description.outputs.items() if kind == "output" and name not in self._index
        ]
        self.observables: Mapping[str, Quantity] = self._quantities(ruled, at_start)

    def _quantities(self, names: Sequence[str], values: Mapping[str, float]) -> Mapping[str, Quantity]:
        units = self._description.units
        return MappingProxyType({name: Quantity(values[name], units.get(name, "")) for name in names})

    def _at_start(self) -> dict[str, float]:
        """Values of all names at time 0 with the model's own numbers; NaN where it leaves one open."""
        run = self._run(np.zeros(1), 1, {}, {}, (), list(self._description.outputs), 1e-6, None, 1)
        values = integrate(self._kernels, self._shape, self._values, run, 1, Silent()).values
        return {name: float(value[0, 0]) for name, value in values.items()}

    def simulate(
        self,
        times: ArrayLike,
        *,
        parameters: Mapping[Hashable, ArrayLike] | None = None,
        initial: Mapping[Hashable, ArrayLike] | None = None,
        doses: Sequence[Dose] = (),
        outputs: Sequence[str] | None = None,
        rtol: float = 1e-6,
        atol: float | Mapping[str, float] | None = None,
        n_threads: int | None = None,
        max_steps: int = _MAX_STEPS,
        progress: Progress | None = None,
    ) -> xr.Dataset:
        """Trajectories of an ensemble of virtual patients.

        Parameters
        ----------
        times : (time,), rising, in the model's unit. The first is the start and may be negative.
        parameters : id -> value or (patient,), instead of the model's own values; also of those that the model
            computes at the start. An xarray Dataset with the dimension patient will do.
        initial : state -> value or (patient,), in the unit of `states`, after all initial assignments.
        doses : see `Dose`. At the time of a dose, outputs show what is there after it.
        outputs : names of states, observables or parameters; default: all states and observables.
        rtol : allowed error of one step relative to the size of a state.
        atol : allowed error of one step in the unit of `states`: for all, or by name (then 0 for the others).
            Default: rtol times a thousandth of the largest size that the state has had in this patient, so that states
            of any magnitude stand side by side.
        n_threads : default: all processors that this process may use. Results do not depend on it.
        max_steps : steps tried before a patient is given up.

        Returns
        -------
        Dataset with dimensions (patient, time), a variable for each output, units in ``attrs["units"]``; coordinates
        by patient: ``outcome`` ("ok", "step limit", "step too small", "not finite"), ``failed_at`` (time, or NaN),
        ``steps``, ``rejected``. What lies behind a failure is NaN.

        Raises
        ------
        ModelError : unknown names, lengths that disagree, values that are no numbers or left open, times that do not
            rise, tolerances that are not above zero.
        """
        grid = _grid(times)
        given, start = dict(parameters or {}), dict(initial or {})
        n_patients = _count(given, start, doses)
        _positive(rtol=rtol, n_threads=1 if n_threads is None else n_threads, max_steps=max_steps)
        names = list(outputs) if outputs is not None else [*self.states, *self.observables]
        run = self._run(grid, n_patients, given, start, doses, names, rtol, atol, max_steps)
        self._check_complete(given, start)
        threads = n_threads or (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )
        results = integrate(self._kernels, self._shape, self._values, run, threads, progress or Silent())
        return self._dataset(grid, names, results)

    def _run(
        self,
        times: Floats,
        n_patients: int,
        parameters: Mapping[Hashable, ArrayLike],
        initial: Mapping[Hashable, ArrayLike],
        doses: Sequence[Dose],
        names: Sequence[str],
        rtol: float,
        atol: float | Mapping[str, float] | None,
        max_steps: int,
    ) -> Run:
        description, shape = self._description, self._shape
        where = {name: (str(kind), int(index)) for name, (kind, index) in description.outputs.items()}
        for name in names:
            self._known(name, where, "outputs")
            if name in _COORDINATES:
                raise ModelError(
                    f'{self.title}, outputs "{name}"',
                    found="a name that the result needs for itself",
                    expected="another",
                )
        states = sorted({state for name in names for state in description.needs.get(name, ())})
        return Run(
            n_patients=n_patients,
            times=times,
            schedule=schedule(doses, float(times[0]), float(times[-1]), self._index, shape.moving),
            parameters={
                self._parameter_index[self._known(name, self._parameter_index, "parameters")]: _numbers(name, value)
                for name, value in parameters.items()
            },
            initial={
                self._index[self._known(name, self._index, "initial")]: _numbers(name, value)
                for name, value in initial.items()
            },
            volumes={int(state): where[compartment] for state, compartment in description.volumes.items()},
            recorded={name: where[name] for name in names},
            needed_states=states,
            tolerance=self._tolerance(atol),
            rtol=float(rtol),
            fade=_FADE if atol is None else 0.0,
            max_steps=int(max_steps),
        )

    def _known(self, name: Hashable, valid: Mapping[str, Any], what: str) -> str:
        if name not in valid:
            raise ModelError(
                f'{self.title}, {what} "{name}"',
                found="no such name in the model"
                if name not in self._description.outputs
                else "a name of another kind",
                expected=f"a name among its {what}",
                nearest=nearest(str(name), valid),
            )
        return str(name)

    def _tolerance(self, atol: float | Mapping[str, float] | None) -> Floats:
        names = self._description.states[: self._shape.moving]
        if atol is None:
            return np.full(len(names), NO_SIZE)
        if not isinstance(atol, Mapping):
            asked = dict.fromkeys(names, float(atol))
        else:
            for name in atol:
                self._known(name, self._index, "atol")
            asked = {name: float(atol.get(name, 0.0)) for name in names}
        for name, value in asked.items():
            if not 0 <= value < np.inf:
                raise ModelError(f'{self.title}, atol of "{name}"', found=f"{value}", expected="zero or more")
        # given for what formulas mean; integrated are amounts
        volumes = self._description.volumes
        scale = [self.parameters.get(volumes.get(str(i), ""), Quantity(1.0, "")).value for i in range(len(names))]
        return np.array([max(asked[name] * size, NO_SIZE) for name, size in zip(names, scale, strict=True)])

    def _check_complete(self, given: Mapping[Hashable, Any], start: Mapping[Hashable, Any]) -> None:
        """Refuse to compute with numbers that neither the model nor the caller gives."""
        for name in self._description.open:
            if name not in given and name not in start:
                how = "initial" if name in self._index else "parameters"
                raise ModelError(f'{self.title}, "{name}"', found="no value in the model", expected=f"one in `{how}`")

    def _dataset(self, times: Floats, names: Sequence[str], results: Results) -> xr.Dataset:
        import xarray as xr

        units = self._description.units
        by_patient = {
            "outcome": np.array(OUTCOMES)[results.outcome],
            "failed_at": results.failed_at,
            "steps": results.steps,
            "rejected": results.rejected,
        }
        return xr.Dataset(
            {
                name: (("patient", "time"), results.values[name], {"units": units.get(name, "")})
                for name in dict.fromkeys(names)
            },
            coords={
                "time": ("time", times, {"units": self.time_unit}),
                **{name: ("patient", values) for name, values in by_patient.items()},
            },
            attrs={"model": self.title},
        )


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not 0 < value < np.inf:
            raise ModelError(name, found=f"{value}", expected="a number above zero")


def _grid(times: ArrayLike) -> Floats:
    grid = np.atleast_1d(np.asarray(times, float))
    if grid.ndim != 1 or not len(grid) or not np.all(np.isfinite(grid)) or np.any(np.diff(grid) <= 0):
        raise ModelError("times", found=f"{grid.shape} numbers that do not rise", expected="rising times, at least one")
    return grid


def _numbers(name: Hashable, value: ArrayLike) -> Floats:
    numbers = np.asarray(value, float)
    if numbers.ndim > 1 or not np.all(np.isfinite(numbers)):
        raise ModelError(f'values of "{name}"', found="no finite numbers", expected="one number, or (patient,)")
    return np.ascontiguousarray(numbers) if numbers.ndim else numbers  # which would make an array of a single number


def _count(
    parameters: Mapping[Hashable, ArrayLike], initial: Mapping[Hashable, ArrayLike], doses: Sequence[Dose]
) -> int:
    """Number of patients: the one length of all arrays."""
    sources = [*parameters.items(), *initial.items(), *((f"dose into {d.state}", d.amount) for d in doses)]
    lengths = {name: len(array) for name, array in ((n, np.asarray(v)) for n, v in sources) if array.ndim}
    if not lengths:
        return 1
    first, count = next(iter(lengths.items()))
    for name, length in lengths.items():
        if length != count:
            raise ModelError(f'values of "{name}"', found=f"{length} patients", expected=f'{count}, as for "{first}"')
    return count
