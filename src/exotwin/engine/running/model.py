"""What a user of the engine holds: a compiled model, its names and units, and its simulations as labelled arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache as remembered
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.engine.kernels import METHODS, NO_SIZE, Place, processor
from exotwin.engine.running import cache, inputs, pilot
from exotwin.engine.running.dataset import Labels, dataset
from exotwin.engine.running.derivatives import Derivatives
from exotwin.engine.running.description import Description, compiled
from exotwin.engine.running.doses import Dose, schedule
from exotwin.engine.running.integrator import Results, Run, integrate
from exotwin.engine.running.program import Program, program
from exotwin.errors import ModelError, nearest
from exotwin.progress import Progress, Silent

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

_FADE = 1e-3
_MAX_STEPS = 100_000


@dataclass(frozen=True)
class Quantity:
    """A number with its unit as the model names it, "" where it gives none."""

    value: float
    unit: str


def load(path_or_sbml: str | Path, *, sensitivities: Sequence[str] = (), width: int | None = None) -> CompiledModel:
    """Compile an SBML document, or take it from the cache if it was compiled before.

    Parameters
    ----------
    path_or_sbml : file, or the document itself as text.
    sensitivities : names of parameters, and of states for their initial values, with respect to which every simulation
        differentiates its outputs (see `CompiledModel.simulate`). Each costs about as much as a plain simulation. Not
        for models with events or algebraic rules, nor where rates jump at a time or state that depends on one of them.
    width : virtual patients computed side by side (1, 2, 4 or 8); default: what fits this processor. Results do not
        depend on it.

    Raises
    ------
    ModelError : no such file, malformed or wrong SBML; names the element.
    NotBuiltYet : delay(), fast reactions, flux balance, required packages that are not understood.
    """
    from exotwin.engine.reading import source

    name, text = source(path_or_sbml)
    target = processor(width)

    def stored(method: str) -> tuple[bytes, bytes]:
        made_for = target.name, target.features, str(target.width), str(target.fma), method
        key = cache.key(text, _version(), *made_for, *sensitivities)
        found = cache.read(key)
        if found is None:
            found = compiled(name, text, target, method, sensitivities)
            cache.write(key, *found)
        return found

    return CompiledModel(stored)


@remembered
def _version() -> str:
    """What machine code depends on beside the model: versions, and the source of this room."""
    import llvmlite

    from exotwin import __version__

    here = Path(__file__).parents[1]
    return cache.key(
        __version__, llvmlite.__version__, *(path.read_text("utf-8") for path in sorted(here.rglob("*.py")))
    )


class CompiledModel:
    """A model as machine code. Made by `load`.

    title : the model's name. time_unit : as the model names it. width : lanes of its vectors.
    remarks : what a careful reader should be told. wrt : names with respect to which outputs are differentiated.
    parameters, states, observables : id -> value at time 0 with the model's own numbers, NaN where it leaves one open;
        observables are what assignment rules set.
    species : ids of which amount and concentration can be asked for. names : all that can be.
    """

    def __init__(self, stored: Callable[[str], tuple[bytes, bytes]]) -> None:
        """``stored`` gives what `description.compiled` makes for a method."""
        description, code = stored(METHODS[0])
        self._stored, self._programs = stored, {METHODS[0]: program(description, code)}
        self._description = told = Description.from_json(description)
        # derivatives stand among states and parameters, without a name
        self._index = {name: i for i, name in enumerate(told.states) if name}
        self._parameter_index = {name: j for j, name in enumerate(told.parameters) if name}
        self._values = np.array(told.values, float)
        self.width, self.wrt = told.shape.width, told.derivatives.wrt if told.derivatives is not None else ()
        self.title, self.time_unit, self.remarks = told.title, told.time_unit, tuple(told.remarks)
        self.species, self.names = frozenset(told.species), tuple(told.outputs)
        self._at_start = self._values_at_start()
        self.parameters: Mapping[str, Quantity] = self._quantities(list(self._parameter_index))
        self.states: Mapping[str, Quantity] = self._quantities(list(self._index))
        named_apart = {*self._index, *told.reactions}
        ruled = [n for n, (kind, _) in told.outputs.items() if kind == "output" and n not in named_apart]
        self.observables: Mapping[str, Quantity] = self._quantities(ruled)

    def _program(self, method: str) -> Program:
        """The machine code of a method; that of any but the first is made when it is asked for."""
        if method not in self._programs:
            self._programs[method] = program(*self._stored(method))
        return self._programs[method]

    def _integrate(self, method: str, run: Run, n_threads: int, progress: Progress) -> Results:
        done = self._program(method)
        return integrate(done.kernels, done.shape, self._values, run, n_threads, progress)

    def _quantities(self, names: Sequence[str]) -> Mapping[str, Quantity]:
        units = self._description.units
        return MappingProxyType({name: Quantity(self._at_start[name], units.get(name, "")) for name in names})

    def _values_at_start(self) -> dict[str, float]:
        """Values of all names at time 0 with the model's own numbers; NaN where it leaves one open."""
        run, _ = self._run(np.zeros(1), {}, {}, (), list(self._description.outputs), 1e-6, None, 1)
        values = self._integrate(METHODS[0], run, 1, Silent()).values
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
        method: str = "auto",
        n_threads: int | None = None,
        max_steps: int = _MAX_STEPS,
        store: str | Path | None = None,
        progress: Progress | None = None,
    ) -> xr.Dataset:
        """Trajectories of an ensemble of virtual patients.

        Parameters
        ----------
        times : (time,), rising, in the model's unit. The first is the start and may be negative.
        parameters : id -> value or (patient,), instead of the model's own values; also of those that the model
            computes at the start. An xarray Dataset with the dimension patient will do. Arrays that stand on disk
            (np.memmap, Zarr, HDF5, a Dataset opened lazily) are read part by part.
        initial : state -> value or (patient,), in the unit of `states`, after all initial assignments.
        doses : see `Dose`. At the time of a dose, outputs show what is there after it.
        outputs : names of states, observables or parameters, meant as formulas mean them; "amount(S)" and
            "concentration(S)" give that of a species whatever formulas mean. Default: all states and observables.
        rtol : allowed error of one step relative to the size of a state.
        atol : allowed error of one step in the unit of `states`: for all, or by name (then 0 for the others).
            Default: rtol times a thousandth of the largest size that the state has had in this patient, so that states
            of any magnitude stand side by side.
        method : "rodas5p", which any model can be simulated with; "tsit5", an explicit method that is faster where
            nothing is stiff; "auto": what a pilot of a few patients finds clearly cheaper, in ensembles of at least
            4096. Patients with whom the choice of a pilot fails are simulated anew with "rodas5p".
        n_threads : default: all processors that this process may use. Results do not depend on it.
        max_steps : steps tried before a patient is given up.
        store : folder for the results, written batch by batch as a Zarr group, so that memory stays bounded whatever
            the number of patients. A run that was interrupted goes on where it stopped and gives the same bits.
        progress : told how many patients are done. An exception that it raises, or Ctrl-C, ends the work at once.

        Returns
        -------
        Dataset with dimensions (patient, time), a variable for each output, units in ``attrs["units"]``; coordinates
        by patient: ``outcome`` ("ok", "step limit", "step too small", "not finite"), ``failed_at`` (time, or NaN),
        ``steps``, ``rejected``, ``method``. What lies behind a failure is NaN. ``attrs["outcomes"]``: number of
        patients by outcome. ``attrs["method"]``; where there was a pilot, ``attrs["pilot"]``: its patients, the steps
        that each method tried with them, and the ratio of costs. An output that is called like one of these, such as
        "time", gets a "_" behind its name. With a store, arrays are read from there when they are used.
        With sensitivities, for each output X also a variable "sensitivity(X)" with dimensions (patient, time, wrt): ∂X
        by each parameter or initial value; by the latter in the unit of `initial`, all others staying as they are.
        Derivatives take part in the choice of steps. Doses do not depend on what is differentiated by.

        Raises
        ------
        ModelError : unknown names, lengths that disagree, values that are no numbers or left open, times that do not
            rise, tolerances that are not above zero, an unknown method; a store that holds results of other inputs or
            anything else.
        NotBuiltYet : the method "tsit5" for a model with algebraic rules or sensitivities; sensitivities of the rate of
            a reaction.
        """
        grid = inputs.grid(times)
        inputs.positive(rtol=rtol, n_threads=1 if n_threads is None else n_threads, max_steps=max_steps)
        given = {name: inputs.numbers(name, value) for name, value in (parameters or {}).items()}
        start = {name: inputs.numbers(name, value) for name, value in (initial or {}).items()}
        names = list(dict.fromkeys(outputs)) if outputs is not None else [*self.states, *self.observables]
        slopes = self._description.derivatives
        run, units = self._run(grid, given, start, doses, names, rtol, atol, max_steps, slopes)
        self._check_complete(given, start)
        told, simulate = progress or Silent(), partial(self._integrate, n_threads=n_threads or _processors())
        may_be_plain = not self._description.algebraic and not self.wrt
        choice = pilot.choose(method, run, self._program, simulate, may_be_plain=may_be_plain)
        run = replace(run, methods=choice.methods)
        wrt = {name: self._description.units.get(name, "") for name in self.wrt}
        labels = Labels({"model": self.title, **choice.attributes}, grid, self.time_unit, units, wrt)

        def compute(part: Run) -> Results:
            return pilot.compute(choice, part, simulate, told)

        if store is not None:
            from exotwin.engine.running.stream import stream  # loads zarr

            code = " ".join(self._program(method).digest for method in choice.methods)
            return stream(Path(store), labels, run, code, compute, told)
        told.start("simulating", run.n_patients)
        return dataset(labels, compute(run.part(0, run.n_patients)))

    def _run(
        self,
        times: Floats,
        parameters: Mapping[Hashable, Floats],
        initial: Mapping[Hashable, Floats],
        doses: Sequence[Dose],
        names: Sequence[str],
        rtol: float,
        atol: float | Mapping[str, float] | None,
        max_steps: int,
        slopes: Derivatives | None = None,
    ) -> tuple[Run, dict[str, str]]:
        """What is to be done, and the unit of each output."""
        told = self._description
        asked = {name: told.recorded(name) for name in names}
        recorded = {name: item for name, (item, _) in asked.items()}
        volumes = {state: told.outputs[compartment] for state, compartment in told.volumes.items()}
        given = {
            self._parameter_index[self._known(name, self._parameter_index, "parameters")]: value
            for name, value in parameters.items()
        }
        begun = {self._known(name, self._index, "initial"): value for name, value in initial.items()}
        starts: dict[int, list[tuple[int, bool, Place | None]]] = {}
        if slopes is not None:
            for name in names:
                recorded |= slopes.recorded(name, recorded[name])
            given |= {row: np.zeros(()) for j in list(given) for row in slopes.computed.get(j, ())}
            starts = {self._index[n]: slopes.starts(n, self._index[n], volumes.get(self._index[n])) for n in begun}
            for name in begun.keys() & self._parameter_index.keys() & set(self.wrt):
                where, found = f'{self.title}, initial "{name}"', "a start whose sensitivity is that of the parameter"
                raise ModelError(where, found=found, expected="its value in `parameters`")
        run = Run(
            n_patients=inputs.count(
                [
                    *parameters.items(),
                    *initial.items(),
                    *((f"dose into {dose.state}", np.asarray(dose.amount)) for dose in doses),
                ]
            ),
            times=times,
            schedule=schedule(doses, float(times[0]), float(times[-1]), self._index, told.shape.moving),
            parameters=given,
            initial={self._index[name]: value for name, value in begun.items()},
            volumes=volumes,
            starts=starts,
            recorded=recorded,
            needed_states=sorted(set[int]().union(*(told.states_for(item) for item in recorded.values()))),
            tolerance=self._tolerance(atol),
            rtol=float(rtol),
            fade=_FADE if atol is None else 0.0,
            max_steps=int(max_steps),
        )
        return run, {name: unit for name, (_, unit) in asked.items()}

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
        names = self._description.states[: self._description.shape.moving]
        if atol is None:
            return np.full(len(names), NO_SIZE)
        if not isinstance(atol, Mapping):
            asked = {name: float(atol) for name in names if name}
        else:
            for name in atol:
                self._known(name, self._index, "atol")
            asked = {name: float(atol.get(name, 0.0)) for name in names if name}
        for name, value in asked.items():
            if not 0 <= value < np.inf:
                raise ModelError(f'{self.title}, atol of "{name}"', found=f"{value}", expected="zero or more")
        volumes = self._description.volumes
        # given for what formulas mean; integrated are amounts, in a compartment of the size that it has at the start
        sizes = [self._at_start.get(volumes.get(i, ""), 1.0) for i in range(len(names))]
        scale = [size if 0 < size < np.inf else 1.0 for size in sizes]
        return np.array([max(asked.get(name, 0.0) * size, NO_SIZE) for name, size in zip(names, scale, strict=True)])

    def _check_complete(self, given: Mapping[Hashable, Any], start: Mapping[Hashable, Any]) -> None:
        """Refuse to compute with numbers that neither the model nor the caller gives."""
        for name in self._description.open:
            if name not in given and name not in start:
                how = "initial" if name in self._index else "parameters"
                raise ModelError(f'{self.title}, "{name}"', found="no value in the model", expected=f"one in `{how}`")


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
