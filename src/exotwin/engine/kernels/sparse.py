"""Sparse LU without search at run time: order of elimination and pattern of the factors, found once per model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush


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

    def cost(k: int) -> int:
        return len(rows[k]) * len(columns[k])

    # costs that have changed since they were put there are put there again, so the first one that still holds is least
    waiting = [(cost(k), k) for k in range(n)]
    heapify(waiting)
    order: list[int] = []
    done: set[int] = set()
    while waiting:
        least, pivot = heappop(waiting)
        if pivot in done or least != cost(pivot):
            continue
        order.append(pivot)
        done.add(pivot)
        for j in rows[pivot]:
            columns[j].discard(pivot)
        for i in columns[pivot]:
            rows[i].discard(pivot)
            new = rows[pivot] - rows[i] - {i}
            rows[i] |= new
            for j in new:
                columns[j].add(i)
        for k in rows[pivot] | columns[pivot]:
            heappush(waiting, (cost(k), k))
    return order


def factor_pattern(n: int, entries: Iterable[tuple[int, int]]) -> Pattern:
    """Entries of L and U, fill included, for elimination in the order 0, 1, … n−1."""
    rows: list[set[int]] = [{i} for i in range(n)]
    above: list[list[int]] = []
    for i, j in entries:
        rows[i].add(j)
    for i in range(n):
        waiting = [k for k in rows[i] if k < i]
        heapify(waiting)
        while waiting:
            new = {j for j in above[heappop(waiting)] if j not in rows[i]}
            rows[i] |= new
            for j in new:
                if j < i:
                    heappush(waiting, j)
        above.append([j for j in rows[i] if j > i])
    return Pattern(
        tuple(tuple(sorted(j for j in row if j < i)) for i, row in enumerate(rows)),
        tuple(tuple(sorted(j for j in row if j > i)) for i, row in enumerate(rows)),
    )


def one_way_entries(n: int, entries: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """The entries (i, j), "j moves i", that are part of no loop: i moves j neither directly nor through others."""
    entries = list(entries)
    loops = _loops(n, entries)
    return {(i, j) for i, j in entries if loops[i] != loops[j]}


def _loops(n: int, entries: Iterable[tuple[int, int]]) -> list[int]:
    """A number for each state, the same for those that move each other (strong components, Tarjan 1972)."""
    follows: list[list[int]] = [[] for _ in range(n)]
    for i, j in entries:
        follows[j].append(i)
    met, earliest, loops = [-1] * n, [0] * n, [-1] * n
    open_states: list[int] = []
    count = 0
    for start in range(n):
        path = [(start, iter(follows[start]))] if met[start] < 0 else []
        while path:
            k, ahead = path[-1]
            if met[k] < 0:
                met[k] = earliest[k] = count
                count += 1
                open_states.append(k)
            following = next((i for i in ahead if loops[i] < 0), None)
            if following is None:
                path.pop()
                if path:
                    earliest[path[-1][0]] = min(earliest[path[-1][0]], earliest[k])
                while earliest[k] == met[k] and loops[k] < 0:
                    loops[open_states.pop()] = k
            elif met[following] < 0:
                path.append((following, iter(follows[following])))
            else:
                earliest[k] = min(earliest[k], met[following])
    return loops
