"""Effects as a statistician states them, with what differs between patients and what is not known kept apart.

Patient i of draw j shows the paired difference d_ij = mu_j + e_ij: mu_j is the effect if draw j of the knowledge is
the truth, e_ij what makes patients differ. With J draws of m_j patients, n in all, and draw means d_j:

    effect           d = mean over draws of d_j
    within variance  s2 = sum (d_ij - d_j)^2 / (n - J)
    patients only    d +- t(0.975, n - J) * SE,   SE^2 = s2 * sum(1 / m_j) / J^2
    between draws    tau2 = max(0, var(d_j) - mean of v_j), v_j = s_j2 / m_j with the draw's own variance s_j2: a draw's
                     mean rests on few patients, which must not pass for lack of knowledge
    effect in draw j mu_j is normal around d + B_j (d_j - d), B_j = tau2 / (tau2 + v_j), with the variance
                     B_j v_j + (1 - B_j)^2 SE^2: pulled towards d by the share of noise in it, so that small but sure
                     effects stay where they are beside large ones
    both             2.5 % and 97.5 % of the mixture of all draws, moved outwards like quantiles at rank p (J + 1), so
                     that one further draw lies between them with 95 %. Never narrower than the interval from patients
                     only. With fewer than 39 draws the outermost draws are the limits.
    better           P(mu_j > 0), mean over draws: the same mixture

For shares (d_ij is -1, 0 or 1) half a pair is added to each cell of the paired two-by-two table, so that an interval
exists also when no pair disagrees: s2 = (sum + 1) / (n + 2 - J), SE^2 = s2 / (n + 2), centre d n / (n + 2), and s2 in
place of s_j2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.errors import StudyError, nearest

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Z95 = 1.959963984540054
BAND = (0.5, 0.05, 0.95)
DRAWS_FOR_95 = 39
"""Fewest draws whose outermost values enclose a further draw with 95 %: 1 - 2 / (J + 1)."""


@dataclass(frozen=True)
class Effect:
    """A paired effect on an additive scale (difference, risk difference, or logarithm of a ratio).

    low, high : 95 %, with what is not known. low_patients, high_patients : 95 %, patients only.
    draws, draws_sd : (draw,) effect in each draw and what its few patients leave open. n : patients.
    Everything is NaN where there is no draw with patients.
    """

    value: float
    low: float
    high: float
    low_patients: float
    high_patients: float
    draws: Floats
    draws_sd: Floats
    n: int

    def p_better(self, sign: int, tolerance: float) -> float:
        """Probability that the effect, times ``sign``, exceeds ``tolerance``; NaN without draws."""
        if not self.draws.size:
            return math.nan
        return _share_above(sign * self.draws, self.draws_sd, float(np.nextafter(tolerance, math.inf)))


def paired_effect(difference: Floats, draw: Ints, *, share: bool = False) -> Effect:
    """Mean paired difference with its two intervals.

    Parameters
    ----------
    difference : (patient,), arm minus comparator; finite.
    draw : (patient,), the draw of knowledge that each belongs to.
    share : whether the differences are -1, 0 or 1.
    """
    from scipy import special

    n = difference.size
    numbers, index, m = np.unique(draw, return_inverse=True, return_counts=True)
    n_draws = numbers.size
    if n_draws == 0:
        nan = math.nan
        return Effect(nan, nan, nan, nan, nan, draws=np.empty(0), draws_sd=np.empty(0), n=0)
    means = np.bincount(index, weights=difference) / m
    centre = float(means.mean())
    own_squares = np.bincount(index, weights=(difference - means[index]) ** 2)
    squares = float(own_squares.sum())
    free = n - n_draws + (2 if share else 0)
    if free <= 0:  # one patient a draw: nothing tells patients from knowledge
        sd = np.zeros(n_draws)
        return Effect(centre, *_limits(means, sd), math.nan, math.nan, draws=means, draws_sd=sd, n=n)
    if share:
        within = (squares + 1) / free
        middle, error2 = centre * n / (n + 2), within / (n + 2)
    else:
        within = squares / free
        middle, error2 = centre, within * float(np.sum(1 / m)) / n_draws**2
    half = float(special.stdtrit(free, 0.975)) * math.sqrt(error2)
    low_patients, high_patients = middle - half, middle + half
    between = float(means.var(ddof=1)) if n_draws > 1 else 0.0
    own = np.divide(own_squares, m - 1, out=np.full(n_draws, within), where=m > 1)
    noise = (within if share else own) / m
    unknown = max(0.0, between - float(np.mean(noise)))
    kept = np.divide(unknown, unknown + noise, out=np.ones(n_draws), where=unknown + noise > 0)
    draws = centre + kept * (means - centre)
    sd = np.sqrt(kept * noise + (1 - kept) ** 2 * error2) * bool(np.any(difference != 0))
    low, high = _limits(draws, sd)
    if share:
        low, high, low_patients, high_patients = (
            min(1.0, max(-1.0, limit)) for limit in (low, high, low_patients, high_patients)
        )
    return Effect(
        value=centre,
        low=min(low, low_patients),
        high=max(high, high_patients),
        low_patients=low_patients,
        high_patients=high_patients,
        draws=draws,
        draws_sd=sd,
        n=n,
    )


def _limits(draws: Floats, sd: Floats) -> tuple[float, float]:
    """2.5 % and 97.5 % of the mixture of normal distributions, one a draw, moved outwards for few draws."""
    p = (max(0.025 * (draws.size + 1), 1.0) - 0.5) / draws.size
    return _mixture_quantile(draws, sd, p), -_mixture_quantile(-draws, sd, p)


def _mixture_quantile(centre: Floats, sd: Floats, p: float) -> float:
    low, high = float(np.min(centre - 9 * sd)), float(np.max(centre))
    for _ in range(80):  # halves the range to less than a rounding error of its width
        middle = (low + high) / 2
        if _share_above(-centre, sd, -middle) >= p:
            high = middle
        else:
            low = middle
    return high


def _share_above(centre: Floats, sd: Floats, threshold: float) -> float:
    """Mean over draws of P(mu_j > threshold); a draw without spread counts when it lies at the threshold or above."""
    from scipy import special

    z = np.divide(centre - threshold, sd, out=np.where(centre >= threshold, np.inf, -np.inf), where=sd > 0)
    return float(np.mean(special.ndtr(z)))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share: the shares that a score test would not reject; NaN for n = 0."""
    if n == 0:
        return math.nan, math.nan
    p, z2 = hits / n, Z95**2
    centre, half = p + z2 / (2 * n), Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n**2))
    return max(0.0, (centre - half) / (1 + z2 / n)), min(1.0, (centre + half) / (1 + z2 / n))


@dataclass(frozen=True)
class NumberNeeded:
    """Number needed to treat: 1 / risk difference in the better direction.

    low, high : reciprocals of the upper and the lower limit. Where the risk difference may be zero, they have unlike
    signs and the interval runs from ``low`` through infinity to ``high``, a number needed to harm.
    """

    value: float
    low: float
    high: float
    text: str


def number_needed(value: float, low: float, high: float) -> NumberNeeded:
    """Number needed to treat from a risk difference, positive = better, and its 95 % limits."""
    if math.isnan(value):
        return NumberNeeded(math.nan, math.nan, math.nan, "")
    whole, best, worst = _reciprocal(value), _reciprocal(high), _reciprocal(low)
    limits = f"{_named(best)} to {_named(worst)}"
    if low < 0 < high:
        limits = f"{_named(best)} to ∞ to {_named(worst)}"
    return NumberNeeded(whole, best, worst, f"{_named(whole)} ({limits})")


def _reciprocal(difference: float) -> float:
    return math.inf if difference == 0 else 1 / difference


def _named(number: float) -> str:
    if math.isnan(number):
        return "unknown"
    if math.isinf(number):
        return "∞"
    return f"{'benefit' if number > 0 else 'harm'} {abs(number):.3g}"


def quantiles_within_draws(values: npt.NDArray[np.floating], draw: Ints) -> Floats:
    """Median, 5 % and 95 % between patients of one draw, averaged over draws.

    Within one draw patients differ by what differs between people alone; pooled over draws the band would also show
    what is not known. Quantiles are the median-unbiased ones, at rank p (m + 1/3) + 1/3, held inside the sample:
    below 13 patients a draw the band is from the lowest to the highest of them.

    Parameters
    ----------
    values : (patient, …), NaN for failed patients, who are left out.
    draw : (patient,).

    Returns
    -------
    (3, …); NaN where no patient is left.
    """
    numbers, index, counts = np.unique(draw, return_inverse=True, return_counts=True)
    order = np.argsort(index, kind="stable")
    within = np.arange(draw.size) - np.repeat(np.cumsum(counts) - counts, counts)
    blocks = np.full((max(counts, default=1), numbers.size, *values.shape[1:]), np.nan)
    blocks[within, index[order]] = values[order]
    blocks.sort(axis=0)  # NaN goes last
    m = np.sum(~np.isnan(blocks), axis=0)
    found = np.empty((3, *m.shape))
    for k, p in enumerate(BAND):
        rank = np.clip(p * (m + 1 / 3) + 1 / 3, 1, np.maximum(m, 1)) - 1
        below = np.floor(rank).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(m - 1, 0))
        first, second = (np.take_along_axis(blocks, at[None], axis=0)[0] for at in (below, above))
        found[k] = first + (rank - below) * (second - first)
    some = np.sum(m > 0, axis=0)
    return np.asarray(np.nansum(found, axis=1) / np.where(some > 0, some, np.nan))


def bands(dataset: xr.Dataset, observable: str) -> xr.Dataset:
    """See `TrialResult.bands`."""
    import xarray as xr

    if observable not in dataset.data_vars:
        names = [str(n) for n in dataset.data_vars]
        raise StudyError(
            "bands", found=f'"{observable}"', expected="one of " + ", ".join(names), nearest=nearest(observable, names)
        )
    array = dataset[observable].transpose("patient", "reading", "arm", "time")
    found = quantiles_within_draws(array.values, dataset["draw"].values)
    dims = ("reading", "arm", "time")
    return xr.Dataset(
        {name: (dims, found[k], dict(array.attrs)) for k, name in enumerate(("median", "p5", "p95"))},
        coords={d: dataset[d] for d in dims},
    )
