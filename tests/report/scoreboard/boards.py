"""Scoreboards made up: every sort, basis, verdict, curves, numbers without interval, hostile words."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from exotwin.validation import Check, Coverage, Scoreboard, Scored
from exotwin.validation.check import SpreadPlan

HOSTILE = "<script>alert('x')</script> & \"co\" <b>"
RECORDS = ("karin2019-halflife", "lung-half-life", "il6-age-range", "karin2019-burden-ratio")
KINDS = ("natural history", "drug response", "therapy response", "safety", "physical limit")


def value(k: int, deviation: float, *, module: str = "ageing", calibrated: bool = False, **more) -> Scored:
    """A value check this many published standard errors off: published 10 ± 1 hour."""
    simulated = 10 + deviation
    within = abs(deviation) <= 2
    check = Check(
        id=f"{module}-value-{k}",
        module=module,
        records=(RECORDS[k % 4],),
        kind=KINDS[k % 5],
        where=f"{module}.yaml, value-{k}",
        study="life",
        sort="value",
        observable=f"half-life of senescent cells in mice of {k} months",
        unit="hour",
        spread=SpreadPlan(se="1"),
        note="Read from the ratio of two times.",
        miss="" if within else "The removal of cells is taken to be the same at all ages, which is too simple.",
    )
    given = {
        "species": ("mouse", "human")[k % 2],
        "verdict": "within" if within else "outside",
        "basis": "calibrated" if calibrated else "predicted",
        "simulated": simulated,
        "interval": (simulated * 0.7, simulated * 1.35),
        "knowledge": (simulated * 0.9, simulated * 1.1),
        "published": 10.0,
        "published_interval": (8.0, 12.0),
        "deviation": deviation,
        "deviations": (deviation,),
        "tolerance": "± 2 standard errors",
        "fits": ("calibration:senescent-burden-mouse",) if calibrated else (),
        "patients": 100,
        "condition": "poi",
        "digest": "a" * 64,
    }
    return Scored(check=check, **(given | more))


def curve(k: int, *, module: str = "vesicles") -> Scored:
    """A curve over minutes, on a logarithmic axis, one point far off."""
    times = tuple(t / 1440 for t in (2, 5, 10, 15, 30, 60, 120))
    published = tuple(80 * math.exp(-0.05 * t * 1440) + 0.2 for t in times)
    simulated = tuple(1.2 * p for p in published)
    check = Check(
        id=f"{module}-curve-{k}",
        module=module,
        records=("lung-half-life",),
        kind="natural history",
        where="vesicles.yaml, curve",
        study="mouse-iv",
        sort="value",
        observable="vesicles in the blood of mice after a dose by vein",
        unit="dimensionless",
        spread=SpreadPlan(none="no spread was printed"),
        miss="The slow phase is bound to red cells, which the model does not know.",
    )
    return Scored(
        check=check,
        species="mouse",
        verdict="outside",
        basis="predicted",
        simulated=simulated,
        interval=(tuple(0.6 * s for s in simulated), tuple(1.6 * s for s in simulated)),
        knowledge=(tuple(0.8 * s for s in simulated), tuple(1.2 * s for s in simulated)),
        published=published,
        published_interval=(tuple(0.8 * p for p in published), tuple(1.2 * p for p in published)),
        times=times,
        deviation=14.2,
        deviations=(2.0,) * 6 + (14.2,),
        tolerance="± 20 % of the published effect: no spread was printed",
        patients=100,
        condition="poi",
    )


def effect(k: int, sort: str, size: float, *, module: str = "comparators", why: str = "") -> Scored:
    """A direction that should go down, or a null with a bound of 0.1."""
    within = -size >= 0.1 if sort == "direction" else abs(size) < 0.1
    check = Check(
        id=f"{module}-{sort}-{k}",
        module=module,
        records=(RECORDS[k % 4], "mito-trained-null"),
        kind=KINDS[k % 5],
        where="comparators.yaml",
        study="habits",
        sort=sort,
        observable=f"change of IL-6 by exercise, study {k}",
        unit="dimensionless",
        neutral=0.0,
        sign=-1 if sort == "direction" else 0,
        miss="" if within else "Exercise acts on muscle too, which has no state here.",
    )
    return Scored(
        check=check,
        species="human",
        verdict="within" if within else "outside",
        basis="predicted" if k % 3 else "calibrated",
        simulated=size,
        interval=(size - 0.2, size + 0.2),
        knowledge=None,
        published=None if sort == "null" else -0.3,
        published_interval=(-0.1, 0.1) if sort == "null" else None,
        tolerance="down by at least 10% of the untreated value" if sort == "direction" else "less than 0.1 from 0: CI",
        why=why,
        condition="frailty",
    )


def untested(k: int, *, module: str = "ageing", why: str = "transfer of whole bone marrow; no state stands for it"):
    """A fact that no simulation can speak to."""
    check = Check(
        id=f"{module}-untested-{k}",
        module=module,
        records=(RECORDS[k % 4],),
        kind="therapy response",
        where="ageing.yaml",
    )
    return Scored(check=check, species="", verdict="not testable", why=why)


def board(*checks: Scored, unaccounted: tuple[str, ...] = (), seconds: float = 12.5) -> Scoreboard:
    """The scoreboard of these checks."""
    modules = tuple(dict.fromkeys(s.module for s in checks))
    coverage = {
        m: Coverage(
            module=m,
            dossiers=("ageing", "lifestyle"),
            checked=tuple(dict.fromkeys(r for s in checks if s.module == m and s.check.sort for r in s.records)),
            parameter=("karin2019-mouse-params",),
            not_testable=tuple(r for s in checks if s.module == m and not s.check.sort for r in s.records),
            unaccounted=unaccounted if m == modules[0] else (),
        )
        for m in modules
    }
    return Scoreboard(checks=checks, modules=modules, coverage=coverage, digest="0f" * 32, seconds=seconds)


def full(seconds: float = 12.5) -> Scoreboard:
    """A board as large as the core's own."""
    draw = random.Random(3)
    checks = [value(k, draw.gauss(0, 2.2), calibrated=k % 4 == 0) for k in range(26)]
    checks += [value(k, d, module="cells") for k, d in enumerate((-9.0, 0.1, 0.12, 0.15, 3.4, 250.0))]
    checks += [
        curve(1),
        value(1, 0.4, module="vesicles"),
        value(
            2,
            math.nan,
            module="vesicles",
            verdict="outside",
            simulated=math.nan,
            interval=None,
            knowledge=None,
            why="no half-life could be read",
        ),
    ]
    checks += [effect(k, "direction", d) for k, d in enumerate((-0.3, -0.12, 0.05, -0.6, -2.5, -0.3, -0.31))]
    checks += [effect(k, "null", d) for k, d in enumerate((0.01, -0.03, 0.3, 0.02))]
    checks += [untested(k) for k in range(3)]
    return board(*checks, unaccounted=("crp-healthy-decades",), seconds=seconds)


def opposed() -> Scoreboard:
    """A miss that stands against the record of a check that is met, which has a Chinese name, and one beside them."""
    met, missed = value(1, 0.5), value(9, 5.0)
    met = replace(met, check=replace(met.check, records=("lung-half-life",), observable_zh="肺中半衰期"))
    missed = replace(
        missed,
        check=replace(missed.check, records=("il6-age-range",), contradicts=("lung-half-life",)),
        basis="predicted",
    )
    return board(met, missed, effect(1, "direction", -0.4))


def hostile() -> Scoreboard:
    """Words that would break a careless page, wherever words may stand."""
    first = value(1, 0.5)
    check = Check(
        **{
            **{f: getattr(first.check, f) for f in first.check.__dataclass_fields__},
            "observable": HOSTILE,
            "note": HOSTILE,
            "unit": HOSTILE,
            "study": HOSTILE,
            "miss": HOSTILE,
            "records": ("no-such-record", "lung-half-life"),
        }
    )
    bad = value(1, 3.0)
    bad = Scored(
        **{
            **{f: getattr(bad, f) for f in bad.__dataclass_fields__},
            "check": check,
            "tolerance": HOSTILE,
            "condition": HOSTILE,
            "fits": (HOSTILE,),
            "why": HOSTILE,
        }
    )
    return board(bad, untested(1, why=HOSTILE))
