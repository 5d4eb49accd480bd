"""Exports of tracking instruments → size distribution. The vendor is recognised by content; there is nothing to set.

One small file a vendor: ``nanosight``, ``zetaview``, ``viewsizer``. A file of another kind is refused once, with what
it looks like.
"""

from __future__ import annotations

import os
from pathlib import Path

from exotwin.errors import ProductError
from exotwin.product import nanosight, viewsizer, zetaview
from exotwin.product.nta import NtaReading
from exotwin.tables import read_bytes

_KNOWN = (
    "a NanoSight experiment summary (NTA 3.2 to 3.4, CSV), a ZetaView size distribution (text) "
    "or the folder of a ViewSizer run"
)


def read_nta(path: Path, *, dilution: float | None, name: str | None = None) -> NtaReading:
    """Read the export of one tracking run.

    Parameters
    ----------
    path : a file, or the folder of a ViewSizer run.
    dilution : the factor that the product file gives, or None.
    name : how messages call it; default: its path.

    Raises
    ------
    ProductError : not such an export, damaged, without a dilution from either side, or with two that disagree.
    """
    where = name or str(path)
    if os.path.isdir(path):  # unlike Path.is_dir, False for whatever cannot be a path
        if (path / viewsizer.VIDEOS).is_file():
            return viewsizer.read(path, dilution=dilution, where=where)
        raise ProductError(where, found=f"a folder without {viewsizer.VIDEOS}", expected=_KNOWN)
    raw = read_bytes(path, error=ProductError, where=where, expected=_KNOWN)
    text = raw.decode("latin-1")  # NanoSight and ZetaView both write Latin-1 (nm², µs); every byte decodes
    if nanosight.recognises(text):
        return nanosight.read(text, path, dilution=dilution, where=where)
    if zetaview.recognises(text):
        return zetaview.read(text, path, dilution=dilution, where=where)
    raise ProductError(where, found=_looks_like(raw, text), expected=_KNOWN)


def _looks_like(raw: bytes, text: str) -> str:
    """What a file of another kind seems to be, in words for its owner."""
    first = text.lstrip("ï»¿ \r\n\t").split("\n", 1)[0].strip()
    lower = first.lower()
    if not raw.strip():
        return "an empty file"
    if raw.startswith(b"FCS"):
        return "a flow cytometry file (FCS)"
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "a spreadsheet or archive, not an export as text"
    if raw.startswith(b"%PDF"):
        return "a PDF report; the export as text is needed"
    if lower.startswith(("<?xml", "<html", "<!doctype")):
        return "an XML or HTML file"
    if lower.startswith(("/lowerbin", "/[sample info]")):
        return "one table of a ViewSizer run; give the folder"
    if lower.startswith(("particle_size", "particle size", "size", "bin centre", "diameter")):
        return f'a table of bins alone ("{first[:40]}…"): dilution, captures and sample are not in it'
    if b"\x00" in raw[:1000]:
        return "a binary file"
    return f'text that begins "{first[:40]}"'
