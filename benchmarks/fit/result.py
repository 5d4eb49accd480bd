"""Both sides of one problem, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fit.peer import CUT_SHORT, NOT_BEGUN
from fit.problems import REACHED
from fit.task import prepared

_NOTHING = math.inf


@dataclass(frozen=True)
class Side:
    """A side's searches. prepare, search : seconds. exact : of each start, the objective where it ended."""

    title: str
    prepare: float
    search: float
    starts: Sequence[Mapping[str, Any]]
    exact: Sequence[float]
    best: float

    @property
    def begun(self) -> int:
        """Starts that the limit let begin."""
        return sum(start["outcome"] != NOT_BEGUN for start in self.starts)

    @property
    def cut_short(self) -> int:
        """Starts that the limit ended."""
        return sum(start["outcome"] == CUT_SHORT for start in self.starts)

    @property
    def without_value(self) -> int:
        """Starts where the objective has none."""
        return sum(not math.isfinite(start["begin_value"]) for start in self.starts if start["outcome"] != NOT_BEGUN)

    @property
    def evaluations(self) -> int:
        """Of objective and gradient, over all starts."""
        return sum(start["evaluations"] for start in self.starts)

    @property
    def converged(self) -> int:
        """Starts that end at the best known objective."""
        return sum(value < self.best + REACHED for value in self.exact)

    @property
    def share(self) -> float:
        """Of the starts that were begun."""
        return self.converged / self.begun if self.begun else math.nan

    def seconds(self, *, compiled: bool) -> float:
        """For each converged start; infinite without any. compiled : with reading and compiling."""
        total = self.search + (self.prepare if compiled else 0.0)
        return total / self.converged if self.converged else _NOTHING


@dataclass(frozen=True)
class Comparison:
    """ours, peer : what the sides wrote, or under "failed" why they did not. limit : of the peer, in seconds."""

    name: str
    measurements: int
    limit: float
    ours_found: Mapping[str, Any]
    peer_found: Mapping[str, Any]

    @cached_property
    def best(self) -> float:
        """The smallest objective that anybody knows, the nominal parameters included."""
        values = [*self._judged, self.peer_found.get("nominal_exact", math.inf)]
        for starts in self.peer_found.get("searches", {}).values():
            values += [start["exact"] for start in starts]
        return min(values, default=math.inf)

    @property
    def _judged(self) -> Sequence[float]:
        """Our ends as the peer computes them; as we do where there is no peer."""
        own = [start["value"] for start in self.ours_found.get("starts", ())]
        found: Sequence[float] = self.peer_found.get("judged", own)
        return found

    @cached_property
    def ours(self) -> Side | None:
        """None if it failed."""
        if "failed" in self.ours_found:
            return None
        seconds = self.ours_found["seconds"]
        starts = self.ours_found["starts"]
        return Side("exotwin", prepared(seconds), seconds["search"], starts, self._judged, self.best)

    @cached_property
    def peers(self) -> tuple[Side, ...]:
        """Ways of the peer, none if it failed."""
        seconds = self.peer_found.get("seconds", {})
        return tuple(
            Side(
                f"pypesto + AMICI, {hessian}",
                prepared(seconds),
                seconds[f"search {hessian}"],
                starts,
                [start["exact"] for start in starts],
                self.best,
            )
            for hessian, starts in self.peer_found.get("searches", {}).items()
        )

    @property
    def peer(self) -> Side | None:
        """The peer's better way here: fewer seconds for a converged start; without any, the faster one."""
        return min(self.peers, key=lambda side: (side.seconds(compiled=True), side.search), default=None)

    def ratio(self, *, compiled: bool) -> tuple[float, bool]:
        """The peer's seconds for a converged start over ours; whether it is a lower bound only.

        If no start of the peer converged, it counts as if one had. NaN if a side failed or none of ours converged.
        """
        if self.ours is None or self.peer is None or not self.ours.converged:
            return math.nan, False
        if self.peer.converged:
            return self.peer.seconds(compiled=compiled) / self.ours.seconds(compiled=compiled), False
        total = self.peer.search + (self.peer.prepare if compiled else 0.0)
        return total / self.ours.seconds(compiled=compiled), True

    @property
    def disagreement(self) -> dict[str, float]:
        """Of both objectives, relative: at the nominal parameters; at the starts where both have a value, the median
        and the largest; our values where our searches ended against the peer's more exact ones, the largest."""
        found = {"nominal": math.nan, "starts compared": 0.0, "starts, median": math.nan, "starts, largest": math.nan}
        found["our ends, largest"] = math.nan
        if self.ours is None or not self.peers:
            return found
        found["nominal"] = _relative(self.ours_found["nominal_value"], self.peer_found["nominal_value"])
        theirs = {start["number"]: start["begin_value"] for start in self.peers[0].starts}
        errors = [_relative(start["begin_value"], theirs[start["number"]]) for start in self.ours.starts]
        errors = sorted(error for error in errors if not math.isnan(error))
        if errors:
            found |= {"starts compared": len(errors), "starts, median": errors[len(errors) // 2]}
            found["starts, largest"] = errors[-1]
        ends = [_relative(start["value"], value) for start, value in zip(self.ours.starts, self._judged, strict=True)]
        found["our ends, largest"] = max((error for error in ends if not math.isnan(error)), default=math.nan)
        return found

    @property
    def failures(self) -> list[str]:
        """Sides without a result."""
        sides = {"exotwin": self.ours_found, "pypesto + AMICI": self.peer_found}
        return [f"{self.name}, {title}: {found['failed']}" for title, found in sides.items() if "failed" in found]


def _relative(first: float, second: float) -> float:
    if not (math.isfinite(first) and math.isfinite(second)):
        return math.nan
    return abs(first - second) / max(1.0, abs(second))
