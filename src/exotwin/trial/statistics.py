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
place of s_j2. mu_j is then held between -Q and P, the most that any draw can plausibly lose and gain: a normal
distribution around a gain of two patients in twenty reaches below zero, although nobody in any draw was lost. Q is the
largest 99.5 % limit of the share lost in a draw, each draw's count seen with a beta distribution fitted to the counts
of all draws (its variance two standard errors wide of the estimate, so that losses are not taken for alike because
they are few); P the same for those gained. Q falls to 4 / n where nobody is lost. In simulations this moves the lower
limit from -8 to -0.2 points where no draw loses anybody, and leaves the coverage as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.errors import StudyError, nearest

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BAND = (0.5, 0.05, 0.95)
DRAWS_FOR_95 = 39
"""Fewest draws whose outermost values enclose a further draw with 95 %: 1 - 2 / (J + 1)."""


@dataclass(frozen=True)
class Effect:
    """A paired effect on an additive scale (difference, risk difference, or logarithm of a ratio).

    low, high : 95 %, with what is not known. low_patients, high_patients : 95 %, patients only.
    draws, draws_sd : (draw,) effect in each draw and what its few patients leave open. n : patients.
    floor, ceiling : between which every draw's effect is held; infinite but for shares.
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
    floor: float = -math.inf
    ceiling: float = math.inf

    def p_better(self, sign: int, tolerance: float) -> float:
        """Probability that the effect, times ``sign``, exceeds ``tolerance``; NaN without draws."""
        if not self.draws.size:
            return math.nan
        effects = _Mixture(self.draws, self.draws_sd, self.floor, self.ceiling)
        return (effects if sign > 0 else effects.mirrored()).above(float(np.nextafter(tolerance, math.inf)))


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
        limits = _Mixture(means, sd).limits()
        return Effect(centre, *limits, math.nan, math.nan, draws=means, draws_sd=sd, n=n)
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
    floor, ceiling = -math.inf, math.inf
    if share:
        floor, ceiling = -_most(difference < 0, index, m), _most(difference > 0, index, m)
        low_patients, high_patients = max(-1.0, low_patients), min(1.0, high_patients)
    draws = np.clip(centre + kept * (means - centre), floor, ceiling)
    sd = np.sqrt(kept * noise + (1 - kept) ** 2 * error2) * bool(np.any(difference != 0))
    low, high = _Mixture(draws, sd, floor, ceiling).limits()
    return Effect(
        value=centre,
        low=min(low, low_patients),
        high=max(high, high_patients),
        low_patients=low_patients,
        high_patients=high_patients,
        draws=draws,
        draws_sd=sd,
        n=n,
        floor=floor,
        ceiling=ceiling,
    )


def _most(crossed: npt.NDArray[np.bool_], index: Ints, m: Ints) -> float:
    """99.5 % limit of the share of patients who cross a threshold in the draw where most do; ``index`` (patient,)."""
    from scipy import special

    n, n_draws, chance = int(m.sum()), m.size, 0.995
    counts = np.bincount(index, weights=crossed, minlength=n_draws)
    total = float(counts.sum())
    pooled = (total + 0.5) / (n + 1)
    alike = float(special.betaincinv(total + 0.5, n - total + 0.5, chance))
    if n == n_draws or n_draws == 1:
        return alike
    one = float(np.mean(1 / m))
    generous = float(np.var(counts / m, ddof=1)) * (1 + 2 * math.sqrt(2 / (n_draws - 1)))
    between = (generous - pooled * (1 - pooled) * one) / (1 - one)
    if between <= 0:
        return alike
    weight = max(pooled * (1 - pooled) / between - 1, 1e-3)  # patients that what all draws say counts for
    own = special.betaincinv(weight * pooled + counts, weight * (1 - pooled) + m - counts, chance)
    return max(alike, float(own.max()))


@dataclass(frozen=True)
class _Mixture:
    """What is known of the effect in a further draw: a normal distribution a draw, cut off at floor and ceiling."""

    centre: Floats
    sd: Floats
    floor: float = -math.inf
    ceiling: float = math.inf

    def mirrored(self) -> _Mixture:
        return _Mixture(-self.centre, self.sd, -self.ceiling, -self.floor)

    def above(self, threshold: float) -> float:
        """Mean over draws of P(mu_j > threshold); a draw without spread counts if it lies at the threshold or above."""
        if not self.floor < threshold < self.ceiling:
            return float(threshold <= self.floor)
        kept, most = self._ends
        shares = (self._beyond(threshold) - most) / kept
        return float(shares.sum() / shares.size)

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        """What of each draw's distribution lies between floor and ceiling, and what beyond the ceiling."""
        most = self._beyond(self.ceiling)
        return self._beyond(self.floor) - most, most

    def _beyond(self, limit: float) -> Floats:
        from scipy import special

        at_once = np.where(self.centre >= limit, np.inf, -np.inf)
        beyond: Floats = special.ndtr(np.divide(self.centre - limit, self.sd, out=at_once, where=self.sd > 0))
        return beyond

    def limits(self) -> tuple[float, float]:
        """2.5 % and 97.5 %, moved outwards for few draws."""
        p = (max(0.025 * (self.centre.size + 1), 1.0) - 0.5) / self.centre.size
        return self._quantile(p), -self.mirrored()._quantile(p)

    def _quantile(self, p: float) -> float:
        from scipy import optimize

        turned = self.mirrored()

        def missing(x: float) -> float:
            return turned.above(-x) - p

        low = max(float(np.min(self.centre - 9 * self.sd)), self.floor)
        high = min(float(np.max(self.centre + 9 * self.sd)), self.ceiling)
        if low == high or missing(low) >= 0:  # draws without spread
            return low
        # Draws without spread make steps, on which the method falls back to (many) halvings.
        return float(optimize.brentq(missing, low, high, xtol=1e-14 * (high - low), rtol=1e-14, maxiter=5000))


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
