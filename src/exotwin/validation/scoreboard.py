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
from exotwin.validation.score import broken, left_out, score
from exotwin.validation.scored import Scoreboard, Scored
from exotwin.validation.study import Models, simulate

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
    modules : all that have checks, if none is named. checks : ids; of the modules' checks these alone are run.
    files : files of checks to run instead of those in ``folder``. root : folder of the biology.
    progress : told of every arm simulated.

    Raises
    ------
    EvidenceError : a file of checks that is wrong, a module or check that does not exist.
    Nothing, where the biology or the engine cannot carry a study out, or the model has not what the checks read from
    it: these checks are outside and say why, and the latter are told as ``faults``, so that all others are still seen.
    """
    began, progress = time.perf_counter(), progress or Silent()
    read = tuple(read_file(path) for path in files) if files else read_checks(folder, modules=modules)
    known = modules_of(read)
    for name in modules:
        if name not in known:
            raise EvidenceError(
                f'module "{name}"',
                found="no checks",
                expected="one of " + ", ".join(known),
                nearest=nearest(name, known),
            )
    asked = tuple(m for m in known if m in modules) or known
    mine = [file for module in asked for file in read if file.module == module]
    _check_ids(checks, mine)
    studies = [(file, *entry) for file in mine for entry in _studies(file, checks)]
    progress.start("simulating studies", sum(len(_arms(each)) for _, _, each in studies))
    models, uses = Models(root), Uses(root)
    scored: dict[str, Scored] = {}
    digests: set[str] = set()
    faults: list[str] = []
    for _, plan, each in studies:
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
        coverage=coverage(read, asked, root=root),
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
        return [broken(check, plan, error) for check in checks], _fault(error)
    used = uses.by(built.model, (arm.source for arm in plan.arms.values() if arm.source))
    found, faults = [], []
    for check in checks:
        fits = tuple(dict.fromkeys(use for name in check.records for use in used.get(name, ())))
        try:
            found.append(score(check, study, basis="calibrated" if fits else "predicted", fits=fits))
        except ExotwinError as error:
            found.append(broken(check, plan, error))
            faults += _fault(error)
    return found, faults


def _fault(error: ExotwinError) -> list[str]:
    return [str(error)] if isinstance(error, InputError) else []


def _studies(file: CheckFile, ids: Sequence[str]) -> list[tuple[StudyPlan, list[Check]]]:
    """Each study that is needed, with its checks."""
    wanted = [c for c in file.checks if not ids or c.id in ids]
    return [(s, mine) for name, s in file.studies.items() if (mine := [c for c in wanted if c.study == name])]


def _arms(checks: Iterable[Check]) -> set[str]:
    return {arm for check in checks for r in check.readings for arm in (r.arm, r.against) if arm}


def _check_ids(ids: Sequence[str], files: Iterable[CheckFile]) -> None:
    known = [check.id for file in files for check in file.checks]
    for name in ids:
        if name not in known:
            raise EvidenceError(
                f'check "{name}"', found="no such check", expected="the id of a check", nearest=nearest(name, known)
            )
