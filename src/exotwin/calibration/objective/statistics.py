"""Individuals → what is measured of a population: mean, SD, standardised difference of means; with derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective.observed import Slopes, Values

Floats = NDArray[np.float64]


def statistic(what: str, own: Values, other: Values | None) -> Values:
    """The statistic over individuals, (n, 1, row).

    what : "" (there is but one individual), "mean", "sd" (n − 1), or "smd": the mean of ``own`` less that of ``other``,
    over the root of the mean of both variances.
    """
    if not what:
        return own
    mean = own.value.mean(axis=1, keepdims=True)
    if what == "mean":
        return Values(mean, {k: _mean(slope, own) for k, slope in own.slopes.items()})
    with np.errstate(all="ignore"):
        if what == "sd":
            variance = _variance(own)
            sd = np.sqrt(variance.value)
            return Values(sd, {k: slope / (2 * sd) for k, slope in variance.slopes.items()})
        if other is None:
            raise ValueError(f'the statistic "{what}" needs another condition')
        difference = mean - other.value.mean(axis=1, keepdims=True)
        variances = _variance(own), _variance(other)
        pooled = np.sqrt((variances[0].value + variances[1].value) / 2)
        found: Slopes = {}
        for k in {*own.slopes, *other.slopes}:
            by_means = _mean(own.slopes.get(k), own) - _mean(other.slopes.get(k), other)
            by_variances = sum(v.slopes.get(k, 0.0) for v in variances)
            found[k] = by_means / pooled - difference / (4 * pooled**3) * by_variances
        return Values(difference / pooled, found)


def _mean(slope: Floats | None, of: Values) -> Floats:
    """(n, 1, row) mean over individuals of a derivative, which may be given as what broadcasts to theirs."""
    if slope is None:
        return np.zeros((1, 1, 1))
    full = np.broadcast_to(slope, np.broadcast_shapes(slope.shape, of.value.shape))
    return np.asarray(full.mean(axis=1, keepdims=True))


def _variance(of: Values) -> Values:
    count = of.value.shape[1]
    deviation = of.value - of.value.mean(axis=1, keepdims=True)
    value = np.sum(deviation**2, axis=1, keepdims=True) / (count - 1)
    slopes = {k: 2 * np.sum(deviation * slope, axis=1, keepdims=True) / (count - 1) for k, slope in of.slopes.items()}
    return Values(value, slopes)
