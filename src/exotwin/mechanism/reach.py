"""Which processes the measured cargo of a product can reach, which way and how strongly, through which mediator."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING

from exotwin.errors import MechanismError, nearest
from exotwin.mechanism.edges import Edge
from exotwin.mechanism.edges import edges as table_of_edges
from exotwin.mechanism.proteins import Site, at_site, beside, looked_for, sites
from exotwin.quantities import Z95

if TYPE_CHECKING:
    from exotwin.product import MediatorCopies, Product


@dataclass(frozen=True)
class Mechanism:
    """What the cargo of one product can reach.

    product : its name.
    edges : links whose mediator was measured in the product.
    gains : (mediator, process) -> (sum of the gains of its edges, SD of that sum, as of independent edges).
    copies_per_vesicle : mediator -> copies, for the mediators of ``edges``; of a protein, those where it can act.
    unmeasured : mediators with edges of which the product's table says nothing. They are not zero: they are not known.
    untouched : processes asked for that no edge of the asked mediators reaches, measured or not.
    remarks : what a careful reader should be told.
    """

    product: str
    edges: tuple[Edge, ...]
    gains: Mapping[tuple[str, str], tuple[float, float]]
    copies_per_vesicle: Mapping[str, MediatorCopies]
    unmeasured: tuple[str, ...]
    untouched: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), repr=False)

    def counts(self) -> Mapping[str, int]:
        """How many of the edges are measured, derived and assumed."""
        return {basis: sum(e.basis == basis for e in self.edges) for basis in ("measured", "derived", "assumed")}

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(mediator)}</td><td>{self.copies_per_vesicle[mediator].copies_per_vesicle:.2g}</td>"
            f"<td>{escape(', '.join(e.target for e in self.edges if (e.mediator, e.process) == (mediator, process)))}"
            f"</td><td>{escape(process)}</td><td>{gain:+.2f} ± {sd:.2f}</td>"
            f"<td>{math.exp(gain):.2f} ({math.exp(gain - Z95 * sd):.2f}–{math.exp(gain + Z95 * sd):.2f})</td></tr>"
            for (mediator, process), (gain, sd) in self.gains.items()
        )
        head = "".join(
            f"<th>{h}</th>"
            for h in ("mediator", "copies per vesicle", "targets", "process", "gain", "rate × at full repression")
        )
        n = self.counts()
        lines = [f"{n['measured']} gains measured, {n['derived']} derived, {n['assumed']} assumed."]
        if self.unmeasured:
            lines.append("Not measured in this product, so nothing is said of: " + ", ".join(self.unmeasured) + ".")
        lines += self.remarks
        notes = "".join(f"<p>{escape(line)}</p>" for line in lines)
        return (
            f"<table><caption>{escape(self.product)}: what the cargo can reach</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}"
        )


def proteins_of(
    products: Iterable[Product], processes: Iterable[str], *, table: tuple[Edge, ...] | None = None
) -> dict[str, Site]:
    """Proteins that one of the products brings to where they act on one of the processes, with that site."""
    lots, moved = tuple(products), _moved(processes, table)
    return {name: acts for name, acts in sites().items() if name in moved and any(at_site(p, name) for p in lots)}


def proteins_unmeasured(product: Product, processes: Iterable[str]) -> tuple[str, ...]:
    """Proteins that would act on one of the processes and of which the product's table says nothing there; not zero."""
    moved = _moved(processes, None)
    return tuple(name for name in sites() if name in moved and not looked_for(product, name))


def _moved(processes: Iterable[str], table: tuple[Edge, ...] | None) -> set[str]:
    wanted = set(processes)
    return {e.mediator for e in (table_of_edges() if table is None else table) if e.process in wanted}


def mechanism_of(
    product: Product, mediators: Iterable[str], processes: Iterable[str], *, table: tuple[Edge, ...] | None = None
) -> Mechanism:
    """What the measured cargo of ``product`` can reach of the asked processes.

    Parameters
    ----------
    mediators, processes : names that the disease model knows.
    table : links; default: the shipped table.

    Raises
    ------
    MechanismError : a mediator of which the table has no link at all.
    """
    asked, wanted = tuple(dict.fromkeys(mediators)), tuple(dict.fromkeys(processes))
    links = table_of_edges() if table is None else table
    known = {e.mediator for e in links}
    for name in asked:
        if name not in known:
            raise MechanismError(
                f'mechanism of {product.name}, mediator "{name}"',
                found="no link in the table of edges",
                expected="one of " + ", ".join(sorted(known)),
                nearest=nearest(name, known),
            )
    possible = [e for e in links if e.mediator in asked and e.process in wanted]
    cargo = product.vesicles.cargo if product.vesicles is not None else None
    table_of_copies = dict(cargo.mediators) if cargo is not None else {}
    table_of_copies |= {name: brought for name in asked if name in sites() and (brought := at_site(product, name))}
    copies = {
        name: table_of_copies[name]
        for name in asked
        if name in table_of_copies and table_of_copies[name].measured and any(e.mediator == name for e in possible)
    }
    reached = tuple(e for e in possible if e.mediator in copies)
    gains: dict[tuple[str, str], tuple[float, float]] = {}
    for edge in reached:
        gain, sd = gains.get((edge.mediator, edge.process), (0.0, 0.0))
        gains[edge.mediator, edge.process] = (gain + edge.gain, math.hypot(sd, edge.gain_sd))
    moved = _moved(wanted, links)
    return Mechanism(
        product=product.name,
        edges=reached,
        gains=MappingProxyType(gains),
        copies_per_vesicle=MappingProxyType(copies),
        unmeasured=tuple(
            m
            for m in asked
            if m not in copies
            and any(e.mediator == m for e in possible)
            and not (m in sites() and looked_for(product, m))
        ),
        untouched=tuple(p for p in wanted if all(e.process != p for e in possible)),
        remarks=(*_remarks(product, copies), *(said for p in sites() if p in moved and (said := beside(product, p)))),
    )


def _remarks(product: Product, copies: Mapping[str, MediatorCopies]) -> tuple[str, ...]:
    remarks = []
    if product.vesicles is None:
        remarks.append("The lot has no measured vesicles, so nothing is said of its cargo.")
    elif product.vesicles.cargo is None:
        what = "their cargo" if product.vesicles.proteins is None else "miRNA"
        remarks.append(f"No miRNA of the vesicles was measured, so nothing is said of {what}.")
    for name, entry in copies.items():
        partners = [other for other in entry.joined_with if other in copies and other > name]
        if partners:
            remarks.append(
                f"{name} and {', '.join(partners)} were measured as one; the copies of that one value count for each."
            )
    return tuple(remarks)
