"""Evidence: sourced facts, the claims they bear on, and references to them."""

from __future__ import annotations

from exotwin.evidence.record import Kind, Record, Rejected, Source, record, records, rejected

__all__ = ["Kind", "Record", "Rejected", "Source", "record", "records", "rejected"]
