"""The coefficients of the methods, checked against theory and not against the code that uses them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from exotwin.engine.kernels.tableaux import RODAS5P, TSIT5

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


def errors(steps: int, step: Callable[[float, float, float], tuple[float, float]] = step) -> tuple[float, float]:
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


def explicit_matrix() -> np.ndarray:
    """Tsit5's (stage, stage)."""
    matrix = np.zeros((TSIT5.stages, TSIT5.stages))
    for i, row in enumerate(TSIT5.a):
        matrix[i, : len(row)] = row
    return matrix


A, C = explicit_matrix(), np.array(TSIT5.c)
SOLUTION = np.array([*TSIT5.a[-1], 0.0])


def explicit_conditions(b: np.ndarray, order: int, theta: float = 1.0) -> list[float]:
    """Residuals of the conditions for Runge-Kutta methods, one for each rooted tree of up to five nodes.

    Hairer, Nørsett and Wanner, Solving ODEs I, II.2; at the share ``theta`` of the step as in II.6.
    """
    ac = A @ C
    sums = {
        1: [(b.sum(), 1)],
        2: [(b @ C, 2)],
        3: [(b @ C**2, 3), (b @ ac, 6)],
        4: [(b @ C**3, 4), ((b * C) @ ac, 8), (b @ A @ C**2, 12), (b @ A @ ac, 24)],
        5: [
            (b @ C**4, 5),
            ((b * C**2) @ ac, 10),
            (b @ ac**2, 20),
            ((b * C) @ A @ C**2, 15),
            ((b * C) @ A @ ac, 30),
            (b @ A @ C**3, 20),
            (b @ A @ (C * ac), 40),
            (b @ A @ A @ C**2, 60),
            (b @ A @ A @ ac, 120),
        ],
    }
    return [value - theta**k / density for k in range(1, order + 1) for value, density in sums[k]]


def test_nodes_of_the_explicit_method_are_the_row_sums_and_the_last_stage_ends_the_step() -> None:
    np.testing.assert_allclose(A.sum(axis=1), C, atol=1e-14)
    assert len(TSIT5.a[-1]) == TSIT5.stages - 1
    assert TSIT5.c[-1] == 1.0


def test_all_conditions_of_order_five_hold_for_the_explicit_method() -> None:
    assert np.abs(explicit_conditions(SOLUTION, 5)).max() < 1e-14


def test_the_embedded_explicit_method_has_order_four_and_no_more() -> None:
    embedded = SOLUTION - TSIT5.error
    assert np.abs(explicit_conditions(embedded, 4)).max() < 1e-14
    assert np.abs(explicit_conditions(embedded, 5)).max() > 1e-4


@pytest.mark.parametrize("theta", [0.0, 0.1, 0.37, 0.5, 0.9, 1.0])
def test_the_explicit_method_has_order_four_all_through_the_step(theta: float) -> None:
    first, second, third = np.array(TSIT5.dense)
    within = theta * (SOLUTION + (1 - theta) * (first + theta * (second + theta * third)))
    assert np.abs(explicit_conditions(within, 4, theta)).max() < 1e-14


def explicit_step(y: float, t: float, h: float) -> tuple[float, float]:
    """One step of y' = −y² cos t, written out plainly; gives the new value and the value in the middle."""
    k: list[float] = []
    for i in range(TSIT5.stages):
        k.append(-h * (y + float(np.dot(A[i, :i], k))) ** 2 * np.cos(t + C[i] * h))
    first, second, third = (float(np.dot(row, k)) for row in TSIT5.dense)
    new = y + float(np.dot(SOLUTION, k))
    return new, 0.5 * y + 0.5 * (new + 0.5 * (first + 0.5 * (second + 0.5 * third)))


def test_halving_the_step_of_the_explicit_method_divides_the_error_by_two_to_the_fifth() -> None:
    coarse, fine = errors(20, explicit_step), errors(40, explicit_step)
    assert np.log2(coarse[0] / fine[0]) > 4.8
    assert np.log2(coarse[1] / fine[1]) > 3.8  # dense output is of order four
