"""The YAML file of a problem: which files it consists of, and which extensions it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exotwin.errors import InputError, NotBuiltYet, nearest
from exotwin.tables import read_text

POPULATION = "exotwin_population"

_KEYS = ("format_version", "parameter_file", "problems", "extensions")
_FILES = ("sbml_files", "condition_files", "measurement_files", "observable_files")
_UNUSED = ("visualization_files",)
_REFUSED = {"mapping_files": "mapping tables", "mapping_file": "mapping tables", "model_files": "models beside SBML"}


@dataclass(frozen=True)
class Config:
    """Files of a problem, in the order in which they are named. population : our extension's entry, or None."""

    parameters: tuple[Path, ...]
    model: Path
    conditions: tuple[Path, ...]
    measurements: tuple[Path, ...]
    observables: tuple[Path, ...]
    population: Mapping[str, Any] | None
    remarks: tuple[str, ...]


def read_config(path: Path) -> Config:
    """Read and check the YAML file.

    Raises
    ------
    InputError : no such file, broken YAML, a key missing or of the wrong type.
    NotBuiltYet : another version of the format, several problems or models, models that are not SBML, mapping tables,
        files on the net, extensions that the problem requires and exotwin does not know.
    """
    whole = _mapping(str(path), _parsed(path), "the keys format_version, parameter_file, problems")
    _check_version(path, whole)
    remarks = [f'the key "{key}" of the problem is not used' for key in whole if key not in _KEYS]
    problems = _needed(str(path), whole, "problems")
    if not isinstance(problems, list) or not problems:
        raise InputError(f"{path}, problems", found=_shown(problems), expected="a list with one entry")
    if len(problems) > 1:
        raise NotBuiltYet(
            f"{path}, problems", found=f"{len(problems)} problems in one file", expected="one; split them into files"
        )
    where = f"{path}, problems"
    entry = _mapping(where, problems[0], "the keys " + ", ".join(_FILES))
    for key, what in _REFUSED.items():
        if entry.get(key):
            raise NotBuiltYet(f"{where}, {key}", found=what, expected="one SBML model whose names the tables use")
    remarks += [f'the key "{key}" of the problem is not used' for key in entry if key not in _FILES + _UNUSED]
    models = _paths(path, where, entry, "sbml_files")
    if len(models) > 1:
        raise NotBuiltYet(f"{where}, sbml_files", found=f"{len(models)} SBML files", expected="one model")
    parameters = _paths(path, str(path), whole, "parameter_file")
    conditions, measurements, observables = (_paths(path, where, entry, key) for key in _FILES[1:])
    population, more = _extensions(path, whole)
    return Config(parameters, models[0], conditions, measurements, observables, population, (*remarks, *more))


def _parsed(path: Path) -> Any:
    try:
        return yaml.safe_load(read_text(path, error=InputError))
    except yaml.MarkedYAMLError as fault:
        at = f", line {fault.problem_mark.line + 1}" if fault.problem_mark else ""
        raise InputError(f"{path}{at}", found=str(fault.problem), expected="a YAML file") from fault
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        found = "lists nested too deeply" if isinstance(fault, RecursionError) else str(fault).splitlines()[0]
        raise InputError(str(path), found=found, expected="a YAML file") from fault


def _check_version(path: Path, whole: Mapping[str, Any]) -> None:
    version = str(_needed(str(path), whole, "format_version"))
    if version.split(".")[0] == "1":
        return
    known = version.split(".")[0].isdigit()
    error = NotBuiltYet if known else InputError
    raise error(f"{path}, format_version", found=f"version {version} of PEtab", expected="version 1")


def _extensions(path: Path, whole: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, list[str]]:
    """Our own extension's entry, and remarks on those that are not known."""
    where, remarks = f"{path}, extensions", []
    given = _mapping(where, whole.get("extensions") or {}, f"extensions by name, such as {POPULATION}")
    for name, entry in given.items():
        if name == POPULATION:
            continue
        if not isinstance(entry, dict) or entry.get("required", True):
            near = nearest(str(name), [POPULATION])
            raise NotBuiltYet(where, found=f'the extension "{name}"', expected=POPULATION, nearest=near)
        remarks.append(f'the extension "{name}" is not used')
    if POPULATION not in given:
        return None, remarks
    return _mapping(f"{where}, {POPULATION}", given[POPULATION], "version, individuals, seed, population_file"), remarks


def _paths(path: Path, where: str, table: Mapping[str, Any], key: str) -> tuple[Path, ...]:
    given = _needed(where, table, key)
    names = given if isinstance(given, list) else [given]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise InputError(f"{where}, {key}", found=_shown(given), expected="names of files")
    for name in names:
        if "://" in name:
            raise NotBuiltYet(f"{where}, {key}", found=f'"{name}"', expected="a file; nothing is fetched from the net")
        if names.count(name) > 1:
            raise InputError(f"{where}, {key}", found=f'"{name}" twice', expected="each file once")
    return tuple(path.parent / name for name in names)


def _needed(where: str, table: Mapping[str, Any], key: str) -> Any:
    if table.get(key) is None:
        near = nearest(key, map(str, table))
        raise InputError(where, found=f'no key "{key}"', expected=f'the key "{key}"', nearest=near)
    return table[key]


def _mapping(where: str, value: Any, expected: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(where, found=_shown(value), expected=expected)
    return value


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
