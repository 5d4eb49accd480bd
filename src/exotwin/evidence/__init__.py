"""Evidence: sourced facts, the claims they bear on, and references to them."""

from __future__ import annotations

from exotwin.evidence._yaml import load as read_yaml
from exotwin.evidence.bibliography import bibliography, bibtex
from exotwin.evidence.claims import Claim, claim, claims
from exotwin.evidence.record import Kind, Record, Rejected, Source, record, records, rejected

__all__ = [
    "Claim",
    "Kind",
    "Record",
    "Rejected",
    "Source",
    "bibliography",
    "bibtex",
    "claim",
    "claims",
    "read_yaml",
    "record",
    "records",
    "rejected",
]
