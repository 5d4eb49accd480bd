"""What a product consists of: plain frozen data that passes through the room's door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from exotwin.product.nta import SizeDistribution
from exotwin.quantities import Estimate

Side = Literal["positive", "negative", "not asked for"]
CriterionOutcome = Literal["met", "not met", "not measured"]
VerdictOutcome = Literal["met", "not met", "cannot be judged"]
Place = Literal["lumen", "surface", "soluble", "not stated"]


@dataclass(frozen=True)
class SourceFile:
    """A file that the product was read from.

    path : as the product file names it (relative to it).
    kind : what it was read as: "FCS 3.1", "NanoSight 3.4", "miRNA counts", "product file".
    sha256 : of its bytes, in hex.
    read : one line: what was taken from it.
    """

    path: str
    kind: str
    sha256: str
    read: str


@dataclass(frozen=True)
class Criterion:
    """One line of a standard, held against the product.

    rule : what the standard asks. measured : what was found, or "declared, not measured here: …", or what is missing.
    records : ids of the evidence records behind the rule.
    """

    name: str
    rule: str
    measured: str
    outcome: CriterionOutcome
    records: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """A standard's criteria with their joint outcome.

    One criterion not met makes the verdict "not met"; all met, "met"; else it "cannot be judged".
    """

    standard: str
    outcome: VerdictOutcome
    criteria: tuple[Criterion, ...]
    records: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class MarkerReading:
    """Share of cells that carry a marker, from one stained tube and its control.

    marker : usual name, "CD73". channel : $PnN of the detector. side : what ISCT 2006 wants of the marker.
    positive : fraction of gated cells strictly above the threshold, Wilson 95 % interval.
    threshold : on the channel's linear, compensated scale (arbitrary instrument units).
    control, file : the files, as the product file names them. n_cells : gated events of the stained tube.
    gate, n_events : the rule that made cells of events, and how many events there were.
    """

    marker: str
    channel: str
    side: Side
    positive: Estimate
    threshold: float
    control: str
    n_cells: int
    file: str
    gate: str
    n_events: int


@dataclass(frozen=True)
class CellLot:
    """The cells of the lot. viability : fraction, as declared. donor_age : year, as declared."""

    passage: int | None
    viability: Estimate | None
    markers: tuple[MarkerReading, ...]
    donor_age: float | None = None


@dataclass(frozen=True)
class MediatorCopies:
    """How much of one miRNA, or of a protein where it can act, a vesicle carries.

    name : mature miRNA without species prefix, "miR-21-5p", or gene symbol.
    share : of all mature miRNA reads, 0-1; NaN if not measured, and of a protein.
    copies_per_vesicle : median of a lognormal distribution that states what is known; NaN if not measured.
    log10_sd : its SD in log10 (knowledge, not spread between patients).
    measured : False where the table has no such row: no statement, never zero.
    joined_with : names that the mapper could not tell apart; they share one value, which must not be added.
    """

    name: str
    share: float
    copies_per_vesicle: float
    log10_sd: float
    measured: bool
    joined_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cargo:
    """miRNA content of the vesicles.

    mediators : by mature name without species prefix; only rows of the table.
    n_reads : mature miRNA reads in the samples used. samples : their columns.
    unknown : names that are not mature miRNAs of the species; left out, with their reads counted in the remarks.
    basis : how counts became copies, with record ids.
    """

    mediators: Mapping[str, MediatorCopies]
    n_reads: float
    unknown: tuple[str, ...]
    basis: str
    samples: tuple[str, ...] = ()

    def mediator(self, name: str) -> MediatorCopies:
        """The mediator of that name; with ``measured=False`` and NaN where the table has no such row."""
        nan = float("nan")
        return self.mediators.get(name) or MediatorCopies(name, nan, nan, nan, measured=False)


@dataclass(frozen=True)
class ProteinCopies:
    """How much of one protein comes with a particle of the preparation.

    name : gene symbol, or as the table writes it where the name is not known.
    copies_per_vesicle : molecules per particle: median of a lognormal distribution that states what is known. 0: looked
        for, none found; NaN: a mass of a protein whose chain's mass is not known.
    log10_sd : its SD in log10 (knowledge, not spread between patients).
    where : in the vesicle, on it, or in the fluid beside it.
    amount : as the table gives it, with its unit.
    limit : molecules per particle below which none would be seen, or NaN.
    """

    name: str
    copies_per_vesicle: float
    log10_sd: float
    where: Place
    amount: str
    limit: float = float("nan")


@dataclass(frozen=True)
class Proteins:
    """Protein content of the preparation.

    entries : rows of the table with an amount, one for each place in which a protein was looked for.
    unknown : names that no edge of the mechanism knows; held like the others, and never part of a reading.
    basis : how amounts became copies, with record ids.
    """

    entries: tuple[ProteinCopies, ...]
    unknown: tuple[str, ...]
    basis: str


@dataclass(frozen=True)
class VesicleLot:
    """The vesicles of the lot.

    volume_mL : of one vial. protein_ug_per_mL : as declared, in the vial.
    particles_per_mL : in the vial, dilution undone. fraction_30_150 : by number.
    particles_per_cell : harvested from each cell of the starting material, as declared; None where nobody counted.
    """

    volume_mL: float | None
    protein_ug_per_mL: float | None
    size: SizeDistribution
    particles_per_mL: Estimate
    fraction_30_150: Estimate
    cargo: Cargo | None
    particles_per_cell: float | None = None
    proteins: Proteins | None = None

    @property
    def particles_per_vial(self) -> float | None:
        """Particles in one vial, or None where its volume is not declared."""
        return None if self.volume_mL is None else self.volume_mL * self.particles_per_mL.value

    @property
    def particles_per_ug(self) -> float | None:
        """Particles per microgram of protein, a figure of purity (purity-ratio-method), or None without protein."""
        return None if not self.protein_ug_per_mL else self.particles_per_mL.value / self.protein_ug_per_mL
