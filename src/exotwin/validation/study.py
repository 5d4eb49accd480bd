"""One study of the checks: a model, its patients, its arms → everything that any check reads from it.

Patients are drawn as a trial draws them, without criteria of enrolment, with what is not known at its table value.
Behind them in the same run of the engine stand the joint draws of what is not known, each with the first `SHARED`
patients, their noise included, so that draws differ by knowledge alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.biology import SHIPPED, Comparator, Model, Parameter, assemble
from exotwin.errors import EvidenceError, nearest
from exotwin.trial import Candidates, dose_days, draw_knowledge, reading_parameters, what_is_drawn
from exotwin.units import parse_amount
from exotwin.validation.check import OF_LIVES, ArmPlan, Check, ComparatorPlan, DosePlan, StudyPlan

if TYPE_CHECKING:
    from exotwin.engine import CompiledModel, Dose

Floats = npt.NDArray[np.float64]

SHARED = 16
"""Patients of each joint draw of what is not known."""
_EXACT, _NOISY = 1e-6, 1e-4
"""Tolerances of a run. With noise that of each step is next to nothing beside the kicks: ages at death of mice move by
less than 1e-4 years, and half as much work is left."""
LIFE = ("age", "dead", "age_at_death")
"""What lifetimes are read from."""


@dataclass(frozen=True)
class Built:
    """A study's model, assembled and compiled."""

    model: Model
    compiled: CompiledModel


@dataclass(frozen=True)
class Simulated:
    """What a study gave. times : arm -> days (time,). values : (arm, output) -> (lane, time), NaN where one failed.

    groups : lanes of the patients, then those of each joint draw. outcomes : why patients failed, the draws' left out.
    """

    plan: StudyPlan
    model: Model
    times: Mapping[str, Floats]
    values: Mapping[tuple[str, str], Floats]
    groups: tuple[slice, ...]
    outcomes: tuple[str, ...]

    def at(self, arm: str, output: str, days: Iterable[float], group: slice) -> Floats:
        """An output of a group at some days: (patient, time)."""
        found: Floats = self.values[arm, output][group][:, np.searchsorted(self.times[arm], np.array(tuple(days)))]
        return found


class Models:
    """Models of studies, each assembled and compiled once."""

    def __init__(self, root: Path = SHIPPED) -> None:
        self._root = root
        self._built: dict[tuple[str, ...], Built] = {}

    def of(self, plan: StudyPlan) -> Built:
        """The model of a study.

        Raises
        ------
        BiologyError : a condition, species or module that does not exist or is inconsistent.
        """
        from exotwin.engine import load

        key = (plan.condition, plan.species, plan.combination, *plan.modules)
        if key not in self._built:
            join = partial(assemble, plan.condition, plan.species, modules=plan.modules, root=self._root)
            model = join(combination=plan.combination) if plan.combination else join()
            self._built[key] = Built(model, load(model.sbml))
        return self._built[key]


def simulate(plan: StudyPlan, checks: Iterable[Check], built: Built, advance: Callable[[], None]) -> Simulated:
    """Run all arms that the checks read.

    advance : called after each arm.

    Raises
    ------
    EvidenceError : a symbol, parameter, state, comparator or source that the model does not have; a time before the
        start. Other errors of the rooms below, as they are.
    """
    wanted = _wanted(checks)
    model, compiled = built.model, built.compiled
    start = -model.run_in if plan.start is None else plan.start
    study = _fixed(plan.parameters, built, f"{plan.where}.parameters")
    if plan.reading:
        study |= _fixed(dict(reading_parameters(plan.reading)), built, f"{plan.where}.reading")  # type: ignore[arg-type]
    draws = 0 if all(_reads_lives(check) for check in checks) else plan.draws
    people = _People(plan, model, study, draws)
    values, times, outcomes = {}, {}, set[str]()
    for name, (outputs, days) in wanted.items():
        arm, where = plan.arms[name], f"{plan.where}.arms.{name}"
        for output in outputs:
            if output not in compiled.names:
                raise EvidenceError(
                    f"{plan.where}, arm {name}",
                    found=f'the output "{output}"',
                    expected=f"a symbol of {_title(plan)}",
                    nearest=nearest(output, compiled.names),
                )
        if min(days) < start:
            expected = f"none before the start, day {start:g}"
            raise EvidenceError(f"{plan.where}, arm {name}", found=f"a reading on day {min(days):g}", expected=expected)
        numbers = people.numbers | people.of_arm(arm, where) | _fixed(arm.parameters, built, f"{where}.parameters")
        grid = np.unique(np.array([start, *days]))
        doses = [d for told in arm.doses for d in _doses(told, built, numbers, people.n, where)]
        doses += [d for told in arm.comparators for d in _added(told, model, float(grid[-1]), where)]
        if plan.noise:
            doses += _kicks(plan, model, numbers, people.who, start, float(grid[-1]))
        late = [d.time for d in doses if not start <= d.time]
        if late:
            raise EvidenceError(where, found=f"a dose on day {late[0]:g}", expected=f"none before day {start:g}")
        found = compiled.simulate(
            grid,
            parameters={k: v for k, v in numbers.items() if k in compiled.parameters},
            doses=tuple(d for d in doses if d.time <= grid[-1]),
            outputs=sorted(outputs),
            method="rodas5p",
            rtol=_NOISY if plan.noise else _EXACT,
        )
        lanes = found["outcome"].values
        broken = lanes != "ok"
        times[name] = grid
        outcomes |= {f"arm {name}: {o}" for o in lanes[people.groups[0]] if o != "ok"}
        for output in outputs:
            course: Floats = np.broadcast_to(found[output].values, (people.n, grid.size))
            if np.any(broken):
                course = np.where(np.broadcast_to(broken, people.n)[:, None], np.nan, course)
            values[name, output] = course
        advance()
    return Simulated(plan, model, times, values, people.groups, tuple(sorted(outcomes)))


class _People:
    """The lanes of a study: its patients, then those of the joint draws of what is not known.

    who : (lane,) number of the patient. numbers : name -> (lane,). groups : lanes of the patients, then of each draw.
    """

    def __init__(self, plan: StudyPlan, model: Model, fixed: Mapping[str, float], draws: int) -> None:
        self._plan, self._model = plan, model
        drawn = what_is_drawn(model, age=None, fixed=fixed, products={})
        unknown = any(spread.distribution != "fixed" for spread in drawn.knowledge.values())
        unknown = unknown or any(p.level == "knowledge" for arm in plan.arms.values() for p in self._own(arm).values())
        shared, self._draws = min(SHARED, plan.patients), draws if unknown else 0
        self.n = plan.patients + self._draws * shared
        self.who = np.concatenate([np.arange(plan.patients), np.tile(np.arange(shared), self._draws)])
        self._draw = np.repeat(np.arange(self._draws), shared)
        ends = [0, plan.patients, *(plan.patients + shared * (k + 1) for k in range(self._draws))]
        self.groups = tuple(slice(a, b) for a, b in pairwise(ends))
        self.numbers = self._numbers(model, fixed)

    def of_arm(self, arm: ArmPlan, where: str) -> dict[str, Floats]:
        """Numbers of the arm's source of cells and label, drawn where they vary, for those of the model."""
        for (kind, name, known), words in zip(self._named(arm), ("sources of cells", "labels"), strict=True):
            if name and name not in known:
                raise EvidenceError(
                    f"{where}.{kind}",
                    found=f'"{name}"',
                    expected="one of " + (", ".join(known) or f"none: this model has no {words}"),
                    nearest=nearest(name, known),
                )
        kept = {k: v for k, v in self._own(arm).items() if k not in self._plan.parameters}
        if not kept:
            return {}
        numbers = self._numbers(replace(self._model, parameters=kept), {})
        return {name: numbers.get(name, np.full(self.n, p.value)) for name, p in kept.items()}

    def _named(self, arm: ArmPlan) -> tuple[tuple[str, str, Mapping[str, Mapping[str, Parameter]]], ...]:
        return ("source", arm.source, self._model.sources), ("label", arm.label, self._model.labels)

    def _own(self, arm: ArmPlan) -> dict[str, Parameter]:
        return {k: p for _, name, known in self._named(arm) for k, p in known.get(name, {}).items()}

    def _numbers(self, model: Model, fixed: Mapping[str, float]) -> dict[str, Floats]:
        drawn = what_is_drawn(model, age=None, fixed=fixed, products={})
        people = Candidates(drawn, n_draws=1, seed=self._plan.seed).take(np.zeros_like(self.who), self.who)
        n = self._plan.patients
        known = {name: np.full(self.n, model.parameters[name].value) for name in drawn.knowledge}
        if self._draws:
            joint = draw_knowledge(drawn, n_draws=self._draws, seed=self._plan.seed)
            for name, values in joint.items():
                known[name][n:] = values[self._draw]
        return {**people, **known, **{name: np.full(self.n, value) for name, value in fixed.items()}}


def _wanted(checks: Iterable[Check]) -> dict[str, tuple[set[str], set[float]]]:
    """arm -> (outputs, days) that the checks read."""
    found: dict[str, tuple[set[str], set[float]]] = {}
    for reading in (r for check in checks for r in check.readings):
        for arm in filter(None, (reading.arm, reading.against)):
            outputs, days = found.setdefault(arm, (set(), set()))
            outputs |= set(LIFE) if reading.statistic in OF_LIVES else {reading.output}
            days |= set(reading.at)
    return found


def _reads_lives(check: Check) -> bool:
    return any(reading.statistic in OF_LIVES for reading in check.readings)


def _fixed(given: Mapping[str, float | str], built: Built, where: str) -> dict[str, float]:
    found = {}
    for name, value in given.items():
        if name not in built.compiled.parameters:
            raise EvidenceError(
                f"{where}.{name}",
                found=f'"{name}"',
                expected="a parameter of the model",
                nearest=nearest(name, built.compiled.parameters),
            )
        if isinstance(value, str):
            own = built.model.parameters.get(name)
            if own is None:
                expected = f"a number: {name} is an input without a row in a table"
                raise EvidenceError(f"{where}.{name}", found=f'"{value}"', expected=expected)
            value, _ = parse_amount(
                value,
                where=f"{where}.{name}",
                kinds={own.unit: own.unit},
                example=f"{own.value:g} {own.unit}",
                error=EvidenceError,
                signed=True,
            )
        found[name] = float(value)
    return found


def _doses(plan: DosePlan, built: Built, numbers: Mapping[str, Floats | float], n: int, where: str) -> Iterable[Dose]:
    from exotwin.engine import Dose

    states = built.compiled.states
    if plan.state not in states:
        raise EvidenceError(
            f"{where}.doses",
            found=f'the state "{plan.state}"',
            expected="a state of the model",
            nearest=nearest(plan.state, states),
        )
    amount = np.full(n, plan.amount)
    if plan.unit:
        own = states[plan.state].unit
        amount[:], kind = parse_amount(
            f"{plan.amount!r} {plan.unit}",
            where=f"{where}.doses, {plan.state}",
            kinds={"each": own, "per kg": f"{own}/kg"},
            example=f"1e6 {own}",
            error=EvidenceError,
            signed=True,
        )
        if kind == "per kg":
            if "body_weight" not in built.compiled.parameters:
                expected = "an amount: the model has no body_weight; add the module physiology"
                raise EvidenceError(f"{where}.doses", found=f"a dose in {plan.unit}", expected=expected)
            amount *= numbers.get("body_weight", built.compiled.parameters["body_weight"].value)
    return [Dose(state=plan.state, time=day, amount=amount, duration=plan.duration) for day in plan.at]


def _added(plan: ComparatorPlan, model: Model, end: float, where: str) -> Iterable[Dose]:
    """The signed doses of a comparator: a habit is held from start to stop, a drug is taken in courses."""
    from exotwin.engine import Dose

    known: Mapping[str, Comparator] = model.comparators
    at = f"{where}.comparators, {plan.name}"
    if plan.name not in known:
        expected = "one of " + ", ".join(known) if known else f"none: {model.condition} has no module comparators"
        raise EvidenceError(at, found=f'"{plan.name}"', expected=expected, nearest=nearest(plan.name, known))
    one = known[plan.name]
    level = one.level if plan.level is None else plan.level
    if one.kind == "held":
        if plan.schedule is not None:
            raise EvidenceError(at, found="a schedule", expected=f"start and stop: {plan.name} is held")
        days = [(plan.start, level)] + ([] if plan.stop is None else [(plan.stop, -level)])
    else:
        schedule = plan.schedule or one.schedule or "once"
        last = end if plan.stop is None else plan.stop
        days = [(plan.start + day, level) for day in dose_days(schedule, where=f"{at}, schedule")]
        days = [(day, amount) for day, amount in days if day <= last]
    return [Dose(state=one.state, time=day, amount=amount) for day, amount in days]


def _kicks(
    plan: StudyPlan,
    model: Model,
    numbers: Mapping[str, Floats | float],
    who: npt.NDArray[np.int64],
    start: float,
    end: float,
) -> Iterable[Dose]:
    """Intrinsic noise: a patient has the same in all arms and in all draws of what is not known."""
    from exotwin.trial import kicks

    return kicks(model, numbers, seed=plan.seed, patients=who, start=start, end=end)


def _title(plan: StudyPlan) -> str:
    return f"{plan.condition} ({plan.species}{': ' + ', '.join(plan.modules) if plan.modules else ''})"
