"""Sparse LU without search at run time: order of elimination and pattern of the factors, found once per model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """Where the factors of an n × n matrix have entries, rows and columns numbered in the order of elimination.

    lower[i] : columns < i of row i, rising. upper[i] : columns > i of row i, rising. The diagonal is always there.
    """

    lower: tuple[tuple[int, ...], ...]
    upper: tuple[tuple[int, ...], ...]


def elimination_order(n: int, entries: Iterable[tuple[int, int]]) -> list[int]:
    """Order of diagonal pivots that keeps fill low: at each turn the cheapest elimination (Markowitz 1957).

    The matrix is I/(hγ) − J. Its diagonal grows with every rejected step, which is why pivots stay on the diagonal:
    a bad pivot shows in the error estimate, and the shorter step that follows repairs it.
    """
    rows: list[set[int]] = [set() for _ in range(n)]
    columns: list[set[int]] = [set() for _ in range(n)]
    for i, j in entries:
        if i != j:
            rows[i].add(j)
            columns[j].add(i)
    left, order = set(range(n)), []
    while left:
        pivot = min(left, key=lambda k: (len(rows[k]) * len(columns[k]), k))
        order.append(pivot)
        left.remove(pivot)
        for j in rows[pivot]:
            columns[j].discard(pivot)
        for i in columns[pivot]:
            rows[i].discard(pivot)
            new = rows[pivot] - rows[i] - {i}
            rows[i] |= new
            for j in new:
                columns[j].add(i)
    return order


def factor_pattern(n: int, entries: Iterable[tuple[int, int]]) -> Pattern:
    """Entries of L and U, fill included, for elimination in the order 0, 1, … n−1."""
    rows: list[set[int]] = [{i} for i in range(n)]
    for i, j in entries:
        rows[i].add(j)
    for i in range(n):
        todo, done = {k for k in rows[i] if k < i}, set()
        while todo:
            k = min(todo)
            todo.remove(k)
            done.add(k)
            new = {j for j in rows[k] if j > k} - rows[i]
            rows[i] |= new
            todo |= {j for j in new if j < i} - done
    return Pattern(
        tuple(tuple(sorted(j for j in row if j < i)) for i, row in enumerate(rows)),
        tuple(tuple(sorted(j for j in row if j > i)) for i, row in enumerate(rows)),
    )


def one_way_entries(n: int, entries: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """The entries (i, j), "j moves i", that are part of no loop: i moves j neither directly nor through others."""
    entries = list(entries)
    moves = [0] * n  # bit i of moves[j]: j moves i
    for i, j in entries:
        moves[j] |= 1 << i
    for k in range(n):
        for j in range(n):
            if moves[j] >> k & 1:
                moves[j] |= moves[k]
    return {(i, j) for i, j in entries if not moves[i] >> j & 1}
