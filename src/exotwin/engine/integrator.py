"""Hands chunks of patients to the machine code, on several threads, and gathers what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.doses import Schedule
from exotwin.engine.driver import TASK
from exotwin.progress import Progress

Floats = NDArray[np.float64]

_CHUNK = 256  # patients: enough to keep lanes busy, few enough to share out among threads
_CHUNK_BYTES = 16_000_000  # of recorded states, so that long outputs stay near the processor
_CACHE_LINE = 64


@dataclass(frozen=True)
class Shape:
    """Sizes that the machine code of a model was written for."""

    width: int
    n_states: int
    moving: int
    n_parameters: int
    n_rows: int
    n_outputs: int
    workspace: int  # bytes


@dataclass(frozen=True)
class Kernels:
    """The three functions of a model; each takes the address of a task."""

    setup: Callable[[int], None]
    integrate: Callable[[int], None]
    observe: Callable[[int], None]


@dataclass(frozen=True)
class Run:
    """What is to be done for all patients.

    parameters : parameter index -> value(s) given. initial : state index -> value(s) given, in the unit of the name.
    volumes : state index -> ("parameter" | "state" | "output", index) of the size that turns a given concentration
        into an amount. recorded : name -> ("parameter" | "state" | "output", index) to return.
    needed_states : states to record, moving ones first. tolerance : (moving,) absolute. fade : see `kernels`.
    """

    n_patients: int
    times: Floats
    schedule: Schedule
    parameters: dict[int, Floats]
    initial: dict[int, Floats]
    volumes: dict[int, tuple[str, int]]
    recorded: dict[str, tuple[str, int]]
    needed_states: Sequence[int]
    tolerance: Floats
    rtol: float
    fade: float
    max_steps: int


@dataclass(frozen=True)
class Results:
    """values : name -> (patient, time). The rest: (patient,)."""

    values: dict[str, Floats]
    outcome: NDArray[np.int64]
    failed_at: Floats
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]


def integrate(kernels: Kernels, shape: Shape, defaults: Floats, run: Run, n_threads: int, progress: Progress) -> Results:
    """All patients. Results are the same bit for bit for any number of threads.

    defaults : (parameter,), NaN where the model computes it.
    """
    n = run.n_patients
    results = Results(
        {name: np.empty((n, len(run.times))) for name in run.recorded},
        np.empty(n, np.int64),
        np.full(n, np.nan),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )
    per_patient = 8 * len(run.times) * (shape.n_states + shape.n_outputs)
    size = max(8 * shape.width, min(_CHUNK, _CHUNK_BYTES // max(per_patient, 1)))
    size = min(size, max(8 * shape.width, -(-n // (4 * n_threads))))
    size = -(-size // shape.width) * shape.width
    chunks = [(first, min(first + size, n)) for first in range(0, n, size)]

    def do(first: int, last: int) -> int:
        _Chunk(kernels, shape, defaults, run, first, last).into(results)
        return last - first

    progress.start("simulating", n)
    if n_threads == 1 or len(chunks) == 1:
        for chunk in chunks:
            progress.advance(do(*chunk))
        return results
    with ThreadPoolExecutor(min(n_threads, len(chunks))) as pool:
        waiting = [pool.submit(do, *chunk) for chunk in chunks]
        try:
            for done in as_completed(waiting):
                progress.advance(done.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


class _Chunk:
    """A few hundred patients: one task, one call of each kernel."""

    def __init__(
        self, kernels: Kernels, shape: Shape, defaults: Floats, run: Run, first: int, last: int
    ) -> None:
        self.kernels, self.shape, self.run, self.first, self.last = kernels, shape, run, first, last
        self.count = last - first
        self.stride = -(-self.count // shape.width) * shape.width
        self.fields: dict[str, Any] = {}
        self.parameters = _aligned((shape.n_parameters, self.stride))
        self.parameters[:] = defaults[:, None]
        for j, given in run.parameters.items():
            self._fill(self.parameters[j], given)
        self.initial = _aligned((shape.n_states, self.stride))
        self.rows = _aligned((shape.n_rows, self.stride))

    def _fill(self, row: Floats, given: Floats) -> None:
        if given.ndim:
            row[: self.count] = given[self.first : self.last]
            row[self.count :] = given[self.last - 1]  # lanes beyond the last patient repeat it
        else:
            row[:] = given

    def _call(self, kernel: Callable[[int], None], **fields: Any) -> None:
        self.fields |= fields
        task = np.zeros(len(TASK), np.int64)
        for i, name in enumerate(TASK):
            value = self.fields.get(name, 0)
            if isinstance(value, np.ndarray):
                task[i] = value.ctypes.data
            elif isinstance(value, float):
                task[i] = np.float64(value).view(np.int64)
            else:
                task[i] = value
        kernel(task.ctypes.data)

    def into(self, results: Results) -> None:
        """Run, and write the chunk's part of the results."""
        run, shape, mine = self.run, self.shape, slice(self.first, self.last)
        times, stops = np.append(run.times, np.inf), np.append(run.schedule.stops, np.inf)
        self._call(
            self.kernels.setup,
            stride=self.stride,
            patients=self.count,
            parameters=self.parameters,
            initial=self.initial,
            rows=self.rows,
            times=times,
            n_times=len(run.times),
        )
        self._set_initial(times)
        amounts = _aligned((len(run.schedule.amount), self.stride))
        for row, amount in zip(amounts, run.schedule.amount, strict=True):
            self._fill(row, amount)
        kept = np.array(run.needed_states, np.int64)
        trajectory = _aligned((len(run.times), shape.n_states, self.stride))
        outcome, steps, rejected = (np.zeros(self.stride, np.int64) for _ in range(3))
        failed_at = np.full(self.stride, np.nan)
        self._call(
            self.kernels.integrate,
            amounts=amounts,
            stops=stops,
            n_stops=len(run.schedule.stops),
            first_entry=run.schedule.first_entry,
            entry_state=run.schedule.state,
            entry_sets_inflow=run.schedule.sets_inflow,
            kept=kept,
            n_kept=len(kept),
            n_kept_moving=int(np.sum(kept < shape.moving)),
            tolerance=run.tolerance,
            rtol=float(run.rtol),
            fade=float(run.fade),
            max_steps=run.max_steps,
            workspace=_aligned((shape.workspace // 8,), zero=True),
            trajectory=trajectory,
            outcome=outcome,
            failed_at=failed_at,
            steps=steps,
            rejected=rejected,
        )
        outputs = self._observe(times, trajectory)
        count = self.count
        results.outcome[mine], results.failed_at[mine] = outcome[:count], failed_at[:count]
        results.steps[mine], results.rejected[mine] = steps[:count], rejected[:count]
        failed = np.flatnonzero(outcome[:count])
        for name, (kind, index) in run.recorded.items():
            target = results.values[name][mine]
            if kind == "parameter":
                target[:] = self.parameters[index, :count, None]
            else:
                target[:] = (trajectory if kind == "state" else outputs)[:, index, :count].T
            for patient in failed:
                target[patient, run.times > failed_at[patient]] = np.nan

    def _observe(self, times: Floats, trajectory: Floats) -> Floats:
        outputs = _aligned((len(trajectory), self.shape.n_outputs, self.stride))
        if any(kind == "output" for kind, _ in self.run.recorded.values()):
            self._call(self.kernels.observe, trajectory=trajectory, outputs=outputs)
        return outputs

    def _set_initial(self, times: Floats) -> None:
        """Initial values that were given, after the model's own."""
        run, volumes = self.run, self.run.volumes
        for state, given in run.initial.items():
            if state not in volumes:
                self._fill(self.initial[state], given)
        concentrations = [state for state in run.initial if state in volumes]
        if not concentrations:
            return
        outputs = _aligned((1, self.shape.n_outputs, self.stride))
        self._call(self.kernels.observe, trajectory=self.initial, outputs=outputs, n_times=1, times=times)
        self.fields["n_times"] = len(run.times)
        sizes = {"parameter": self.parameters, "state": self.initial, "output": outputs[0]}
        for state in concentrations:
            kind, index = volumes[state]
            self._fill(self.initial[state], run.initial[state])
            self.initial[state] *= sizes[kind][index]


def _aligned(shape: tuple[int, ...], *, zero: bool = False) -> Floats:
    """An array that begins on a cache line, as vector loads want it."""
    count = int(np.prod(shape))
    memory = (np.zeros if zero else np.empty)(count + _CACHE_LINE // 8)
    skip = (-memory.ctypes.data % _CACHE_LINE) // 8
    return memory[skip : skip + count].reshape(shape)
