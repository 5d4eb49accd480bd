"""What the cargo of a product can reach: mediator → target → process, and whether there is enough of it."""

from __future__ import annotations

from exotwin.mechanism.edges import Edge, edges
from exotwin.mechanism.plausibility import PlainVerdict, Plausibility, plain_verdict, plausibility
from exotwin.mechanism.proteins import Site, sites
from exotwin.mechanism.reach import Mechanism, mechanism_of, proteins_of, proteins_unmeasured

__all__ = [
    "Edge",
    "Mechanism",
    "PlainVerdict",
    "Plausibility",
    "Site",
    "edges",
    "mechanism_of",
    "plain_verdict",
    "plausibility",
    "proteins_of",
    "proteins_unmeasured",
    "sites",
]
