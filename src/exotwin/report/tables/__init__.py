"""Every table of the report: what a figure shows and what the CSV holds are the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from exotwin.report.tables import exposure, forms, given, honesty, outcome, population

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.trial import TrialResult

MAKERS: Mapping[str, Callable[[TrialResult], pd.DataFrame]] = {
    "endpoints": outcome.endpoints,
    "curves": outcome.curves,
    "differences": outcome.differences,
    "draws": outcome.draws,
    "doses": given.doses,
    "criteria": given.criteria,
    "markers": given.markers,
    "sizes": given.sizes,
    "cargo": given.cargo,
    "proteins": given.proteins,
    "files": given.files,
    "exposure": exposure.exposure,
    "peaks": exposure.peaks,
    "copies": exposure.copies,
    "tissues": forms.tissues,
    "forms": forms.forms,
    "screening": population.screening,
    "baseline": population.baseline,
    "parameters": honesty.parameters,
    "influence": honesty.influence,
    "processes": honesty.processes,
    "edges": honesty.edges,
    "misses": honesty.misses,
    "failures": honesty.failures,
    "overrides": honesty.overrides,
}


class Tables:
    """The tables of one result, each made once, when it is first asked for."""

    def __init__(self, result: TrialResult) -> None:
        self._result = result
        self._made: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._made:
            self._made[name] = MAKERS[name](self._result)
        return self._made[name]


__all__ = ["MAKERS", "Tables"]
