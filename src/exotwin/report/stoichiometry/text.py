"""The same numbers as text for a terminal, and as a document for other programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from exotwin import __version__
from exotwin.report.numbers import number
from exotwin.report.stoichiometry.counts import DAYS, Count, Stoichiometry
from exotwin.report.stoichiometry.sides import AGAINST, FOR


def sentence(found: Stoichiometry) -> str:
    """The verdict in a sentence, with the mediator that comes nearest."""
    best = found.nearest
    if best is None:
        return "Nothing measured: the product's tables hold none of the mediators of this condition."
    given = f"{number(found.dose)} particles {found.route}"
    if best.verdict == "plausible":
        return f"Plausible: {given} bring {_copies(best)} of {best.mediator} a cell, {_needed(best)} are needed."
    short = f"{given} bring {_copies(best)} of {best.mediator} a cell where {_needed(best)} are needed"
    if best.verdict == "only with accumulation":
        return f"Only with accumulation: {short}; {DAYS} such doses, one a day, would add up to them."
    return f"Implausible at this dose: {short}, {number(best.times_short.median, digits=2)} times too few."


def as_text(found: Stoichiometry) -> str:
    """A few lines and a table, medians of the draws."""
    head = [
        f"{found.product}: {found.verdict}",
        f"  {sentence(found)}",
        f"  {found.title} ({found.species}), cells of: {found.target}; {found.draws} draws of what is not known",
    ]
    columns = ("mediator", "delivered", "28 daily", "needed", "own", "dose needed", "reached in", "verdict")
    rows = [columns] + [
        (
            f"{c.mediator} ({c.site})" if c.site else c.mediator,
            number(c.delivered.median, digits=2),
            number(c.repeated.median, digits=2),
            number(c.needed.median, digits=2),
            number(c.own.median, digits=2),
            number(c.dose_needed.median, digits=2),
            f"{100 * c.reaching:.2g} %",
            c.verdict,
        )
        for c in found.counts
    ]
    widths = [max(len(row[k]) for row in rows) for k in range(len(columns))]
    lines = ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    tail = [f"  not measured in the product: {', '.join(found.unmeasured)}"] if found.unmeasured else []
    tail += [f"  {said}" for said in found.notes]
    tail += [
        f"  {name} in the fluid: at most {number(pM, digits=2)} pmol/L of plasma" for name, pM in found.fluid.items()
    ]
    return "\n".join([*head, "", *lines, *tail])


def as_document(found: Stoichiometry) -> dict[str, Any]:
    """For JSON: all numbers, the verdict, the records of both sides."""
    document = {key: value for key, value in asdict(found).items() if key != "readings"}
    document["readings"] = [
        {"process": r.process, "animal": r.animal, "copies": r.copies, "ratio": _finite(r.ratio)}
        for r in found.readings
    ]
    for count in document["counts"]:
        count["own_minutes"] = _finite(count["own_minutes"])
    return document | {
        "exotwin": __version__,
        "verdict": found.verdict,
        "sentence": sentence(found),
        "against": [record for record, _ in AGAINST],
        "for": [record for record, _ in FOR],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _copies(count: Count) -> str:
    return f"{number(count.delivered.median, digits=2)} copies"


def _needed(count: Count) -> str:
    return f"{number(count.needed.median, digits=2)}"
