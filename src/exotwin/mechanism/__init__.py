"""What the cargo of a product can reach: mediator → target → process, and whether there is enough of it."""

from __future__ import annotations

from exotwin.mechanism.edges import Edge, edges
from exotwin.mechanism.plausibility import PlainVerdict, Plausibility, plain_verdict, plausibility
from exotwin.mechanism.reach import Mechanism, mechanism_of

__all__ = [
    "Edge",
    "Mechanism",
    "PlainVerdict",
    "Plausibility",
    "edges",
    "mechanism_of",
    "plain_verdict",
    "plausibility",
]
