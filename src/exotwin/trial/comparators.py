"""Comparators that arms add, habits and drugs of the condition → signed doses into the states that they move.

held     the state is raised by the level at the start and lowered by it at the stop
course   a dose of the level on each day of the schedule, counted from the start; the drug leaves by its own half-life
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exotwin.biology import Comparator, Model
from exotwin.errors import StudyError, nearest
from exotwin.trial.faults import shown
from exotwin.trial.regimen import dose_days
from exotwin.units import parse_amount

if TYPE_CHECKING:
    from exotwin.trial.arm import Added
    from exotwin.trial.study import Study

_MOST = 100  # times the usual level: beyond it lie slips of the exponent or of the unit


@dataclass(frozen=True)
class Held:
    """One comparator of an arm as it is held or taken.

    days : when the state is moved, (start,) or the days of all doses. stop : when it ends; None for courses and for
    what goes on to the end. level : in the unit of the comparator.
    """

    comparator: Comparator
    level: float
    days: tuple[float, ...]
    stop: float | None

    def steps(self) -> Iterator[tuple[str, float, float]]:
        """(state, day, amount) of everything that goes into the model."""
        for day in self.days:
            yield self.comparator.state, day, self.level
        if self.stop is not None:
            yield self.comparator.state, self.stop, -self.level


def added_to_arms(study: Study, model: Model) -> Mapping[str, tuple[Held, ...]]:
    """The comparators of each arm.

    Raises
    ------
    StudyError : a condition without comparators, a name that it does not have, a level that is not above zero or is
        far above the usual one or in another unit, a stop or a schedule that its kind does not have, a dose after the
        horizon, one twice at a time.
    """
    found = {}
    for name, arm in study.arms.items():
        held: list[Held] = []
        for k, added in enumerate(arm.comparators):
            where = ("arms", name, "comparators", str(k))
            one = _held(study, model, added, where)
            if one.comparator.kind == "held" and any(_overlap(one, other) for other in held):
                raise StudyError(
                    study.where(*where), found=f'"{added.name}" twice at a time', expected="each at a time once"
                )
            held.append(one)
        found[name] = tuple(held)
    return found


def _held(study: Study, model: Model, added: Added, where: tuple[str, ...]) -> Held:
    comparator = _known(study, model, added, where)
    level = _level(study, comparator, added, where)
    if comparator.kind == "held":
        if added.schedule is not None:
            raise StudyError(
                study.where(*where, "schedule"),
                found=f'"{added.schedule}" for {added.name}, which is held',
                expected="start and stop",
            )
        return Held(comparator, level, (added.begins,), added.ends if added.ends < study.horizon_days else None)
    if added.stop is not None:
        raise StudyError(
            study.where(*where, "stop"),
            found=f'"{added.stop}" for {added.name}, which is taken in courses',
            expected="a schedule, such as "
            + (f'"{comparator.schedule}"' if comparator.schedule else '"weekly, 4 doses"'),
        )
    schedule = added.schedule or comparator.schedule or "once"
    days = tuple(added.begins + day for day in dose_days(schedule, where=study.where(*where, "schedule")))
    if added.schedule is not None and days[-1] >= study.horizon_days:
        raise StudyError(
            study.where(*where, "schedule"),
            found=f"a dose on day {days[-1]:g}",
            expected=f"doses before the horizon, day {study.horizon_days:g}",
        )
    # the condition's own schedule may be longer than the study
    return Held(comparator, level, tuple(d for d in days if d < study.horizon_days), None)


def _known(study: Study, model: Model, added: Added, where: tuple[str, ...]) -> Comparator:
    if added.name in model.comparators:
        return model.comparators[added.name]
    names = list(model.comparators)
    raise StudyError(
        study.where(*where, "name"),
        found=f'"{added.name}"',
        expected="one of " + ", ".join(f'"{n}"' for n in names)
        if names
        else f"no comparators: {model.condition} ({model.species}) does not have the module comparators",
        nearest=nearest(added.name, names),
    )


def _level(study: Study, comparator: Comparator, added: Added, where: tuple[str, ...]) -> float:
    value = comparator.level if added.level is None else added.level
    place = study.where(*where, "level")
    if isinstance(value, str):
        unit = comparator.unit
        example = f"{comparator.level:g} {unit}"
        value, _ = parse_amount(value, where=place, kinds={unit: unit}, example=example, error=StudyError)
    if not value > 0:
        raise StudyError(
            place,
            found=shown(added.level),
            expected=f"more than zero, such as {comparator.level:g} ({comparator.unit})",
        )
    if value > _MOST * comparator.level:
        most = f"{_MOST * comparator.level:g} ({comparator.unit}), {_MOST} times the usual level"
        raise StudyError(place, found=shown(added.level), expected=f"at most {most}")
    return float(value)


def _overlap(one: Held, other: Held) -> bool:
    if one.comparator.name != other.comparator.name:
        return False
    first, second = sorted((one, other), key=lambda h: h.days[0])
    return first.stop is None or second.days[0] < first.stop
