"""Numbers of references in the order in which the report first cites them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exotwin.errors import EvidenceError
from exotwin.evidence import bibliography, record

_ENTRY = re.compile(r"^\d+\. (?P<text>.*) \[(?P<ids>[^\[\]]*)\]$", re.DOTALL)
_DOI, _ADDRESS = re.compile(r"doi:(\S+)"), re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Reference:
    """One publication: text, the address that it is found at ("" if none), and the records read in it."""

    number: int
    text: str
    address: str
    records: tuple[str, ...]
    unread: tuple[str, ...]


class References:
    """Collects record ids while the sections are made; `close` then gives them their numbers."""

    def __init__(self) -> None:
        self._cited: dict[str, None] = {}
        self._numbers: dict[str, int] = {}
        self.entries: tuple[Reference, ...] = ()
        self.unknown: tuple[str, ...] = ()

    def cite(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Note ids as cited; names of fits are no records and are left out."""
        kept = tuple(name for name in ids if name and not name.startswith("calibration:"))
        self._cited.update(dict.fromkeys(kept))
        return kept

    def close(self) -> None:
        """Give numbers to all that was cited. Ids without a record are kept in ``unknown``, to be shown as such."""
        known = [name for name in self._cited if _exists(name)]
        self.unknown = tuple(name for name in self._cited if name not in known)
        self.entries = tuple(_entry(n, line) for n, line in enumerate(bibliography(known), 1))
        self._numbers = {name: e.number for e in self.entries for name in e.records}

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """Numbers of the references of these records, rising, each once."""
        return sorted({self._numbers[name] for name in ids if name in self._numbers})

    @property
    def cited(self) -> tuple[str, ...]:
        """Record ids in the order of first mention."""
        return tuple(self._cited)


def _exists(name: str) -> bool:
    try:
        record(name)
    except EvidenceError:
        return False
    return True


def _entry(number: int, line: str) -> Reference:
    found = _ENTRY.match(line)
    text, named = (found["text"], found["ids"]) if found else (line, "")
    ids = [item.removesuffix(" (not read)") for item in named.split(", ") if item]
    unread = tuple(name for name in ids if f"{name} (not read)" in named.split(", "))
    doi, address = _DOI.search(text), _ADDRESS.search(text)
    where = f"https://doi.org/{doi[1]}" if doi else address[0] if address else ""
    return Reference(number, text, where, tuple(ids), unread)
