"""What is to be done for an ensemble of patients, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.kernels import METHODS, Place
from exotwin.engine.running.doses import Schedule

Floats = NDArray[np.float64]


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
    starts : state whose initial value is given -> its derivatives: (state that holds it, what it is in the unit of the
        name, one number or (patient,), where the derivative of the size stands).
    until : when a patient's run ends, one time or (patient,); infinite: with the last time.
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
    starts: dict[int, list[tuple[int, Floats, Place | None]]]
    until: Floats
    recorded: dict[str, Recorded]
    needed_states: Sequence[int]
    tolerance: Floats
    rtol: float
    fade: float
    max_steps: int
    methods: tuple[str, ...] = METHODS[:1]
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
            starts={
                i: [(derivative, mine(given), growth) for derivative, given, growth in parts]
                for i, parts in self.starts.items()
            },
            until=mine(self.until),
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
    """values : name -> (patient, time). The rest: (patient,); ``method``: index in `METHODS`."""

    values: dict[str, Floats]
    outcome: NDArray[np.int64]
    failed_at: Floats
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]
    method: NDArray[np.int64]
