"""A fit → a page to read, its figures as SVG, tables and the simulation as files."""

from __future__ import annotations

from exotwin.report.fit.files import write_fit, write_simulation

__all__ = ["write_fit", "write_simulation"]
