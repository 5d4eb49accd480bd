"""Doses → where steps have to end, and what happens there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.errors import ModelError, nearest

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Dose:
    """An amount that is added to a state.

    state : id. time : in the model's unit of time, not before the start and not after the end of the run.
    amount : for a species that reactions move, an amount of substance (also where formulas mean its concentration);
        otherwise in the state's own unit. One number, or (patient,).
    duration : 0 for all at once; else the amount flows in evenly between ``time`` and ``time + duration``, and what
        lies behind the end of the run is not given.
    """

    state: str
    time: float
    amount: float | ArrayLike
    duration: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """Doses as the driver wants them.

    stops : (stop,) times at which a step ends; the first is the start, the last the end of the run.
    first_entry : (stop + 1,) the entries of stop s are first_entry[s] … first_entry[s + 1] − 1.
    state, sets_inflow : (entry,). Where sets_inflow is 1, the amount is the total rate of infusion from here on.
    amount : (entry,) each a scalar or (patient,).
    """

    stops: Floats
    first_entry: Integers
    state: Integers
    sets_inflow: Integers
    amount: tuple[Floats, ...]


def schedule(doses: Sequence[Dose], start: float, end: float, states: Mapping[str, int], moving: int) -> Schedule:
    """Order doses by time.

    states : id -> index. moving : the first so many states move by an equation; only these take infusions.

    Raises
    ------
    ModelError : an unknown state, a time outside the run, an amount or duration that is no number.
    """
    for dose in doses:
        _check(dose, start, end, states, moving)
    infusions = [dose for dose in doses if dose.duration > 0]
    changes = {dose.time for dose in infusions} | {dose.time + dose.duration for dose in infusions}
    stops = sorted({start, end} | {dose.time for dose in doses} | {time for time in changes if time < end})
    first, state, sets_inflow, amount = [0], [], [], []
    for stop in stops:
        for dose in doses:
            if dose.time == stop and dose.duration == 0:
                state.append(states[dose.state])
                sets_inflow.append(0)
                amount.append(np.asarray(dose.amount, float))
        # The whole rate is written anew at each change: adding and taking away would leave rounding errors behind.
        for name in sorted({d.state for d in infusions if stop in (d.time, d.time + d.duration)}):
            running = [d for d in infusions if d.state == name and d.time <= stop < d.time + d.duration]
            state.append(states[name])
            sets_inflow.append(1)
            amount.append(sum((np.asarray(d.amount, float) / d.duration for d in running), np.zeros(())))
        first.append(len(state))
    return Schedule(
        np.array(stops, float),
        np.array(first, np.int64),
        np.array(state, np.int64),
        np.array(sets_inflow, np.int64),
        tuple(amount),
    )


def _check(dose: Dose, start: float, end: float, states: Mapping[str, int], moving: int) -> None:
    where = f'dose into "{dose.state}" at time {dose.time:g}'
    if dose.state not in states:
        raise ModelError(
            where, found="no state of that name", expected="a state of the model", nearest=nearest(dose.state, states)
        )
    if not start <= dose.time <= end:
        raise ModelError(where, found=f"a run from {start:g} to {end:g}", expected="doses within the run")
    if not (np.isfinite(dose.duration) and dose.duration >= 0):
        raise ModelError(where, found=f"a duration of {dose.duration}", expected="zero or more")
    if not np.all(np.isfinite(np.asarray(dose.amount, float))):
        raise ModelError(where, found="an amount that is no number", expected="numbers")
    if dose.duration > 0 and states[dose.state] >= moving:
        raise ModelError(
            where, found="an infusion into a state that no equation moves", expected="a dose at once, or another state"
        )
