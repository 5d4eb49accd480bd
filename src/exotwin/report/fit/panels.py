"""Which measurements share a panel of the figure of fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exotwin.report.numbers import number

if TYPE_CHECKING:
    from exotwin.calibration.problem import Measurements, Problem, Source

SERIES = 6  # as many as colours and markers tell apart
PLACES = 24  # conditions side by side, with room for their names
LONE = 3  # from this many conditions measured once on, they get a panel of their own
APART = 4.0  # times larger, and values with other observable parameters do not share a linear axis


@dataclass(frozen=True)
class Series:
    """Measurements of one observable under one condition with the same observable parameters, by rising time."""

    label: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Panel:
    """Series of one observable: over time, or side by side where each was measured at one time.

    part : of ``parts`` panels of the same kind for this observable, from 1.
    """

    observable: int
    over_time: bool
    series: tuple[Series, ...]
    part: int = 1
    parts: int = 1

    @property
    def rows(self) -> NDArray[np.int64]:
        """All measurements in it."""
        return np.concatenate([s.rows for s in self.series])


def panels(problem: Problem) -> tuple[Panel, ...]:
    """Panels by observable, in the problem's order; every measurement stands in one of them."""
    m, found = problem.measurements, []
    labels = simulation_labels(problem)
    order = _order(problem)
    for observable in range(len(problem.observables)):
        rows = np.flatnonzero(m.observable == observable)
        series = _series(m, rows, labels, order)
        lone = [s for s in series if not _has_course(m, s)]
        if len(lone) < LONE and len(lone) < len(series):
            lone = []  # a few points find room among the courses
        courses = [s for s in series if s not in lone]
        times = {float(m.time[s.rows[0]]) for s in lone}
        if len(times) > 1:
            lone = [Series(f"{s.label}, {_time(float(m.time[s.rows[0]]))}", s.rows) for s in lone]
        linear = problem.observables[observable].transformation == "lin"
        for over_time, most, kept in ((True, SERIES, courses), (False, PLACES, lone)):
            chunks = [c for group in (_magnitudes(m, kept) if linear else [kept]) for c in _chunks(group, most)]
            found += [Panel(observable, over_time, c, k + 1, len(chunks)) for k, c in enumerate(chunks)]
    return tuple(found)


def simulation_labels(problem: Problem) -> tuple[str, ...]:
    """Names of the simulations; the condition before is left out where it is the same for all."""
    if common_before(problem) is None and any(s.before is not None for s in problem.simulations):
        return tuple(s.label for s in problem.simulations)
    return tuple(s.condition for s in problem.simulations)


def common_before(problem: Problem) -> str | None:
    """The condition from whose steady state all simulations begin, or None."""
    before = {s.before for s in problem.simulations}
    return before.pop() if len(before) == 1 else None


def _series(m: Measurements, rows: NDArray[np.int64], labels: Sequence[str], order: Sequence[int]) -> list[Series]:
    """Series in the order of the table of conditions; the same condition may be measured on several scales."""
    groups: dict[tuple[int, tuple[Source, ...]], list[int]] = {}
    for row in rows:
        groups.setdefault((int(m.simulation[row]), m.observable_parameters[row]), []).append(int(row))
    scales = [simulation for simulation, _ in groups]
    found = []
    for simulation, filled in sorted(groups, key=lambda key: order[key[0]]):
        label = labels[simulation]
        if scales.count(simulation) > 1:
            label += ", " + "; ".join(f if isinstance(f, str) else number(f) for f in filled)
        own = np.array(groups[simulation, filled], np.int64)
        found.append(Series(label, own[np.argsort(m.time[own], kind="stable")]))
    return found


def _order(problem: Problem) -> list[int]:
    """Rank of each simulation by its condition's place in the table of conditions, then by that of the one before."""
    at = {name: i for i, name in enumerate(problem.conditions)}
    keys = [(at.get(s.condition, -1), -1 if s.before is None else at.get(s.before, -1)) for s in problem.simulations]
    ranked = sorted(range(len(keys)), key=lambda i: keys[i])
    return [ranked.index(i) for i in range(len(keys))]


def _has_course(m: Measurements, series: Series) -> bool:
    times = m.time[series.rows]
    return len(np.unique(times[np.isfinite(times)])) > 1


def _time(time: float) -> str:
    return "steady state" if np.isinf(time) else f"t = {number(time)}"


def _magnitudes(m: Measurements, series: list[Series]) -> list[list[Series]]:
    """Series with the same observable parameters stay together; of those, groups of about the same size of values."""
    scales: dict[tuple[Source, ...], list[Series]] = {}
    for s in series:
        scales.setdefault(m.observable_parameters[s.rows[0]], []).append(s)
    largest = {k: max(float(np.abs(m.value[s.rows]).max()) for s in group) for k, group in scales.items()}
    found: list[list[Series]] = []
    least = -np.inf
    for k in sorted(scales, key=lambda k: largest[k]):
        if not found or largest[k] > APART * least:
            found.append([])
            least = largest[k]
        found[-1] += scales[k]
    place = {id(s): k for k, s in enumerate(series)}
    return [sorted(group, key=lambda s: place[id(s)]) for group in found]


def _chunks(series: list[Series], most: int) -> list[tuple[Series, ...]]:
    """As few as there can be, with about as many series each."""
    parts = -(-len(series) // most)
    ends = [len(series) * k // parts for k in range(parts + 1)] if parts else []
    return [tuple(series[a:b]) for a, b in pairwise(ends)]
