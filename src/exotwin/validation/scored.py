"""What the room hands out: each check with what was simulated, and counts that hide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from exotwin.validation.check import SORTS, Check

WITHIN, OUTSIDE, NOT_TESTABLE = "within", "outside", "not testable"
BASES = ("predicted", "calibrated")

_IDLE = 1e-6

Number = float | tuple[float, ...]
"""A value, or the points of a curve."""


@dataclass(frozen=True)
class Scored:
    """A check and what became of it. Numbers are in ``check.unit``; of a curve they are tuples, one number a time.

    simulated : of the population, None where nothing could be simulated. interval : 2.5 to 97.5 % of the patients, None
    where the check reads the population as a whole. knowledge : the same of ``simulated`` over joint draws of what is
    not known. published, published_interval : the record's; the interval is what counts as within (value), or the
    bound around neutral (null). times : days of a curve, else (). deviation : in published standard errors, of a curve
    that of the farthest point; in tenths of the effect where nothing was published; None for direction and null.
    verdict : "within", "outside", "not testable". basis : "calibrated", "predicted", "" for what is not testable.
    fits : what makes it calibrated. tolerance : in words. why : the reason of "not testable", or what went wrong.
    patients, failed : how many were simulated, and of how many nothing could be read. digest : of the model.
    readings : median of each reading over the patients.
    """

    check: Check
    species: str
    verdict: str
    basis: str = ""
    simulated: Number | None = None
    interval: tuple[Number, Number] | None = None
    knowledge: tuple[Number, Number] | None = None
    published: Number | None = None
    published_interval: tuple[Number, Number] | None = None
    times: tuple[float, ...] = ()
    deviation: float | None = None
    deviations: tuple[float, ...] = ()
    tolerance: str = ""
    why: str = ""
    fits: tuple[str, ...] = ()
    patients: int = 0
    failed: int = 0
    condition: str = ""
    digest: str = ""
    readings: Mapping[str, Number] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether a null passes because hardly anything reaches it: an effect under a millionth of its bound."""
        if self.check.sort != "null" or self.verdict != WITHIN or self.published_interval is None:
            return False
        assert self.simulated is not None
        high = np.max(np.asarray(self.published_interval[1])) - self.check.neutral
        return bool(np.max(np.abs(np.asarray(self.simulated) - self.check.neutral)) < _IDLE * high)

    @property
    def records(self) -> tuple[str, ...]:
        """Ids of the records."""
        return self.check.records

    @property
    def module(self) -> str:
        """Whose check it is."""
        return self.check.module

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        check = self.check
        return {
            "id": check.id,
            "record": check.records[0],
            "module": check.module,
            "species": self.species,
            "kind": check.kind,
            "sort": check.sort or None,
            "basis": self.basis or None,
            "observable": check.observable,
            "unit": check.unit,
            "simulated": self.simulated,
            "published": self.published,
            "deviation": self.deviation,
            "verdict": self.verdict,
            "simulated_interval": self.interval,
            "knowledge_interval": self.knowledge,
            "published_interval": self.published_interval,
            "times": self.times or None,
            "deviations": self.deviations or None,
            "tolerance": self.tolerance,
            "neutral": check.neutral,
            "statistic": check.statistic,
            "study": check.study,
            "condition": self.condition,
            "records": check.records,
            "contradicts": check.contradicts,
            "readings": self.readings,
            "fits": self.fits,
            "patients": self.patients,
            "failed": self.failed,
            "note": check.note,
            "miss": check.miss,
            "why": self.why,
        }


@dataclass(frozen=True)
class Count:
    """Of checks of one module, sort and basis: how many there are and how many are within."""

    n: int
    within: int

    @property
    def share(self) -> float:
        """Within of all; NaN of none."""
        return self.within / self.n if self.n else float("nan")


@dataclass(frozen=True)
class Coverage:
    """The records of a module's dossiers that must be accounted for, each in exactly one tuple of ids."""

    module: str
    dossiers: tuple[str, ...]
    checked: tuple[str, ...]
    parameter: tuple[str, ...]
    not_testable: tuple[str, ...]
    unaccounted: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.checked) + len(self.parameter) + len(self.not_testable) + len(self.unaccounted)


@dataclass(frozen=True)
class Contradiction:
    """A check that stands against a record, and the checks of that record."""

    one: Scored
    record: str
    others: tuple[Scored, ...]

    @property
    def met(self) -> tuple[str, ...]:
        """Records of the two sides that the model meets, of the other side in any of its checks."""
        mine = (self.one.records[0],) if self.one.verdict == WITHIN else ()
        return mine + ((self.record,) if any(s.verdict == WITHIN for s in self.others) else ())


@dataclass(frozen=True)
class Scoreboard:
    """All checks of some modules.

    digest : sha256 over files of checks and models. seconds : what it took. faults : what is wrong in files of checks
    that read well, found as their studies began: names that the model does not have, formulas that do not resolve.
    parts : files of checks that stand for their modules, where only parts of these were asked for.
    """

    checks: tuple[Scored, ...]
    modules: tuple[str, ...]
    coverage: Mapping[str, Coverage] = field(repr=False)
    digest: str
    seconds: float
    faults: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def tested(self) -> tuple[Scored, ...]:
        """Those with a verdict of within or outside."""
        return tuple(s for s in self.checks if s.verdict != NOT_TESTABLE)

    def of(self, module: str) -> tuple[Scored, ...]:
        """The checks of a module, those that are not testable last."""
        return tuple(s for s in self.checks if s.module == module)

    def count(self, *, module: str = "", sort: str = "", basis: str = "", kind: str = "") -> Count:
        """Checks with a verdict; each key narrows them, "" does not."""
        kept = [
            s
            for s in self.tested
            if module in ("", s.module)
            and sort in ("", s.check.sort)
            and basis in ("", s.basis)
            and kind in ("", s.check.kind)
        ]
        return Count(len(kept), sum(s.verdict == WITHIN for s in kept))

    @property
    def unexplained(self) -> tuple[str, ...]:
        """Ids of checks that fail and do not say why."""
        return tuple(s.check.id for s in self.tested if s.verdict == OUTSIDE and not s.check.miss)

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """Every check that stands against a record which others here hold against the model, in the checks' order; two
        that stand against each other count once."""
        found: list[Contradiction] = []
        for one in self.tested:
            for name in one.check.contradicts:
                others = tuple(s for s in self.tested if s is not one and name in s.records)
                told = [each.one for each in found if one in each.others]
                if any(other not in told for other in others):
                    found.append(Contradiction(one, name, others))
        return tuple(found)

    @property
    def sided(self) -> tuple[Scored, ...]:
        """Checks that fail and stand against the record of a check that passes: the model took the other side."""
        met = {name for s in self.tested if s.verdict == WITHIN for name in s.records}
        return tuple(s for s in self.tested if s.verdict == OUTSIDE and met & set(s.check.contradicts))

    @property
    def idle(self) -> tuple[Scored, ...]:
        """Nulls that pass because hardly anything reaches them, see `Scored.idle`."""
        return tuple(s for s in self.tested if s.idle)

    @property
    def apart(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What the shares alone do not tell, as sentences without their full stop -> the checks that each counts."""
        told = []
        for (sort, basis), ids in _groups(self.sided).items():
            count = self.count(sort=sort, basis=basis)
            stand = "stands" if len(ids) == 1 else "stand"
            of = f"{len(ids)} of the {count.n - count.within} {basis} {sort}s that fail"
            told.append((f"{of} {stand} against another record with which the model sides", ids))
        for (sort, basis), ids in _groups(self.idle).items():
            of = f"{len(ids)} of the {self.count(sort=sort, basis=basis).within} {basis} {sort}s within"
            told.append((f"{of} pass because nothing reaches them: the effect is under a millionth of the bound", ids))
        return tuple(told)

    def summary(self) -> dict[str, Any]:
        """Counts as JSON has them: over all and by module, by sort and basis; coverage; what failed."""
        return {
            "digest": self.digest,
            "all": self._counts(""),
            "modules": {module: self._counts(module) for module in self.modules},
            "coverage": {module: _covered(one) for module, one in self.coverage.items()},
            "unexplained": self.unexplained,
            "sided": _nested(self.sided),
            "contradictions": [
                {"check": c.one.check.id, "record": c.record, "checks": [s.check.id for s in c.others], "met": c.met}
                for c in self.contradictions
            ],
            "idle": _nested(self.idle),
            "faults": self.faults,
            "failed_patients": sum(s.failed for s in self.tested),
        }

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the same bits on every run, so the time it took stays out."""
        return {"checks": [s.as_dict() for s in self.checks], "summary": self.summary()}

    def _counts(self, module: str) -> dict[str, Any]:
        rows = {
            sort: {basis: _told(self.count(module=module, sort=sort, basis=basis)) for basis in BASES} for sort in SORTS
        }
        mine = self.of(module) if module else self.checks
        return {
            "checks": _told(self.count(module=module)),
            "not_testable": sum(s.verdict == NOT_TESTABLE for s in mine),
            "kinds": {kind: _told(self.count(module=module, kind=kind)) for kind in _kinds(mine)},
            **rows,
        }


def _groups(found: tuple[Scored, ...]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(sort, basis) -> ids, the predicted first."""
    keys = sorted({(s.check.sort, s.basis) for s in found}, key=lambda key: (BASES.index(key[1]), SORTS.index(key[0])))
    return {key: tuple(s.check.id for s in found if (s.check.sort, s.basis) == key) for key in keys}


def _nested(found: tuple[Scored, ...]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Ids by sort and basis."""
    told: dict[str, dict[str, tuple[str, ...]]] = {}
    for (sort, basis), ids in _groups(found).items():
        told.setdefault(sort, {})[basis] = ids
    return told


def _kinds(checks: Iterable[Scored]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s.check.kind for s in checks if s.verdict != NOT_TESTABLE))


def _told(count: Count) -> dict[str, Any]:
    return {"n": count.n, "within": count.within, "share": count.share if count.n else None}


def _covered(one: Coverage) -> dict[str, Any]:
    return {
        "dossiers": one.dossiers,
        "records": one.n,
        "checked": len(one.checked),
        "parameter": len(one.parameter),
        "not_testable": len(one.not_testable),
        "unaccounted": one.unaccounted,
    }
