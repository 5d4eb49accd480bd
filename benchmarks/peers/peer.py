"""What the benchmarks ask of a simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import process_time
from typing import Any, Protocol

import numpy as np

from cases import Model

MAX_STEPS = 1_000_000


class LeftOut(Exception):
    """Why a simulator cannot be measured here, or not with this model."""


@dataclass(frozen=True)
class Runs:
    """values : (patient, time, state), states in the order of the model, NaN where the simulator gave up.

    seconds : processor time of one patient.
    steps : tried for one patient, None where the simulator does not tell.
    """

    values: np.ndarray
    seconds: float
    steps: float | None = None


class Peer(Protocol):
    """A simulator with one model. What it needs is imported when it is made, so that a missing one harms no other."""

    title: str
    settings: str
    """What was chosen, for the reader to judge."""

    def prepare(self, model: Model) -> float:
        """Read and compile; wall seconds.

        Raises
        ------
        LeftOut : not installed, or cannot run the model.
        """

    def simulate(self, draws: Mapping[str, np.ndarray], rtol: float, atol: float) -> Runs:
        """All patients of the draws, one after the other or side by side, on one core.

        The clock of peers runs only while they integrate and record: setting parameters and reading results, which is
        Python's work in most of them, is given to them for free.
        """


class Watch:
    """Sums processor time over the parts that count."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """The result of the call."""
        start = process_time()
        result = call(*arguments)
        self.seconds += process_time() - start
        return result


def count(draws: Mapping[str, np.ndarray]) -> int:
    """Number of patients."""
    return len(next(iter(draws.values())))
