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
from exotwin.validation.study import Simulated

Floats = npt.NDArray[np.float64]

_BAND = (0.025, 0.975)


def values_of(check: Check) -> dict[str, Any]:
    """What formulas over the record may name: ``v``, and ``v1``, ``v2`` … of the records in order; ``context``.

    Raises
    ------
    EvidenceError : a record that does not exist, or whose number nobody has seen.
    """
    found = {}
    for k, name in enumerate(check.records, 1):
        one = record(name)
        if not one.seen:
            raise EvidenceError(
                f"{check.where}.record", found=f'"{name}", which nobody has seen', expected="a seen one"
            )
        found[f"v{k}"] = one.value
    return {"v": found["v1"], "context": record(check.records[0]).context, **found}


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
    patients = value.shape[0] if value.shape[0] > 1 else study.plan.patients
    undefined = int(np.sum(~np.all(np.isfinite(value), axis=1))) if value.shape[0] > 1 else 0
    failed = max([undefined, *(study.failed[arm] for arm in _arms(check))])
    why, outcome = _failures(check, study, failed, undefined, simulated), judged.verdict
    if failed * 2 > patients:
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
    values = study.at(plan.arm, plan.output, plan.at, group)
    if plan.over:
        values = _over(plan.over, values, np.array(plan.at))[:, None]
    if plan.statistic:
        than = float("nan") if plan.than is None else plan.than
        values = statistics.of_people(plan.statistic, values, than)[None, :]
    return values


def _lives(study: Simulated, arm: str, at: tuple[float, ...], group: slice) -> statistics.Lives:
    age, dead, died = (study.at(arm, name, at, group)[:, 0] for name in ("age", "dead", "age_at_death"))
    known = np.isfinite(age)  # who failed is counted with the check
    gone = dead[known] > 0.5
    return statistics.Lives(np.where(gone, died[known], age[known]), gone)


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
    whole = value[np.all(np.isfinite(value), axis=1)]
    if whole.shape[0] < 2:
        return None
    low, high = np.quantile(whole, _BAND, axis=0)
    return _number(low), _number(high)


def _knowledge(check: Check, study: Simulated, draws: tuple[slice, ...]) -> tuple[Number, Number] | None:
    if len(draws) < 2 or any(r.statistic in OF_LIVES for r in check.readings):
        return None
    return _interval(np.array([_statistic(check, _value(check, study, group)) for group in draws]))


def _failures(check: Check, study: Simulated, failed: int, undefined: int, simulated: Floats) -> str:
    words = []
    if failed:
        reasons = "; ".join(study.outcomes) or "the value is not defined"
        words.append(f"{failed} of {study.plan.patients} patients without a value: {reasons}")
    if not failed and not undefined and not np.all(np.isfinite(simulated)):
        words.append("the population has no such number")
    return "; ".join(words)


def _arms(check: Check) -> tuple[str, ...]:
    return tuple({arm for r in check.readings for arm in (r.arm, r.against) if arm})


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
