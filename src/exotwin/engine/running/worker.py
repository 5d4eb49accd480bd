"""A chunk of patients through the machine code: memory for its task, values in, trajectories out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.kernels import OK, TASK, Place
from exotwin.engine.running.program import Program
from exotwin.engine.running.run import Results, Run

Floats = NDArray[np.float64]

_CACHE_LINE = 64


class Worker:
    """Does one chunk of patients after the other, with memory of its own.

    defaults : (parameter,), NaN where the model computes it. stride : most patients of a chunk, whole vectors of them.
    stop : (1,), shared by all workers: as soon as it is not 0, machine code ends.
    """

    def __init__(self, program: Program, defaults: Floats, run: Run, stride: int, stop: NDArray[np.int64]) -> None:
        self._kernels, self._shape, self._run, self._stride = program.kernels, program.shape, run, stride
        self._defaults, shape = defaults, program.shape
        n_times, kept = len(run.times), np.array(run.needed_states, np.int64)
        self._state_row = np.zeros(shape.n_states, np.int64)
        self._state_row[kept] = np.arange(len(kept))
        wanted = run.observed
        self._output_row = np.full(shape.n_outputs, len(wanted), np.int64)
        self._output_row[wanted] = np.arange(len(wanted))
        self._trajectory = _aligned((n_times, max(len(kept), 1), stride))
        self._trajectory[:] = 0.0
        self._outputs = _aligned((n_times, len(wanted) + 1, stride))
        self._parameters = _aligned((shape.n_parameters, stride))
        self._initial = _aligned((shape.n_states, stride))
        self._amounts = _aligned((len(run.schedule.amount), stride))
        self._outcome, self._steps, self._rejected, self._places = (np.zeros(stride, np.int64) for _ in range(4))
        self._failed_at, self._until = np.zeros(stride), np.zeros(stride)
        self._count = 0
        self._fields: dict[str, Any] = {
            "stride": stride,
            "parameters": self._parameters,
            "initial": self._initial,
            "rows": _aligned((shape.n_rows, stride)),
            "amounts": self._amounts,
            "times": np.append(run.times, np.inf),
            "n_times": n_times,
            "stops": np.append(run.schedule.stops, np.inf),
            "n_stops": len(run.schedule.stops),
            "first_entry": run.schedule.first_entry,
            "entry_state": run.schedule.state,
            "entry_sets_inflow": run.schedule.sets_inflow,
            "kept": kept,
            "n_kept": len(kept),
            "n_kept_moving": int(np.sum(kept < shape.moving)),
            "state_row": self._state_row,
            "output_row": self._output_row,
            "n_output_rows": len(wanted) + 1,
            "tolerance": run.tolerance,
            "rtol": float(run.rtol),
            "fade": float(run.fade),
            "max_steps": run.max_steps,
            "places": self._places,
            "until": self._until,
            "stop_requested": stop,
            "workspace": _aligned((shape.workspace // 8,)),
            "trajectory": self._trajectory,
            "outcome": self._outcome,
            "failed_at": self._failed_at,
            "steps": self._steps,
            "rejected": self._rejected,
            "outputs": self._outputs,
        }

    def work(self, first: int, last: int, results: Results) -> None:
        """Simulate patients first … last − 1 and write their part of the results."""
        self._count, run = last - first, self._run
        mine = slice(first, last)
        self._places[: self._count] = np.arange(first, last) if run.places is None else run.places[mine]
        self._parameters[:] = self._defaults[:, None]
        for j, given in run.parameters.items():
            self._fill(self._parameters[j], given, mine)
        self._call(self._kernels.setup)
        self._set_initial(mine)
        self._fill(self._until, run.until, mine)
        for row, amount in zip(self._amounts, run.schedule.amount, strict=True):
            self._fill(row, amount, mine)
        self._fields["workspace"][:] = 0.0
        self._failed_at[:] = np.nan
        self._call(self._kernels.integrate)
        if run.observed:
            self._call(self._kernels.observe)
        self._hand_over(mine, results)

    def _fill(self, row: Floats, given: Floats, mine: slice) -> None:
        if given.ndim:
            row[: self._count] = given[mine]
            row[self._count :] = row[self._count - 1]  # lanes beyond the last patient repeat it
        else:
            row[:] = given

    def _call(self, kernel: Callable[[int], None], **changed: Any) -> None:
        task = np.zeros(len(TASK), np.int64)
        fields = {**self._fields, "patients": self._count, **changed}
        for i, name in enumerate(TASK):
            value = fields[name]
            if isinstance(value, np.ndarray):
                task[i] = value.ctypes.data
            else:
                task[i] = np.float64(value).view(np.int64) if isinstance(value, float) else value
        kernel(task.ctypes.data)

    def _set_initial(self, mine: slice) -> None:
        """Initial values that were given, after the model's own."""
        volumes = self._run.volumes
        for state, given in self._run.initial.items():
            if state not in volumes:
                self._fill(self._initial[state], given, mine)
                for derivative, slope, _ in self._run.starts.get(state, ()):
                    self._fill(self._initial[derivative], slope, mine)
        concentrations = [state for state in self._run.initial if state in volumes]
        if not concentrations:
            return
        # sizes of compartments at the start, which may themselves be states or follow from rules
        n_states, n_outputs = self._shape.n_states, self._shape.n_outputs
        outputs = _aligned((1, n_outputs + 1, self._stride))
        self._call(
            self._kernels.observe,
            trajectory=self._initial,
            n_kept=n_states,
            state_row=np.arange(n_states),
            outputs=outputs,
            n_output_rows=n_outputs + 1,
            output_row=np.arange(n_outputs),
            n_times=1,
        )
        sizes = {"parameter": self._parameters, "state": self._initial, "output": outputs[0]}
        for state in concentrations:
            kind, index = volumes[state]
            size = sizes[kind][index]
            self._fill(self._initial[state], self._run.initial[state], mine)
            for derivative, slope, growth in self._run.starts.get(state, ()):
                change = self._initial[state] * sizes[growth[0]][growth[1]] if growth is not None else 0.0
                self._fill(self._initial[derivative], slope, mine)
                self._initial[derivative] = self._initial[derivative] * size + change
            self._initial[state] *= size

    def _hand_over(self, mine: slice, results: Results) -> None:
        run, count = self._run, self._count
        results.outcome[mine], results.failed_at[mine] = self._outcome[:count], self._failed_at[:count]
        results.steps[mine], results.rejected[mine] = self._steps[:count], self._rejected[:count]
        # what lies behind the end of a run that failed, or was not to go on, is not known
        last = np.where(self._outcome[:count] != OK, self._failed_at[:count], self._until[:count])
        short = np.flatnonzero(last < run.times[-1])
        for name, item in run.recorded.items():
            target = results.values[name][mine]
            target[:] = self._course(item.place)
            if item.size is not None:
                size = self._course(item.size)
                with np.errstate(all="ignore"):  # a compartment may have no size
                    target[:] = target * size if item.power > 0 else target / size
                    if item.of is not None:
                        number, growth = (self._course(place) for place in item.of)
                        target[:] += number * growth if item.power > 0 else -number * growth / size**2
            for patient in short:
                target[patient, run.times > last[patient]] = np.nan

    def _course(self, place: Place) -> Floats:
        """(patient, time), or (patient, 1) of what stays the same."""
        (kind, index), count = place, self._count
        if kind == "parameter":
            return self._parameters[index, :count, None]
        if kind == "state":
            return self._trajectory[:, self._state_row[index], :count].T
        return self._outputs[:, self._output_row[index], :count].T


def _aligned(shape: tuple[int, ...]) -> Floats:
    """An array that begins on a cache line, as vector loads want it."""
    count = int(np.prod(shape))
    memory = np.empty(count + _CACHE_LINE // 8)
    skip = (-memory.ctypes.data % _CACHE_LINE) // 8
    return memory[skip : skip + count].reshape(shape)
