"""Order and pattern of the factors, tried out with numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exotwin.engine.kernels.sparse import elimination_order, factor_pattern, one_way_entries

ENTRIES = st.integers(1, 9).flatmap(
    lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
)


@given(ENTRIES, st.integers(0, 1000))
def test_lu_within_the_pattern_equals_the_matrix(case: tuple[int, set[tuple[int, int]]], seed: int) -> None:
    n, entries = case
    order = elimination_order(n, entries)
    assert sorted(order) == list(range(n))
    place = {k: i for i, k in enumerate(order)}
    moved = {(place[i], place[j]) for i, j in entries}
    matrix = np.eye(n) * 2 * n
    for i, j in moved:
        matrix[i, j] += np.random.default_rng([seed, i, j]).uniform(-1, 1)
    pattern = factor_pattern(n, moved)
    lower, upper = np.eye(n), matrix.copy()
    for k in range(n):
        for i in range(k + 1, n):
            lower[i, k] = upper[i, k] / upper[k, k]
            upper[i] -= lower[i, k] * upper[k]
    for i in range(n):
        outside_lower = set(range(i)) - set(pattern.lower[i])
        outside_upper = set(range(i + 1, n)) - set(pattern.upper[i])
        assert all(abs(lower[i, j]) < 1e-14 for j in outside_lower)
        assert all(abs(upper[i, j]) < 1e-14 for j in outside_upper)


def test_an_arrow_is_eliminated_without_fill() -> None:
    # state 0 is coupled to all others: eliminated first it would fill the whole matrix
    entries = [(0, k) for k in range(20)] + [(k, 0) for k in range(20)]
    order = elimination_order(20, entries)
    place = {k: i for i, k in enumerate(order)}
    pattern = factor_pattern(20, [(place[i], place[j]) for i, j in entries])
    assert sum(map(len, pattern.lower)) == sum(map(len, pattern.upper)) == 19


def test_entries_of_a_loop_are_told_from_those_that_lead_one_way() -> None:
    # 0 and 1 move each other; 1 moves 2, 2 moves 3
    entries = [(1, 0), (0, 1), (2, 1), (3, 2), (3, 3)]
    assert one_way_entries(4, entries) == {(2, 1), (3, 2)}


@given(ENTRIES)
def test_what_leads_one_way_is_what_no_path_leads_back_from(case: tuple[int, set[tuple[int, int]]]) -> None:
    n, entries = case
    reach = np.zeros((n, n), int)
    for i, j in entries:
        reach[j, i] = 1
    for _ in range(n):
        reach = np.minimum(reach + reach @ reach, 1)
    assert one_way_entries(n, entries) == {(i, j) for i, j in entries if not reach[i, j]}


def test_a_long_chain_is_ordered_without_fill() -> None:
    n = 3000
    entries = [(i, k) for i in range(n) for k in (i - 1, i, i + 1) if 0 <= k < n]
    order = elimination_order(n, entries)
    place = {k: i for i, k in enumerate(order)}
    pattern = factor_pattern(n, [(place[i], place[j]) for i, j in entries])
    assert sum(map(len, pattern.lower)) == n - 1
    assert one_way_entries(n, entries) == set()
