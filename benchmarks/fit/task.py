"""What a side is told, and the clock that both use."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Task:
    """One problem for one side.

    names, points : (start, name) starting points on the scale of the parameters. judge : (point, name) whose objective
    the peer is to compute, more exactly than in a search. limit : of the peer, seconds for all searches of one way.
    cores, hessians : that the peer is to use.
    """

    yaml: str
    names: Sequence[str]
    points: Sequence[Sequence[float]]
    rtol: float
    atol: float
    tolerance: float
    max_iterations: int
    limit: float
    cores: int
    hessians: Sequence[str] = ()
    judge: Sequence[Sequence[float]] = ()

    @classmethod
    def read(cls, path: Path) -> Task:
        """From a file."""
        return cls(**json.loads(path.read_text("utf-8")))

    def write(self, path: Path) -> None:
        """To a file."""
        path.write_text(json.dumps(asdict(self)), "utf-8")

    def in_order(self, names: Sequence[str], points: Sequence[Sequence[float]]) -> np.ndarray:
        """Points of the task for a side that has its parameters in another order."""
        return np.array(points, float).reshape(-1, len(self.names))[:, [self.names.index(name) for name in names]]


class Clock:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Time a block."""
        begin = time.perf_counter()
        yield
        self.seconds[what] = time.perf_counter() - begin


def prepared(seconds: Mapping[str, float]) -> float:
    """Reading and compiling: all before the search but the import of libraries, which no problem needs twice."""
    return sum(seconds.get(what, 0.0) for what in ("read", "compile", "prepare"))
