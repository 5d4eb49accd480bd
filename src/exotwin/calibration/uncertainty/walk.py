"""One side of a profile: from the optimum outwards along one parameter, all others optimised at every step.

What is followed is z, the root of the rise of the profile over the threshold: 0 at the optimum, 1 at the limit, and for
a quadratic objective a straight line in the parameter. The slope of a profile is the gradient's component along the
profiled parameter, since all others stand at their minimum; so steps and limits use slopes that cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.search import Evaluate, Found
from exotwin.calibration.uncertainty.curvature import AT_BOUND, at_bound

Floats = NDArray[np.float64]

Minimise = Callable[..., Found]

Z_STEP = 0.3
"""Rise of z from one point to the next: 0.3, 0.6, 0.9, 1.2."""
Z_FAR = 0.5
"""A rise of z that is larger than meant by this much is a reason to try the same value from another start."""
WIDEST = 0.65
"""Rise of z between neighbours, as far as 1.2, above which a point is put between them."""
LONGEST = 0.1
"""Longest step and longest extrapolation of any parameter, as a share of its range."""
ASIDE = 0.01
"""Length of a step aside where nothing else has a value, as a share of the longest step."""
GROWTH = 3.0
"""Largest ratio of a step to the one before."""
MOST_FAILURES = 10
"""Steps on one side that came to nothing; each halves the next, and the last ends the walk."""
TOLERANCE, MOST_ITERATIONS = 1e-5, 100
"""Of each optimisation. The limits of a published problem move in their fourth figure from a tolerance of 1e-8 to 1e-3;
along a ridge a search may otherwise creep for a thousand steps for nothing."""
ACCURACY = 0.01
"""Of a limit, as a share of its distance from the optimum."""
MISFIT = 0.1
"""Two neighbours whose values and slopes disagree by this share of the threshold may lie in different minima."""
BETTER = 1e-3
"""A fall of the objective that counts."""
MOST_POINTS, MOST_SEARCHES = 40, 80
"""On one side; a usual one has 6 points and takes 5 optimisations."""
ROUNDS = 3
"""How often the points of a side are tried again from their neighbours."""


@dataclass(frozen=True)
class Side:
    """One side of a profile.

    parameter : its place. direction : −1 down, 1 up. grid, value : (k,) from the optimum outwards, value infinite at a
    last point where nothing succeeded. points : (k, p). limit : on the scale of the parameter; infinite if the bound
    comes first, NaN if the profile could not be followed so far. searches : optimisations; unfinished : of them, ended
    by the limit of iterations. evaluations : of the objective. failed : of them, without a value. rough : the work was
    cut short, and the limit may be less accurate than it should.
    """

    parameter: int
    direction: int
    grid: Floats
    value: Floats
    points: Floats
    limit: float
    searches: int
    unfinished: int
    evaluations: int
    failed: int
    rough: bool = False


@dataclass(frozen=True)
class _Node:
    """A point of the profile. rise : above the optimum, infinite where nothing succeeded. slope : outwards."""

    at: float
    point: Floats
    rise: float
    slope: float
    gradient: Floats
    information: Floats


def walk(
    evaluate: Evaluate,
    minimise: Minimise,
    best_point: Floats,
    best_value: float,
    *,
    parameter: int,
    direction: int,
    lower: Floats,
    upper: Floats,
    threshold: float,
) -> Side:
    """One side of the profile of ``parameter``.

    Parameters
    ----------
    minimise : `search.minimise`, or another with its signature.
    best_point : (p,) the optimum, where the objective has a value; best_value : that value.
    threshold : the rise of the objective at the limit.
    """
    return _Walk(evaluate, minimise, best_point, best_value, parameter, direction, lower, upper, threshold).side()


class _Walk:
    """nodes : from the optimum outwards; one where nothing succeeded can only be the last. lost : steps that came to
    nothing. safe : longest next step after such a one.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        minimise: Minimise,
        best_point: Floats,
        best_value: float,
        parameter: int,
        direction: int,
        lower: Floats,
        upper: Floats,
        threshold: float,
    ) -> None:
        self._ask, self._minimise = evaluate, minimise
        self.best_value, self.threshold = best_value, threshold
        self.i, self.direction = parameter, direction
        self.lower, self.upper = lower, upper
        self.bound = float((upper if direction > 0 else lower)[parameter])
        self.longest = LONGEST * (upper - lower)
        self.searches = self.unfinished = self.lost = self.evaluations = self.failed = 0
        self.safe = np.inf
        self._seen: dict[bytes, tuple[float, Floats, Floats]] = {}
        self.nodes = [self._node(np.array(best_point, float))]

    def side(self) -> Side:
        """Walks, finds the limit, and looks whether points can be improved from their neighbours."""
        for k in range(ROUNDS):
            self._go_outwards()
            self._limit()
            self._fill()
            limit = self._limit()
            # Both are tried, whatever the first finds.
            if k == ROUNDS - 1 or not any([self._improve(), self._doubt()]):
                break
        return Side(
            parameter=self.i,
            direction=self.direction,
            grid=np.array([n.at for n in self.nodes]),
            value=np.array([self.best_value + n.rise for n in self.nodes]),
            points=np.array([n.point for n in self.nodes]),
            limit=limit,
            searches=self.searches,
            unfinished=self.unfinished,
            evaluations=self.evaluations,
            failed=self.failed,
            rough=self._spent(),
        )

    def _evaluate(self, point: Floats) -> tuple[float, Floats, Floats]:
        """The objective, counted, and remembered for the present search: where it ends, slopes come for nothing."""
        answer = self._ask(point)
        self.evaluations += 1
        self.failed += not np.isfinite(answer[0])
        self._seen[np.asarray(point, float).tobytes()] = answer
        return answer

    def _node(self, point: Floats) -> _Node:
        value, gradient, information = self._seen.get(point.tobytes()) or self._evaluate(point)
        self._seen.clear()
        whole = np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(information).all()
        rise = float(value) - self.best_value if whole else np.inf
        slope = float(gradient[self.i]) * self.direction
        return _Node(float(point[self.i]), point, rise, slope, gradient, information)

    def _optimise(self, start: Floats, at: float) -> _Node:
        """The profile at ``at``, searched from ``start``."""
        start = np.clip(start, self.lower, self.upper)
        start[self.i] = at
        if len(start) == 1:
            return self._node(start)
        self._seen.clear()
        found = self._minimise(
            self._evaluate,
            start,
            self.lower,
            self.upper,
            held={self.i: at},
            max_iterations=MOST_ITERATIONS,
            tolerance=TOLERANCE,
        )
        self.searches += 1
        self.unfinished += found.outcome == "iteration limit"
        return self._node(np.array(found.point if np.isfinite(found.value) else start, float))

    def _spent(self) -> bool:
        """Whether this side has had its share of the work."""
        return len(self.nodes) >= MOST_POINTS or self.searches >= MOST_SEARCHES

    def _at_bound(self) -> bool:
        span = self.upper[self.i] - self.lower[self.i]
        return bool(abs(self.bound - self.nodes[-1].at) <= AT_BOUND * span)

    def _z(self, node: _Node) -> float:
        return float(np.sqrt(max(node.rise, 0.0) / self.threshold))

    # Steps

    def _go_outwards(self) -> None:
        """Adds nodes until the limit is behind, the bound is reached or too much failed."""
        while self.nodes[-1].rise < self.threshold and not self._at_bound():
            if self._spent():
                return
            node = self._ahead(self._step())
            if np.isfinite(node.rise):
                self.nodes.append(node)
                self.safe = np.inf
            else:
                self._lose(node)

    def _lose(self, node: _Node) -> None:
        """Nothing succeeded at ``node``: the next step goes half as far, or the walk ends."""
        self.lost += 1
        self.safe = abs(node.at - self.nodes[-1].at) / 2
        if self.lost >= MOST_FAILURES:
            self.nodes.append(node)

    def _step(self) -> float:
        """Length of the next step: z is to rise by `Z_STEP`."""
        last = self.nodes[-1]
        longest, shortest = float(self.longest[self.i]), 0.0
        if len(self.nodes) == 1:
            _, bend = _along(last, self.i, self.lower, self.upper)
        else:
            before = self.nodes[-2]
            taken = abs(last.at - before.at)
            # From two slopes, and so free of what the information leaves out.
            bend = (last.slope - before.slope) / taken
            longest = min(longest, GROWTH * taken)
            # Where the others have not quite settled slopes are rough; the rise itself then says how far to go.
            shortest = taken * Z_STEP / 2 / max(self._z(last) - self._z(before), 1e-9)
        wanted = self.threshold * (self._z(last) + Z_STEP) ** 2 - last.rise
        return min(max(_first_reach(last.slope, bend, wanted), shortest), longest, self.safe)

    def _ahead(self, step: float) -> _Node:
        """The profile one step further: from the likeliest start, and if that goes badly from others too."""
        last = self.nodes[-1]
        left = abs(self.bound - last.at)
        # No crumb of a step is left before the bound.
        at = self.bound if step > 0.8 * left else last.at + self.direction * step
        nodes: list[_Node] = []
        for start in self._starts(at):
            nodes.append(self._optimise(start, at))
            if self._z(nodes[-1]) <= self._z(last) + Z_STEP + Z_FAR:
                return nodes[-1]
        for start in self._aside(last, self._ahead_by_information(at)):
            if any(np.isfinite(n.rise) for n in nodes):
                break
            nodes.append(self._optimise(start, at))
        return min(nodes, key=lambda n: n.rise)

    def _starts(self, at: float) -> Iterator[Floats]:
        """Where all parameters (p,) may lie at ``at``, beyond the last node: as they went, as the information has it,
        where they are.
        """
        last = self.nodes[-1]
        if len(self.nodes) > 1:
            gone = (last.point - self.nodes[-2].point) / (last.at - self.nodes[-2].at)
            yield last.point + np.clip(gone * (at - last.at), -self.longest, self.longest)
        yield self._ahead_by_information(at)
        yield last.point

    def _aside(self, node: _Node, start: Floats) -> list[Floats]:
        """``start`` a little to either side, across the direction that the data hold best at ``node``.

        Where a model has no values, its optimum may lie on the very edge of that, and the information is largest across
        it: one of the two is on the side where there are values.
        """
        information = node.information * np.outer(self.longest, self.longest)
        across = np.linalg.eigh(information)[1][:, -1] * self.longest
        return [start + share * across for share in (ASIDE, -ASIDE)]

    def _ahead_by_information(self, at: float) -> Floats:
        last = self.nodes[-1]
        move = _along(last, self.i, self.lower, self.upper)[0] * (at - last.at)
        return last.point + np.clip(move, -self.longest, self.longest)

    # The limit

    def _limit(self) -> float:
        """Where the profile first crosses the threshold, with nodes added until that is known well enough."""
        for k in count():
            above = self._above()
            if above is None:
                return self.direction * np.inf if self._at_bound() else np.nan
            inner, outer = self.nodes[above - 1], self.nodes[above]
            if not np.isfinite(outer.rise):
                return np.nan
            guess = self._crossing(inner, outer)
            for node in (inner, outer):
                at = self._by_slope(node)
                near = ACCURACY * abs(guess - self.nodes[0].at)
                if abs(at - node.at) <= near and min(inner.at, outer.at) <= at <= max(inner.at, outer.at):
                    return at
            if abs(outer.at - inner.at) <= ACCURACY * abs(outer.at - self.nodes[0].at) or self._spent():
                return guess
            # Every third time the middle, so that the bracket shrinks whatever the profile looks like.
            at = guess if k % 3 < 2 else (inner.at + outer.at) / 2
            node = self._between(inner, outer, at)
            if np.isfinite(node.rise):
                self.nodes.insert(above, node)
            else:
                # What lies beyond was reached by luck: it is walked again, in shorter steps.
                del self.nodes[above:]
                self._lose(node)
                self._go_outwards()
        raise AssertionError

    def _above(self) -> int | None:
        """Place of the first node above the threshold."""
        return next((k for k, n in enumerate(self.nodes) if k > 0 and n.rise >= self.threshold), None)

    def _by_slope(self, node: _Node) -> float:
        """Where the tangent at ``node`` crosses the threshold, NaN if it does not rise."""
        return node.at + self.direction * (self.threshold - node.rise) / node.slope if node.slope > 0 else np.nan

    def _crossing(self, inner: _Node, outer: _Node, z: float = 1.0) -> float:
        """Where the profile has ``z``, between two nodes: by the cubic through both and their slopes."""
        from scipy.interpolate import CubicHermiteSpline
        from scipy.optimize import brentq

        width = abs(outer.at - inner.at)
        low, high = self._z(inner), self._z(outer)
        share = (z - low) / (high - low)
        if low > 0.1 and inner.slope > 0 and outer.slope > 0:
            bends = [n.slope * width / (2 * self.threshold * at) for n, at in ((inner, low), (outer, high))]
            cubic = CubicHermiteSpline([0.0, 1.0], [low - z, high - z], bends)
            share = float(brentq(cubic, 0.0, 1.0, xtol=1e-9))
        return inner.at + self.direction * width * min(max(share, 0.02), 0.98)

    def _between(self, inner: _Node, outer: _Node, at: float) -> _Node:
        """The profile at ``at`` between two nodes."""
        share = (at - inner.at) / (outer.at - inner.at)
        node = self._optimise(inner.point + share * (outer.point - inner.point), at)
        if node.rise > outer.rise + BETTER:
            node = min(node, self._optimise(inner.point, at), key=lambda n: n.rise)
        return node

    def _fill(self) -> None:
        """Puts nodes where steps were longer than meant, as the first may be: it trusts the information."""
        k = 1
        while k < len(self.nodes) and not self._spent():
            inner, outer = self.nodes[k - 1], self.nodes[k]
            low, high = self._z(inner), min(self._z(outer), 1 + WIDEST / 3)
            if np.isfinite(outer.rise) and high - low > WIDEST:
                node = self._between(inner, outer, self._crossing(inner, outer, (low + high) / 2))
                if inner.rise < node.rise < outer.rise:
                    self.nodes.insert(k, node)
                    continue
            k += 1

    # Other minima

    def _improve(self) -> bool:
        """Tries again, from their neighbours, points that do not fit to them; whether any got better."""
        better = False
        last = len(self.nodes) - 1
        for k, neighbour in [(k, k + 1) for k in range(last - 1, 0, -1)] + [(k, k - 1) for k in range(1, last + 1)]:
            node, other = self.nodes[k], self.nodes[neighbour]
            if self._fits(*sorted((node, other), key=lambda n: n.at * self.direction)) or self._spent():
                continue
            again = self._optimise(other.point, node.at)
            if again.rise < node.rise - BETTER:
                self.nodes[k] = again
                better = True
        return better

    def _doubt(self) -> bool:
        """Tries the point just beyond the limit from aside, if this side had any trouble; whether it got better."""
        above = self._above()
        if above is None or not (self.unfinished or self.failed) or not np.isfinite(self.nodes[above].rise):
            return False
        outer = self.nodes[above]
        tried = [self._optimise(start, outer.at) for start in self._aside(outer, outer.point)]
        again = min(tried, key=lambda n: n.rise)
        if again.rise < outer.rise - BETTER:
            self.nodes[above] = again
            return True
        return False

    def _fits(self, inner: _Node, outer: _Node) -> bool:
        """Whether the rise from one node to the next is what both slopes say, or cannot be checked."""
        if not np.isfinite(outer.rise):
            return True
        rise = outer.rise - inner.rise
        said = (inner.slope + outer.slope) / 2 * abs(outer.at - inner.at)
        return abs(rise - said) <= MISFIT * (self.threshold + abs(rise))


def _first_reach(slope: float, bend: float, wanted: float) -> float:
    """Smallest h > 0 where slope·h + bend·h²/2 is ``wanted`` > 0; infinite if there is none."""
    root = slope**2 + 2 * bend * wanted
    if root < 0 or slope + np.sqrt(root) <= 0:
        return np.inf
    return float(2 * wanted / (slope + np.sqrt(root)))


def _along(node: _Node, i: int, lower: Floats, upper: Floats) -> tuple[Floats, float]:
    """How all parameters follow parameter ``i`` along its profile (p,), and its curvature, by the information.

    Parameters at a bound stay. The others are taken to be held by `LONGEST` of their ranges beside the data: by the
    information alone, one that the data hardly hold would follow far beyond its bounds, and the profile look flat.
    """
    others = (upper > lower) & ~at_bound(lower, upper, node.point, node.gradient)
    others[i] = False
    move = np.zeros(len(lower))
    move[i] = 1.0
    towards = node.information[others, i]
    held = 1 / (LONGEST * (upper - lower)[others]) ** 2
    move[others] = -np.linalg.solve(node.information[np.ix_(others, others)] + np.diag(held), towards)
    return move, max(float(node.information[i, i] + move[others] @ towards), 0.0)
