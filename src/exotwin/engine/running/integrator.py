"""Hands chunks of patients to the machine code, on several threads, and gathers what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.kernels import TASK, Place
from exotwin.engine.running.doses import Schedule
from exotwin.progress import Progress

Floats = NDArray[np.float64]

_CHUNK = 256  # patients: enough to keep lanes busy, few enough to share out among threads
_CHUNK_BYTES = 2_000_000  # of recorded values, so that they stay near the processor
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
class Recorded:
    """What is returned under a name: a number, or the same times the size of a compartment to a power of 1 or −1.

    of : if ``place`` holds a derivative, where the number itself and the derivative of the size stand, for the chain
        rule.
    """

    place: Place
    size: Place | None = None
    power: int = 0
    of: tuple[Place, Place] | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """All that it is computed from."""
        return (self.place, *((self.size,) if self.size is not None else ()), *(self.of or ()))


@dataclass(frozen=True)
class Run:
    """What is to be done for all patients. All that decides the numbers, beside the model itself, stands here.

    parameters : parameter index -> value(s) given, one or (patient,). Also arrays that are read when they are needed.
    initial : state index -> the same, in the unit of the name.
    volumes : state index -> where the size stands that turns a given concentration into an amount.
    starts : state whose initial value is given -> its derivatives: (state that holds it, whether it is by that initial
        value, where the derivative of the size stands).
    recorded : name -> what to return. needed_states : states to record, moving ones first.
    tolerance : (moving,) absolute. fade : below this share of its largest size a state's tolerance no longer shrinks.
    methods : each is given the patients with whom those before it failed.
    places : (patient,) in the whole ensemble, by which chance in events is drawn; None: all of it, in order.
    """

    n_patients: int
    times: Floats
    schedule: Schedule
    parameters: dict[int, Floats]
    initial: dict[int, Floats]
    volumes: dict[int, Place]
    starts: dict[int, list[tuple[int, bool, Place | None]]]
    recorded: dict[str, Recorded]
    needed_states: Sequence[int]
    tolerance: Floats
    rtol: float
    fade: float
    max_steps: int
    methods: tuple[str, ...] = ("rodas5p",)
    places: NDArray[np.int64] | None = None

    def part(self, first: int, last: int) -> Run:
        """The same for patients first … last − 1, all numbers in memory."""

        def mine(given: Floats) -> Floats:
            return np.ascontiguousarray(given[first:last], float)

        return self._some(np.arange(first, last), mine)

    def chosen(self, patients: NDArray[np.int64]) -> Run:
        """The same for some of the patients, all numbers in memory."""

        def mine(given: Floats) -> Floats:
            # what is read late may know slices only
            return given[patients] if isinstance(given, np.ndarray) else np.array([given[i] for i in patients], float)

        return self._some(patients, mine)

    def _some(self, patients: NDArray[np.int64], take: Callable[[Floats], Floats]) -> Run:
        def mine(given: Floats) -> Floats:
            return take(given) if given.ndim else np.asarray(given, float)

        return replace(
            self,
            n_patients=len(patients),
            places=patients if self.places is None else self.places[patients],
            parameters={j: mine(given) for j, given in self.parameters.items()},
            initial={i: mine(given) for i, given in self.initial.items()},
            schedule=replace(self.schedule, amount=tuple(mine(given) for given in self.schedule.amount)),
        )

    @property
    def observed(self) -> list[int]:
        """Indices of the outputs to compute."""
        return sorted({i for item in self.recorded.values() for kind, i in item.places if kind == "output"})

    @property
    def bytes_of_a_patient(self) -> int:
        """Memory of the recorded states and outputs of one patient, while it is simulated."""
        return 8 * len(self.times) * (len(self.needed_states) + len(self.observed) + 1)


@dataclass(frozen=True)
class Results:
    """values : name -> (patient, time). The rest: (patient,); ``method``: index in `task.METHODS`."""

    values: dict[str, Floats]
    outcome: NDArray[np.int64]
    failed_at: Floats
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]
    method: NDArray[np.int64]


def integrate(
    kernels: Kernels, shape: Shape, defaults: Floats, run: Run, n_threads: int, progress: Progress
) -> Results:
    """All patients. Results are the same bit for bit for any number of threads.

    defaults : (parameter,), NaN where the model computes it. progress : told of patients done, not of the start.
    """
    n = run.n_patients
    values = np.empty((len(run.recorded), n, len(run.times)))  # one block: the system hands it out in large pages
    results = Results(
        dict(zip(run.recorded, values, strict=True)),
        np.empty(n, np.int64),
        np.full(n, np.nan),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.zeros(n, np.int64),
    )
    size = _chunk_size(shape, run, n_threads)
    chunks = [(first, min(first + size, n)) for first in range(0, n, size)]
    n_threads = max(1, min(n_threads, len(chunks)))
    stop = np.zeros(1, np.int64)
    # each thread takes a worker for a chunk and gives it back: memory is used again while it is near the processor
    workers: SimpleQueue[_Worker] = SimpleQueue()
    for _ in range(n_threads):
        workers.put(_Worker(kernels, shape, defaults, run, size, stop))

    def do(first: int, last: int) -> int:
        worker = workers.get()
        try:
            worker.work(first, last, results)
        finally:
            workers.put(worker)
        return last - first

    # A thread also for one alone: Ctrl-C reaches the main thread only while that is in Python, not in machine code.
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for done in as_completed([pool.submit(do, *chunk) for chunk in chunks]):
                progress.advance(done.result())
        except BaseException:
            stop[0] = 1  # which the machine code looks at before every step
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _chunk_size(shape: Shape, run: Run, n_threads: int) -> int:
    """Patients of a chunk, whole vectors of them: many keep the lanes busy, few can be shared out among threads."""
    size = min(_CHUNK, _CHUNK_BYTES // run.bytes_of_a_patient, -(-run.n_patients // (4 * n_threads)))
    size = max(1, min(max(size, 8 * shape.width), run.n_patients))
    return -(-size // shape.width) * shape.width


class _Worker:
    """Does one chunk of patients after the other, with memory of its own."""

    def __init__(
        self, kernels: Kernels, shape: Shape, defaults: Floats, run: Run, stride: int, stop: NDArray[np.int64]
    ) -> None:
        self._kernels, self._shape, self._run, self._stride = kernels, shape, run, stride
        self._defaults = defaults
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
        self._failed_at = np.zeros(stride)
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
                for derivative, own, _ in self._run.starts.get(state, ()):
                    self._initial[derivative] = float(own)
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
            for derivative, own, growth in self._run.starts.get(state, ()):
                change = self._initial[state] * sizes[growth[0]][growth[1]] if growth is not None else 0.0
                self._initial[derivative] = change + size if own else change
            self._initial[state] *= size

    def _hand_over(self, mine: slice, results: Results) -> None:
        run, count = self._run, self._count
        results.outcome[mine], results.failed_at[mine] = self._outcome[:count], self._failed_at[:count]
        results.steps[mine], results.rejected[mine] = self._steps[:count], self._rejected[:count]
        failed = np.flatnonzero(self._outcome[:count])
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
            for patient in failed:
                target[patient, run.times > self._failed_at[patient]] = np.nan

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
