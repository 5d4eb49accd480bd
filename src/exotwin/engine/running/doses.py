"""Doses → where steps have to end, and what happens there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.engine.running import inputs
from exotwin.errors import ModelError, nearest

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SHORTEST = 1e-9  # of the time at which it begins: steps within a shorter infusion would be rounded with their times
_SMALLEST = 1e-100


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


def schedule(doses: Sequence[Dose], start: float, end: float, states: Mapping[str, int]) -> Schedule:
    """Order doses, which are `checked`, by time. ``states`` : id -> index."""
    infusions = [dose for dose in doses if dose.duration > 0]
    changes = {dose.time for dose in infusions} | {dose.time + dose.duration for dose in infusions}
    stops = sorted({start, end} | {dose.time for dose in doses} | {time for time in changes if time < end})
    at_once: dict[float, list[Dose]] = {}  # noise gives thousands of doses: no search through all of them at each stop
    for dose in doses:
        if dose.duration == 0:
            at_once.setdefault(dose.time, []).append(dose)
    first, state, sets_inflow, amount = [0], [], [], []
    for stop in stops:
        for dose in at_once.get(stop, ()):
            state.append(states[dose.state])
            sets_inflow.append(0)
            amount.append(np.asarray(dose.amount))
        # The whole rate is written anew at each change: adding and taking away would leave rounding errors behind.
        for name in sorted({d.state for d in infusions if stop in (d.time, d.time + d.duration)}):
            running = [d for d in infusions if d.state == name and d.time <= stop < d.time + d.duration]
            state.append(states[name])
            sets_inflow.append(1)
            amount.append(sum((_rate(d) for d in running), np.zeros(())))
        first.append(len(state))
    return Schedule(
        np.array(stops, float),
        np.array(first, np.int64),
        np.array(state, np.int64),
        np.array(sets_inflow, np.int64),
        tuple(amount),
    )


def checked(doses: object, start: float, end: float, states: Mapping[str, int], moving: int) -> list[Dose]:
    """The same with plain numbers, one or (patient,) as amounts.

    states : id -> index. moving : the first so many states move by an equation; only these take infusions.

    Raises
    ------
    ModelError : what is no dose, an unknown state, a time outside the run, an amount or duration that is no number.
    """
    if not isinstance(doses, Iterable):
        raise ModelError("doses", found=inputs.shown(doses), expected='a list, such as [Dose("drug", 0.0, 5.0)]')
    return [_checked(dose, start, end, states, moving) for dose in doses]


def _checked(dose: object, start: float, end: float, states: Mapping[str, int], moving: int) -> Dose:
    if not isinstance(dose, Dose):
        raise ModelError("doses", found=inputs.shown(dose), expected='a dose, such as Dose("drug", 0.0, 5.0)')
    where = f'dose into "{dose.state}"'
    if not isinstance(dose.state, str) or dose.state not in states:
        near = nearest(str(dose.state), states)
        raise ModelError(where, found="no state of that name", expected="a state of the model", nearest=near)
    time = inputs.number(
        f"{where}, time", dose.time, f"a time within the run, {start:g} to {end:g}", lambda t: start <= t <= end
    )
    where = f"{where} at time {time:g}"
    duration = inputs.zero_or_more(f"{where}, duration", dose.duration)
    amount = np.asarray(inputs.numbers(f"{where}, amount", dose.amount), float)
    shortest = max(_SHORTEST * abs(time), _SMALLEST)
    if 0 < duration < shortest:
        expected = f"0, for all at once, or at least {shortest:.2g}"
        raise ModelError(f"{where}, duration", found=f"{duration:g}", expected=expected)
    if duration > 0 and states[dose.state] >= moving:
        raise ModelError(
            where, found="an infusion into a state that no equation moves", expected="a dose at once, or another state"
        )
    return Dose(dose.state, time, amount, duration)


def _rate(infusion: Dose) -> Floats:
    """Amount by time, so that what flows in between the rounded times is the amount."""
    return np.divide(infusion.amount, (infusion.time + infusion.duration) - infusion.time)
