"""What pydantic complains about → one `StudyError` with file, line, key, found, expected and the nearest name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from exotwin.errors import StudyError, nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_OWN = "exotwin"
_HEADER = re.compile(r"^\s*\[+\s*([^\]]+?)\s*\]+")
_KEY = re.compile(r'^\s*((?:[\w-]+|"[^"]*")(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=')


def fault(found: str, expected: str, *, close: str | None = None, key: Iterable[str] = ()) -> PydanticCustomError:
    """An error for a validator to raise; ``key`` leads from the validated table to the entry that is wrong."""
    context = {"found": found, "expected": expected, "nearest": close or "", "key": "\n".join(key)}
    return PydanticCustomError(_OWN, "{found}", context)


def fault_of(error: StudyError, *, key: Iterable[str] = ()) -> PydanticCustomError:
    """The same for an error that a reader of amounts or schedules raised."""
    return fault(error.found, error.expected, close=error.nearest, key=key)


def study_error(details: ErrorDetails, model: type[BaseModel], *, path: Path, text: str) -> StudyError:
    """The error of ``text``, the file at ``path``, as a user should read it."""
    context = details.get("ctx", {})
    loc = [str(part) for part in details["loc"] if part != "[key]"]  # pydantic's mark for the name of a table
    if details["type"] == _OWN:
        loc += [k for k in context["key"].split("\n") if k]
        found, expected, close = context["found"], context["expected"], context["nearest"] or None
    else:
        found, expected, close = _translated(details, loc, model)
    return StudyError(place(path, text, loc), found=found, expected=expected, nearest=close)


def place(path: Path, text: str, key: Iterable[str]) -> str:
    """``study.toml, line 12, arms.msc.dose``; without a line where the file does not hold the key."""
    names = list(key)
    line = line_of(text, names)
    return ", ".join([str(path), *([f"line {line}"] if line else []), *([".".join(names)] if names else [])])


def line_of(text: str, key: Iterable[str]) -> int | None:
    """Line of the file that holds a key, or the nearest table around it; None if there is neither."""
    wanted = list(key)
    header: list[str] = []
    best, depth = None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if match := _HEADER.match(line):
            full = header = _parts(match[1])
        elif match := _KEY.match(line):
            full = header + _parts(match[1])
        else:
            continue
        if depth < len(full) <= len(wanted) and wanted[: len(full)] == full:
            best, depth = number, len(full)
    return best


def _parts(dotted: str) -> list[str]:
    return [a or b for a, b in re.findall(r'"([^"]*)"|([\w-]+)', dotted)]


def _translated(details: ErrorDetails, loc: list[str], model: type[BaseModel]) -> tuple[str, str, str | None]:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _fields_at(model, loc[:-1])
        return f'the key "{loc[-1]}"', "one of " + ", ".join(known), nearest(loc[-1], known)
    if kind == "missing":
        return f'no key "{loc[-1]}"', _description(model, loc), None
    if kind == "literal_error":
        valid = re.findall(r"'([^']*)'", str(context["expected"]))
        return shown(given), "one of " + ", ".join(f'"{v}"' for v in valid), nearest(str(given), valid)
    limits = {"greater_than": ("gt", ">"), "greater_than_equal": ("ge", ">="), "less_than": ("lt", "<")}
    limits["less_than_equal"] = ("le", "<=")
    if kind in limits:
        name, sign = limits[kind]
        return shown(given), f"a number {sign} {context[name]:g}", None
    return shown(given), _description(model, loc) or details["msg"], None


def shown(value: Any) -> str:
    """A value of a TOML file as the file shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "a table with the keys " + ", ".join(value) if value else "an empty table"
    return str(value)


def _model_at(model: type[BaseModel], loc: list[str]) -> type[BaseModel]:
    here = model
    for part in loc:
        annotation = here.model_fields[part].annotation if part in here.model_fields else None
        inner = next(iter(_models_in(annotation)), None)
        if inner is not None:
            here = inner
    return here


def _models_in(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _fields_at(model: type[BaseModel], loc: list[str]) -> list[str]:
    return list(_model_at(model, loc).model_fields)


def _description(model: type[BaseModel], loc: list[str]) -> str:
    field = _model_at(model, loc[:-1]).model_fields.get(loc[-1]) if loc else None
    return (field.description or "") if field is not None else ""
