"""A condition whose course can be written down by hand: a drug that leaves, lives that end at an age."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from exotwin.biology import SHIPPED
from exotwin.validation.check import CheckFile
from exotwin.validation.read import read_file

# A file of checks that uses each part of the schema.
WHOLE = """
module: toy
dossiers: [ageing]
studies:
  one-dose:
    about: a drug that leaves
    condition: tiny
    species: mouse
    modules: [tiny]
    patients: 40
    draws: 8
    start: -1 day
    arms:
      control: {}
      treated:
        doses: [{state: drug, amount: 100, at: 0 day}]
      heavy:
        parameters: {body_weight: 40 g}
        doses: [{state: drug, amount: 5e3 particle/kg, at: [0 hour, 24 hour]}]
  lives:
    condition: tiny
    species: mouse
    modules: [tiny]
    patients: 200
    draws: 0
    arms:
      control: {}
      long: {parameters: {lifespan: 3 year}}
checks:
- id: half-life
  record: karin2019-halflife
  study: one-dose
  kind: natural-history
  sort: value
  observable: half-life of the drug
  unit: day
  readings:
    early: {arm: treated, output: drug, at: 1 day}
    late: {arm: treated, output: drug, at: 2 day}
  value: "log(2) / log(early / late)"
  published: "v[0][1]"
  spread: {none: no spread for the young}
  miss: the drug leaves sooner
- id: falls
  record: [karin2019-halflife, sr-mouse-ml]
  study: one-dose
  kind: drug response
  sort: direction
  observable: drug after two days
  unit: dimensionless
  readings:
    early: {arm: treated, output: drug, at: 0}
    late: {arm: treated, output: drug, at: 48 hour}
  value: late / early - 1
  sign: -1
- id: nothing-without
  record: karin2019-burden-ratio
  study: one-dose
  kind: safety
  sort: "null"
  observable: drug in the untreated
  unit: particle
  readings:
    untreated: {arm: control, output: drug, at: [1, 2, 3]}
  value: untreated
  bound: "0.1"
  bound_why: nothing was given
- id: life
  record: karin2019-halflife
  study: lives
  kind: natural history
  sort: value
  observable: median life
  unit: year
  readings:
    middle: {arm: control, at: 4 year, statistic: median life}
  value: middle
  published: "v[0][1] - 3"
  spread: {interval: ["v[0][1] - 3.2", "v[0][1] - 2.8"]}
not testable:
- {record: bmt-partial-null, why: nothing stands for marrow}
"""

_PAGE = """
title = "Tiny condition"
title_zh = "示例"
species = ["mouse"]
target = "ovary"
modules = []
processes = []
mediators = []
run_in_days = 10
observables = {}
"""
_MODULE = """// A drug that leaves, an effect of it, and lives.
model tiny
  substanceOnly species drug in body;  drug = 0;  drug has particle;
  leaving: drug => ; loss * drug;
  effect := gain * drug;                                        effect has particle;
  age := age_start + time / 365.25 day_per_year;                age has year;
  age_at_death := lifespan;                                     age_at_death has year;
  dead := piecewise(1, age >= lifespan, 0);                     dead has dimensionless;
  weighed := body_weight * body_weight_reference / body_weight_reference;  weighed has kg;
end
"""
_TABLE = """name, value, unit, spread, distribution, level, species, basis, record, spread_record, note
loss, 0.5, 1/day, cv 0.3, lognormal, patient, all, measured, karin2019-halflife, , toy
gain, 2, dimensionless, range 1 4, loguniform, knowledge, all, assumed, , , toy
lifespan, 2, year, sd 0.2, normal, patient, all, assumed, , , toy
age_start, 0.5, year, , fixed, fixed, all, input, sr-mouse-ml, , toy
body_weight, 0.02, kg, , fixed, fixed, all, assumed, , , toy
body_weight_reference, 0.02, kg, , fixed, fixed, all, assumed, , , toy
"""


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a biology with the one condition "tiny" (mouse)."""
    root = tmp_path_factory.mktemp("tiny") / "biology"
    shutil.copytree(SHIPPED / "species", root / "species")
    (root / "modules").mkdir()
    for table in ("sources.csv", "labels.csv"):
        shutil.copy(SHIPPED / "modules" / table, root / "modules")
    (root / "conditions").mkdir()
    for ending, text in (("toml", _PAGE), ("ant", _MODULE), ("csv", _TABLE)):
        (root / "conditions" / f"tiny.{ending}").write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write `WHOLE` with changes (old, new), each of which must meet exactly one place."""

    def write(*changes: tuple[str, str]) -> Path:
        text = WHOLE
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "toy.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(written: Callable[..., Path]) -> Callable[..., CheckFile]:
    """The same, read."""
    return lambda *changes: read_file(written(*changes))
