"""All of exotwin's own calibrations refitted, and held against what the tables say."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exotwin.biology import SHIPPED
from exotwin.calibration.own.calibrate import calibrate
from exotwin.calibration.own.definition import calibrations, read_definition
from exotwin.calibration.own.documents import stale
from exotwin.calibration.own.result import Estimate
from exotwin.progress import Progress, Silent

TOLERANCE, SHARE, ERRORS = 1e-3, 0.02, 0.05
"""A value may differ from the table by ``TOLERANCE`` of itself or ``SHARE`` of its standard error, whichever is more,
and a standard error, a spread made of it and a limit of the profile by ``ERRORS`` of itself: three or four digits are
written, and searches end where the objective is flat."""

_NUMBER = re.compile(r"-?\d[\d.]*(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class Drift:
    """Something that the tables or the committed files say and that a refit does not.

    what : the row, with what of it, or the file. shipped, found : as shown.
    """

    calibration: str
    what: str
    shipped: str
    found: str

    def __str__(self) -> str:
        return f"{self.calibration}: {self.what}: {self.shipped}, refitted {self.found}"


def check(
    *,
    names: tuple[str, ...] = (),
    starts: int | None = None,
    seed: int = 1,
    root: Path = SHIPPED,
    progress: Progress | None = None,
) -> tuple[Drift, ...]:
    """Refit all calibrations, or those of ``names``, and say where tables or committed models no longer agree.

    Raises
    ------
    As `calibrate`.
    """
    found: list[Drift] = []
    for name in names or calibrations(root=root):
        old = stale(read_definition(name, root=root))
        found += [Drift(name, file, "as committed", "another, from modules and tables as they are") for file in old]
        again = calibrate(name, starts=starts, seed=seed, root=root, progress=progress or Silent())
        found += [drift for estimate in again.estimates for drift in _drift(name, estimate)]
    return tuple(found)


def _drift(name: str, e: Estimate) -> Iterator[Drift]:
    if not abs(e.value - e.shipped) <= max(TOLERANCE * abs(e.shipped), SHARE * e.shipped_se):
        yield Drift(name, e.target.label, f"{e.shipped:.4g}", f"{e.value:.4g}")
    if not (math.isfinite(e.se) and abs(e.se - e.shipped_se) <= ERRORS * e.shipped_se):
        yield Drift(name, f"{e.target.label}, standard error", f"{e.shipped_se:.3g}", f"{e.se:.3g}")
    if e.target.error_is_spread and not abs(e.error_as_spread - e.shipped_spread) <= ERRORS * e.shipped_spread:
        yield Drift(name, f"{e.target.label}, spread", f"{e.shipped_spread:.3g}", f"{e.error_as_spread:.3g}")
    if not _same_limits(e.identifiability, e.shipped_identifiability):
        yield Drift(
            name, f"{e.target.label}, identifiability", e.shipped_identifiability or "nothing", e.identifiability
        )


def _same_limits(found: str, shipped: str) -> bool:
    """Whether verdict and limits agree: the same words, and numbers within ``ERRORS``."""
    pairs = zip(_NUMBER.findall(found), _NUMBER.findall(shipped), strict=False)
    close = all(abs(float(a) - float(b)) <= ERRORS * abs(float(b)) for a, b in pairs)
    return close and _NUMBER.sub("#", found) == _NUMBER.sub("#", shipped)
