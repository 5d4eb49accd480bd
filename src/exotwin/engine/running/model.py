"""What a user of the engine holds: a compiled model, its names and units, and its simulations as labelled arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache as remembered
from functools import partial
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from exotwin.engine.kernels import METHODS, processor
from exotwin.engine.running import cache, inputs, pilot
from exotwin.engine.running.dataset import Labels, dataset
from exotwin.engine.running.description import Description, compiled
from exotwin.engine.running.doses import Dose
from exotwin.engine.running.integrator import integrate
from exotwin.engine.running.program import Program, program
from exotwin.engine.running.request import Names, Request
from exotwin.engine.running.run import Results, Run
from exotwin.progress import Progress, Silent

if TYPE_CHECKING:
    import xarray as xr

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

    inputs.check_path("load", path_or_sbml, "an SBML file, or the document itself as text")
    wrt = inputs.names("sensitivities", sensitivities)
    name, text = source(path_or_sbml)
    target = processor(width)

    def stored(method: str) -> tuple[bytes, bytes]:
        made_for = target.name, target.features, str(target.width), str(target.fma), method
        key = cache.key(text, _version(), *made_for, *wrt)
        found = cache.read(key)
        if found is None:
            found = compiled(name, text, target, method, wrt)
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
        self._known = Names(told)
        self._values = np.array(told.values, float)
        self.width, self.wrt = told.shape.width, told.derivatives.wrt if told.derivatives is not None else ()
        self.title, self.time_unit, self.remarks = told.title, told.time_unit, tuple(told.remarks)
        self.species, self.names = frozenset(told.species), tuple(told.outputs)
        self._at_start = self._values_at_start()
        self.parameters: Mapping[str, Quantity] = self._quantities(self._known.parameters)
        self.states: Mapping[str, Quantity] = self._quantities(self._known.states)
        named_apart = {*self.states, *told.reactions}
        ruled = [n for n, (kind, _) in told.outputs.items() if kind == "output" and n not in named_apart]
        self.observables: Mapping[str, Quantity] = self._quantities(ruled)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(names)} {what}" for what, names in self._tables())
        return f"<CompiledModel {self.title}: {counts}; time in {self.time_unit or 'a unit that it does not name'}>"

    def _repr_html_(self) -> str:
        tables = "".join(
            f"<details><summary>{len(table)} {what}</summary><table>"
            + "".join(
                f"<tr><td>{escape(n)}</td><td>{q.value:.6g}</td><td>{escape(q.unit)}</td></tr>"
                for n, q in table.items()
            )
            + "</table></details>"
            for what, table in self._tables()
        )
        remarks = "".join(f"<p>{escape(remark)}</p>" for remark in self.remarks)
        return f"<pre>{escape(repr(self))}</pre>{tables}{remarks}"

    def _tables(self) -> list[tuple[str, Mapping[str, Quantity]]]:
        return [("states", self.states), ("parameters", self.parameters), ("observables", self.observables)]

    def _program(self, method: str) -> Program:
        """The machine code of a method; that of any but the first is made when it is asked for."""
        if method not in self._programs:
            self._programs[method] = program(*self._stored(method))
        return self._programs[method]

    def _integrate(self, method: str, run: Run, n_threads: int, progress: Progress) -> Results:
        return integrate(self._program(method), self._values, run, n_threads, progress)

    def _quantities(self, names: Iterable[str]) -> Mapping[str, Quantity]:
        units = self._description.units
        return MappingProxyType({name: Quantity(self._at_start[name], units.get(name, "")) for name in names})

    def _values_at_start(self) -> dict[str, float]:
        """Values of all names at time 0 with the model's own numbers; NaN where it leaves one open."""
        asked = Request([0.0], {}, {}, (), list(self._description.outputs), 1e-6, None, 1)
        run, _ = self._known.run(asked, {}, None)
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
        until: ArrayLike | None = None,
        initial_slopes: Mapping[str, ArrayLike] | None = None,
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
        outputs : names of states, observables, parameters or reactions (their rates), meant as formulas mean them;
            "amount(S)" and "concentration(S)" give that of a species whatever formulas mean. Default: all states and
            observables.
        rtol : allowed error of one step relative to the size of a state.
        atol : allowed error of one step in the unit of `states`: for all, or by name (then 0 for the others).
            Default: rtol times a thousandth of the largest size that the state has had in this patient, so that states
            of any magnitude stand side by side.
        method : "rodas5p", which any model can be simulated with; "tsit5", an explicit method that is faster where
            nothing is stiff; "auto": what a pilot of a few patients finds clearly cheaper, in ensembles of at least
            4096. Patients with whom the choice of a pilot fails are simulated anew with "rodas5p".
        n_threads : default: all processors that this process may use. Results do not depend on it.
        max_steps : steps tried before a patient is given up.
        until : when a patient's run ends, one time or (patient,), if not with the last of ``times``; what lies behind
            is NaN.
        initial_slopes : with sensitivities, state -> (wrt,) or (patient, wrt): how its value in ``initial`` itself
            depends on what is differentiated by, as it does if that comes out of another simulation. Default: not.
        store : folder for the results, written batch by batch as a Zarr group, so that memory stays bounded whatever
            the number of patients. A run that was interrupted goes on where it stopped and gives the same bits.
        progress : told how many patients are done. An exception that it raises, or Ctrl-C, ends the work at once.

        Returns
        -------
        Dataset with dimensions (patient, time), a variable for each output, units in ``attrs["units"]``; coordinates
        by patient: ``outcome`` ("ok", or what ended the run, such as "step limit" or "not finite"), ``failed_at``
        (time, or NaN), ``steps``, ``rejected``, ``method``. What lies behind a failure is NaN in every variable.
        ``attrs["outcomes"]``: patients by outcome, "999 ok, 1 step limit". ``attrs["method"]``; where there was a
        pilot, also its number of patients (``attrs["pilot_patients"]``), the steps that each method tried with them
        (``pilot_steps_…``), patients with whom the explicit one failed, and the ratio of costs
        (``pilot_cost_ratio``). All attributes are texts and numbers, so that ``to_netcdf`` and ``to_zarr`` take them.
        An output that is called like one of these, such as "time", gets a "_" behind its name. With a store, arrays
        are read from there when they are used.
        With sensitivities, for each output X also a variable "sensitivity(X)" with dimensions (patient, time, wrt): ∂X
        by each parameter or initial value; by the latter in the unit of `initial`, all others staying as they are.
        ``wrt_units`` are the units of what is differentiated by. Derivatives take part in the choice of steps. Doses
        do not depend on what is differentiated by.

        Raises
        ------
        ModelError : unknown names, lengths that disagree, values that are no numbers or left open, times that do not
            rise, tolerances that are not above zero, an unknown method; a store that holds results of other inputs or
            anything else.
        NotBuiltYet : the method "tsit5" for a model with algebraic rules or sensitivities; sensitivities of the rate of
            a reaction.
        """
        told, progress = self._description, progress or Silent()
        n_threads = _processors() if n_threads is None else inputs.whole("n_threads", n_threads)
        if store is not None:
            inputs.check_path("store", store, "the path of a folder")
        names = [*self.states, *self.observables] if outputs is None else outputs
        asked = Request(
            times, parameters, initial, doses, names, rtol, atol, max_steps, until=until, initial_slopes=initial_slopes
        )
        run, units = self._known.run(asked, self._at_start, told.derivatives)
        self._known.check_complete(run)
        simulate = partial(self._integrate, n_threads=n_threads)
        may_be_plain = not told.algebraic and not self.wrt
        choice = pilot.choose(method, run, self._program, simulate, may_be_plain=may_be_plain)
        run = replace(run, methods=choice.methods)
        wrt = {name: told.units.get(name, "") for name in self.wrt}
        labels = Labels({"model": self.title, **choice.attributes}, run.times, self.time_unit, units, wrt)

        def compute(part: Run) -> Results:
            return pilot.compute(choice, part, simulate, progress)

        if store is not None:
            from exotwin.engine.running.stream import stream  # loads zarr

            code = " ".join(self._program(method).digest for method in choice.methods)
            return stream(Path(store), labels, run, code, compute, progress)
        progress.start("simulating", run.n_patients)
        return dataset(labels, compute(run.part(0, run.n_patients)))


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
