"""Habits and drugs that an arm of any study can add: ``modules/comparators.toml`` beside the module of that name.

``[NAME]`` with label, label_zh, state, unit, kind ("held" or "course"), level, records, about, and where wanted
schedule (of courses) and species. ``level`` and ``schedule`` may be given for each species:
``{ human = 0.119, mouse = 0.4 }``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from exotwin.biology.model import Comparator
from exotwin.errors import BiologyError, nearest
from exotwin.tables import check_keys, read_toml

_REQUIRED = ("label", "label_zh", "state", "unit", "kind", "level", "records", "about")
_KEYS = (*_REQUIRED, "schedule", "species")
_KINDS = ("held", "course")


def read_comparators(path: Path, species: str) -> Mapping[str, Comparator]:
    """The comparators of a file that hold for a species, by name.

    Raises
    ------
    BiologyError : a key that is missing or unknown, a kind that does not exist, a schedule of what is held, a course
        without one, a level that is not above zero, a species without level.
    """
    page = read_toml(path, error=BiologyError)
    found = {}
    for name, entry in page.items():
        where = f"{path.name}, {name}"
        check_keys(entry, _KEYS, where=where, error=BiologyError, required=_REQUIRED)
        if species in entry.get("species", [species]):
            found[name] = _comparator(name, entry, species, where)
    return found


def check_comparators(comparators: Mapping[str, Comparator], states: Collection[str]) -> None:
    """Whether the states that they move are there.

    Raises
    ------
    BiologyError : a state that the model does not have.
    """
    for name, comparator in comparators.items():
        if comparator.state not in states:
            raise BiologyError(
                f"comparators.toml, {name}.state",
                found=f'"{comparator.state}"',
                expected="a state of the model",
                nearest=nearest(comparator.state, states),
            )


def _comparator(name: str, entry: Mapping[str, Any], species: str, where: str) -> Comparator:
    kind = entry["kind"]
    if kind not in _KINDS:
        raise BiologyError(f"{where}.kind", found=f'"{kind}"', expected='"held" or "course"')
    schedule = _of_species(entry.get("schedule", ""), species, f"{where}.schedule")
    if (kind == "course") != bool(schedule):
        expected = "a schedule" if kind == "course" else "none: what is held has a start and a stop"
        raise BiologyError(f"{where}.schedule", found=f'"{schedule}" of kind "{kind}"', expected=expected)
    level = _of_species(entry["level"], species, f"{where}.level")
    if isinstance(level, bool) or not isinstance(level, int | float) or not level > 0:
        raise BiologyError(f"{where}.level", found=repr(level), expected="a number above zero")
    return Comparator(
        name=name,
        label=entry["label"],
        label_zh=entry["label_zh"],
        state=entry["state"],
        unit=entry["unit"],
        kind=kind,
        level=float(level),
        schedule=schedule,
        records=tuple(entry["records"]),
        about=entry["about"],
    )


def _of_species(value: Any, species: str, where: str) -> Any:
    if not isinstance(value, dict):
        return value
    if species not in value:
        raise BiologyError(where, found="nothing for " + species, expected="one for each species that is offered it")
    return value[species]
