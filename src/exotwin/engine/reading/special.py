"""Functions that are made of others, so that derivatives and kernels need nothing new for them."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

_SHIFT = 8  # from here on the asymptotic series below is exact to rounding
_TERMS = 8  # then the first one left out is below 1e-16


def factorial(x: Any) -> Any:
    """x! = Γ(x + 1) of a casadi expression, not a number for x ≤ −1.

    The asymptotic series of ln Γ (Stirling), used beyond 8, where its error is less than the first term left out, and
    brought down by the recurrence Γ(z + 1) = z Γ(z). To 1e-14 of the value, or as many rounding errors as the exponent
    has units.
    """
    import casadi as ca

    if x.is_constant():
        value = float(x)
        try:
            return ca.SX(math.gamma(value + 1) if value > -1 else math.nan)
        except OverflowError:
            return ca.SX(math.inf)
    product = ca.SX(1)
    for k in range(1, _SHIFT + 1):
        product = product * (x + k)
    z = x + 1 + _SHIFT
    series = ca.SX(0)
    for k in range(_TERMS, 0, -1):
        series = series / z**2 + float(_bernoulli(2 * k) / (2 * k * (2 * k - 1)))
    log_gamma = (z - 0.5) * ca.log(z) - z + 0.5 * math.log(2 * math.pi) + series / z
    return ca.if_else(x > -1, ca.exp(log_gamma - ca.log(product)), ca.SX(math.nan))


@cache
def _bernoulli(n: int) -> Fraction:
    """By their recurrence: Σ C(n + 1, k) B_k = 0 over k ≤ n."""
    if n == 0:
        return Fraction(1)
    return -sum((math.comb(n + 1, k) * _bernoulli(k) for k in range(n)), Fraction(0)) / (n + 1)
