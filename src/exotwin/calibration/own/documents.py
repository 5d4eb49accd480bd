"""What the biology gives a calibration today: ``model.xml``, and ``population.tsv`` where individuals differ.

Both are committed, so that any tool that reads PEtab can read the folder; `stale` says when they have fallen behind the
modules and tables.
"""

from __future__ import annotations

import os
from pathlib import Path

from exotwin.biology import Model, Spread, assemble
from exotwin.calibration.own.definition import Definition, Individuals, calibrations, read_definition
from exotwin.errors import CalibrationError

YEAR = 365.25  # days
_COLUMNS = ("parameterId", "distribution", "location", "scale", "lower", "upper")


def documents(definition: Definition) -> dict[str, str]:
    """File name -> text, from the modules and tables as they are.

    Raises
    ------
    BiologyError : modules or tables that do not fit together.
    CalibrationError : an estimated spread of a row that has none of the kind that can be estimated.
    """
    model = assemble(
        definition.condition,
        definition.species,
        modules=definition.modules,
        infused=definition.infused,
        root=definition.root,
    )
    found = {"model.xml": model.sbml}
    if definition.population is not None:
        found["population.tsv"] = _population(definition, definition.population, model)
    return found


def stale(definition: Definition) -> tuple[str, ...]:
    """Names of the committed files that are not what the biology gives now."""
    return tuple(
        name
        for name, text in documents(definition).items()
        if not (definition.folder / name).is_file() or (definition.folder / name).read_text(encoding="utf-8") != text
    )


def renew(*, root: Path) -> tuple[Path, ...]:
    """Write the files that are stale, of every calibration: a number that one fits stands in the models of others."""
    written = []
    for name in calibrations(root=root):
        definition = read_definition(name, root=root)
        texts = documents(definition)
        for file in stale(definition):
            path = definition.folder / file
            replace_text(path, texts[file])
            written.append(path)
    return tuple(written)


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it is either the old one or the new one, never half of it.

    Raises
    ------
    CalibrationError : a folder that cannot be written to, such as that of an installed package.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(path)
    except OSError as fault:
        aside.unlink(missing_ok=True)
        expected = "a folder that can be written to: the tables of a checked-out repository"
        raise CalibrationError(str(path), found=fault.strerror or str(fault), expected=expected) from fault


def _population(definition: Definition, people: Individuals, model: Model) -> str:
    offered = {p.name: p for p in model.parameters.values() if p.level == "patient"}
    chosen = people.only or tuple(offered)
    for name in (*chosen, *people.estimated):
        if name not in offered or name not in chosen:
            raise CalibrationError(
                f"{definition.name}, population",
                found=f'"{name}"',
                expected="a row that differs between individuals: " + ", ".join(offered),
            )
    rows = ["\t".join(_COLUMNS)]
    for name in chosen:
        earlier = people.days_before_enrolment / YEAR if name == "age_start" else 0.0
        rows.append("\t".join(_row(name, offered[name].spread, earlier, people.estimated.get(name, ""))))
    return "\n".join(rows) + "\n"


def _row(name: str, spread: Spread, earlier: float, scale: str) -> tuple[str, ...]:
    if spread.distribution in ("uniform", "loguniform"):
        return (name, spread.distribution, "", "", _number(spread.a - earlier), _number(spread.b - earlier))
    limits = ("" if abs(limit) == float("inf") else _number(limit - earlier) for limit in (spread.low, spread.high))
    return (name, spread.distribution, _number(spread.centre - earlier), scale or _number(spread.a), *limits)


def _number(value: float) -> str:
    return f"{value:.12g}"
