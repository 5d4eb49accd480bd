"""A product: what the laboratory measured on one lot, its verdicts and what a careful reader should be told."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from exotwin.errors import ProductError, nearest
from exotwin.product import show
from exotwin.product.fields import Fields
from exotwin.product.identity import judge_identity
from exotwin.product.names import SPECIES_PREFIX
from exotwin.product.particles import judge_purity, judge_reporting
from exotwin.product.parts import CellLot, MarkerReading, MediatorCopies, ProteinCopies, SourceFile, Verdict, VesicleLot
from exotwin.product.product_file import Book, read_cells, read_vesicles
from exotwin.quantities import Z95
from exotwin.tables import read_toml

_KEYS = ("name", "source_tissue", "species", "synthetic", "note", "cells", "vesicles")
_N_SHOWN = 8


@dataclass(frozen=True, repr=False)
class Product:
    """One lot of cells, of vesicles, or of both.

    source_tissue : "umbilical cord", "bone marrow", "adipose", "dental pulp", …
    species : species of the donor cells, "human", "mouse" or "rat".
    synthetic : True for data that no instrument measured, such as the shipped example.
    cells, vesicles : None where the lot has none.
    verdicts : "ISCT 2006" for the cells; with vesicles, "MISEV2023" (reporting) and "Purity".
    files : every file that was read, the product file first.
    remarks : everything in the files that a careful reader should be told.
    """

    name: str
    source_tissue: str
    species: str
    synthetic: bool
    cells: CellLot | None
    vesicles: VesicleLot | None
    verdicts: tuple[Verdict, ...]
    files: tuple[SourceFile, ...]
    remarks: tuple[str, ...]
    note: str = ""

    @classmethod
    def from_toml(cls, path: str | Path) -> Product:
        """Read a product file and every instrument file that it names.

        Raises
        ------
        ProductError : a key, a value or a file is wrong; says where, what was found and what was expected.
        """
        path = Path(path)
        top = Fields(read_toml(path, error=ProductError), f"{path.name},", _KEYS, required=("name", "source_tissue"))
        if not top.has("cells") and not top.has("vesicles"):
            raise ProductError(path.name, found="neither [cells] nor [vesicles]", expected="at least one of them")
        species = top.one_of("species", SPECIES_PREFIX, "human")
        tissue, synthetic = top.text("source_tissue"), bool(top.flag("synthetic"))
        book = Book(path.parent, path.name, species)
        book.enter(path, "product file", "names, declared facts, which files")
        if synthetic:
            book.remark("SYNTHETIC: no instrument measured this product; its files were computed to look like one")
        cells, about_cells = read_cells(top.table["cells"], book) if top.has("cells") else (None, {})
        verdicts = [judge_identity(cells.markers if cells else (), about_cells, source_tissue=tissue)]
        vesicles = None
        if top.has("vesicles"):
            vesicles, reported = read_vesicles(top.table["vesicles"], book)
            verdicts += [judge_reporting(vesicles, reported), judge_purity(vesicles, reported)]
        return cls(
            name=top.text("name"),
            source_tissue=tissue,
            species=species,
            synthetic=synthetic,
            cells=cells,
            vesicles=vesicles,
            verdicts=tuple(verdicts),
            files=tuple(book.files.values()),
            remarks=tuple(book.remarks),
            note=top.text("note"),
        )

    def verdict(self, standard: str) -> Verdict:
        """The verdict of one standard, such as "ISCT 2006".

        Raises
        ------
        ProductError : this product was not held against it.
        """
        known = {v.standard: v for v in self.verdicts}
        if standard not in known:
            raise ProductError(
                self.name,
                found=f'the standard "{standard}"',
                expected="one of " + ", ".join(known),
                nearest=nearest(standard, known),
            )
        return known[standard]

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What was measured and declared, as label and text."""
        facts = [("source", f"{self.source_tissue}, {self.species}")]
        if self.note:
            facts.append(("note", self.note))
        if self.cells:
            passage = f"passage {self.cells.passage}" if self.cells.passage is not None else "passage not declared"
            viable = f", viability {self.cells.viability.value:.0%} (declared)" if self.cells.viability else ""
            age = f", donor {self.cells.donor_age:g} years (declared)" if self.cells.donor_age is not None else ""
            facts.append(("cells", passage + age + viable))
            facts += [(m.marker, _marker_text(m)) for m in self.cells.markers]
        if self.vesicles:
            facts += _vesicle_facts(self.vesicles)
        return tuple(facts)

    def summary(self) -> str:
        """The facts and the verdicts in a few lines of text."""
        lines = [self._title(), *(f"  {label:<14}{text}" for label, text in self.facts())]
        lines += [f"  {v.standard:<14}{v.outcome}: {v.summary}" for v in self.verdicts]
        for m in self.leaders():
            lines.append(f"  {_label(m):<14}{m.share:.2%} of reads, {m.copies_per_vesicle:.1e} copies per vesicle")
        shown, more = self.proteins()[:_N_SHOWN], len(self.proteins()) - _N_SHOWN
        lines += [f"  {p.name:<14}{p.amount} ({p.where}), {_copies(p)}" for p in shown]
        if more > 0:
            lines.append(f"  and {more} more amounts of proteins")
        if self.remarks:
            lines.append(f"  remarks: {len(self.remarks)}")
        return "\n".join(lines)

    def leaders(self, n: int = _N_SHOWN) -> tuple[MediatorCopies, ...]:
        """The ``n`` miRNAs with the most reads; of names that share one value, the first."""
        if self.vesicles is None or self.vesicles.cargo is None:
            return ()
        ranked = sorted(self.vesicles.cargo.mediators.values(), key=lambda m: (-m.share, m.name))
        chosen: list[MediatorCopies] = []
        for mediator in ranked:
            if not any(mediator.name in other.joined_with for other in chosen):
                chosen.append(mediator)
        return tuple(chosen[:n])

    def proteins(self) -> tuple[ProteinCopies, ...]:
        """Every amount of the table of proteins, known effects first, then by copies; none without a table."""
        held = self.vesicles.proteins if self.vesicles is not None else None
        if held is None:
            return ()
        return tuple(sorted(held.entries, key=lambda entry: (entry.name in held.unknown, *_by_copies(entry))))

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, texts and lists, for JSON; the size distribution by its statistics."""
        held = asdict(replace(self, vesicles=None))
        held["vesicles"] = _vesicles_as_dict(self.vesicles) if self.vesicles else None
        return held

    def __repr__(self) -> str:
        verdicts = "; ".join(f"{v.standard} {v.outcome}" for v in self.verdicts)
        return f"<Product {self._title()}: {verdicts}>"

    def _repr_html_(self) -> str:
        rows = [(_label(m), f"{m.share:.2%}", f"{m.copies_per_vesicle:.1e}", _range(m)) for m in self.leaders()]
        shown, more = self.proteins()[:_N_SHOWN], len(self.proteins()) - _N_SHOWN
        proteins = [(p.name, p.amount, str(p.where), _copies(p, unit=""), _span(p)) for p in shown]
        if more > 0:
            proteins.append((f"and {more} more", "", "", "", ""))
        return show.page(self._title(), self.facts(), self.verdicts, rows, proteins, self.remarks)

    def _title(self) -> str:
        return f"{self.name}{' (SYNTHETIC)' if self.synthetic else ''}"


def _marker_text(reading: MarkerReading) -> str:
    share = reading.positive
    span = f" ({share.low:.2%} to {share.high:.2%})" if share.low is not None and share.high is not None else ""
    return f"{share.value:.2%}{span} of {reading.n_cells} cells, {reading.channel} above {reading.threshold:.4g}"


def _label(mediator: MediatorCopies) -> str:
    return "/".join((mediator.name, *mediator.joined_with))


def _by_copies(entry: ProteinCopies) -> tuple[bool, float, str]:
    unknown = math.isnan(entry.copies_per_vesicle)
    return unknown, 0.0 if unknown else -entry.copies_per_vesicle, entry.name


def _copies(entry: ProteinCopies, *, unit: str = " copies per particle") -> str:
    if math.isnan(entry.copies_per_vesicle):
        return "mass of the chain not known"
    if entry.copies_per_vesicle == 0:
        return "none found" if math.isnan(entry.limit) else f"none found, below {entry.limit:.1e}{unit}"
    return f"{entry.copies_per_vesicle:.1e}{unit}"


def _span(entry: ProteinCopies) -> str:
    return _range(entry) if entry.copies_per_vesicle > 0 else ""


def _range(mediator: MediatorCopies | ProteinCopies) -> str:
    factor = 10 ** (Z95 * mediator.log10_sd)
    return f"{mediator.copies_per_vesicle / factor:.1e} to {mediator.copies_per_vesicle * factor:.1e}"


def _vesicle_facts(lot: VesicleLot) -> list[tuple[str, str]]:
    particles, size = lot.particles_per_mL, lot.size
    span = (
        f" ({particles.low:.2e} to {particles.high:.2e})"
        if particles.low is not None and particles.high is not None
        else ""
    )
    facts = [
        ("particles", f"{particles.value:.2e} per mL{span}, {size.n_captures} captures, dilution {size.dilution:g}")
    ]
    if lot.particles_per_vial is not None:
        facts.append(("vial", f"{lot.volume_mL:g} mL, {lot.particles_per_vial:.2e} particles"))
    if lot.particles_per_cell is not None:
        facts.append(("yield", f"{lot.particles_per_cell:g} particles per cell of the starting material (declared)"))
    if lot.particles_per_ug is not None:
        facts.append(
            ("protein", f"{lot.protein_ug_per_mL:g} ug/mL (declared), {lot.particles_per_ug:.2e} particles/ug")
        )
    facts.append(
        (
            "size",
            f"mode {size.mode:.0f}, D10/D50/D90 {size.d10:.0f}/{size.d50:.0f}/{size.d90:.0f} nm; "
            f"{lot.fraction_30_150.value:.1%} between 30 and 150 nm",
        )
    )
    if lot.cargo is not None:
        cargo = lot.cargo
        facts.append(
            ("miRNA", f"{len(cargo.mediators)} names, {cargo.n_reads:.3g} reads in {len(cargo.samples)} samples")
        )
    if lot.proteins is not None:
        held, unknown = {e.name for e in lot.proteins.entries}, len(lot.proteins.unknown)
        facts.append(("proteins", f"{len(held)} names, {unknown} of them without a known effect here"))
    return facts


def _vesicles_as_dict(lot: VesicleLot) -> dict[str, Any]:
    size = lot.size
    return {
        "volume_mL": lot.volume_mL,
        "protein_ug_per_mL": lot.protein_ug_per_mL,
        "particles_per_mL": asdict(lot.particles_per_mL),
        "particles_per_vial": lot.particles_per_vial,
        "particles_per_ug": lot.particles_per_ug,
        "fraction_30_150": asdict(lot.fraction_30_150),
        "size": {
            "instrument": size.instrument,
            "dilution": size.dilution,
            "n_captures": size.n_captures,
            "particles_per_mL_as_measured": size.total(),
            "mode_nm": size.mode,
            "mean_nm": size.mean,
            "sd_nm": size.sd,
            "d10_nm": size.d10,
            "d50_nm": size.d50,
            "d90_nm": size.d90,
            "reported": dict(size.reported),
        },
        "cargo": None
        if lot.cargo is None
        else {
            "n_reads": lot.cargo.n_reads,
            "samples": list(lot.cargo.samples),
            "basis": lot.cargo.basis,
            "unknown": list(lot.cargo.unknown),
            "mediators": {name: asdict(m) for name, m in lot.cargo.mediators.items()},
        },
        "proteins": None if lot.proteins is None else asdict(lot.proteins),
    }
