"""Records: one sourced fact each. Their schema, and finding them by id.

A dossier is a YAML file in `records/`, a list whose items begin with their id (`- id: …` or `- {id: …`). Only the items
that are asked for are parsed: finding the items by their first line takes milliseconds for all dossiers, parsing all of
them 0.3 s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from exotwin.errors import EvidenceError, nearest
from exotwin.evidence import _yaml
from exotwin.tables import read_text

Kind = Literal[
    "definition", "model", "parameter", "natural-history", "drug-response", "therapy-response", "safety", "method"
]
_Texts = Annotated[tuple[str, ...], Field(strict=False)]  # YAML gives lists; frozen records hold tuples
_ITEM = re.compile(r"^- .*$", re.MULTILINE)
_ID = re.compile(r"^- \{? *id: *[\"']?([A-Za-z0-9][A-Za-z0-9.-]*)[\"']?(?=[\s,}]|$)")
_SHIPPED = Path(__file__).with_name("records")


class Source(BaseModel):
    """Where a fact was published. Empty means: not known. Nothing here is ever filled in by guess.

    title : as printed; in square brackets or parentheses a description, because the printed title was not seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str = ""
    year: int | None = Field(None, ge=1800, le=2100)
    journal: str = ""
    doi: str = Field("", pattern=r"^(10\.\d{4,9}/\S+)?$")
    pmid: str = Field("", pattern=r"^\d*$")
    pmcid: str = Field("", pattern=r"^(PMC\d+)?$")
    url: str = ""

    @property
    def names_something(self) -> bool:
        """Whether a reader could find the source: a title, a DOI, a PubMed or PMC number, or an address."""
        return any((self.title, self.doi, self.pmid, self.pmcid, self.url))


class Record(BaseModel):
    """One fact and its source.

    id : its name everywhere. claims : the claims that it bears on, for or against (the note says which).
    kind : what the fact is good for. value : as published, in ``unit``; None where the text gave no number.
    context : species, tissue, assay. where : the place in the source. seen : whether the number stood in text that was
    read; only then may it support a parameter or a check. derived : computed from a published model or other records.
    mirna, target, effect, assay, cell, process, process_basis : for a miRNA and its target only. dossier : its file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
    claims: _Texts = Field(min_length=1)
    kind: Kind
    what: str = Field(min_length=1)
    value: JsonValue
    unit: str
    context: str
    source: Source
    where: str
    seen: bool
    note: str = ""
    derived: bool | None = None
    mirna: str | None = None
    target: str | None = None
    effect: str | None = None
    assay: str | None = None
    cell: str | None = None
    process: _Texts | None = None
    process_basis: str | None = None
    dossier: str


@dataclass(frozen=True)
class Rejected:
    """A record that stands in a dossier and does not load."""

    id: str
    dossier: str
    reason: str


@dataclass(frozen=True)
class _Item:
    path: Path
    line: int
    text: str

    @property
    def where(self) -> str:
        return f"{self.path}, line {self.line}"


class Library:
    """The records of one folder of dossiers.

    Raises
    ------
    EvidenceError : on creation, for an item that does not begin with its id or an id that stands twice; later, when a
        record is asked for, for one that does not keep the schema.
    """

    def __init__(self, folder: Path) -> None:
        self._items: dict[str, _Item] = {}
        self._read: dict[str, Record | Rejected] = {}
        for path in sorted(folder.glob("*.yaml")):
            self._index(path)
        if not self._items:
            raise EvidenceError(str(folder), found="no records", expected="dossiers, *.yaml")

    def _index(self, path: Path) -> None:
        text = read_text(path, error=EvidenceError)
        starts = list(_ITEM.finditer(text))
        bounds = [*(m.start() for m in starts), len(text)]
        for n, above in enumerate(text[: bounds[0]].splitlines(), 1):
            if above.strip() and not above.startswith(("#", "---")):
                raise EvidenceError(
                    f"{path}, line {n}", found=above[:60], expected="a list: items that begin with - id:"
                )
        line, reached = 1, 0
        for start, end in zip(starts, bounds[1:], strict=True):
            line += text.count("\n", reached, start.start())
            reached = start.start()
            item = _Item(path, line, text[start.start() : end])
            named = _ID.match(start[0])
            if not named:
                raise EvidenceError(item.where, found=start[0][:60], expected="an item that begins with - id: its-name")
            if named[1] in self._items:
                first = self._items[named[1]].where
                raise EvidenceError(item.where, found=f'the id "{named[1]}" again', expected=f"one, as in {first}")
            self._items[named[1]] = item

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that stands in the dossiers, the rejected ones included."""
        return tuple(self._items)

    def get(self, name: str) -> Record:
        """The record of this id; see `record`."""
        if name not in self._items:
            raise EvidenceError(
                f'record "{name}"',
                found="no such record",
                expected="the id of a record",
                nearest=nearest(name, self._items),
            )
        found = self._parse(name)
        if isinstance(found, Rejected):
            raise EvidenceError(
                f'record "{name}", dossier {found.dossier}', found=found.reason, expected="a record with a source"
            )
        return found

    def all(self) -> Mapping[str, Record]:
        """Every record that loads, by id."""
        found = {name: self._parse(name) for name in self._items}
        return MappingProxyType({name: r for name, r in found.items() if isinstance(r, Record)})

    def rejected(self) -> tuple[Rejected, ...]:
        """What stands in the dossiers and does not load."""
        found = [self._parse(name) for name in self._items]
        return tuple(r for r in found if isinstance(r, Rejected))

    def _parse(self, name: str) -> Record | Rejected:
        if name not in self._read:
            item = self._items[name]
            document = _yaml.load(item.text, path=item.path, first_line=item.line)
            self._read[name] = _checked(document[0], item)
        return self._read[name]


def _checked(fields: dict[str, Any], item: _Item) -> Record | Rejected:
    try:
        if "dossier" in fields:
            raise EvidenceError(item.where, found='the key "dossier"', expected="none: it is the name of the file")
        found = Record(**fields, dossier=item.path.stem)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        key = ".".join(str(k) for k in first["loc"])
        valid = Record.model_fields if len(first["loc"]) == 1 else Source.model_fields
        guess: str | None = None
        if first["type"] == "extra_forbidden":
            guess = nearest(str(first["loc"][-1]), valid)
        elif key == "kind":
            guess = nearest(str(first["input"]), get_args(Kind))
        forms = {"extra_forbidden": f'the key "{key}"', "missing": f'no key "{key}"'}
        shown = forms.get(first["type"], repr(first["input"]))
        raise EvidenceError(f"{item.where}, {key}", found=shown, expected=first["msg"], nearest=guess) from fault
    if not found.source.names_something:
        return Rejected(found.id, found.dossier, "no source: no title, doi, pmid, pmcid or url")
    return found


@lru_cache(maxsize=1)
def shipped() -> Library:
    """The package's own records."""
    return Library(_SHIPPED)


def record(name: str) -> Record:
    """The record of this id.

    Raises
    ------
    EvidenceError : no such record (with the nearest id), or one that is rejected because it names no source.
    """
    return shipped().get(name)


def records(*, claim: str | None = None, kind: str | None = None, seen: bool | None = None) -> Mapping[str, Record]:
    """Records by id: all, or those of one claim, one kind, read or not read.

    Raises
    ------
    EvidenceError : a claim or kind that no record has.
    """
    found = shipped().all()
    if claim is not None:
        _known(claim, {c for r in found.values() for c in r.claims}, "claim")
    if kind is not None:
        _known(kind, set(get_args(Kind)), "kind")
    return MappingProxyType(
        {
            name: r
            for name, r in found.items()
            if (claim is None or claim in r.claims) and (kind is None or kind == r.kind) and seen in (None, r.seen)
        }
    )


def rejected() -> tuple[Rejected, ...]:
    """Entries of the dossiers that name no source at all and therefore do not load, each with the reason."""
    return shipped().rejected()


def _known(name: str, valid: set[str], what: str) -> None:
    if name not in valid:
        raise EvidenceError(
            f'{what} "{name}"',
            found=f"no such {what}",
            expected="one of " + ", ".join(sorted(valid)),
            nearest=nearest(name, valid),
        )
