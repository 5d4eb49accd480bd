"""All checks of some modules: simulate each study once, judge each check, count what is covered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from exotwin import __version__, biology
from exotwin.errors import EvidenceError, ExotwinError, InputError, nearest
from exotwin.progress import Progress, Silent
from exotwin.validation.basis import Uses
from exotwin.validation.check import Check, CheckFile, StudyPlan
from exotwin.validation.coverage import coverage
from exotwin.validation.read import SHIPPED, read_checks, read_file
from exotwin.validation.score import broken, left_out, score, values_of
from exotwin.validation.scored import Scoreboard, Scored
from exotwin.validation.study import Models, simulate
from exotwin.validation.verdict import published

CORE = ("ageing", "cells", "vesicles", "uptake")
"""Modules that come first wherever modules are listed."""


def modules_of(files: Iterable[CheckFile]) -> tuple[str, ...]:
    """Modules that have checks, the core first."""
    found = {file.module for file in files}
    return (*(m for m in CORE if m in found), *sorted(found - set(CORE)))


def validate(
    modules: Sequence[str] = (),
    *,
    checks: Sequence[str] = (),
    files: Sequence[Path] = (),
    folder: Path = SHIPPED,
    root: Path = biology.SHIPPED,
    progress: Progress | None = None,
) -> Scoreboard:
    """Hold modules against their records.

    Parameters
    ----------
    modules : all that have checks, if none is named; the name of a file of checks, such as "frailty", stands for that
        part of its module. checks : ids; of the modules' checks these alone are run.
    files : files of checks to run instead of those in ``folder``. root : folder of the biology.
    progress : told of every arm simulated.

    Raises
    ------
    EvidenceError : a file of checks that is wrong or has none, a module or check that does not exist.
    Nothing, where the biology or the engine cannot carry a study out, or the model has not what the checks read from
    it: these checks are outside and say why, and the latter are told as ``faults``, so that all others are still seen.
    """
    began, progress = time.perf_counter(), progress or Silent()
    read = tuple(read_file(path) for path in files) if files else read_checks(folder, names=modules)
    mine = _asked(modules, read)
    asked = modules_of(mine)
    _check_ids(checks, mine, read)
    studies = [entry for file in mine for entry in _studies(file, checks)]
    for check in (check for _, each in studies for check in each):
        published(check, values_of(check))  # what is wrong there is told before the work
    progress.start("simulating studies", sum(len(_arms(each)) for _, each in studies))
    models, uses = Models(root), Uses(root)
    scored: dict[str, Scored] = {}
    digests: set[str] = set()
    faults: list[str] = []
    for plan, each in studies:
        found, wrong = _run(plan, each, models, uses, progress)
        faults += wrong
        scored |= {one.check.id: one for one in found}
        digests |= {one.digest for one in found}
    rows = [scored[c.id] for file in mine for c in file.checks if c.id in scored]
    if not checks:
        rows += [
            left_out(name, file.module, entry.why, f"{file.name}.yaml, not testable")
            for file in mine
            for entry in file.not_testable
            for name in entry.records
        ]
    order = {module: k for k, module in enumerate(asked)}
    texts = [file.text for file in mine]
    return Scoreboard(
        checks=tuple(sorted(rows, key=lambda s: (order[s.module], s.verdict == "not testable"))),
        modules=asked,
        coverage=coverage(read, {m: [file for file in mine if file.module == m] for m in asked}, root=root),
        parts=tuple(file.name for file in mine if file.module not in modules) if modules else (),
        digest=hashlib.sha256("\n".join([__version__, *texts, *sorted(digests)]).encode()).hexdigest(),
        seconds=time.perf_counter() - began,
        faults=tuple(dict.fromkeys(faults)),
    )


def _run(
    plan: StudyPlan, checks: list[Check], models: Models, uses: Uses, progress: Progress
) -> tuple[list[Scored], list[str]]:
    told = 0

    def advance() -> None:
        nonlocal told
        told += 1
        progress.advance()

    progress.note(plan.name)
    try:
        built = models.of(plan)
        study = simulate(plan, checks, built, advance)
    except ExotwinError as error:
        progress.advance(len(_arms(checks)) - told)
        return [broken(check, plan, error) for check in checks], _fault(error, plan.where)
    arms = plan.arms.values()
    used = uses.by(built.model, sources=(arm.source for arm in arms), labels=(arm.label for arm in arms))
    found, faults = [], []
    for check in checks:
        fits = tuple(dict.fromkeys(use for name in check.records for use in used.get(name, ())))
        try:
            found.append(score(check, study, basis="calibrated" if fits else "predicted", fits=fits))
        except ExotwinError as error:
            found.append(broken(check, plan, error))
            faults += _fault(error, check.where)
    return found, faults


def _fault(error: ExotwinError, place: str) -> list[str]:
    """The message of what the user gave, with its place in the file of checks."""
    if not isinstance(error, InputError):
        return []
    file = place.partition(",")[0]
    return [str(error) if error.where.startswith(file) else f"{place}, {error}"]


def _studies(file: CheckFile, ids: Sequence[str]) -> list[tuple[StudyPlan, list[Check]]]:
    """Each study that is needed, with its checks."""
    wanted = [c for c in file.checks if not ids or c.id in ids]
    return [(s, mine) for name, s in file.studies.items() if (mine := [c for c in wanted if c.study == name])]


def _arms(checks: Iterable[Check]) -> set[str]:
    return {arm for check in checks for r in check.readings for arm in (r.arm, r.against) if arm}


def _asked(names: Sequence[str], files: Sequence[CheckFile]) -> tuple[CheckFile, ...]:
    """Files of the named modules, or named themselves; all if no name is given. The core first."""
    modules = modules_of(files)
    parts = [file.name for file in files if file.name not in modules]
    for name in names:
        if name not in (*modules, *parts):
            expected = "one of " + ", ".join(modules) + (f", or a part: {', '.join(parts)}" if parts else "")
            near = nearest(name, (*modules, *parts))
            raise EvidenceError(f'module "{name}"', found="no checks", expected=expected, nearest=near)
    kept = tuple(file for m in modules for file in files if file.module == m and (not names or _named(file, names)))
    if not any(file.checks for file in kept):
        told = ", ".join(f"{file.name}.yaml" for file in kept) or "checks"
        raise EvidenceError(told, found="no check", expected="at least one under checks:")
    return kept


def _named(file: CheckFile, names: Sequence[str]) -> bool:
    return file.module in names or file.name in names


def _check_ids(ids: Sequence[str], mine: Sequence[CheckFile], every: Sequence[CheckFile]) -> None:
    known = [check.id for file in mine for check in file.checks]
    others = {check.id: check.module for file in every for check in file.checks}
    for name in ids:
        if name in known:
            continue
        if name in others:
            expected = "one of " + ", ".join(modules_of(mine))
            raise EvidenceError(f'check "{name}"', found=f"a check of {others[name]}", expected=expected)
        near = nearest(name, known) or next((other for other in known if name in other), None)
        expected = f"one of {len(known)} ids, such as {known[0]}; --json lists them"
        raise EvidenceError(f'check "{name}"', found="no such check", expected=expected, nearest=near)
