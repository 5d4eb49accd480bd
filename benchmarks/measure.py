"""One simulator with one model: seconds for a patient, and the error, at each tolerance.

Speed or error alone misleads: a fast integrator may be a careless one. Errors are against a solution at 1e-12: the
largest deviation over times and states, relative to the largest value of the state in that patient, and of that the
median over patients. Times are the processor's, the best of several repeats, since other work on the machine only adds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from cases import DRAWN, PATIENTS, Model
from peers import Exotwin, LeftOut, Peer, RoadRunner

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
MAIN = 1e-6
"""The relative tolerance at which simulators are compared."""
ABSOLUTE = 1e-3
"""Absolute tolerance over relative tolerance, for everybody and all states."""

_NOTHING = 1e-12  # states that never get there are no reason for an error; the exact solution has an atol of 1e-15
_COMPARED = 24  # patients whose errors are looked at
_FEWEST, _MOST = 8, 100  # patients of a peer; of the first ones always
_SHARE = 0.2  # seconds for one run of a peer: decides on the number of patients
_REPEATS = 4
_BLOCK = 500
_LIMIT = 6.0  # seconds for the fewest; what takes longer is not followed by a tighter tolerance


@dataclass(frozen=True)
class Row:
    """One line of the table. error, our_error : of the same patients. ratio : times of the peer over ours."""

    model: str
    states: int
    simulator: str
    rtol: float
    patients: int
    us_per_patient: float
    error: float
    steps: float
    prepare_s: float
    ratio: float
    our_error: float
    remark: str

    def as_dict(self) -> dict[str, float | str]:
        """For files and tables."""
        return asdict(self)


def _with_an_end(exact: RoadRunner, told: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
    """The first patients with a solution up to the last time, and how many were passed over."""
    found: list[int] = []
    for start in range(0, DRAWN, _BLOCK):
        block = {name: values[start : start + _BLOCK] for name, values in told.items()}
        ends = exact.simulate(block, MAIN, MAIN * ABSOLUTE).values[:, -1]
        found += [*(start + np.flatnonzero(np.isfinite(ends).all(axis=1)))]
        if len(found) >= PATIENTS:
            break
    chosen = np.array(found[:PATIENTS])
    return chosen, int(chosen[-1]) + 1 - len(chosen)


def first(draws: Mapping[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """The first patients."""
    return {name: values[:n] for name, values in draws.items()}


class Bench:
    """One model: what is exact, what we make of it, and then peer by peer.

    without_end : patients passed over for everybody, because their states grow beyond all bounds before the last time
        (drawn parameters can do that to a model) and there is nothing to compare.
    """

    def __init__(self, model: Model) -> None:
        exact = RoadRunner()
        exact.prepare(model)
        self.model = model
        chosen, self.without_end = _with_an_end(exact, model.told)
        self.draws = {name: values[chosen] for name, values in model.draws.items()}
        self.told = {name: values[chosen] for name, values in model.told.items()}
        self.reference = exact.simulate(first(self.told, _COMPARED), 1e-12, 1e-15).values
        self._size = np.abs(self.reference).max(axis=1, keepdims=True)
        self._size = np.maximum(self._size, _NOTHING)
        self._seconds: dict[float, float] = {}
        self._values: dict[float, np.ndarray] = {}

    def _deviations(self, values: np.ndarray) -> np.ndarray:
        """(patient,)"""
        n = min(len(values), _COMPARED)
        return (np.abs(values[:n] - self.reference[:n]) / self._size[:n]).max(axis=(1, 2))

    def _row(self, title: str, rtol: float, **known: float | str) -> Row:
        nothing = dict.fromkeys(("us_per_patient", "error", "steps", "prepare_s", "ratio", "our_error"), math.nan)
        start = {"patients": 0, "remark": ""}
        return Row(self.model.name, len(self.model.states), title, rtol, **{**nothing, **start, **known})

    def ours(self, *, own_scale: bool = False) -> Iterator[Row]:
        """All patients."""
        engine = Exotwin(own_scale=own_scale)
        prepared = engine.prepare(self.model)
        for rtol in TOLERANCES:
            runs = [engine.simulate(self.draws, rtol, rtol * ABSOLUTE) for _ in range(_REPEATS)]
            seconds = min(run.seconds for run in runs)
            if not own_scale:
                self._seconds[rtol], self._values[rtol] = seconds, runs[0].values[:_COMPARED]
            error = float(np.median(self._deviations(runs[0].values)))
            failed = int(np.isnan(runs[0].values[:, -1, 0]).sum())
            yield self._row(
                "exotwin, own atol" if own_scale else "exotwin",
                rtol,
                patients=len(runs[0].values),
                us_per_patient=seconds * 1e6,
                error=error,
                steps=runs[0].steps,
                prepare_s=prepared,
                ratio=seconds / self._seconds[rtol],
                our_error=error,
                remark=f"{failed} patients failed" if failed else "",
            )

    def peer(self, peer: Peer) -> Iterator[Row]:
        """As many patients as there is time for; why not, where there is nothing to show."""
        try:
            prepared = peer.prepare(self.model)
        except LeftOut as fault:
            yield self._row(peer.title, MAIN, remark=f"left out: {fault}")
            return
        spent = 0.0
        for rtol in TOLERANCES:
            if spent > _LIMIT:
                remark = f"left out: took {spent:.0f} s for {_FEWEST} patients at ten times the tolerance"
                yield self._row(peer.title, rtol, remark=remark)
                continue
            row = self._measured(peer, rtol, prepared)
            spent = row.us_per_patient * 1e-6 * _FEWEST
            yield row

    def _measured(self, peer: Peer, rtol: float, prepared: float) -> Row:
        told, tolerances = self.told, (rtol, rtol * ABSOLUTE)
        runs = [peer.simulate(first(told, _FEWEST), *tolerances)]
        n = int(min(max(_SHARE / runs[0].seconds, _FEWEST), _MOST))
        if n > _FEWEST:
            runs = [peer.simulate(first(told, n), *tolerances) for _ in range(_REPEATS)]
        deviations = self._deviations(runs[0].values)
        seconds, failed = min(run.seconds for run in runs), int(np.isnan(deviations).sum())
        error = float(np.nanmedian(deviations)) if failed < len(deviations) else math.nan
        return self._row(
            peer.title,
            rtol,
            patients=len(runs[0].values),
            us_per_patient=seconds * 1e6,
            error=error,
            steps=math.nan if runs[0].steps is None else runs[0].steps,
            prepare_s=prepared,
            ratio=seconds / self._seconds[rtol],
            our_error=float(np.median(self._deviations(self._values[rtol][: len(deviations)]))),
            remark=f"{failed} of {len(deviations)} patients failed" if failed else "",
        )

    # beside the table

    def agreement(self) -> dict[str, float | str]:
        """What the exact solution is worth: against our own at 1e-11, whose method has nothing in common with it."""
        engine = Exotwin()
        engine.prepare(self.model)
        values = engine.simulate(first(self.draws, _COMPARED), 1e-11, 1e-14).values
        deviations = (np.abs(values - self.reference) / self._size).max(axis=1)
        worst = int(deviations.max(axis=0).argmax())
        return {
            "model": self.model.name,
            "median": float(np.median(deviations.max(axis=1))),
            "largest": float(deviations.max()),
            "state": self.model.states[worst],
        }

    def threads(self) -> dict[str, float | str]:
        """Wall seconds of many patients on one thread and on two, in turn."""
        many = {name: np.tile(values, 10) for name, values in self.draws.items()}
        engines = [Exotwin(n_threads=n) for n in (1, 2)]
        for engine in engines:
            engine.prepare(self.model)
        walls: dict[Exotwin, list[float]] = {engine: [] for engine in engines}
        for _ in range(_REPEATS):
            for engine in engines:
                engine.simulate(many, MAIN, MAIN * ABSOLUTE)
                walls[engine].append(engine.wall_seconds)
        one, two = (min(times) for times in walls.values())
        return {"model": self.model.name, "one_thread_s": one, "two_threads_s": two, "ratio": one / two}
