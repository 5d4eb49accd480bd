"""Names of markers, proteins and miRNAs as laboratories write them → one name for one thing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

SPECIES_PREFIX = {"human": "hsa", "mouse": "mmu", "rat": "rno"}

_GREEK = str.maketrans({"α": "a", "β": "b", "γ": "g", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta"})
_MIRNA = re.compile(r"^(?:(?P<species>[a-z]{3,4})-)?(?P<family>miR|mir|let)-(?P<rest>\d+.*)$")
# Number, letters, copy number where two genes give different arms (let-7a-2-3p), arm.
_REST = re.compile(r"^(?P<number>\d+)(?P<letters>[a-z]*)(?P<copy>(?:-\d+)?)(?P<arm>(?:-[35]p)?)$")
# Names whose arm was added by miRBase 22; tables of earlier releases carry them without.
_RENAMED = {"miR-1": "miR-1-3p"}


@dataclass(frozen=True)
class MirnaName:
    """A row's name read as miRNA.

    kind : "mature"; "hairpin" (the precursor); "other species"; "not a miRNA".
    names : mature names without species prefix; several where the mapper joined what it could not tell apart.
    """

    kind: Literal["mature", "hairpin", "other species", "not a miRNA"]
    names: tuple[str, ...] = ()


def parse_mirna(text: str, species: str) -> MirnaName:
    """Read one name of a count table.

    "hsa-miR-21-5p" and "miR-21-5p" → ("miR-21-5p",); "hsa-miR-320a/b" → ("miR-320a", "miR-320b");
    "hsa-let-7a-5p/7c-5p" → ("let-7a-5p", "let-7c-5p"); "hsa-mir-378c" and "hsa-let-7a-1" are hairpins.

    Parameters
    ----------
    text : the name as it stands.
    species : "human", "mouse" or "rat": whose prefix is expected, where there is a prefix at all.
    """
    found = _MIRNA.match(text.strip())
    if not found:
        return MirnaName("not a miRNA")
    if found["species"] and found["species"] != SPECIES_PREFIX.get(species):
        return MirnaName("other species")
    family = found["family"]
    names: list[str] = []
    number, letters = "", ""
    for piece in found["rest"].split("/"):
        if re.fullmatch(r"[a-z]", piece) and number:  # "320a/b": only the letter changes
            piece = f"{number}{piece}"
        part = _REST.match(piece)
        if not part:
            return MirnaName("not a miRNA")
        number, letters = part["number"], part["letters"]
        # A small r is the gene or its hairpin; so is a copy number without an arm, and let-7 without an arm.
        if family == "mir" or (not part["arm"] and (part["copy"] or family == "let")):
            return MirnaName("hairpin")
        name = f"{family}-{number}{letters}{part['copy']}{part['arm']}"
        names.append(_RENAMED.get(name, name))
    return MirnaName("mature", tuple(dict.fromkeys(names)))


def canonical(text: str, aliases: Mapping[str, Sequence[str]]) -> str | None:
    """The key of ``aliases`` that ``text`` names, by itself or by one of its aliases, or None.

    Letter case, spaces, hyphens and Greek letters do not matter.
    """
    wanted = _plain(text)
    for name, others in aliases.items():
        if wanted in {_plain(name), *(_plain(o) for o in others)}:
            return name
    return None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.translate(_GREEK).lower())
