"""References to the sources of records, as text and as BibTeX, with nothing that the records do not say.

Records hold no authors, so references have none. Records of one publication (same DOI, PubMed or PMC number) make one
reference; where they spell it differently, a printed title goes before a description, then the fullest entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from exotwin.evidence.record import Record, Source, record

_LATEX = str.maketrans(
    {c: "\\" + c for c in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
)


@dataclass(frozen=True)
class _Reference:
    """One publication and the records that cite it, in the order in which they were asked for."""

    source: Source
    records: tuple[Record, ...]


def bibliography(ids: Iterable[str]) -> tuple[str, ...]:
    """Numbered references for records, one a publication, in the order of first mention, each with its record ids.

    A record whose fact was not read in its source is marked "not read".

    Raises
    ------
    EvidenceError : an id without a record.
    """
    return tuple(f"{n}. {_text(reference)}" for n, reference in enumerate(_references(ids), 1))


def bibtex(ids: Iterable[str]) -> str:
    """The same references as BibTeX; the key of each is the first of its records.

    Raises
    ------
    EvidenceError : an id without a record.
    """
    return "\n".join(_entry(reference) for reference in _references(ids))


def _references(ids: Iterable[str]) -> list[_Reference]:
    asked = {name: n for n, name in enumerate(dict.fromkeys(ids))}
    groups: list[tuple[set[str], list[Record]]] = []
    for found in map(record, asked):
        marks, members = _marks(found.source), [found]
        # A record can tie two groups together: one knew the DOI alone, the other the PubMed number alone.
        for group in [g for g in groups if g[0] & marks]:
            groups.remove(group)
            marks, members = group[0] | marks, [*group[1], *members]
        groups.append((marks, members))
    ordered = [sorted(members, key=lambda r: asked[r.id]) for _, members in groups]
    ordered.sort(key=lambda members: asked[members[0].id])
    return [_Reference(_merged([r.source for r in members]), tuple(members)) for members in ordered]


def _marks(source: Source) -> set[str]:
    numbers = {f"doi:{source.doi.lower()}", f"pmid:{source.pmid}", f"pmc:{source.pmcid}"} - {"doi:", "pmid:", "pmc:"}
    return numbers or {f"text:{source.title}|{source.journal}|{source.year}|{source.url}"}


def _merged(sources: list[Source]) -> Source:
    """One source out of several of one publication: as the fullest has it, gaps filled from the others."""
    best = max(sources, key=lambda s: (s.title[:1] not in ("", "[", "("), sum(map(bool, (s.doi, s.pmid, s.pmcid)))))
    ordered = [best, *sources]
    first = {
        key: next((v for s in ordered if (v := getattr(s, key))), "")
        for key in ("title", "journal", "doi", "pmid", "pmcid", "url")
    }
    return Source(year=next((s.year for s in ordered if s.year is not None), None), **first)


def _text(reference: _Reference) -> str:
    source = reference.source
    title = source.title or "(title not known)"
    parts = [title if title.endswith((".", "?", "!")) else f"{title}."]
    printed_in = " ".join(filter(None, (source.journal, f"({source.year})" if source.year else "")))
    if printed_in:
        parts.append(f"{printed_in}.")
    numbers = [f"doi:{source.doi}"] if source.doi else []
    numbers += [f"PMID {source.pmid}"] if source.pmid else []
    numbers += [source.pmcid] if source.pmcid else []
    parts += numbers or ([source.url] if source.url else [])
    return " ".join([*parts, f"[{_cited(reference)}]"])


def _entry(reference: _Reference) -> str:
    source = reference.source
    article = bool(source.journal and (source.doi or source.pmid or source.pmcid))
    address = source.url if re.fullmatch(r"https?://[^\s{}]+", source.url) else ""
    words = "" if address else source.url  # some records name a place inside a site, which is no address
    fields = {
        "title": f"{{{source.title.translate(_LATEX)}}}" if source.title else "",
        "journal" if article else "howpublished": source.journal.translate(_LATEX),
        "year": str(source.year or ""),
        "doi": source.doi,
        "pmid": source.pmid,
        "pmcid": source.pmcid,
        "url": address,
        "note": "; ".join(filter(None, (words, f"exotwin records: {_cited(reference)}"))).translate(_LATEX),
    }
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    return "\n".join([f"@{'article' if article else 'misc'}{{{reference.records[0].id},", *lines, "}\n"])


def _cited(reference: _Reference) -> str:
    return ", ".join(r.id if r.seen else f"{r.id} (not read)" for r in reference.records)
