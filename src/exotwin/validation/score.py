"""One check on its simulated study: the number, its intervals, the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from exotwin.errors import EvidenceError, ExotwinError
from exotwin.evidence import record
from exotwin.validation import statistics, verdict
from exotwin.validation.check import OF_LIVES, Check, ReadingPlan, StudyPlan
from exotwin.validation.formula import evaluate
from exotwin.validation.scored import NOT_TESTABLE, OUTSIDE, Number, Scored
from exotwin.validation.study import LIFE, Simulated

Floats = npt.NDArray[np.float64]

_BAND = (0.025, 0.975)


def values_of(check: Check) -> dict[str, Any]:
    """What formulas over the record may name: ``v``, and ``v1``, ``v2`` … of the records in order; ``context``."""
    told = [record(name) for name in check.records]
    return {"v": told[0].value, "context": told[0].context, **{f"v{k}": one.value for k, one in enumerate(told, 1)}}


def score(check: Check, study: Simulated, *, basis: str, fits: tuple[str, ...]) -> Scored:
    """Judge a check on what its study gave.

    Raises
    ------
    EvidenceError : a record, a formula or a spread that does not hold.
    """
    said = verdict.published(check, values_of(check))
    everyone, *draws = study.groups
    value = _value(check, study, everyone)
    simulated = _statistic(check, value)
    judged = verdict.judge(check, simulated, said)
    failed = _without(check, study, everyone, value)
    why, outcome = _failures(study, failed, simulated), judged.verdict
    if failed * 2 > study.plan.patients:
        outcome = OUTSIDE
    curve = next((r for r in check.readings if r.curve and not r.over), None) if simulated.size > 1 else None
    points = judged.deviations
    return Scored(
        check=check,
        species=study.plan.species,
        verdict=outcome,
        basis=basis,
        simulated=_number(simulated) if np.any(np.isfinite(simulated)) else None,
        interval=_interval(value) if value.shape[0] > 1 else None,
        knowledge=_knowledge(check, study, tuple(draws)),
        published=None if said.value is None else _number(said.value),
        published_interval=None if said.low is None or said.high is None else (_number(said.low), _number(said.high)),
        times=() if curve is None else curve.at,
        deviation=None if points is None else _farthest(points),
        deviations=() if points is None or points.size == 1 else tuple(float(p) for p in points),
        tolerance=said.words,
        why=why,
        fits=fits,
        patients=study.plan.patients,
        failed=failed,
        condition=study.plan.condition,
        digest=study.model.digest,
        readings={r.name: _median(_reading(r, study, everyone)) for r in check.readings},
    )


def broken(check: Check, plan: StudyPlan, error: ExotwinError) -> Scored:
    """A check whose study could not be simulated at all: outside, and why."""
    why = f"not simulated: {error.where}: {error.found}; expected {error.expected}"
    return Scored(
        check=check,
        species=plan.species,
        verdict=OUTSIDE,
        basis="predicted",
        why=why,
        patients=plan.patients,
        failed=plan.patients,
        condition=plan.condition,
    )


def left_out(name: str, module: str, why: str, where: str) -> Scored:
    """A record that nothing of ours can speak to."""
    one = record(name)
    check = Check(
        id=f"not-testable-{name}",
        module=module,
        records=(name,),
        kind=one.kind.replace("-", " "),
        where=where,
        observable=one.what,
        unit=one.unit,
        published="",
    )
    return Scored(check=check, species="", verdict=NOT_TESTABLE, why=why)


def _value(check: Check, study: Simulated, group: slice) -> Floats:
    """The formula over the readings of a group: (patient, time), with one row where all are numbers of the group."""
    where = f"{check.where}.value"
    found = evaluate(check.value, {r.name: _reading(r, study, group) for r in check.readings}, where=where)
    if np.ndim(found) != 2:
        raise EvidenceError(where, found=f"{np.ndim(found)} dimensions", expected="a number for each patient and time")
    return np.asarray(found, np.float64)


def _reading(plan: ReadingPlan, study: Simulated, group: slice) -> Floats:
    """(patient, time); of a statistic of the population (1, time)."""
    if plan.statistic in OF_LIVES:
        against = _lives(study, plan.against, plan.at, group) if plan.against else None
        mine = _lives(study, plan.arm, plan.at, group)
        found = statistics.of_lives(plan.statistic, mine, than=plan.than, between=plan.between, against=against)
        return np.array([[found]])
    values = _course(plan, study, group)
    if plan.statistic:
        than = float("nan") if plan.than is None else plan.than
        values = statistics.of_people(plan.statistic, values, than)[None, :]
    return values


def _course(plan: ReadingPlan, study: Simulated, group: slice) -> Floats:
    """What is read from each patient: (patient, time)."""
    values = study.at(plan.arm, plan.output, plan.at, group)
    return _over(plan.over, values, np.array(plan.at))[:, None] if plan.over else values


def _lives(study: Simulated, arm: str, at: tuple[float, ...], group: slice) -> statistics.Lives:
    ages, gone = _ages(study, arm, at, group)
    known = np.isfinite(ages)  # who has none is counted with the check
    return statistics.Lives(ages[known], gone[known])


def _ages(study: Simulated, arm: str, at: tuple[float, ...], group: slice) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Age at death, or when last seen alive, and which of the two; NaN where neither is known."""
    age, dead, died = (study.at(arm, name, at, group)[:, 0] for name in LIFE)
    gone = dead > 0.5
    return np.where(np.isnan(dead), np.nan, np.where(gone, died, age)), gone


def _without(check: Check, study: Simulated, everyone: slice, value: Floats) -> int:
    """Of how many patients something that the check needs is no value."""
    lacking = np.zeros(study.plan.patients, dtype=bool)
    if value.shape[0] == study.plan.patients:
        lacking |= statistics.missing(value)
    for reading in check.readings:
        if reading.statistic in OF_LIVES:
            for arm in filter(None, (reading.arm, reading.against)):
                lacking |= np.isnan(_ages(study, arm, reading.at, everyone)[0])
        elif reading.statistic:
            lacking |= statistics.missing(_course(reading, study, everyone))
    return int(np.sum(lacking))


def _over(how: str, values: Floats, days: Floats) -> Floats:
    if how == "time of max":
        return np.where(np.all(np.isfinite(values), axis=1), days[np.argmax(values, axis=1)], np.nan)
    if how == "area":
        return np.asarray(np.trapezoid(values, days, axis=1))
    if how == "last":
        return values[:, -1]
    functions: Mapping[str, Callable[..., Floats]] = {"max": np.max, "min": np.min, "mean": np.mean, "sum": np.sum}
    return functions[how](values, axis=1)


def _statistic(check: Check, value: Floats) -> Floats:
    return value[0] if value.shape[0] == 1 else statistics.of_people(check.statistic, value)


def _interval(value: Floats) -> tuple[Number, Number] | None:
    whole = value[~statistics.missing(value)]
    if whole.shape[0] < 2:
        return None
    low, high = statistics.quantile(whole, _BAND)
    return _number(low), _number(high)


def _knowledge(check: Check, study: Simulated, draws: tuple[slice, ...]) -> tuple[Number, Number] | None:
    if len(draws) < 2 or any(r.statistic in OF_LIVES for r in check.readings):
        return None
    return _interval(np.array([_statistic(check, _value(check, study, group)) for group in draws]))


def _failures(study: Simulated, failed: int, simulated: Floats) -> str:
    if failed:
        reasons = "; ".join(study.outcomes) or "the value is not defined"
        return f"{failed} of {study.plan.patients} patients without a value: {reasons}"
    return "" if np.all(np.isfinite(simulated)) else "the population has no such number"


def _median(values: Floats) -> Number:
    return _number(statistics.of_people("median", values))


def _number(values: Floats) -> Number:
    return float(values[0]) if values.size == 1 else tuple(float(v) for v in values)


def _farthest(points: Floats) -> float | None:
    finite = points[np.isfinite(points)]
    return float(finite[np.argmax(np.abs(finite))]) if finite.size else None


def plain(values: Mapping[str, Number]) -> str:
    """Readings in a line, for the terminal."""
    return ", ".join(f"{name} {shown(value)}" for name, value in values.items())


def shown(value: Number | None) -> str:
    """A number, or the points of a curve, with three or four digits."""
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return " ".join(f"{v:.3g}" for v in value)
    return f"{value:.4g}"
