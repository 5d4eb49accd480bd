"""The events of a model, as the standard's levels mean them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Happening:
    """An event that can happen; formulas as libSBML's trees.

    what : for messages, 'event "E1"'. The rest as in `equations.Event`. assignments : (variable, formula).
    """

    name: str
    what: str
    trigger: Any
    initially: bool
    persistent: bool
    delay: Any
    priority: Any
    values_of_trigger: bool
    assignments: tuple[tuple[str, Any], ...]

    def formulas(self) -> list[tuple[str, Any]]:
        """(place for messages, formula) of all that is evaluated."""
        found = [(f"{self.what}, trigger", self.trigger)]
        found += [
            (f"{self.what}, {part}", formula)
            for part, formula in (("delay", self.delay), ("priority", self.priority))
            if formula is not None
        ]
        return found + [(self.place_of(variable), formula) for variable, formula in self.assignments]

    def place_of(self, variable: str) -> str:
        """Place of an assignment, for messages."""
        return f'{self.what}, assignment of "{variable}"'


def read_events(model: Any) -> tuple[list[Happening], list[str]]:
    """The events of a libSBML model, and remarks on those that can do nothing.

    What lacks its formula (Level 3 Version 2) says nothing: an event without a trigger never happens, an assignment
    without a formula changes nothing, a delay or priority without one is none.
    """
    found, remarks = [], []
    for i in range(model.getNumEvents()):
        event = model.getEvent(i)
        name = event.getId() or event.getName() or f"number {i + 1}"
        trigger = _formula(event.getTrigger())
        assignments = [event.getEventAssignment(k) for k in range(event.getNumEventAssignments())]
        written = tuple((a.getVariable(), a.getMath()) for a in assignments if a.isSetMath())
        if trigger is None or not written:
            why = "has no trigger and never happens" if trigger is None else "assigns nothing"
            remarks.append(f'the event "{name}" {why}')
            continue
        if event.isSetTimeUnits():
            remarks.append(f'a unit of time of its own, which the event "{name}" has, is not converted')
        early = event.getLevel() == 2 and event.getVersion() < 4  # where assignments always took the trigger's values
        found.append(
            Happening(
                name=name,
                what=f'event "{name}"',
                trigger=trigger,
                # Level 2 has neither attribute: nothing happens at the start, and what was triggered happens
                initially=event.getLevel() < 3 or bool(event.getTrigger().getInitialValue()),
                persistent=event.getLevel() < 3 or bool(event.getTrigger().getPersistent()),
                delay=_formula(event.getDelay()),
                priority=_formula(event.getPriority()),
                values_of_trigger=early or bool(event.getUseValuesFromTriggerTime()),
                assignments=written,
            )
        )
    return found, remarks


def _formula(part: Any) -> Any:
    return part.getMath() if part is not None and part.isSetMath() else None
