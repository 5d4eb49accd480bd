"""Files of checks → checks and studies, every complaint with file, check, key and the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from exotwin.errors import EvidenceError, nearest
from exotwin.evidence import read_yaml, records
from exotwin.tables import check_keys, read_text
from exotwin.validation import fields
from exotwin.validation.check import (
    KINDS,
    OF_LIVES,
    OF_PEOPLE,
    OVER,
    READINGS,
    SORTS,
    ArmPlan,
    Check,
    CheckFile,
    ComparatorPlan,
    DosePlan,
    NotTestable,
    ReadingPlan,
    SpreadPlan,
    StudyPlan,
)
from exotwin.validation.formula import names_in

SHIPPED = Path(__file__).with_name("checks")

_TAB = re.compile(r" *\t *\S")

_FILE = ("module", "dossiers", "studies", "checks", "used", "not testable")
_STUDY = (
    "about",
    "condition",
    "species",
    "modules",
    "combination",
    "patients",
    "draws",
    "seed",
    "noise",
    "start",
    "reading",
    "parameters",
    "arms",
)
_ARM = ("parameters", "source", "label", "comparators", "doses")
_CHECK = (
    "id",
    "record",
    "study",
    "kind",
    "sort",
    "observable",
    "observable_zh",
    "unit",
    "readings",
    "value",
    "statistic",
    "published",
    "spread",
    "neutral",
    "sign",
    "bound",
    "bound_why",
    "contradicts",
    "note",
    "miss",
)
_READING = ("arm", "output", "at", "over", "statistic", "than", "between", "against")
_NEEDS = {"alive at": "than", "doubling time": "between", "hazard ratio": "against"}
_NEEDS |= dict.fromkeys(("share above", "share below", "quantile"), "than")


def read_checks(folder: Path = SHIPPED, *, names: Iterable[str] = ()) -> tuple[CheckFile, ...]:
    """All files of checks of a folder, by name.

    names : of modules or files; of others only ids, records and what is not testable are read.

    Raises
    ------
    EvidenceError : a file that does not keep the schema, an id that two checks have, a contradiction to a record that
        has no check.
    """
    files = tuple(read_file(path, names=names) for path in sorted(folder.glob("*.yaml")))
    seen: dict[str, str] = {}
    for check in (c for file in files for c in file.checks):
        if check.id in seen:
            raise EvidenceError(
                check.where, found=f'the id "{check.id}" again', expected=f"one, as in {seen[check.id]}"
            )
        seen[check.id] = check.where
    _check_contradictions(files)
    return files


def read_file(path: Path, *, names: Iterable[str] = ()) -> CheckFile:
    """One file of checks; if neither it nor its module is among ``names``, only its outline.

    Raises
    ------
    EvidenceError : as `read_checks`.
    """
    text = read_text(path, error=EvidenceError)
    page = _page(text, path)
    where = path.name
    check_keys(page, _FILE, where=f"{where}:", error=EvidenceError, required=("module", "dossiers"))
    module = fields.text(page, "module", where)
    outline = bool(names) and not {module, path.stem} & set(names)
    studies = (
        {}
        if outline
        else {
            name: _study(name, entry, f"{where}, studies.{name}")
            for name, entry in fields.mapping(page.get("studies") or {}, f"{where}, studies").items()
        }
    )
    checks = []
    for n, entry in enumerate(fields.entries_of(page.get("checks") or [], f"{where}, checks"), 1):
        at = f"{where}, check {n}"
        name = fields.text(fields.mapping(entry, at), "id", at)
        at = f"{where}, {name}"
        checks.append(_outline(entry, module, at) if outline else _check(entry, module, studies, at))
    left_out = []
    for n, entry in enumerate(fields.entries_of(page.get("not testable") or [], f"{where}, not testable"), 1):
        at = f"{where}, not testable {n}"
        check_keys(
            fields.mapping(entry, at), ("record", "why"), where=at, error=EvidenceError, required=("record", "why")
        )
        left_out.append(NotTestable(_records(entry["record"], f"{at}.record"), fields.text(entry, "why", at)))
    return CheckFile(
        name=path.stem,
        module=module,
        dossiers=fields.texts(page["dossiers"], f"{where}, dossiers"),
        studies=studies,
        checks=tuple(checks),
        not_testable=tuple(left_out),
        text=text,
    )


def _page(text: str, path: Path) -> dict[str, Any]:
    expected = ", ".join(f"{key}:" for key in _FILE if key != "used")
    try:
        page = read_yaml(text, path=path)
    except EvidenceError as fault:
        tab = next((n for n, line in enumerate(text.splitlines(), 1) if _TAB.match(line)), None)
        if tab is None:
            raise
        raise EvidenceError(f"{path}, line {tab}", found="a tab before the text", expected="spaces") from fault
    if page is None:
        raise EvidenceError(str(path), found="no text but comments", expected=f"the keys {expected}")
    if not isinstance(page, dict):
        raise EvidenceError(str(path), found=f"{page!r:.60}", expected=f"the keys {expected}")
    return page


def _records(given: Any, where: str) -> tuple[str, ...]:
    """Ids of records that exist and that somebody has seen."""
    names = fields.texts(given, where)
    known = records()
    for name in names:
        if name not in known:
            raise EvidenceError(where, found=f'"{name}"', expected="the id of a record", nearest=nearest(name, known))
        if not known[name].seen:
            raise EvidenceError(where, found=f'"{name}", which nobody has seen', expected="a seen one")
    return names


def _check_contradictions(files: Iterable[CheckFile]) -> None:
    checks = [check for file in files for check in file.checks]
    for check in checks:
        others = {name for c in checks if c.id != check.id for name in c.records}
        for name in check.contradicts:
            if name not in others:
                raise EvidenceError(
                    f"{check.where}.contradicts",
                    found=f'"{name}"',
                    expected="the record of another check",
                    nearest=nearest(name, others),
                )


def _outline(entry: dict[str, Any], module: str, where: str) -> Check:
    names = fields.texts(entry.get("record", []), f"{where}.record")
    return Check(id=fields.text(entry, "id", where), module=module, records=names, kind="", where=where)


def _study(name: str, entry: Any, where: str) -> StudyPlan:
    page = fields.mapping(entry, where)
    check_keys(page, _STUDY, where=where, error=EvidenceError, required=("condition", "species", "arms"))
    arms = {
        arm: _arm(arm, told or {}, f"{where}.arms.{arm}")
        for arm, told in fields.mapping(page["arms"], f"{where}.arms").items()
    }
    if not arms:
        raise EvidenceError(f"{where}.arms", found="no arm", expected="at least one, such as control: {}")
    reading = page.get("reading", "")
    if reading:
        fields.one_of(reading, READINGS, f"{where}.reading")
    start = page.get("start", 0)
    return StudyPlan(
        name=name,
        where=where,
        about=fields.text(page, "about", where, default=""),
        condition=fields.text(page, "condition", where),
        species=fields.text(page, "species", where),
        modules=fields.texts(page.get("modules", []), f"{where}.modules"),
        combination=fields.text(page, "combination", where, default=""),
        patients=fields.whole(page.get("patients", 100), f"{where}.patients", least=1),
        draws=fields.whole(page.get("draws", 24), f"{where}.draws", least=0),
        seed=fields.whole(page.get("seed", 1), f"{where}.seed", least=0),
        noise=fields.yes_or_no(page.get("noise", False), f"{where}.noise"),
        start=None if start == "run_in" else fields.time(start, f"{where}.start"),
        reading=reading,
        parameters=fields.numbers(page.get("parameters") or {}, f"{where}.parameters"),
        arms=arms,
    )


def _arm(name: str, entry: Any, where: str) -> ArmPlan:
    page = fields.mapping(entry, where)
    check_keys(page, _ARM, where=where, error=EvidenceError)
    return ArmPlan(
        name=name,
        parameters=fields.numbers(page.get("parameters") or {}, f"{where}.parameters"),
        source=fields.text(page, "source", where, default=""),
        label=fields.text(page, "label", where, default=""),
        comparators=tuple(
            _comparator(told, f"{where}.comparators {n}")
            for n, told in enumerate(fields.entries_of(page.get("comparators") or [], f"{where}.comparators"), 1)
        ),
        doses=tuple(
            _dose(told, f"{where}.doses {n}")
            for n, told in enumerate(fields.entries_of(page.get("doses") or [], f"{where}.doses"), 1)
        ),
    )


def _comparator(entry: Any, where: str) -> ComparatorPlan:
    page = fields.mapping(entry, where)
    keys = ("name", "start", "stop", "level", "schedule")
    check_keys(page, keys, where=where, error=EvidenceError, required=("name",))
    stop, level = page.get("stop"), page.get("level")
    return ComparatorPlan(
        name=fields.text(page, "name", where),
        start=fields.time(page.get("start", 0), f"{where}.start"),
        stop=None if stop is None else fields.time(stop, f"{where}.stop"),
        level=None if level is None else fields.number(level, f"{where}.level"),
        schedule=fields.text(page, "schedule", where, default="") or None,
    )


def _dose(entry: Any, where: str) -> DosePlan:
    page = fields.mapping(entry, where)
    keys = ("state", "amount", "at", "duration")
    check_keys(page, keys, where=where, error=EvidenceError, required=("state", "amount", "at"))
    amount, unit = page["amount"], ""
    if isinstance(amount, str):
        number, _, unit = amount.strip().partition(" ")
        amount, unit = fields.number(fields.as_float(number), f"{where}.amount", shown=amount), unit.strip()
    return DosePlan(
        state=fields.text(page, "state", where),
        amount=fields.number(amount, f"{where}.amount"),
        unit=unit,
        at=fields.times(page["at"], f"{where}.at"),
        duration=fields.time(page.get("duration", 0), f"{where}.duration"),
    )


def _check(entry: dict[str, Any], module: str, studies: Mapping[str, StudyPlan], where: str) -> Check:
    required = ("id", "record", "study", "kind", "sort", "observable", "unit", "readings", "value")
    check_keys(entry, _CHECK, where=where, error=EvidenceError, required=required)
    study = studies[fields.one_of(entry["study"], studies, f"{where}.study")]
    readings = tuple(
        _reading(name, told, study, f"{where}.readings.{name}")
        for name, told in fields.mapping(entry["readings"], f"{where}.readings").items()
    )
    lengths = {len(r.at) for r in readings if r.curve and not r.over}
    if len(lengths) > 1:
        told = ", ".join(str(n) for n in sorted(lengths))
        raise EvidenceError(f"{where}.readings", found=f"curves of {told} times", expected="all of the same length")
    unit = fields.text(entry, "unit", where)
    fields.known_unit(unit, f"{where}.unit")
    sort = fields.one_of(entry["sort"], SORTS, f"{where}.sort")
    check = Check(
        id=fields.text(entry, "id", where),
        module=module,
        records=_records(entry["record"], f"{where}.record"),
        kind=fields.one_of(str(entry["kind"]).replace("-", " "), KINDS, f"{where}.kind"),
        where=where,
        study=study.name,
        sort=sort,
        observable=fields.text(entry, "observable", where),
        observable_zh=fields.text(entry, "observable_zh", where, default=""),
        unit=unit,
        readings=readings,
        value=_formula(entry["value"], f"{where}.value", {r.name for r in readings}),
        statistic=fields.one_of(entry.get("statistic", "median"), ("median", "mean"), f"{where}.statistic"),
        published=_formula(entry["published"], f"{where}.published") if "published" in entry else "",
        spread=_spread(entry["spread"], f"{where}.spread") if "spread" in entry else None,
        neutral=fields.number(entry.get("neutral", 0), f"{where}.neutral"),
        sign=int(fields.number(entry["sign"], f"{where}.sign")) if "sign" in entry else 0,
        bound=_formula(entry["bound"], f"{where}.bound") if "bound" in entry else "",
        bound_why=fields.text(entry, "bound_why", where, default=""),
        contradicts=fields.texts(entry["contradicts"], f"{where}.contradicts") if "contradicts" in entry else (),
        note=fields.text(entry, "note", where, default=""),
        miss=fields.text(entry, "miss", where, default=""),
    )
    _check_sort(check, entry, readings)
    return check


def _check_sort(check: Check, entry: dict[str, Any], readings: tuple[ReadingPlan, ...]) -> None:
    """Each sort has its keys, and what is published names the record."""
    needed = {"value": ("published", "spread"), "direction": ("sign",), "null": ("bound", "bound_why")}[check.sort]
    foreign = {"value": ("sign", "bound", "bound_why"), "direction": ("bound", "bound_why", "spread")}.get(
        check.sort, ("sign", "spread")
    )
    for key in needed:
        if key not in entry:
            raise EvidenceError(
                check.where, found=f'no key "{key}"', expected=f"of sort {check.sort}: {', '.join(needed)}"
            )
    for key in foreign:
        if key in entry:
            raise EvidenceError(f"{check.where}.{key}", found=f"a key that {check.sort} has not", expected="none")
    if check.sort == "direction" and check.sign not in (-1, 1):
        raise EvidenceError(f"{check.where}.sign", found=str(entry["sign"]), expected="1 or -1")
    if not readings:
        raise EvidenceError(f"{check.where}.readings", found="none", expected="at least one")
    used = names_in(check.value, where=f"{check.where}.value")
    for reading in readings:
        if reading.name not in used:
            raise EvidenceError(
                f"{check.where}.readings.{reading.name}", found="a reading that value does not use", expected="its use"
            )
    allowed = {"v", "context", *(f"v{k}" for k in range(1, len(check.records) + 1))}
    spread = check.spread
    formulas = {"published": check.published, "bound": check.bound}
    if spread is not None:
        formulas |= {f"spread.{k}": getattr(spread, k) for k in ("se", "sd", "n", "low", "high")}
    for key, text in formulas.items():
        names = names_in(text, where=f"{check.where}.{key}") if text else frozenset[str]()
        for name in sorted(names - allowed):
            expected = "the record's value: " + ", ".join(sorted(allowed))
            raise EvidenceError(
                f"{check.where}.{key}", found=f'the name "{name}"', expected=expected, nearest=nearest(name, allowed)
            )
        if text and key != "bound" and not names:
            raise EvidenceError(
                f"{check.where}.{key}", found=f"{text}, which no record says", expected="a formula over v"
            )


def _reading(name: str, entry: Any, study: StudyPlan, where: str) -> ReadingPlan:
    page = fields.mapping(entry, where)
    check_keys(page, _READING, where=where, error=EvidenceError, required=("arm", "at"))
    if not name.isidentifier() or name.startswith("_"):
        raise EvidenceError(where, found=f'the name "{name}"', expected="letters, digits and _")
    statistic, over, than = page.get("statistic", ""), page.get("over", ""), page.get("than")
    if statistic:
        fields.one_of(statistic, (*OF_PEOPLE, *OF_LIVES), f"{where}.statistic")
    of_lives = statistic in OF_LIVES
    if of_lives == ("output" in page):
        expected = "none: lifetimes are read from dead and age_at_death" if of_lives else "a symbol of the model"
        raise EvidenceError(f"{where}.output", found="an output" if of_lives else "none", expected=expected)
    curve = isinstance(page["at"], list | dict)
    if over:
        fields.one_of(over, OVER, f"{where}.over")
    if (over and not curve) or (of_lives and curve):
        expected = "a list of times" if over else "one time, that of the end"
        raise EvidenceError(f"{where}.at", found=str(page["at"]), expected=expected)
    for key in ("than", "between", "against"):
        if (key in page) != (_NEEDS.get(statistic) == key):
            told = f"with the statistic {statistic}" if statistic else "without a statistic"
            expected = f'the key "{key}"' if key not in page else "none"
            found = f'no key "{key}" {told}' if key not in page else f'the key "{key}" {told}'
            raise EvidenceError(where, found=found, expected=expected)
    return ReadingPlan(
        name=name,
        arm=fields.one_of(page["arm"], study.arms, f"{where}.arm"),
        output=fields.text(page, "output", where, default=""),
        at=fields.times(page["at"], f"{where}.at"),
        curve=curve,
        over=over,
        statistic=statistic,
        than=None if than is None else _than(than, of_lives, f"{where}.than"),
        between=_ages(page["between"], f"{where}.between") if "between" in page else None,
        against=fields.one_of(page["against"], study.arms, f"{where}.against") if "against" in page else "",
    )


def _than(given: Any, of_lives: bool, where: str) -> float:
    if of_lives and isinstance(given, str):
        return _ages([given, given], where)[0]
    return fields.number(given, where)


def _ages(given: Any, where: str) -> tuple[float, float]:
    entries = fields.entries_of(given, where)
    if len(entries) != 2:
        raise EvidenceError(where, found=f"{len(entries)} ages", expected="two, such as [60 year, 90 year]")
    low, high = (
        fields.time(age, where) / 365.25 if isinstance(age, str) else fields.number(age, where) for age in entries
    )
    if low > high:
        raise EvidenceError(where, found=f"{low:g} to {high:g} years", expected="two ages that rise")
    return low, high


def _spread(entry: Any, where: str) -> SpreadPlan:
    page = fields.mapping(entry, where)
    check_keys(page, ("se", "sd", "n", "interval", "level", "scale", "none"), where=where, error=EvidenceError)
    forms = [key for key in ("se", "sd", "interval", "none") if key in page]
    if len(forms) != 1 or ("sd" in page) != ("n" in page):
        expected = "one of {se}, {sd, n}, {interval: [low, high]}, {none: why}"
        raise EvidenceError(where, found="{" + ", ".join(page) + "}", expected=expected)
    log = "scale" in page and fields.one_of(page["scale"], ("log", "linear"), f"{where}.scale") == "log"
    if log and forms[0] not in ("se", "interval"):
        raise EvidenceError(f"{where}.scale", found=f"a scale with {forms[0]}", expected="one with se or interval")
    if "level" in page and forms[0] != "interval":
        raise EvidenceError(f"{where}.level", found=f"a level with {forms[0]}", expected="one with interval")
    level = fields.number(page.get("level", 95), f"{where}.level")
    if not 0 < level < 100:
        raise EvidenceError(f"{where}.level", found=f"{level:g}", expected="per cent, such as 95")
    if "interval" in page:
        ends = fields.entries_of(page["interval"], f"{where}.interval")
        if len(ends) != 2:
            raise EvidenceError(f"{where}.interval", found=f"{len(ends)} ends", expected="[low, high]")
        low, high = (_formula(end, f"{where}.interval") for end in ends)
        return SpreadPlan(low=low, high=high, level=level, log=log)
    if "none" in page:
        return SpreadPlan(none=fields.text(page, "none", where))
    se, sd, n = (_formula(page[key], f"{where}.{key}") if key in page else "" for key in ("se", "sd", "n"))
    return SpreadPlan(se=se, sd=sd, n=n, log=log)


def _formula(given: Any, where: str, names: Iterable[str] | None = None) -> str:
    text = repr(given) if isinstance(given, int | float) and not isinstance(given, bool) else given
    if not isinstance(text, str) or not text.strip():
        raise EvidenceError(where, found=f"{given!r:.60}", expected="a formula, as a text")
    used = names_in(text, where=where)
    if names is not None:
        known = set(names)
        for name in sorted(used - known):
            raise EvidenceError(
                where,
                found=f'the name "{name}"',
                expected="a reading: " + ", ".join(sorted(known)),
                nearest=nearest(name, known),
            )
    return text.strip()
