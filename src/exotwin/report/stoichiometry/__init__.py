"""Copies that a dose delivers against copies that a cell needs: numbers, text, page."""

from __future__ import annotations

from exotwin.report.stoichiometry.counts import Count, Reading, Stoichiometry, stoichiometry
from exotwin.report.stoichiometry.page import write_page, write_stoichiometry
from exotwin.report.stoichiometry.text import as_document, as_text

__all__ = [
    "Count",
    "Reading",
    "Stoichiometry",
    "as_document",
    "as_text",
    "stoichiometry",
    "write_page",
    "write_stoichiometry",
]
