"""Values of a file of checks, each refused with its place where it is not what it must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from tokenize import TokenError
from typing import Any

import numpy as np

from exotwin.errors import EvidenceError, nearest
from exotwin.tables import check_keys
from exotwin.units import parse_amount, registry

_MOST = 100_000  # patients of a study, and times of a reading


def known_unit(unit: str, where: str) -> None:
    """Refuse what is no unit."""
    import pint

    try:
        registry().parse_units(f"1{unit}" if unit.startswith("/") else unit)
    except (pint.PintError, TokenError, ValueError, TypeError) as fault:
        expected = 'such as "day", "cell/kg", "dimensionless"'
        raise EvidenceError(where, found=f'the unit "{unit}"', expected=expected) from fault


def times(given: Any, where: str) -> tuple[float, ...]:
    """One time, times that rise, or an even grid of them, in days."""
    if isinstance(given, dict):
        check_keys(given, ("from", "to", "points"), where=where, error=EvidenceError, required=("from", "to", "points"))
        points = whole(given["points"], f"{where}.points", least=2)
        first, last = time(given["from"], f"{where}.from"), time(given["to"], f"{where}.to")
        found = tuple(float(t) for t in np.linspace(first, last, points))
    else:
        entries = given if isinstance(given, list) else [given]
        found = tuple(time(entry, where) for entry in entries)
    if not found or any(b <= a for a, b in pairwise(found)):
        raise EvidenceError(where, found=f"{given!r:.60}", expected="one time, or times that rise")
    return found


def time(given: Any, where: str) -> float:
    """A number of days, or a text with a unit of time."""
    if isinstance(given, str):
        try:
            return _days(given)
        except EvidenceError as fault:
            raise EvidenceError(where, found=fault.found, expected=fault.expected, nearest=fault.nearest) from fault
    return number(given, where)


@lru_cache(maxsize=1024)
def _days(text: str) -> float:
    kinds = {"time": "day"}
    value, _ = parse_amount(text, where="", kinds=kinds, example="25 hour", error=EvidenceError, signed=True)
    return value


def numbers(given: Any, where: str) -> dict[str, float | str]:
    """Name -> number, or a text with its unit."""
    found: dict[str, float | str] = {}
    for name, value in mapping(given, where).items():
        found[name] = value if isinstance(value, str) else number(value, f"{where}.{name}")
    return found


def as_float(text: str) -> Any:
    """The number that a text is, or the text itself."""
    try:
        return float(text)
    except ValueError:
        return text


def number(given: Any, where: str, *, shown: str = "") -> float:
    """A finite number."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < float("inf"):
        raise EvidenceError(where, found=f'"{shown or given}"', expected="a number")
    return float(given)


def whole(given: Any, where: str, *, least: int) -> int:
    """A whole number within limits."""
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= _MOST:
        raise EvidenceError(where, found=f'"{given}"', expected=f"a whole number from {least} to {_MOST}")
    return given


def yes_or_no(given: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(given, bool):
        raise EvidenceError(where, found=f'"{given}"', expected="true or false")
    return given


def text(page: Mapping[str, Any], key: str, where: str, *, default: str | None = None) -> str:
    """The text of a key, on one line."""
    if key not in page:
        if default is None:
            raise EvidenceError(where, found=f'no key "{key}"', expected=f'the key "{key}"')
        return default
    if not isinstance(page[key], str) or not page[key].strip():
        raise EvidenceError(f"{where}.{key}", found=_shown(page[key]), expected="a text")
    return " ".join(page[key].split())


def texts(given: Any, where: str) -> tuple[str, ...]:
    """A text or a list of them, each once."""
    entries = given if isinstance(given, list) else [given]
    for entry in entries:
        if not isinstance(entry, str) or not entry.strip():
            raise EvidenceError(where, found=_shown(entry), expected="a text, or a list of texts")
    if len(set(entries)) < len(entries):
        raise EvidenceError(where, found=", ".join(entries), expected="each once")
    return tuple(entries)


def mapping(given: Any, where: str) -> dict[str, Any]:
    """Keys with values."""
    if not isinstance(given, dict):
        raise EvidenceError(where, found=_shown(given), expected="keys with values")
    return given


def entries_of(given: Any, where: str) -> list[Any]:
    """A list."""
    if not isinstance(given, list):
        raise EvidenceError(where, found=_shown(given), expected="a list")
    return given


def one_of(given: Any, valid: Iterable[str], where: str) -> str:
    """A valid name, told with the nearest if it is not."""
    names = list(valid)
    if given not in names:
        raise EvidenceError(
            where, found=f'"{given}"', expected="one of " + ", ".join(names), nearest=nearest(str(given), names)
        )
    return str(given)


def _shown(given: Any) -> str:
    return "nothing" if given is None else f"{given!r:.60}"
