"""Claims: what a review says the therapy is and does, a sentence each, with the part of the package that holds it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from exotwin.errors import EvidenceError, nearest
from exotwin.evidence import _yaml
from exotwin.evidence.record import records
from exotwin.tables import check_keys, read_text

Status = Literal["held", "partly held", "not modelled yet"]
_REQUIRED = ("id", "area", "text", "text_zh", "status")
_KEYS = (*_REQUIRED, "modules", "how", "missing")
# What an entry must name, and nothing else, so that no claim can pass for more than it is.
_NEEDED: dict[Status, set[str]] = {
    "held": {"modules", "how"},
    "partly held": {"modules", "how", "missing"},
    "not modelled yet": {"missing"},
}
_SHIPPED = Path(__file__).with_name("claims.yaml")


@dataclass(frozen=True)
class Claim:
    """A sentence to be held against evidence.

    area : condition or part of the product. text, text_zh : the sentence in English and in Simplified Chinese.
    status : how much of it the package computes; whether it is *true* is another question, which this version does not
    judge. modules : files that hold it, relative to the package. how : what they compute of it.
    missing : what of the sentence nothing in the package says yet.
    records : ids of the facts that were read and bear on it, for or against.
    """

    id: str
    area: str
    text: str
    text_zh: str
    status: Status
    modules: tuple[str, ...] = ()
    how: str = ""
    missing: str = ""
    records: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The modules in one line, or "not modelled yet"."""
        return ", ".join(self.modules) or "not modelled yet"


def claims() -> tuple[Claim, ...]:
    """All claims, in the order of the review. Reads every record once (0.3 s)."""
    return _shipped()


def claim(name: str) -> Claim:
    """The claim of this id, such as "POI-2".

    Raises
    ------
    EvidenceError : no such claim; names the nearest.
    """
    by_id = {c.id: c for c in claims()}
    if name not in by_id:
        raise EvidenceError(
            f'claim "{name}"',
            found="no such claim",
            expected="one of " + ", ".join(by_id),
            nearest=nearest(name, by_id),
        )
    return by_id[name]


@lru_cache(maxsize=1)
def _shipped() -> tuple[Claim, ...]:
    bearing: dict[str, list[str]] = defaultdict(list)
    for found in records(seen=True).values():
        for name in found.claims:
            bearing[name].append(found.id)
    return tuple(replace(c, records=tuple(bearing[c.id])) for c in read_claims(_SHIPPED))


def read_claims(path: Path) -> tuple[Claim, ...]:
    """The claims of a file, without their records.

    Raises
    ------
    EvidenceError : an entry with wrong keys, an id given twice, or one whose status disagrees with what it names.
    """
    found: dict[str, Claim] = {}
    for entry in _yaml.load(read_text(path, error=EvidenceError), path=path):
        where = f"{path}, {entry.get('id', 'an entry')}"
        check_keys(entry, _KEYS, where=where, error=EvidenceError, required=_REQUIRED)
        one = Claim(**{**entry, "modules": tuple(entry.get("modules", ()))})
        if one.id in found:
            raise EvidenceError(where, found="the id again", expected="each claim once")
        _agrees(one, entry, where)
        found[one.id] = one
    return tuple(found.values())


def _agrees(one: Claim, entry: dict[str, Any], where: str) -> None:
    if one.status not in get_args(Status):
        raise EvidenceError(
            f"{where}.status",
            found=f'"{one.status}"',
            expected="one of " + ", ".join(get_args(Status)),
            nearest=nearest(str(one.status), get_args(Status)),
        )
    wanted = _NEEDED[one.status]
    given = {key for key in ("modules", "how", "missing") if entry.get(key)}
    if wanted != given:
        raise EvidenceError(
            where,
            found=f'"{one.status}" with {", ".join(sorted(given)) or "nothing else"}',
            expected="with " + ", ".join(sorted(wanted)),
        )
