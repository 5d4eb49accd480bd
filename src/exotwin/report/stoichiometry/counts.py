"""From a dose of a product's vesicles to copies in a recipient cell, with everything that is not known drawn at once.

The way is the model's own (physiology, vesicles, uptake): particles given → taken up by the target's cells → not
recycled → opened → copies in the cytosol, less their decay. A protein that acts from outside is there as soon as its
vesicle meets the cell, and need not be opened. Repeated doses add up, one a day; that holds as long as a
dose does not saturate the way, which only makes less of it arrive. The dose needed is the dose times what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from exotwin.biology import Model, Spread, assemble
from exotwin.errors import ReportError, nearest
from exotwin.mechanism import (
    Mechanism,
    PlainVerdict,
    Site,
    edges,
    mechanism_of,
    plain_verdict,
    proteins_of,
    proteins_unmeasured,
    sites,
)
from exotwin.mechanism.plausibility import OWN_SUPPLY
from exotwin.units import parse_amount

if TYPE_CHECKING:
    from exotwin.product import Product

Floats = npt.NDArray[np.float64]

MODULES = ("physiology", "vesicles", "uptake")
DAYS = 28
"""Doses of the repeated course, one a day; registered trials give up to 20 (add-ev-human-dose-schedules)."""
_A_DAY = 8  # readings a day of what repeated doses add up to
_POWER = 10  # 2^10 draws
_LARGEST_DOSE = 1e20  # particles: beyond it lie slips of the exponent


@dataclass(frozen=True)
class Range:
    """Median and 95 % limits over the draws."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, draws: Floats) -> Range:
        """Of draws (draw,)."""
        low, median, high = np.quantile(draws, [0.025, 0.5, 0.975])
        return cls(float(median), float(low), float(high))


@dataclass(frozen=True)
class Count:
    """One mediator. All numbers are copies per recipient cell unless said otherwise.

    site : where a protein acts; None of a miRNA, which acts inside. per_vesicle : copies in a vesicle by the product's
    table; of a protein, those where it can act. delivered : highest number of added copies after one dose. repeated :
    the same after `DAYS` daily doses. needed : added copies from which on repression is seen; of a protein, those that
    take half of what the cell leaves of its activity, its own and the level of half activity together. own : what the
    cell holds itself. reaching, reaching_repeated : share of draws in which they suffice. dose_needed : particles at
    once. times_short : needed over delivered. below_own : own over delivered. own_minutes : in which a cell makes as
    many of an abundant miRNA, at the median; NaN of a protein. half_life : days.
    """

    mediator: str
    site: Site | None
    per_vesicle: Range
    delivered: Range
    repeated: Range
    needed: Range
    own: Range
    half_life: Range
    reaching: float
    reaching_repeated: float
    dose_needed: Range
    times_short: Range
    below_own: Range
    own_minutes: float
    verdict: PlainVerdict


@dataclass(frozen=True)
class Reading:
    """What the dose does to a process at its highest, by either reading: ln of the multiplier, at middle values."""

    process: str
    animal: float
    copies: float

    @property
    def ratio(self) -> float:
        """Of the two, copies over animal; NaN where animals show nothing."""
        return self.copies / self.animal if self.animal else float("nan")


@dataclass(frozen=True)
class Stoichiometry:
    """Copies delivered against copies needed, for one product, dose and route.

    dose : particles. steps : name -> what is left at it of the way from the dose to the cell. doubt : for the first
    miRNA, what is not known -> half its 95 % interval in decades. unmeasured : mediators of the condition that the
    product's tables do not hold: no statement, not zero. notes : what is to be said of the cargo. fluid : protein that
    lies beside the vesicles -> its highest concentration in plasma in pmol/L, had all of it been given with them.
    """

    product: str
    condition: str
    title: str
    species: str
    route: str
    target: str
    dose: float
    counts: tuple[Count, ...]
    readings: tuple[Reading, ...]
    steps: Mapping[str, Range]
    doubt: Mapping[str, float]
    unmeasured: tuple[str, ...]
    notes: tuple[str, ...]
    fluid: Mapping[str, float]
    draws: int
    seed: int

    @property
    def verdict(self) -> PlainVerdict:
        """That of the mediator that comes nearest."""
        order: tuple[PlainVerdict, ...] = ("plausible", "only with accumulation", "implausible at this dose")
        return next((v for v in order if any(c.verdict == v for c in self.counts)), "nothing measured")

    @property
    def nearest(self) -> Count | None:
        """The mediator that comes nearest to what is needed."""
        return min(self.counts, key=lambda c: c.times_short.median, default=None)


def stoichiometry(
    product: Product,
    *,
    dose: str | None = None,
    route: str = "intravenous",
    condition: str = "poi",
    species: str = "human",
    seed: int = 1,
) -> Stoichiometry:
    """Count copies of each mediator of a condition in a recipient cell of its target tissue.

    Parameters
    ----------
    dose : such as "1e11 particles", "2e9 particles/kg" or "0.5 mL"; None: the whole vial.
    route : one by which the condition takes vesicles.
    seed : of the 1024 draws.

    Raises
    ------
    ReportError : a product without vesicles or without a table of their cargo, a route that the condition does not
        have, an amount that is none. BiologyError : a condition or species that does not exist.

    Sources : copies-per-exosome, mirna-outside-vesicles, lnp-recycling-70pct, ev-fusion-very-low, mirna-threshold-cell,
        mirna-halflife-kingston, as in the tables of uptake and of the product.
    """
    from exotwin.engine import Dose, load

    model = assemble(condition, species)
    lot = product.vesicles
    if lot is None or (lot.cargo is None and lot.proteins is None):
        lacks = "vesicles" if lot is None else "a table of the vesicles' cargo"
        raise ReportError(f"stoichiometry of {product.name}", found=f"no {lacks}", expected="a product with both")
    state = _state(model, route)
    particles = _particles(product, dose, model)
    proteins = proteins_of([product], model.processes)
    if proteins:
        model = assemble(condition, species, proteins=proteins)
    mechanism = mechanism_of(product, model.mediators, model.processes)
    joined = (*MODULES, "proteins") if proteins else MODULES
    part = assemble(condition, species, modules=joined, proteins=proteins)
    drawn = _drawn(part, mechanism, seed)
    times = np.unique(np.concatenate([np.geomspace(1e-3, 1, 40), np.arange(0, DAYS * _A_DAY + 1) / _A_DAY]))
    symbols = {m: f"copies_{part.mediators[m]}" for m in mechanism.copies_per_vesicle}
    given: dict[Any, Any] = {**drawn}  # as the engine's door wants its keys
    run = load(part.sbml).simulate(
        times, parameters=given, doses=[Dose(state, 0.0, particles)], outputs=["opened", *symbols.values()]
    )
    taken = np.trapezoid(run["opened"].values, times, axis=1) / _opening(drawn)
    counts = tuple(
        _count(m, run[symbol].values, times, drawn, part.mediators[m], particles) for m, symbol in symbols.items()
    )
    of_rna = next((c.mediator for c in counts if c.site is None), None)
    return Stoichiometry(
        product=product.name,
        condition=condition,
        title=model.title,
        species=species,
        route=route,
        target=model.target,
        dose=particles,
        counts=counts,
        readings=_readings(model, mechanism, state, particles),
        steps=_steps(part, drawn, taken, particles, model.target),
        doubt=_doubt(drawn, taken, run[symbols[of_rna]].values, part, of_rna) if of_rna else {},
        unmeasured=(*mechanism.unmeasured, *proteins_unmeasured(product, model.processes)),
        notes=mechanism.remarks,
        fluid=_fluid(product, model, particles),
        draws=2**_POWER,
        seed=seed,
    )


def _state(model: Model, route: str) -> str:
    routes = {r: where.state for (form, r), where in model.dosing.items() if form == "vesicles"}
    if route not in routes:
        raise ReportError(
            "stoichiometry, route",
            found=f'"{route}"',
            expected=f"for vesicles in {model.condition} one of " + ", ".join(f'"{r}"' for r in routes),
            nearest=nearest(route, routes),
        )
    return routes[route]


def _particles(product: Product, dose: str | None, model: Model) -> float:
    lot = product.vesicles
    assert lot is not None
    if dose is None:
        if lot.volume_mL is None:
            where, expected = f"stoichiometry of {product.name}, dose", 'an amount such as "1e11 particles"'
            raise ReportError(where, found="none, and a vial whose volume is not known", expected=expected)
        return lot.volume_mL * lot.particles_per_mL.value
    kinds = {"particle": "particle", "particle/kg": "particle/kg", "mL": "mL"}
    amount, kind = parse_amount(dose, where="dose", kinds=kinds, example="1e11 particles", error=ReportError)
    if amount <= 0:
        raise ReportError("dose", found=f'"{dose}"', expected='an amount above zero, such as "1e11 particles"')
    each = {"particle": 1.0, "particle/kg": model.parameters["body_weight"].value, "mL": lot.particles_per_mL.value}
    if amount * each[kind] > _LARGEST_DOSE:
        raise ReportError("dose", found=f'"{dose}"', expected=f"at most {_LARGEST_DOSE:.0e} particles")
    return amount * each[kind]


def _drawn(part: Model, mechanism: Mechanism, seed: int) -> Mapping[str, Floats]:
    """Everything that differs or is not known, by id of the model (draw,)."""
    from scipy.stats import qmc

    spreads = {p.name: p.spread for p in part.parameters.values() if p.level != "fixed"}
    for mediator, copies in mechanism.copies_per_vesicle.items():
        name, width = f"copies_per_vesicle_{part.mediators[mediator]}", copies.log10_sd * np.log(10)
        spreads[name] = Spread("lognormal", copies.copies_per_vesicle, width)
    points = qmc.Sobol(len(spreads), seed=seed).random_base2(_POWER)
    return {name: spread.quantile(points[:, k]) for k, (name, spread) in enumerate(spreads.items())}


def _opening(drawn: Mapping[str, Floats]) -> Floats:
    return (1 - drawn["recycled_share"]) * drawn["endosomal_escape"]


def _count(
    mediator: str, copies: Floats, times: Floats, drawn: Mapping[str, Floats], symbol: str, particles: float
) -> Count:
    one = np.maximum(copies.max(axis=1), np.finfo(float).tiny)
    daily = copies[:, np.isin(times, np.arange(DAYS * _A_DAY) / _A_DAY)].reshape(len(copies), DAYS, _A_DAY)
    repeated = np.maximum(daily.sum(axis=1).max(axis=1), one)
    site = sites().get(mediator)
    if site is None:
        needed, own = drawn["repression_threshold"], drawn[f"own_copies_{symbol}"]
    else:
        half = drawn[f"half_copies_{symbol}"]
        own = half * drawn[f"own_over_half_{symbol}"]
        needed = own + half
    return Count(
        mediator=mediator,
        site=site,
        per_vesicle=Range.of(drawn[f"copies_per_vesicle_{symbol}"]),
        delivered=Range.of(one),
        repeated=Range.of(repeated),
        needed=Range.of(needed),
        own=Range.of(own),
        half_life=Range.of(drawn["protein_half_life" if site == "inside" else f"half_life_{symbol}"]),
        reaching=float(np.mean(one >= needed)),
        reaching_repeated=float(np.mean(repeated >= needed)),
        dose_needed=Range.of(particles * needed / one),
        times_short=Range.of(needed / one),
        below_own=Range.of(own / one),
        own_minutes=float(np.median(one)) / OWN_SUPPLY if site is None else float("nan"),
        verdict=plain_verdict(float(np.median(one / needed)), float(np.median(repeated / needed))),
    )


def _steps(part: Model, drawn: Mapping[str, Floats], taken: Floats, particles: float, target: str) -> dict[str, Range]:
    """What is left of the dose at each step."""
    grams = part.parameters[f"{target}_cells_per_g"], part.parameters[f"{target}_mass_reference"]
    size = [drawn.get(p.name, np.full(len(taken), p.value)) for p in grams]
    cells = size[0] * size[1] * drawn.get("body_weight", 1.0) / part.parameters["body_weight_reference"].value
    stays = taken * (1 - drawn["recycled_share"])
    return {
        "particles given": Range(particles, particles, particles),
        "taken up by all cells of the target": Range.of(taken * cells),
        "taken up by one cell": Range.of(taken),
        "of these, not put out again": Range.of(stays),
        "of these, opened into the cytosol": Range.of(stays * drawn["endosomal_escape"]),
    }


def _doubt(drawn: Mapping[str, Floats], taken: Floats, copies: Floats, part: Model, mediator: str) -> dict[str, float]:
    """Half of the 95 % interval in decades of each factor of delivered over needed."""
    symbol = part.mediators[mediator]
    per, opening = drawn[f"copies_per_vesicle_{symbol}"], _opening(drawn)
    factors = {
        "vesicles that a cell takes up": taken,
        "share that opens into the cytosol": opening,
        "copies in a vesicle": per * drawn["lumen_share"],
        "copies that decay before the peak": copies.max(axis=1) / (taken * opening * per * drawn["lumen_share"]),
        "copies needed": drawn["repression_threshold"],
    }
    return {name: float(1.96 * np.std(np.log10(values))) for name, values in factors.items()}


def _fluid(product: Product, model: Model, particles: float) -> dict[str, float]:
    """Of proteins that the condition feels and that lie in the fluid: pmol/L of plasma, before any of it has left."""
    from scipy.constants import Avogadro

    held = product.vesicles.proteins.entries if product.vesicles and product.vesicles.proteins else ()
    felt = {e.mediator for e in edges() if e.process in model.processes}
    litres = model.parameters["plasma_per_kg"].value * model.parameters["body_weight"].value / 1000
    return {
        e.name: e.copies_per_vesicle * particles / Avogadro / litres * 1e12
        for e in held
        if e.where == "soluble" and e.copies_per_vesicle > 0 and e.name in felt
    }


def _readings(model: Model, mechanism: Mechanism, state: str, particles: float) -> tuple[Reading, ...]:
    """Both parts of each process at their highest over the repeated course's time, one dose, middle values."""
    from exotwin.engine import Dose, load

    numbers: dict[Any, Any] = {
        f"copies_per_vesicle_{model.mediators[m]}": c.copies_per_vesicle
        for m, c in mechanism.copies_per_vesicle.items()
    }
    numbers |= {f"gain_{model.mediators[m]}_{p}": gain for (m, p), (gain, _) in mechanism.gains.items()}
    outputs = [f"{part}_part_{p}" for p in model.processes for part in ("animal", "copies")]
    times = np.concatenate([[0.0], np.geomspace(1e-2, DAYS, 60)])
    run = load(model.sbml).simulate(times, parameters=numbers, doses=[Dose(state, 0.0, particles)], outputs=outputs)

    def furthest(symbol: str) -> float:
        course = run[symbol].values[0]
        return float(course[np.argmax(np.abs(course))])

    return tuple(Reading(p, furthest(f"animal_part_{p}"), furthest(f"copies_part_{p}")) for p in model.processes)
