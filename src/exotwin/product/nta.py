"""Size distribution of tracked particles and its statistics, free of vendors.

A distribution is a number of captures (videos of one sample) over common bins of diameter. Every figure here is by
number; the instrument's own figures stand beside it in ``reported`` and are never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exotwin.errors import ProductError
from exotwin.quantities import Estimate

FloatArray = NDArray[np.float64]

VESICLE_WINDOW_NM = (30.0, 150.0)  # exosome-size-ranges: the band of ExoCarta 2016; other authorities draw others


@dataclass(frozen=True, eq=False)
class SizeDistribution:
    """Particle concentration over diameter, one row a capture.

    diameter_nm : (bin,), bin centres, rising.
    concentration : (capture, bin), particles/mL in the bin, as measured (in the diluted sample).
    dilution : how many times the vial was diluted for the measurement; vial = measured x dilution.
    reported : what the instrument itself reports, averaged over captures: "concentration" (particles/mL, as measured),
        "mean", "mode", "sd", "d10", "d50", "d90" (nm); only what the file holds.
    instrument : maker, software and version, as the file says.
    percentile_at : where in a bin the cumulative count is taken to be reached, as the instrument does it: its upper
        edge (NanoSight) or its centre (ZetaView); record nta-d50-convention.
    """

    diameter_nm: FloatArray
    concentration: FloatArray
    dilution: float
    reported: Mapping[str, float] = field(default_factory=dict)
    instrument: str = ""
    percentile_at: Literal["upper edge", "centre"] = "upper edge"

    def __post_init__(self) -> None:
        where = self.instrument or "size distribution"
        if self.concentration.ndim != 2 or self.concentration.shape[1] != self.diameter_nm.size or not self.n_captures:
            raise ProductError(
                where,
                found=f"{self.concentration.shape} concentrations for {self.diameter_nm.size} bins",
                expected="one row a capture, one column a bin, at least one capture",
            )
        if (
            not np.all(np.isfinite(self.diameter_nm))
            or self.diameter_nm[0] <= 0
            or np.any(np.diff(self.diameter_nm) <= 0)
        ):
            raise ProductError(
                where, found="diameters that do not rise", expected="bin centres in nm, rising from above 0"
            )
        wrong = np.argwhere(~(np.isfinite(self.concentration) & (self.concentration >= 0)))
        if wrong.size:
            capture, at = wrong[0]
            raise ProductError(
                f"{where}, capture {capture + 1}, {self.diameter_nm[at]:g} nm",
                found=f"the concentration {self.concentration[capture, at]:g}",
                expected="a number of zero or more",
            )
        if not self.concentration.sum() > 0:
            raise ProductError(where, found="no particle in any capture", expected="a measured sample")
        if not (np.isfinite(self.dilution) and self.dilution >= 1):
            raise ProductError(
                where, found=f"the dilution {self.dilution:g}", expected="a factor of 1 or more, such as 200"
            )

    @property
    def n_captures(self) -> int:
        """Number of captures."""
        return int(self.concentration.shape[0])

    @property
    def curve(self) -> FloatArray:
        """(bin,), particles/mL in the bin as measured, mean over captures."""
        mean: FloatArray = self.concentration.mean(axis=0)
        return mean

    def per_capture(self) -> FloatArray:
        """(capture,), particles/mL as measured."""
        totals: FloatArray = self.concentration.sum(axis=1)
        return totals

    def total(self) -> float:
        """Particles/mL as measured, mean over captures."""
        return float(self.per_capture().mean())

    @property
    def cv(self) -> float:
        """SD over mean of the captures' concentrations, dimensionless; NaN for a single capture."""
        totals = self.per_capture()
        return float(totals.std(ddof=1) / totals.mean()) if totals.size > 1 else float("nan")

    @property
    def d10(self) -> float:
        """Diameter below which a tenth of the particles lie, nm."""
        return self.percentile(10)

    @property
    def d50(self) -> float:
        """Median diameter by number, nm."""
        return self.percentile(50)

    @property
    def d90(self) -> float:
        """Diameter below which nine tenths of the particles lie, nm."""
        return self.percentile(90)

    @property
    def mean(self) -> float:
        """Mean diameter by number, nm."""
        return float(self.diameter_nm @ self.curve / self.curve.sum())

    @property
    def sd(self) -> float:
        """Standard deviation of the diameter by number, nm."""
        curve = self.curve
        return float(np.sqrt((self.diameter_nm - self.mean) ** 2 @ curve / curve.sum()))

    @property
    def mode(self) -> float:
        """Centre of the fullest bin of the mean curve, nm. Depends on the bin width; see also ``reported["mode"]``."""
        return float(self.diameter_nm[int(np.argmax(self.curve))])

    def percentile(self, percent: float) -> float:
        """Diameter in nm below which ``percent`` of the particles lie, from the mean curve.

        The cumulative count is interpolated linearly between the points named by ``percentile_at``.
        """
        edges = _edges(self.diameter_nm)
        points = edges[1:] if self.percentile_at == "upper edge" else self.diameter_nm
        cumulative = np.concatenate([[0.0], np.cumsum(self.curve)])
        points = np.concatenate([edges[:1], points])
        target = cumulative[-1] * percent / 100
        at = int(np.clip(np.searchsorted(cumulative, target), 1, cumulative.size - 1))
        below, above = cumulative[at - 1], cumulative[at]
        share = (target - below) / (above - below) if above > below else 0.0
        return float(points[at - 1] + share * (points[at] - points[at - 1]))

    def fractions_between(self, low: float, high: float) -> FloatArray:
        """(capture,), share of particles with low <= bin centre < high (nm); NaN for a capture without particles."""
        inside = (self.diameter_nm >= low) & (self.diameter_nm < high)
        with np.errstate(invalid="ignore"):
            shares: FloatArray = self.concentration[:, inside].sum(axis=1) / self.per_capture()
        return shares

    def fraction_between(self, low: float, high: float) -> float:
        """Share of particles with low <= bin centre < high (nm), 0-1, from the mean curve."""
        inside = (self.diameter_nm >= low) & (self.diameter_nm < high)
        return float(min(self.curve[inside].sum() / self.curve.sum(), 1.0))


def _edges(centres: FloatArray) -> FloatArray:
    """(bin + 1,): the borders between bins lie half way between centres; the outer two mirror their neighbours."""
    if centres.size == 1:
        return np.array([0.0, 2 * centres[0]])
    between = (centres[1:] + centres[:-1]) / 2
    first = max(0.0, 2 * centres[0] - between[0])
    return np.concatenate([[first], between, [2 * centres[-1] - between[-1]]])


def particles_in_vial(size: SizeDistribution) -> Estimate:
    """Particles/mL in the vial with the 95 % interval of the mean over captures.

    The interval speaks of the captures of this one run (Student's t). Day-to-day spread (2-25 %, record nta-cv) and the
    error of the dilution (a factor of 2.4 in one pair of runs, record nta-dilution-nonlinear) come on top.
    """
    totals = size.per_capture() * size.dilution
    value, n = float(totals.mean()), totals.size
    if n < 2:
        return Estimate(value, "particles/mL", how="one capture: no interval can be given (nta-cv)")
    half = _half_width(totals)
    how = f"mean of {n} captures x dilution {size.dilution:g}; interval between captures; more from day to day (nta-cv)"
    return Estimate(value, "particles/mL", max(0.0, value - half), value + half, how)


def vesicle_fraction(size: SizeDistribution) -> Estimate:
    """Share of particles in the vesicle window of 30-150 nm by number, 95 % interval between captures.

    NTA sizes reliably from about 50 nm (record misev2023-nta-limits), so the share misses most of 30-50 nm.
    """
    low, high = VESICLE_WINDOW_NM
    value, shares = size.fraction_between(low, high), size.fractions_between(low, high)
    shares = shares[np.isfinite(shares)]
    how = f"bins with centre {low:g}-{high:g} nm over all bins, by number (exosome-size-ranges, misev2023-nta-limits)"
    if shares.size < 2:
        return Estimate(value, "1", how=how)
    half = _half_width(shares)
    return Estimate(value, "1", max(0.0, value - half), min(1.0, value + half), how)


def _half_width(values: FloatArray) -> float:
    """Half the 95 % interval of the mean of independent values, by Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(values.size - 1, 0.975) * values.std(ddof=1) / np.sqrt(values.size))


@dataclass(frozen=True, eq=False)
class NtaReading:
    """What an export holds: the distribution, what kind of export it is, its files, and what to remark about it."""

    size: SizeDistribution
    kind: str
    files: tuple[Path, ...]
    remarks: tuple[str, ...]


def settle_dilution(recorded: float | None, declared: float | None, where: str) -> float:
    """The factor between vial and measured sample, from the export and from the product file.

    A recorded 1 counts as not recorded: instruments write it when nobody entered a factor.

    Raises
    ------
    ProductError : neither is known, or they disagree.
    """
    if recorded is not None and recorded > 1:
        if declared is not None and not np.isclose(declared, recorded, rtol=1e-6):
            raise ProductError(
                f"{where}, dilution",
                found=f"{declared:g} in the product file, {recorded:g} recorded in the export",
                expected="one factor: leave it out of the product file, or correct the one that is wrong",
            )
        return recorded
    if declared is None:
        written = "not recorded in the export" if recorded is None else "1 in the export, as if nobody had entered it"
        raise ProductError(
            f"{where}, dilution",
            found=f"a dilution {written}, and none in the product file",
            expected="dilution = 200 (or 1) under [vesicles.nta]: without it the concentration of the vial is unknown",
        )
    return declared


def capture_remarks(totals: FloatArray, where: str) -> tuple[str, ...]:
    """What the captures' concentrations say about the run: few, scattered, or falling."""
    remarks: list[str] = []
    n = totals.size
    if n < 3:
        remarks.append(f"{where}: {n} capture{'s' * (n > 1)}; at least 3 are usual (nta-qc-rules)")
    cv = float(totals.std(ddof=1) / totals.mean()) if n > 1 else 0.0
    if cv > 0.25:
        remarks.append(f"{where}: the captures scatter by {cv:.0%}; 7 to 17 % is usual within a run (nta-capture-cv)")
    # Kendall's tau against the order of the captures: 1 of 10 pairs may disagree for five captures.
    order = np.sign(totals[None, :] - totals[:, None])[np.triu_indices(n, 1)]
    change = float(totals[-1] / totals[0] - 1) if totals[0] > 0 else 0.0
    if n >= 4 and abs(order.mean()) >= 0.8 and abs(change) > 0.1:
        way, cause = ("falls", "settling or bleaching") if change < 0 else ("rises", "a sample that is not at rest")
        remarks.append(f"{where}: concentration {way} from capture to capture, by {abs(change):.0%} in all: {cause}?")
    return tuple(remarks)
