"""Numbers of references in the order in which the report first cites them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from exotwin.errors import EvidenceError
from exotwin.evidence import bibliography, record

_ENTRY = re.compile(r"^\d+\. (?P<text>.*) \[(?P<ids>[^\[\]]*)\]$", re.DOTALL)
_NAME = re.compile(r"(?<![\w&#;/.-])[A-Za-z0-9]+(?:-[A-Za-z0-9.]*[A-Za-z0-9])+(?![\w/-])")
_LINK = r'<a class="cite"[^>]*>\[\d+\]</a>'
_BRACKETED = re.compile(rf"\(({_LINK}(?:,? {_LINK})*)\)")  # square brackets are enough
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

    def named_in(self, text: str) -> tuple[str, ...]:
        """Ids of records that stand in a text."""
        return tuple(name for name in _NAME.findall(text) if _exists(name))

    def close(self) -> None:
        """Give numbers to all that was cited. Ids without a record are kept in ``unknown``, to be shown as such."""
        known = [name for name in self._cited if _exists(name)]
        self.unknown = tuple(name for name in self._cited if name not in known)
        self.entries = tuple(_entry(n, line) for n, line in enumerate(bibliography(known), 1))
        self._numbers = {name: e.number for e in self.entries for name in e.records}

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """Numbers of the references of these records, rising, each once."""
        return sorted({self._numbers[name] for name in ids if name in self._numbers})

    def linked(self, text: str) -> Markup:
        """The text escaped for HTML, with the records that it names as numbers of references."""
        return Markup(_BRACKETED.sub(r"\1", _NAME.sub(self._link, str(escape(text)))))

    def _link(self, found: re.Match[str]) -> str:
        number = self._numbers.get(found[0])
        return f'<a class="cite" href="#ref-{number}" title="{found[0]}">[{number}]</a>' if number else found[0]

    @property
    def cited(self) -> tuple[str, ...]:
        """Record ids in the order of first mention."""
        return tuple(self._cited)


@lru_cache(maxsize=4096)
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
