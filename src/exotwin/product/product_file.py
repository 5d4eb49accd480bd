"""The product file (TOML): its schema, and the instrument files that it names → cells and vesicles.

The schema is described in docs/modules/product.md. Paths are relative to the product file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from exotwin.errors import ProductError
from exotwin.product import gating
from exotwin.product.cargo import cargo_of
from exotwin.product.cargo_table import read_counts
from exotwin.product.compensation import Spill, compensate, read_spill, spill_of
from exotwin.product.fcs import FcsFile, read_fcs
from exotwin.product.fields import Fields
from exotwin.product.identity import marker_name, side_of
from exotwin.product.nta import particles_in_vial, vesicle_fraction
from exotwin.product.nta_formats import read_nta
from exotwin.product.parts import Cargo, CellLot, MarkerReading, Proteins, SourceFile, VesicleLot
from exotwin.product.proteins import Vial, read_proteins
from exotwin.product.standards import load
from exotwin.quantities import Estimate, wilson

_CELLS = (
    "passage",
    "donor_age",
    "viability",
    "plastic_adherent",
    "differentiation",
    "threshold_percentile",
    "gate",
    "compensation",
    "tubes",
)
_TUBE = ("file", "control", "markers", "gate", "compensation")
_FEW_CONTROL_CELLS = 1000  # of these, ten lie above the 99th percentile
_VESICLES = ("volume", "protein", "particles_per_cell", "nta", "cargo", "proteins", "reported")


@dataclass
class Book:
    """What was read so far: files by path, and what to remark about them."""

    folder: Path
    file: str
    species: str
    files: dict[str, SourceFile] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    tubes: dict[str, FcsFile] = field(default_factory=dict)

    def enter(self, path: Path, kind: str, read: str) -> None:
        """Note a file that was read; a second use adds to what was read from it."""
        name = str(path.relative_to(self.folder)) if path.is_relative_to(self.folder) else str(path)
        if name in self.files:
            read = f"{self.files[name].read}; {read}"
        self.files[name] = SourceFile(name, kind, hashlib.sha256(path.read_bytes()).hexdigest(), read)

    def remark(self, *remarks: str) -> None:
        """Add remarks, each once."""
        self.remarks += [r for r in dict.fromkeys(remarks) if r not in self.remarks]


def read_cells(table: Any, book: Book) -> tuple[CellLot, Mapping[str, Any]]:
    """The ``[cells]`` of a product file: the lot, and the facts that it declares."""
    cells = Fields(table, f"{book.file}, cells", _CELLS)
    passage = cells.number("passage", low=0, high=1000, example="4")
    if passage is not None and passage != int(passage):
        raise ProductError(cells.at("passage"), found=f"{passage:g}", expected="a whole number")
    viability = cells.share("viability")
    declared: dict[str, Any] = {
        "plastic_adherent": cells.flag("plastic_adherent"),
        "differentiation": cells.texts("differentiation", _lineages()),
    }
    percentile = cells.number("threshold_percentile", low=50, high=99.99, example="99")
    tubes = cells.table.get("tubes", [])
    if not isinstance(tubes, list):
        raise ProductError(cells.at("tubes"), found="a single table", expected="[[cells.tubes]], once a tube")
    markers: list[MarkerReading] = []
    for number, tube in enumerate(tubes, 1):
        fields = Fields(tube, f"{cells.where}.tubes {number}", _TUBE, required=("file", "control", "markers"))
        for key in ("gate", "compensation"):
            if cells.has(key):
                fields.table.setdefault(key, cells.table[key])
        markers += _read_tube(fields, percentile or gating.CONTROL_PERCENTILE, book)
    lot = CellLot(
        int(passage) if passage is not None else None,
        Estimate(viability, "1", how="declared, not measured here") if viability is not None else None,
        tuple(markers),
        cells.amount("donor_age", "year", example="30 years"),
    )
    return lot, {k: v for k, v in declared.items() if v is not None}


def _lineages() -> list[str]:
    lineages: list[str] = next(d["all_of"] for d in load("isct")["declared"] if d["key"] == "differentiation")
    return lineages


def _read_tube(tube: Fields, percentile: float, book: Book) -> list[MarkerReading]:
    """One reading a marker of the tube."""
    stained, control = (_open_tube(tube, key, book) for key in ("file", "control"))
    markers = tube.table["markers"]
    if not isinstance(markers, dict) or not markers or not all(isinstance(v, str) for v in markers.values()):
        raise ProductError(
            tube.at("markers"), found=str(markers), expected='marker and channel, such as markers = { CD73 = "APC-A" }'
        )
    if np.array_equal(stained.stored, control.stored, equal_nan=True):
        raise ProductError(
            tube.at("control"),
            found="the events of the stained tube itself",
            expected="an isotype or unstained control",
        )
    gated = {t.file: _gate(tube, t) for t in (stained, control)}
    for t in (stained, control):
        book.remark(*(f"{t.file}: {r}" for r in gated[t.file].remarks))
    if gated[control.file].n_cells < _FEW_CONTROL_CELLS:
        book.remark(f"{control.file}: the threshold rests on {gated[control.file].n_cells} control cells alone")
    spill = _spill(tube, stained, control, book)
    values = {t.file: compensate(t, spill) if spill is not None else t.scaled for t in (stained, control)}
    readings: list[MarkerReading] = []
    for given, channel in markers.items():
        marker = marker_name(given)
        of_stained, of_control = stained.column(channel), control.column(channel)
        if same := [r for r in readings if r.marker == marker or r.channel == stained.names[of_stained]]:
            raise ProductError(
                f"{tube.at('markers')}.{given}",
                found=f"{marker} in {stained.names[of_stained]} beside {same[0].marker} in {same[0].channel}",
                expected="each marker of a tube once, in a channel of its own",
            )
        label = marker_name(stained.markers[of_stained])
        if side_of(label) != "not asked for" and label != marker:
            book.remark(f"{stained.file}: {channel} is labelled {label} in the file, and {marker} in {book.file}")
        threshold = gating.threshold_of(values[control.file][gated[control.file].inside, of_control], percentile)
        cells = values[stained.file][gated[stained.file].inside, of_stained]
        n, n_positive = cells.size, int(np.count_nonzero(cells > threshold))
        low, high = wilson(n_positive, n)
        how = (
            f"{n_positive} of {n} gated events above the {percentile:g}th percentile of the control's gated events"
            f"{', compensated by ' + spill.source if spill is not None else ', not compensated'}; Wilson interval"
        )
        readings.append(
            MarkerReading(
                marker=marker,
                channel=stained.names[of_stained],
                side=side_of(marker),
                positive=Estimate(n_positive / n, "1", low, high, how),
                threshold=threshold,
                control=control.file,
                n_cells=n,
                file=stained.file,
                gate=gated[stained.file].rule,
                n_events=stained.n_events,
            )
        )
    book.enter(book.folder / stained.file, stained.version, f"{', '.join(r.marker for r in readings)}")
    book.enter(book.folder / control.file, control.version, f"control of {stained.file}")
    return readings


def _open_tube(tube: Fields, key: str, book: Book) -> FcsFile:
    name = tube.text(key)
    if name not in book.tubes:
        book.tubes[name] = read_fcs(book.folder / name, name=name)
        book.remark(*(f"{name}: {r}" for r in book.tubes[name].remarks))
    return book.tubes[name]


def _gate(tube: Fields, opened: FcsFile) -> gating.Gated:
    gate = tube.table.get("gate", "default")
    if isinstance(gate, dict) and gate:
        limits: dict[str, tuple[float, float]] = {}
        for channel, pair in gate.items():
            numbers = pair if isinstance(pair, list) else []
            if len(numbers) != 2 or not all(isinstance(n, int | float) for n in numbers) or not numbers[0] < numbers[1]:
                raise ProductError(
                    f"{tube.at('gate')}.{channel}", found=str(pair), expected="low and high, such as [50000, 262143]"
                )
            limits[channel] = (float(numbers[0]), float(numbers[1]))
        return gating.gate_box(opened, limits)
    tube.one_of("gate", ("default", "none"), "default")
    return gating.gate_default(opened) if gate == "default" else gating.gate_all(opened)


def _spill(tube: Fields, stained: FcsFile, control: FcsFile, book: Book) -> Spill | None:
    """The matrix for both tubes: the stained tube's own, a given one, or none."""
    choice = tube.text("compensation", "file")
    if choice == "none":
        return None
    if choice != "file":
        path = book.folder / choice
        spill: Spill | None = read_spill(path)
        book.enter(path, "spill-over matrix", f"for {stained.file}")
        return spill
    spill, remarks = spill_of(stained.keywords, stained.file)
    book.remark(*(f"{stained.file}: {r}" for r in remarks))
    if spill is None or spill.is_identity:
        return None
    of_control, _ = spill_of(control.keywords, control.file)
    if of_control is None or not np.array_equal(of_control.matrix, spill.matrix):
        book.remark(
            f"{control.file} carries another spill-over matrix than {stained.file}, whose matrix was used for both"
        )
    return spill


def read_vesicles(table: Any, book: Book) -> tuple[VesicleLot, Mapping[str, Any]]:
    """The ``[vesicles]`` of a product file: the lot, and the facts that it declares."""
    vesicles = Fields(table, f"{book.file}, vesicles", _VESICLES, required=("nta",))
    volume = vesicles.amount("volume", "mL", example="1.5 mL")
    protein = vesicles.amount("protein", "ug/mL", example="35 ug/mL")
    for key, value in (("volume", volume), ("protein", protein)):
        if value == 0:
            raise ProductError(vesicles.at(key), found="zero", expected="an amount above zero, or no such key")
    per_cell = vesicles.number("particles_per_cell", low=1e-3, high=1e9, example="15000")
    nta = Fields(vesicles.table["nta"], vesicles.at("nta"), ("file", "dilution"), required=("file",))
    name = nta.text("file")
    dilution = nta.number("dilution", low=1, high=1e9, example="200")
    reading = read_nta(book.folder / name, dilution=dilution, name=name)
    size = reading.size
    for path in reading.files:
        book.enter(path, reading.kind, f"{size.n_captures} captures, {size.total():.3g} particles/mL as measured")
    book.remark(*reading.remarks)
    fraction = vesicle_fraction(size)
    if fraction.value < 0.5:
        book.remark(f"{name}: only {fraction.value:.0%} of particles lie between 30 and 150 nm (exosome-size-ranges)")
    cargo = _read_cargo(vesicles, book) if vesicles.has("cargo") else None
    particles = particles_in_vial(size)
    vial = Vial(particles.value, protein, size.mean, vesicles.at("protein"))
    proteins = _read_proteins(vesicles, vial, book) if vesicles.has("proteins") else None
    lot = VesicleLot(volume, protein, size, particles, fraction, cargo, per_cell, proteins)
    return lot, _reported(vesicles)


def _read_cargo(vesicles: Fields, book: Book) -> Cargo:
    fields = Fields(vesicles.table["cargo"], vesicles.at("cargo"), ("counts", "samples"), required=("counts",))
    name = fields.text("counts")
    path = book.folder / name
    table = read_counts(
        path, samples=fields.texts("samples"), species=book.species, name=name, samples_at=fields.at("samples")
    )
    cargo, remarks = cargo_of(table, species=book.species, where=name)
    read = f"{len(cargo.mediators)} miRNAs, {cargo.n_reads:.0f} reads in {len(cargo.samples)} samples"
    book.enter(path, "miRNA counts", read)
    book.remark(*remarks)
    return cargo


def _read_proteins(vesicles: Fields, vial: Vial, book: Book) -> Proteins:
    name = vesicles.text("proteins")
    proteins, remarks = read_proteins(book.folder / name, name=name, vial=vial)
    book.enter(book.folder / name, "protein amounts", f"{len({e.name for e in proteins.entries})} proteins")
    book.remark(*remarks)
    return proteins


def _reported(vesicles: Fields) -> dict[str, Any]:
    """The facts that MISEV asks for and that no file here shows."""
    keys = [d["key"] for d in load("misev")["declared"]]
    reported = Fields(vesicles.table.get("reported", {}), vesicles.at("reported"), (*keys, "proteins"))
    facts: dict[str, Any] = {key: reported.text(key) for key in keys if reported.has(key)}
    proteins = reported.table.get("proteins", {})
    if not isinstance(proteins, dict):
        raise ProductError(reported.at("proteins"), found=str(proteins), expected='a table such as CD9 = "present"')
    listed = Fields(proteins, reported.at("proteins"), list(proteins))
    facts["proteins"] = {name: listed.one_of(name, ("present", "absent"), "") for name in proteins}
    return facts
