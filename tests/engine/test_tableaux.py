"""The coefficients of the method, checked against theory and not against the code that uses them."""

from __future__ import annotations

import numpy as np

from exotwin.engine.tableaux import RODAS5P

ALPHA, GAMMA, B, EMBEDDED = RODAS5P.classical()


def order_conditions(b: np.ndarray, order: int) -> list[float]:
    """Residuals of the conditions for Rosenbrock methods (Hairer and Wanner, Solving ODEs II, table IV.7.1)."""
    beta, a = ALPHA + GAMMA, ALPHA.sum(axis=1)
    bs = beta.sum(axis=1)
    residuals = {
        1: [b.sum() - 1],
        2: [b @ bs - 1 / 2],
        3: [b @ a**2 - 1 / 3, b @ beta @ bs - 1 / 6],
        4: [
            b @ a**3 - 1 / 4,
            (b * a) @ (ALPHA @ bs) - 1 / 8,
            b @ beta @ a**2 - 1 / 12,
            b @ beta @ beta @ bs - 1 / 24,
        ],
        5: [
            b @ a**4 - 1 / 5,
            (b * a**2) @ (ALPHA @ bs) - 1 / 10,
            b @ (ALPHA @ bs) ** 2 - 1 / 20,
            (b * a) @ (ALPHA @ a**2) - 1 / 15,
            (b * a) @ (ALPHA @ (beta @ bs)) - 1 / 30,
            b @ beta @ a**3 - 1 / 20,
            b @ beta @ (a * (ALPHA @ bs)) - 1 / 40,
            b @ beta @ beta @ a**2 - 1 / 60,
            b @ beta @ beta @ beta @ bs - 1 / 120,
        ],
    }
    return [r for k in range(1, order + 1) for r in residuals[k]]


def test_all_conditions_of_order_five_hold() -> None:
    # coefficients are given to 16 digits and grow to 150, which leaves some 1e-13
    assert np.abs(order_conditions(B, 5)).max() < 1e-12


def test_the_embedded_method_has_order_four_and_no_more() -> None:
    assert np.abs(order_conditions(EMBEDDED, 4)).max() < 1e-12
    assert np.abs(order_conditions(EMBEDDED, 5)).max() > 1e-4


def test_nodes_and_time_weights_are_the_row_sums() -> None:
    np.testing.assert_allclose(ALPHA.sum(axis=1), RODAS5P.c, atol=1e-12)
    np.testing.assert_allclose(GAMMA.sum(axis=1), RODAS5P.d, atol=1e-12)


def test_the_method_is_stiffly_accurate_and_damps_stiff_parts_completely() -> None:
    np.testing.assert_allclose(B, (ALPHA + GAMMA)[-1], atol=1e-12)
    # stability function at infinity: 1 − bᵀ (α + Γ)⁻¹ 1
    assert abs(1 - B @ np.linalg.solve(ALPHA + GAMMA, np.ones(8))) < 1e-11


def step(y: float, t: float, h: float) -> tuple[float, float]:
    """One step of y' = −y² cos t, written out plainly; gives the new value and the value in the middle."""
    m = RODAS5P
    jacobian, slope = -2 * y * np.cos(t), y**2 * np.sin(t)
    k: list[float] = []
    for i in range(m.stages):
        point = y + sum(a * x for a, x in zip(m.a[i], k, strict=False))
        right = -(point**2) * np.cos(t + m.c[i] * h) + sum(c * x for c, x in zip(m.C[i], k, strict=False)) / h
        k.append((right + h * m.d[i] * slope) / (1 / (h * m.gamma) - jacobian))
    new = y + float(np.dot(m.m, k))
    dense = [float(np.dot(row, k)) for row in m.dense]
    theta = 0.5
    middle = (1 - theta) * y + theta * (new + (1 - theta) * (dense[0] + theta * (dense[1] + theta * dense[2])))
    return new, middle


def errors(steps: int) -> tuple[float, float]:
    """Error at t = 2 and largest error in the middle of steps; the solution is 1/(1 + sin t)."""
    h, y, worst = 2 / steps, 1.0, 0.0
    for i in range(steps):
        y, middle = step(y, i * h, h)
        worst = max(worst, abs(middle - 1 / (1 + np.sin((i + 0.5) * h))))
    return abs(y - 1 / (1 + np.sin(2.0))), worst


def test_halving_the_step_divides_the_error_by_two_to_the_fifth() -> None:
    coarse, fine = errors(20), errors(40)
    assert np.log2(coarse[0] / fine[0]) > 4.8
    assert np.log2(coarse[1] / fine[1]) > 3.8  # dense output is of order four
