"""The condition's page ``NAME.toml``: the clinic's names, what can be dosed, who is included, what is read at the end.

Keys: title, title_zh, species, target (the tissue that the therapy is meant for), tissues (all that are followed; by
default the target), modules, processes, systemic (those of the processes on which the product acts from macrophages,
see the module of that name; by default none), mediators, noise (true: the intrinsic noise of the modules runs),
run_in_days (a number, or one for each species), ``[observables.ID]`` and ``[exposures.ID]`` (symbol = ID if absent,
label, label_zh, unit, normal = [low, high] or { human = [low, high] }, log, record), ``[[dosing]]`` (product, route,
state, unit, label, label_zh), ``[[inclusion]]`` (id, symbol, rule, value, unit, record, label, label_zh),
``[[endpoints]]`` (id, observable, days, kind, better, label, label_zh, unit, threshold, record). An entry with
``species = ["human"]`` holds for these species alone. In ids, symbols and states the word ``target`` means the
target's id: ``vesicles_target`` is ``vesicles_ovary``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exotwin.biology.model import Criterion, DoseInput, EndpointRule, Observable
from exotwin.biology.module import Names
from exotwin.errors import BiologyError, nearest
from exotwin.tables import check_keys, read_toml

_TOP = (
    "title",
    "title_zh",
    "species",
    "target",
    "tissues",
    "modules",
    "processes",
    "systemic",
    "mediators",
    "noise",
    "run_in_days",
    "observables",
    "exposures",
    "dosing",
    "inclusion",
    "endpoints",
)
_NAMES = ("label", "label_zh")
_OBSERVABLE = ("symbol", *_NAMES, "unit", "normal", "log", "record", "species")
_DOSING = ("product", "route", "state", "unit", *_NAMES, "species")
_INCLUSION = ("id", "symbol", "rule", "value", "unit", "record", *_NAMES, "species")
_ENDPOINT = ("id", "observable", "days", "kind", "better", *_NAMES, "unit", "threshold", "record", "species")
_RULES = ("<", "<=", ">", ">=")
_KINDS = ("value", "change", "ratio", "share")


@dataclass(frozen=True)
class Condition:
    """The page of a condition, read for one species."""

    name: str
    title: str
    title_zh: str
    target: str
    tissues: tuple[str, ...]
    modules: tuple[str, ...]
    processes: tuple[str, ...]
    systemic: tuple[str, ...]
    mediators: Mapping[str, str]
    noise: bool
    run_in: float
    observables: Mapping[str, Observable]
    exposures: Mapping[str, Observable]
    dosing: Mapping[tuple[str, str], DoseInput]
    inclusion: tuple[Criterion, ...]
    endpoints: tuple[EndpointRule, ...]

    @property
    def names(self) -> Names:
        """What the words of module files stand for here."""
        return Names({"mediator": tuple(self.mediators.values()), "tissue": self.tissues}, self.target)


def mediator_id(name: str) -> str:
    """Id in the model of a miRNA: ``"miR-21-5p"`` -> ``"mir_21_5p"``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def species_in(path: Path) -> tuple[str, ...]:
    """Species that the page of a condition offers."""
    return tuple(read_toml(path, error=BiologyError).get("species", ()))


def read_condition(path: Path, species: str) -> Condition:
    """Read ``NAME.toml`` for one species.

    Raises
    ------
    BiologyError : a key that is missing, unknown or of the wrong kind; a species that the page does not offer.
    """
    page, where = read_toml(path, error=BiologyError), path.name
    required = tuple(k for k in _TOP[:-4] if k not in ("tissues", "systemic", "noise"))
    check_keys(page, _TOP, where=where, error=BiologyError, required=required)
    if species not in page["species"]:
        offered = [str(s) for s in page["species"]]
        raise BiologyError(
            f"condition {path.stem}",
            found=f'the species "{species}"',
            expected=" or ".join(offered),
            nearest=nearest(species, offered),
        )
    run_in = page["run_in_days"]
    if isinstance(run_in, dict):
        check_keys(run_in, page["species"], where=f"{where}, run_in_days", error=BiologyError, required=[species])
        run_in = run_in[species]
    target, tissues = page["target"], tuple(page.get("tissues", [page["target"]]))
    if target not in tissues:
        raise BiologyError(f"{where}, tissues", found=", ".join(tissues), expected=f"the target {target} among them")
    names = Names(target=target)
    observables = _observables(page["observables"], f"{where}, observables", species, names)
    return Condition(
        name=path.stem,
        title=page["title"],
        title_zh=page["title_zh"],
        target=target,
        tissues=tissues,
        modules=tuple(page["modules"]),
        processes=tuple(page["processes"]),
        systemic=tuple(page.get("systemic", ())),
        mediators={name: mediator_id(name) for name in page["mediators"]},
        noise=bool(page.get("noise", False)),
        run_in=float(run_in),
        observables=observables,
        exposures=_observables(page.get("exposures", {}), f"{where}, exposures", species, names),
        dosing=_dosing(page.get("dosing", []), f"{where}, dosing", species, names),
        inclusion=_inclusion(page.get("inclusion", []), f"{where}, inclusion", species, names),
        endpoints=_endpoints(page.get("endpoints", []), f"{where}, endpoints", species, observables, names),
    )


def _for_species(entry: dict[str, Any], species: str) -> bool:
    return species in entry.get("species", [species])


def _observables(table: dict[str, dict[str, Any]], where: str, species: str, names: Names) -> dict[str, Observable]:
    found = {}
    for written, entry in table.items():
        check_keys(entry, _OBSERVABLE, where=f"{where}.{written}", error=BiologyError, required=(*_NAMES, "unit"))
        name = names.aimed(written)
        if _for_species(entry, species):
            normal = entry.get("normal")
            normal = normal.get(species) if isinstance(normal, dict) else normal
            found[name] = Observable(
                id=name,
                symbol=names.aimed(entry.get("symbol", name)),
                label=entry["label"],
                label_zh=entry["label_zh"],
                unit=entry["unit"],
                normal=None if normal is None else (float(normal[0]), float(normal[1])),
                log=bool(entry.get("log", False)),
                record=entry.get("record", ""),
            )
    return found


def _dosing(entries: list[dict[str, Any]], where: str, species: str, names: Names) -> dict[tuple[str, str], DoseInput]:
    found = {}
    for n, entry in enumerate(entries, 1):
        check_keys(entry, _DOSING, where=f"{where} {n}", error=BiologyError, required=_DOSING[:4])
        if _for_species(entry, species):
            found[entry["product"], entry["route"]] = DoseInput(
                names.aimed(entry["state"]), entry["unit"], entry.get("label", ""), entry.get("label_zh", "")
            )
    return found


def _inclusion(entries: list[dict[str, Any]], where: str, species: str, names: Names) -> tuple[Criterion, ...]:
    found = []
    for n, entry in enumerate(entries, 1):
        at = f"{where} {n}"
        check_keys(entry, _INCLUSION, where=at, error=BiologyError, required=("id", "rule", "value", "unit", "record"))
        _one_of(entry["rule"], _RULES, f"{at}.rule")
        if _for_species(entry, species):
            found.append(
                Criterion(
                    id=entry["id"],
                    symbol=names.aimed(entry.get("symbol", entry["id"])),
                    rule=entry["rule"],
                    value=float(entry["value"]),
                    unit=entry["unit"],
                    record=entry["record"],
                    label=entry.get("label", ""),
                    label_zh=entry.get("label_zh", ""),
                )
            )
    return tuple(found)


def _endpoints(
    entries: list[dict[str, Any]], where: str, species: str, observables: Mapping[str, Observable], names: Names
) -> tuple[EndpointRule, ...]:
    found = []
    for n, entry in enumerate(entries, 1):
        at = f"{where} {n}"
        required = ("id", "observable", "days", "kind", "better", *_NAMES)
        check_keys(entry, _ENDPOINT, where=at, error=BiologyError, required=required)
        if not _for_species(entry, species):
            continue
        _one_of(entry["kind"], _KINDS, f"{at}.kind")
        _one_of(entry["better"], ("higher", "lower"), f"{at}.better")
        observable = observables[_one_of(names.aimed(entry["observable"]), tuple(observables), f"{at}.observable")]
        days = entry["days"] if isinstance(entry["days"], list) else [entry["days"]]
        threshold = entry.get("threshold")
        if entry["kind"] == "share" and threshold is None:
            raise BiologyError(at, found='kind "share" without threshold', expected="threshold = a value")
        unit = {"ratio": "dimensionless", "share": "dimensionless"}.get(entry["kind"], observable.unit)
        found.append(
            EndpointRule(
                id=entry["id"],
                observable=observable.id,
                days=tuple(float(d) for d in days),
                kind=entry["kind"],
                better=entry["better"],
                label=entry["label"],
                label_zh=entry["label_zh"],
                unit=entry.get("unit", unit),
                threshold=None if threshold is None else float(threshold),
                record=entry.get("record", ""),
            )
        )
    return tuple(found)


def _one_of(text: str, valid: tuple[str, ...], where: str) -> str:
    if text not in valid:
        raise BiologyError(
            where, found=f'"{text}"', expected="one of " + ", ".join(valid), nearest=nearest(text, valid)
        )
    return text
