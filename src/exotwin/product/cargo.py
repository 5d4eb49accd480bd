"""miRNA counts → share of reads → copies per vesicle, with what is known about the step.

The step from share to copies has one measurement behind it and is the weakest of the room; it is stated in
``Cargo.basis`` with its records:

    copies(m) = copies of an abundant miRNA x share(m) / share of an abundant miRNA

- copies of an abundant miRNA per exosome: mean 0.00825, SD 0.02 over six sources, none of them MSC (record
  copies-per-exosome). Mean and SD far above it say that the spread is skewed, so a lognormal with these two moments is
  used: median 0.0031, log10 SD 0.60.
- share of an abundant miRNA: no record gives it for those sources. In MSC vesicles 12 miRNAs hold 69 % of reads, 5.8 %
  each, and the next class ends at 1 % (record msc-ev-mirna-concentration): taken as uniform in log10 between these two.
- a library protocol prefers some sequences: log10 SD 0.30, assumed, the size of a change of conditions (record
  msc-ev-mirna-environment).
- counting error of the reads, spread between samples, and log10 of the number of names that share one value, on top.
"""

from __future__ import annotations

from math import exp, log, log10, sqrt

import numpy as np
from numpy.typing import NDArray

from exotwin.errors import ProductError
from exotwin.product.cargo_table import CountTable
from exotwin.product.names import MirnaName, parse_mirna
from exotwin.product.nta import FloatArray
from exotwin.product.parts import Cargo, MediatorCopies

COPIES_MEAN, COPIES_SD = 0.00825, 0.02  # copies-per-exosome
LEADERS_SHARE = 0.6915 / 12  # msc-ev-mirna-concentration: 12 miRNAs hold 100 - 30.85 %
MINOR_MAX_SHARE = 0.01  # the same record: minor miRNAs are those between 0.1 and 1 %
PROTOCOL_LOG10_SD = 0.30

_LN_VARIANCE = log(1 + (COPIES_SD / COPIES_MEAN) ** 2)
COPIES_MEDIAN = COPIES_MEAN * exp(-_LN_VARIANCE / 2)
REFERENCE_SHARE = sqrt(LEADERS_SHARE * MINOR_MAX_SHARE)
_BASE_VARIANCE = _LN_VARIANCE / log(10) ** 2 + log10(LEADERS_SHARE / MINOR_MAX_SHARE) ** 2 / 12 + PROTOCOL_LOG10_SD**2

SHALLOW_READS = 5000  # below, a sample says little about anything but its leaders; it is left out where others remain
DOMINANT_SHARE = 0.3
ASSAY_SIGNALS = ("miR-6126", "miR-3197", "miR-4454")  # htg-platform-artefact
UBIQUITOUS = ("let-7a-5p", "let-7b-5p", "miR-16-5p", "miR-21-5p", "miR-22-3p", "miR-26a-5p")
BLOOD, MESENCHYMAL = ("miR-451a", "miR-486-5p", "miR-223-3p"), ("miR-100-5p", "miR-143-3p", "miR-199a-3p", "miR-145-5p")

BASIS = (
    f"copies = share of reads x {COPIES_MEDIAN:.4f} / {REFERENCE_SHARE:.3f}. The first number is the median of a "
    f"lognormal with mean {COPIES_MEAN:g} and SD {COPIES_SD:g}: copies of an abundant miRNA per exosome "
    "(copies-per-exosome; none of its six sources is MSC). The second is the share of an abundant miRNA, assumed to "
    f"lie between {MINOR_MAX_SHARE:.0%} and {LEADERS_SHARE:.1%} of reads (msc-ev-mirna-concentration). Protocol bias "
    f"is assumed, log10 SD {PROTOCOL_LOG10_SD:g} (the size of msc-ev-mirna-environment). Copies outside the lumen are "
    "not taken off (mirna-outside-vesicles)."
)


def cargo_of(table: CountTable, *, species: str, where: str) -> tuple[Cargo, tuple[str, ...]]:
    """Shares and copies of every mature miRNA in the table, and what to remark about the table.

    A count of zero stands for half a read: the table was looked at, and what is there lies below it.

    Raises
    ------
    ProductError : no read of a mature miRNA of the species; two rows of one miRNA.
    """
    parsed = [parse_mirna(name, species) for name in table.names]
    _each_once(table, parsed, where)
    mature = np.array([p.kind == "mature" for p in parsed])
    remarks = _left_out(table, [p.kind for p in parsed], where)
    counts = table.counts[mature]
    names = [p.names for p in parsed if p.kind == "mature"]
    keep, notes = _deep_enough(counts.sum(axis=0), table.samples, where)
    remarks += notes
    counts, samples = counts[:, keep], tuple(s for s, k in zip(table.samples, keep, strict=True) if k)
    depth: FloatArray = counts.sum(axis=0)
    if not counts.size or not depth.min() > 0:
        raise ProductError(where, found=f"no reads of mature {species} miRNA", expected="counts of mature miRNAs")
    per_sample = counts / depth
    mediators = _mediators(names, counts, per_sample, float(depth.sum()))
    remarks += _judge(mediators, where)
    unknown = tuple(n for n, is_mature in zip(table.names, mature, strict=True) if not is_mature)
    return Cargo(mediators, float(depth.sum()), unknown, BASIS, samples), tuple(remarks)


def _each_once(table: CountTable, parsed: list[MirnaName], where: str) -> None:
    """Rows that spell one miRNA in two ways: neither a sum nor one of the two would be sure to be right."""
    first: dict[tuple[str, ...], str] = {}
    for row, name in zip(table.names, parsed, strict=True):
        if name.kind == "mature" and first.setdefault(name.names, row) != row:
            raise ProductError(
                where, found=f'the rows "{first[name.names]}" and "{row}" for one miRNA', expected="each miRNA once"
            )


def _mediators(
    names: list[tuple[str, ...]], counts: FloatArray, per_sample: FloatArray, n_reads: float
) -> dict[str, MediatorCopies]:
    """By name; of a name that stands alone and in a joined row, the row of its own counts."""
    mediators: dict[str, MediatorCopies] = {}
    for i in sorted(range(len(names)), key=lambda i: len(names[i])):
        reads, share = float(counts[i].sum()), float(per_sample[i].mean())
        variance = _BASE_VARIANCE + (log10(len(names[i]))) ** 2 + 1 / (log(10) ** 2 * (reads + 0.5))
        seen = per_sample[i][per_sample[i] > 0]
        if seen.size > 1:
            variance += float(np.log10(seen).var(ddof=1)) / seen.size
        effective = share if reads > 0 else 0.5 / n_reads
        copies = COPIES_MEDIAN * effective / REFERENCE_SHARE
        for name in names[i]:
            joined = tuple(other for other in names[i] if other != name)
            mediators.setdefault(name, MediatorCopies(name, share, copies, sqrt(variance), True, joined))
    return mediators


def _left_out(table: CountTable, kinds: list[str], where: str) -> list[str]:
    """Rows that are no mature miRNA of the species, by kind, with their reads."""
    total = table.counts.sum()
    remarks = []
    for kind in ("hairpin", "other species", "not a miRNA"):
        rows = [i for i, k in enumerate(kinds) if k == kind]
        if rows:
            share = float(table.counts[rows].sum() / total) if total > 0 else 0.0
            first = ", ".join(table.names[i] for i in rows[:3])
            remarks.append(
                f"{where}: {len(rows)} rows left out, {kind} ({first}{', …' * (len(rows) > 3)}; {share:.2%} of reads)"
            )
    return remarks


def _deep_enough(depth: FloatArray, samples: tuple[str, ...], where: str) -> tuple[NDArray[np.bool_], list[str]]:
    deep = depth >= SHALLOW_READS
    shallow = [f"{s} ({d:.0f})" for s, d, ok in zip(samples, depth, deep, strict=True) if not ok]
    if not shallow:
        return deep, []
    text = f"{len(shallow)} of {len(samples)} samples below {SHALLOW_READS} reads: {', '.join(shallow)}"
    if not deep.any():
        return depth > 0, [f"{where}: {text}; kept for want of better ones, so only the leaders can be trusted"]
    return deep, [f"{where}: {text}; left out"]


def _judge(mediators: dict[str, MediatorCopies], where: str) -> list[str]:
    """What the profile as a whole says about the table."""

    def share(name: str) -> float:
        return mediators[name].share if name in mediators else 0.0

    remarks = []
    leaders = sorted(mediators.values(), key=lambda m: -m.share)[:3]
    if leaders[0].share >= DOMINANT_SHARE:
        joined = "".join(f"/{other}" for other in leaders[0].joined_with)
        remarks.append(f"{where}: {leaders[0].name}{joined} holds {leaders[0].share:.0%} of all reads")
    signals = [m.name for m in leaders if m.name in ASSAY_SIGNALS]
    if signals:
        remarks.append(
            f"{where}: {', '.join(signals)} among the three leaders: a signal of probe assays (htg-platform-artefact); "
            "absolute shares are not comparable with sequencing"
        )
    missing = [n for n in UBIQUITOUS if share(n) < 1e-4]
    if len(missing) >= 3:
        remarks.append(
            f"{where}: {', '.join(missing)}, found in nearly every cell, are below 0.01 % here: "
            "were reads that map to several places lost?"
        )
    blood, mesenchymal = sum(map(share, BLOOD)), sum(map(share, MESENCHYMAL))
    if blood > 0.05 and blood > 10 * mesenchymal:
        remarks.append(
            f"{where}: {blood:.0%} of reads are miRNA of blood cells ({', '.join(BLOOD)}), {mesenchymal:.1%} those of "
            f"mesenchymal cells ({', '.join(MESENCHYMAL)}): this looks like serum or blood, not like MSC"
        )
    return remarks
