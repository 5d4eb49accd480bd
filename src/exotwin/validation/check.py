"""What a check is: a record, a study that is simulated, a number read from it, and how the two are held together.

The files ``checks/*.yaml`` (see `read_checks`) hold, beside ``module`` (whose checks these are) and ``dossiers`` (whose
records of natural history, drug response, therapy response and safety must be accounted for):

``studies`` name -> study, see `StudyPlan`: about, condition, species, modules (a part of the model), combination,
    patients (100), draws (24 joint draws of what is not known; 0: none), seed (1), noise (false), start (0; "run_in"
    begins at the injury), reading (animal | animal untranslated | copies), parameters, and arms: name -> parameters,
    source, label, comparators (name, start, stop, level, schedule), doses (state, amount, at, duration). Times are
    numbers of days or texts such as "25 hour"; an amount is in the unit of the state or, as "1e6 cell/kg", by body
    weight.
``checks`` list, see `Check`: id, record (one or a list), study, kind, sort, observable, observable_zh, unit, readings,
    value, statistic, published, spread, neutral, sign, bound, bound_why, contradicts (a record, or a list, that some
    check holds against the model and that says the opposite: not both can pass), note, miss.
``not testable`` list of record (one or a list) and why.

``readings`` name -> arm, output (any symbol of the model) and at: a time; a list of times, which makes a curve; or
``{from: 0 hour, to: 2 day, points: 200}``. Further keys:

- ``over``: makes one number of the list of times: max, min, mean, sum, area (over days), last, "time of max" (day).
- ``statistic``: makes one number of the population: median, mean, sd, cv, "share above" or "share below" with
  ``than`` (in the unit of the output), or "quantile" with ``than`` as the probability.
- lifetimes, in years, from the outputs ``dead`` and ``age_at_death`` at the time ``at`` (who lives is censored at the
  ``age`` of then): statistic "median life", "mean life", "maximum life" (age that a tenth survive), "doubling time"
  (Gompertz) with ``between: [60 year, 90 year]``, "alive at" with ``than`` (age in years), "hazard ratio" with
  ``against`` (the other arm).

``value`` is a formula over the readings, ``published``, ``spread`` and ``bound`` over the value ``v`` of the record
(``v1``, ``v2`` … of several records) or its text ``context``, for numbers that stand there alone; see
`exotwin.validation.formula`. What is published must come from a record; conversions of units may stand as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SORTS = ("value", "direction", "null")
KINDS = ("natural history", "drug response", "therapy response", "safety", "physical limit")
READINGS = ("animal", "animal untranslated", "copies")
OVER = ("max", "min", "mean", "sum", "area", "last", "time of max")
OF_PEOPLE = ("median", "mean", "sd", "cv", "share above", "share below", "quantile")
OF_LIVES = ("median life", "mean life", "maximum life", "doubling time", "alive at", "hazard ratio")


@dataclass(frozen=True)
class DosePlan:
    """``amount`` of a state, in its own unit if ``unit`` is "", at some days. duration : days; 0 is a bolus."""

    state: str
    amount: float
    unit: str
    at: tuple[float, ...]
    duration: float = 0.0


@dataclass(frozen=True)
class ComparatorPlan:
    """A comparator of the condition from day ``start`` on. stop, level, schedule : None means by default."""

    name: str
    start: float = 0.0
    stop: float | None = None
    level: float | None = None
    schedule: str | None = None


@dataclass(frozen=True)
class ArmPlan:
    """What one arm sets, and what is given to it."""

    name: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    source: str = ""
    label: str = ""
    comparators: tuple[ComparatorPlan, ...] = ()
    doses: tuple[DosePlan, ...] = ()


@dataclass(frozen=True)
class StudyPlan:
    """A study that checks are read from. start : first day of the simulation, or None for the model's run-in.

    where : file and key, for messages. draws : joint draws of what is not known.
    """

    name: str
    where: str
    condition: str
    species: str
    arms: Mapping[str, ArmPlan]
    about: str = ""
    modules: tuple[str, ...] = ()
    combination: str = ""
    patients: int = 100
    draws: int = 24
    seed: int = 1
    noise: bool = False
    start: float | None = 0.0
    reading: str = ""
    parameters: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadingPlan:
    """What is read from an arm: an output at days ``at``. curve : whether ``at`` was a list.

    over, statistic, than, between, against : see this module. between : years.
    """

    name: str
    arm: str
    output: str
    at: tuple[float, ...]
    curve: bool = False
    over: str = ""
    statistic: str = ""
    than: float | None = None
    between: tuple[float, float] | None = None
    against: str = ""


@dataclass(frozen=True)
class SpreadPlan:
    """How sure the published value is, as formulas. Exactly one of se, sd (with n), low (with high), none.

    level : of low and high, per cent. log : whether se, or low and high, belong to the logarithm. none : why there is
    no spread; then a fifth of the effect is the tolerance.
    """

    se: str = ""
    sd: str = ""
    n: str = ""
    low: str = ""
    high: str = ""
    level: float = 95.0
    log: bool = False
    none: str = ""


@dataclass(frozen=True)
class Check:
    """One fact held against one simulated number or curve.

    id : unique over all files. module : whose check it is. records : ids, at least one. study : name in its file.
    kind : one of `KINDS`. sort : one of `SORTS`, "" for what is not testable. observable, observable_zh : for people.
    value : formula over ``readings``. statistic : of the patients' values. published, spread, bound : formulas over the
    record. neutral : what "no effect" is. sign : of a direction. contradicts : checked records that say the opposite.
    miss : the likeliest reason why it fails.
    where : file and id, for messages.
    """

    id: str
    module: str
    records: tuple[str, ...]
    kind: str
    where: str
    study: str = ""
    sort: str = ""
    observable: str = ""
    observable_zh: str = ""
    unit: str = ""
    readings: tuple[ReadingPlan, ...] = ()
    value: str = ""
    statistic: str = "median"
    published: str = ""
    spread: SpreadPlan | None = None
    neutral: float = 0.0
    sign: int = 0
    bound: str = ""
    bound_why: str = ""
    contradicts: tuple[str, ...] = ()
    note: str = ""
    miss: str = ""


@dataclass(frozen=True)
class NotTestable:
    """Records that no simulation of ours can speak to, and why."""

    records: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class CheckFile:
    """One file of checks. name : of the file, without ending. text : as it stands, for the digest."""

    name: str
    module: str
    dossiers: tuple[str, ...]
    studies: Mapping[str, StudyPlan]
    checks: tuple[Check, ...]
    not_testable: tuple[NotTestable, ...]
    text: str = field(default="", repr=False)
