"""A table of protein amounts → molecules per particle, whatever the laboratory related them to.

    molecules = mass x Avogadro / mass of the chain;  per particle: over the particles that the mass was related to

- per particle ("copies/particle", "pg/1e9 particles"): as it stands.
- per protein ("ng/ug"): times the protein of the vial over its particles, both in a millilitre.
- per volume of the vial ("ng/mL"): over its particles in a millilitre.

An amount says how much there is, not that vesicles hold it. The column ``where`` says where it was found: "lumen",
"surface" or "soluble" (beside the vesicles); where it is empty, that is not known. Everything counts per particle of
the preparation, since all of it comes with the particles that are dosed.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast, get_args

from exotwin.errors import ProductError, nearest
from exotwin.product.cargo_table import read_cells
from exotwin.product.names import canonical
from exotwin.product.parts import Place, ProteinCopies, Proteins

AVOGADRO = 6.02214076e23
ASSAY_LOG10_SD = 0.3
DENSITY = 1.35e-21
"""Grams in a cubic nanometre of protein without water, the most that a particle can be made of."""
BASIS = (
    "molecules = mass / mass of the chain, related to the particles of the same vial. Assay and count of particles "
    f"are assumed to err twofold (log10 SD {ASSAY_LOG10_SD:g}): the count takes in what is no vesicle "
    "(misev2023-nta-limits), an antibody sees other forms of a protein differently."
)

_EXPECTED = "a table with the columns protein, amount and unit, and where known where and mass_kDa"
_COLUMNS = {
    "protein": ("gene", "symbol", "gene symbol", "protein name", "name"),
    "amount": ("value", "concentration"),
    "unit": ("units",),
    "where": ("location", "place"),
    "mass_kDa": ("mass kDa", "kDa", "molecular weight kDa", "Mol. weight [kDa]"),
}
_EXAMPLE = '"copies/particle", "pg/1e9 particles", "ng/ug" (of protein) or "ng/mL" (of the vial)'
_GRAMS = {"fg": 1e-15, "pg": 1e-12, "ng": 1e-9, "ug": 1e-6, "mg": 1e-3}
_MILLILITRES = {"ul": 1e-3, "ml": 1.0, "l": 1e3}
_NUMBER = r"(?:\d+\.?\d*(?:e\+?\d+)?|(?:\d+\.?\d*\s*[x*×]\s*)?10\^\d+)"
_PARTICLES = re.compile(
    rf"^(copies|copy|molecules?|fg|pg|ng|ug|mg)\s*(?:/|per)\s*({_NUMBER})?\s*(?:particles?|vesicles?|evs?|exosomes?)$"
)
_PROTEIN = re.compile(r"^(fg|pg|ng|ug|mg)\s*(?:/|per)\s*(ng|ug|mg)(?:\s+(?:of\s+)?(?:total\s+|ev\s+)?protein)?$")
_VOLUME = re.compile(r"^(fg|pg|ng|ug|mg)\s*(?:/|per)\s*(ul|ml|l)$")
_NOT_FOUND = ("nd", "n.d.", "not detected", "<lod", "< lod", "below lod", "<lloq", "< lloq")
_NOT_MEASURED = ("", "na", "n/a", "nan", "-", "–")


@dataclass(frozen=True)
class Vial:
    """What amounts are related to: particles and protein in a millilitre, mean diameter of a particle in nm.

    protein_at : how messages call the place where the protein is declared.
    """

    particles_per_mL: float
    protein_ug_per_mL: float | None
    diameter_nm: float
    protein_at: str


def molecules_per_particle(amount: float, unit: str, *, mass_kDa: float, vial: Vial, where: str) -> float:
    """An amount as molecules for each particle of the vial; NaN where it is a mass and ``mass_kDa`` is NaN.

    Raises
    ------
    ProductError : a unit that is none of these, an amount per protein where the vial's protein is not declared, more of
        one protein than there is protein.
    """
    text = re.sub(r"\s+", " ", unit.strip().lower().replace("µ", "u").replace("μ", "u"))
    grams_each = mass_kDa * 1e3 / AVOGADRO
    if found := _PARTICLES.match(text):
        related = _number(found[2]) if found[2] else 1.0
        if related <= 0:
            raise ProductError(where, found=f'the unit "{unit}"', expected="a number of particles above zero")
        return amount * _GRAMS[found[1]] / grams_each / related if found[1] in _GRAMS else amount / related
    if found := _PROTEIN.match(text):
        share = amount * _GRAMS[found[1]] / _GRAMS[found[2]]
        if share > 1:
            raise ProductError(
                where, found=f"{amount:g} {unit}", expected="no more of one protein than there is protein in all"
            )
        if vial.protein_ug_per_mL is None:
            raise ProductError(
                where,
                found=f'"{unit}", with the protein of the vial not declared',
                expected=f'{vial.protein_at} = "35 ug/mL" in the product file',
            )
        return share * vial.protein_ug_per_mL * _GRAMS["ug"] / grams_each / vial.particles_per_mL
    if found := _VOLUME.match(text):
        per_mL = amount * _GRAMS[found[1]] / _MILLILITRES[found[2]]
        return per_mL / grams_each / vial.particles_per_mL
    raise ProductError(where, found=f'the unit "{unit}"', expected=_EXAMPLE)


def _number(text: str) -> float:
    factor, _, power = re.sub(r"\s", "", text).rpartition("10^")
    if not power or "10^" not in text:
        return float(text)
    return float(factor.rstrip("x*×") or 1) * 10.0 ** min(int(power), 300)


def read_proteins(path: Path, *, name: str, vial: Vial) -> tuple[Proteins, tuple[str, ...]]:
    """Every row of a table of proteins, and what to remark about it. ``name``: how messages call the file.

    An amount of zero, "<3.9" or "nd" is a measurement that found none; an empty cell or "NA" is no measurement.

    Raises
    ------
    ProductError : no such file, no such columns, an amount or a unit that is none, a place that is none, one protein
        twice in one place.
    """
    header, rows = read_cells(path, name, expected=_EXPECTED)
    at = _columns(header, name)
    entries: dict[tuple[str, str], ProteinCopies] = {}
    unmeasured: list[str] = []
    for number, row in rows:
        line = f"{name}, line {number}"
        cells = {column: row[k] for column, k in at.items()}
        if cells["amount"].lower() in _NOT_MEASURED:
            unmeasured.append(cells["protein"])
            continue
        entry = _entry(cells, vial, line)
        if (entry.name, entry.where) in entries:
            raise ProductError(
                line, found=f"{entry.name}, {entry.where}, again", expected="each protein once in each place"
            )
        entries[entry.name, entry.where] = entry
    if not entries:
        raise ProductError(name, found="no protein with an amount", expected=_EXPECTED)
    held = tuple(entries.values())
    unknown = tuple(dict.fromkeys(e.name for e in held if e.name not in _known()))
    return Proteins(held, unknown, BASIS), tuple(_remarks(held, unmeasured, vial, name))


def _columns(header: Sequence[str], name: str) -> dict[str, int]:
    at: dict[str, int] = {}
    for k, title in enumerate(header):
        column = canonical(title, _COLUMNS) if title else None
        if column in at:
            raise ProductError(name, found=f'the columns "{header[at[column]]}" and "{title}"', expected="one of them")
        if column:
            at[column] = k
    missing = [c for c in ("protein", "amount", "unit") if c not in at]
    if missing:
        relative = any(word in " ".join(header).lower() for word in ("lfq", "intensity", "area", "log2", "ratio"))
        hint = ": intensities and areas of a mass spectrometer are no amounts" if relative else ""
        raise ProductError(name, found=f"no column {' or '.join(missing)}{hint}", expected=_EXPECTED)
    return at


def _entry(cells: Mapping[str, str], vial: Vial, line: str) -> ProteinCopies:
    written, known = cells["protein"], _known()
    if not written:
        raise ProductError(f"{line}, protein", found="an empty cell", expected="a gene symbol, such as VEGFA")
    symbol = canonical(written, {n: entry["aliases"] for n, entry in known.items()}) or written
    place = cells.get("where", "").lower() or "not stated"
    if place not in get_args(Place):
        raise ProductError(
            f"{line}, where",
            found=f'"{place}"',
            expected="lumen, surface, soluble, or an empty cell",
            nearest=nearest(place, get_args(Place)),
        )
    mass = known[symbol]["mass_kDa"] if symbol in known else math.nan
    if given := cells.get("mass_kDa", ""):
        mass = _positive(given, f"{line}, mass_kDa")
    text = cells["amount"]
    below = text.startswith("<") and text.lower() not in _NOT_FOUND
    amount = 0.0 if text.lower() in _NOT_FOUND else _amount(text.removeprefix("<").strip(), f"{line}, amount")
    each = molecules_per_particle(amount, cells["unit"], mass_kDa=mass, vial=vial, where=f"{line}, unit")
    if math.isinf(each):
        raise ProductError(f"{line}, amount", found=f"{text} {cells['unit']}", expected="a finite amount")
    return ProteinCopies(
        name=symbol,
        copies_per_vesicle=0.0 if below or amount == 0 else each,
        log10_sd=ASSAY_LOG10_SD,
        where=cast(Place, place),
        amount=f"{text} {cells['unit']}",
        limit=each if below else math.nan,
    )


def _amount(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise ProductError(
            where,
            found=f'"{text}"',
            expected='a number of zero or more, "<3.9" below a limit, "nd" where none was found',
        )
    return number


def _positive(text: str, where: str) -> float:
    number = _amount(text, where)
    if not 0.1 <= number <= 5000:
        raise ProductError(where, found=f'"{text}"', expected="the mass of a chain in kDa, such as 27.7")
    return number


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Any]:
    return tomllib.loads((files("exotwin.product") / "proteins.toml").read_text(encoding="utf-8"))


def _remarks(entries: Sequence[ProteinCopies], unmeasured: Sequence[str], vial: Vial, name: str) -> list[str]:
    known = _known()
    room = math.pi / 6 * vial.diameter_nm**3 * DENSITY * AVOGADRO / 1e3  # in kDa
    rows = f"of {len(entries)} amounts"
    judged = (
        (unmeasured, f"of {len(entries) + len(unmeasured)} rows without an amount, so nothing is said of them"),
        (
            [e.name for e in entries if math.isnan(e.copies_per_vesicle)],
            f"{rows} are masses of proteins whose chain's mass is not known (add mass_kDa): shown without copies",
        ),
        ([e.name for e in entries if e.copies_per_vesicle == 0], f"{rows} were looked for and none was found"),
        (
            [e.name for e in entries if e.where == "not stated"],
            f"{rows} without a place (where): whether vesicles hold them or the fluid between them is open "
            "(purity-ratio-fooled)",
        ),
        (
            [e.name for e in entries if e.name in known and e.copies_per_vesicle * known[e.name]["mass_kDa"] > room],
            f"{rows} are more than a particle of {vial.diameter_nm:.0f} nm has room for: most lies beside the "
            "vesicles, or a unit is wrong",
        ),
    )
    return [
        f"{name}: {len(names)} {what}: {', '.join(names[:5])}{', …' * (len(names) > 5)}"
        for names, what in judged
        if names
    ]
