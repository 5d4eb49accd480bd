"""Copies that a cell needs against copies that a dose delivers, mediator by mediator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from exotwin.errors import MechanismError, nearest
from exotwin.mechanism.proteins import Site, sites
from exotwin.mechanism.reach import Mechanism
from exotwin.quantities import Z95

NEEDED = 1000.0
"""Copies per cell that a miRNA must exceed for repression to be seen, a rough guide (mirna-threshold-cell)."""
NEEDED_OF_PROTEIN: Mapping[Site, float] = {"inside": 2e6, "outside": 1e4}
"""Copies of a protein that take half of what a cell leaves of its activity: the cell's own level and the level of half
activity together, both as large as the tables of the proteins say. Assumed; no record counts either."""
OWN_SUPPLY = 110.0
"""Copies per minute that a mouse cell makes of one miRNA at the most (mirna-halflife-kingston)."""
_RECORDS = ("mirna-threshold-cell", "mirna-only-abundant-act", "mirna-halflife-kingston")

Outcome = Literal["reaches", "undecided", "falls short", "nothing delivered", "not measured"]
PlainVerdict = Literal["plausible", "only with accumulation", "implausible at this dose", "nothing measured"]


@dataclass(frozen=True)
class Plausibility:
    """Whether a mediator can be there in the number that repression needs.

    needed, delivered : copies per recipient cell, of a protein those where it acts; delivered is NaN if the product was
    not measured for it.
    low, high : 95 % limits of delivered from what is not known of the copies per vesicle, and from nothing else.
    log10_short : decades missing, log10(needed / delivered); negative: decades to spare; infinite: nothing delivered.
    own_supply_minutes : time in which a cell makes as many copies of an abundant miRNA of its own; NaN of a protein.
    verdict : the outcome in words: "reaches", "falls short by 10^2.3", …
    plain : the same in the words of the page on stoichiometry, of what was delivered in all (`plain_verdict`).
    records : ids behind the numbers needed.
    """

    mediator: str
    needed: float
    delivered: float
    low: float
    high: float
    log10_short: float
    own_supply_minutes: float
    outcome: Outcome
    verdict: str
    plain: PlainVerdict
    records: tuple[str, ...]
    note: str = ""


def plain_verdict(share: float, share_repeated: float = 0.0) -> PlainVerdict:
    """The middle estimate in one word.

    Parameters
    ----------
    share : copies delivered over copies needed, after one dose. NaN: not measured.
    share_repeated : the same after doses so close that copies add up.

    Returns
    -------
    "plausible" from one on, "only with accumulation" if repeated doses come to one, else "implausible at this dose".
    How often draws say otherwise is to be told beside it.
    """
    if math.isnan(share):
        return "nothing measured"
    if share >= 1:
        return "plausible"
    return "only with accumulation" if share_repeated >= 1 else "implausible at this dose"


def plausibility(
    mechanism: Mechanism, delivered: Mapping[str, float], *, needed: float = NEEDED
) -> tuple[Plausibility, ...]:
    """Hold what is delivered against what is needed, for each mediator of the mechanism, the unmeasured ones included.

    Parameters
    ----------
    delivered : mediator -> copies per recipient cell at their highest, computed with the median copies per vesicle.
    needed : copies of a miRNA per cell; those of a protein are `NEEDED_OF_PROTEIN`.

    Raises
    ------
    MechanismError : an amount for a mediator that the mechanism does not have, none for one that it has, or an amount
        that is not a number of zero or more.

    Sources : mirna-threshold-cell (needed), mirna-only-abundant-act (most detected miRNAs do nothing measurable),
        mirna-halflife-kingston (what a cell makes itself).
    """
    carried = mechanism.copies_per_vesicle
    for name, amount in delivered.items():
        if name not in carried:
            raise MechanismError(
                f"copies delivered by {mechanism.product}",
                found=f'"{name}"',
                expected="mediators measured in the product: " + (", ".join(carried) or "none"),
                nearest=nearest(name, carried),
            )
        if not (math.isfinite(amount) and amount >= 0):
            raise MechanismError(
                f"copies of {name} delivered by {mechanism.product}",
                found=f"{amount}",
                expected="copies per cell, zero or more",
            )
    missing = [name for name in carried if name not in delivered]
    if missing:
        raise MechanismError(
            f"copies delivered by {mechanism.product}",
            found=f"none for {', '.join(missing)}",
            expected="an amount for every mediator measured in the product",
        )
    judged = [_judge(mechanism, name, delivered[name], needed) for name in carried]
    return (*judged, *(_unmeasured(name, _needed(name, needed)) for name in mechanism.unmeasured))


def _needed(name: str, of_mirna: float) -> float:
    return NEEDED_OF_PROTEIN[sites()[name]] if name in sites() else of_mirna


def _judge(mechanism: Mechanism, name: str, amount: float, of_mirna: float) -> Plausibility:
    entry, protein, needed = mechanism.copies_per_vesicle[name], name in sites(), _needed(name, of_mirna)
    factor = 10 ** (Z95 * entry.log10_sd)
    low, high = amount / factor, amount * factor
    short = math.log10(needed / amount) if amount > 0 else math.inf
    outcome: Outcome
    if amount == 0:
        outcome, verdict = "nothing delivered", "nothing delivered"
    elif low >= needed:
        outcome, verdict = "reaches", "reaches"
    elif high >= needed:
        gap = f"falls short by 10^{short:.1f}" if short > 0 else f"reaches by 10^{-short:.1f}"
        outcome, verdict = "undecided", f"undecided: {gap}, less than what is not known of the copies"
    else:
        outcome, verdict = "falls short", f"falls short by 10^{short:.1f}"
    note = f"measured as one with {', '.join(entry.joined_with)}" if entry.joined_with else ""
    if protein:
        note = f"acts {sites()[name]} the cell; the number needed is assumed"
    return Plausibility(
        mediator=name,
        needed=needed,
        delivered=amount,
        low=low,
        high=high,
        log10_short=short,
        own_supply_minutes=math.nan if protein else amount / OWN_SUPPLY,
        outcome=outcome,
        verdict=verdict,
        plain=plain_verdict(amount / needed),
        records=() if protein else _RECORDS,
        note=note,
    )


def _unmeasured(name: str, needed: float) -> Plausibility:
    nan = math.nan
    return Plausibility(
        mediator=name,
        needed=needed,
        delivered=nan,
        low=nan,
        high=nan,
        log10_short=nan,
        own_supply_minutes=nan,
        outcome="not measured",
        verdict="not measured in the product",
        plain="nothing measured",
        records=() if name in sites() else _RECORDS,
        note="no statement, not zero",
    )
