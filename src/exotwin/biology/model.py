"""What the room hands out: one assembled model with everything a trial needs to know about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

from exotwin.biology.parameters import BASES, Parameter


@dataclass(frozen=True)
class Observable:
    """A quantity as the clinic, or the pharmacologist, calls it.

    id : name in results, "fsh". symbol : id in the model that holds it.
    label, label_zh : English and Chinese name. unit : as in the model.
    normal : range in healthy adults in ``unit``, or None. log : whether a plot should be logarithmic.
    record : ids of the evidence records behind the normal range, "" if none.
    """

    id: str
    symbol: str
    label: str
    label_zh: str
    unit: str
    normal: tuple[float, float] | None = None
    log: bool = False
    record: str = ""


@dataclass(frozen=True)
class DoseInput:
    """Where a dose of a product by a route goes in: a state of the model, and the unit of the amount."""

    state: str
    unit: str
    label: str = ""
    label_zh: str = ""


@dataclass(frozen=True)
class Criterion:
    """Condition on an observable or a parameter at enrolment: id, rule, value, unit, such as fsh > 25 IU/L.

    symbol : id in the model. rule : "<", "<=", ">" or ">=". record : evidence behind it.
    label, label_zh : name of the quantity ("FSH"), to be read with rule, value and unit behind it.
    """

    id: str
    symbol: str
    rule: str
    value: float
    unit: str
    record: str
    label: str = ""
    label_zh: str = ""


@dataclass(frozen=True)
class EndpointRule:
    """A standard endpoint: an observable at some days after enrolment.

    kind : "value" | "change" (from enrolment) | "ratio" (to enrolment) | "share" (of patients with observable >=
    ``threshold``). better : "higher" or "lower". days : times of reading.
    """

    id: str
    observable: str
    days: tuple[float, ...]
    kind: str
    better: str
    label: str
    label_zh: str
    unit: str
    threshold: float | None = None
    record: str = ""


@dataclass(frozen=True)
class Noise:
    """Intrinsic noise of a state: d(state) = … dt + sqrt(2 strength) dW, the strength per day.

    state, strength : ids in the model. interval : id of the number of days between the kicks that stand for dW.
    switch : state that is 0 where the noise does not run and is raised to 1 before the first kick, for equations that
        differ with it; "" if none do.
    """

    state: str
    strength: str
    interval: str
    switch: str = ""


@dataclass(frozen=True)
class Comparator:
    """A habit or a drug that an arm of any study can add: exercise, diet, rapamycin, a senolytic.

    state : what it moves in the model, in ``unit``. kind : "held" (the state is raised by ``level`` while it lasts) or
    "course" (doses of ``level`` on the days of ``schedule``). schedule : as a study writes it. records : evidence.
    """

    name: str
    label: str
    label_zh: str
    state: str
    unit: str
    kind: str
    level: float
    schedule: str = ""
    records: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True)
class Model:
    """A condition in one species, assembled. Mappings are by id; time is in days, 0 is enrolment.

    antimony, sbml : the same model as readable text and as SBML Level 3 Version 2. digest : sha256 of ``sbml``.
    processes : ids of the rate multipliers, exactly 1 without therapy.
    mediators : miRNA name -> id in the model. run_in : days simulated before enrolment.
    files : the module and table files it was joined from, relative to the package.
    target : the tissue that the therapy is meant for; tissues : all that are followed, target included.
    noises : intrinsic noise, where the page switches it on, and of any part; the document itself has none.
    comparators : habits and drugs that an arm can add.
    sources : tissue that cells come from -> the numbers that then take the place of the model's own.
    labels : what vesicles are labelled with -> likewise; empty without the module label.
    """

    condition: str
    species: str
    title: str
    antimony: str = field(repr=False)
    sbml: str = field(repr=False)
    digest: str
    parameters: Mapping[str, Parameter] = field(repr=False)
    observables: Mapping[str, Observable] = field(repr=False)
    processes: tuple[str, ...]
    mediators: Mapping[str, str]
    dosing: Mapping[tuple[str, str], DoseInput] = field(repr=False)
    exposures: Mapping[str, Observable] = field(repr=False)
    run_in: float
    inclusion: tuple[Criterion, ...] = field(repr=False)
    endpoints: tuple[EndpointRule, ...] = field(repr=False)
    title_zh: str = ""
    states: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    target: str = ""
    tissues: tuple[str, ...] = ()
    noises: tuple[Noise, ...] = ()
    comparators: Mapping[str, Comparator] = field(default_factory=dict, repr=False)
    sources: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict, repr=False)
    labels: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict, repr=False)

    @cached_property
    def bases(self) -> Mapping[str, int]:
        """How many parameters are measured, derived, fitted, assumed, or input of the study."""
        counted = Counter(p.basis for p in self.parameters.values())
        return {basis: counted[basis] for basis in BASES}

    def summary(self) -> str:
        """A few lines: size, sources of the numbers, what can be dosed and read."""
        levels = Counter(p.level for p in self.parameters.values())
        routes = ", ".join(f"{product} {route}" for product, route in self.dosing)
        return "\n".join(
            [
                f"{self.title} ({self.condition}, {self.species})  sha256 {self.digest[:12]}",
                f"  states      {len(self.states)}",
                f"  parameters  {len(self.parameters)}: " + ", ".join(f"{n} {b}" for b, n in self.bases.items() if n),
                f"  spread      {levels['patient']} between patients, {levels['knowledge']} in knowledge",
                f"  processes   {', '.join(self.processes)}",
                f"  mediators   {', '.join(self.mediators)}",
                f"  doses       {routes}",
                f"  observables {', '.join(self.observables)}",
            ]
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(p.name)}</td><td style='text-align:right'>{p.value:.4g}</td><td>{escape(p.unit)}</td>"
            f"<td>{escape(p.spread.text)}</td><td>{p.level}</td><td>{p.basis}</td>"
            f"<td>{escape(' '.join(p.records))}</td><td>{escape(p.note)}</td></tr>"
            for p in self.parameters.values()
        )
        head = "".join(
            f"<th>{h}</th>" for h in ("parameter", "value", "unit", "spread", "level", "basis", "records", "note")
        )
        return (
            f"<pre>{escape(self.summary())}</pre><details><summary>parameters</summary>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
        )
