"""Tables of where the dose is in the first days, and of the copies that reach the target cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from exotwin.report import facts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from exotwin.trial import TrialResult

MAX_TIMES = 80
FIRST_DAYS = 7.0
"""What is told of exposures: later doses would show as spikes between the few times that are kept then."""
PER_DOSE = "% of dose"
_PLACE = re.compile(r"^(vesicles|cells)_(\w+)$")
_AMOUNTS = {"particle", "particles", "cell", "cells"}


def place_of(result: TrialResult, exposure: str) -> tuple[str, str] | None:
    """(form, place) if the exposure is an amount of the product in one place: ``("vesicles", "liver")``; else None."""
    found = _PLACE.match(exposure)
    unit = result.model.exposures[exposure].unit if exposure in result.model.exposures else ""
    return (found[1], found[2]) if found and unit in _AMOUNTS else None


def exposure(result: TrialResult) -> pd.DataFrame:
    """Course of each exposure that an arm causes: median, 5 % and 95 % between patients, as in ``curves``.

    Amounts in a place are per cent of all that was given up to then, counting living cells.
    """
    import numpy as np
    import pandas as pd

    from exotwin.trial import quantiles_within_draws

    frames = []
    for arm, name, days, values, unit in _courses(result):
        keep = np.unique(np.linspace(0, days.size - 1, min(MAX_TIMES, days.size)).round().astype(int))
        middle, low, high = quantiles_within_draws(values[:, keep], result.dataset["draw"].values)
        columns = {"day": days[keep], "median": middle, "p5": low, "p95": high, "unit": unit}
        frames.append(pd.DataFrame({"arm": arm, "exposure": name, **columns}))
    if not frames:
        return pd.DataFrame(columns=["arm", "exposure", "day", "median", "p5", "p95", "unit"])
    return pd.concat(frames, ignore_index=True)


def peaks(result: TrialResult) -> pd.DataFrame:
    """Highest value of each exposure in each patient, when, and the value at the end: median, 5 % and 95 %."""
    import numpy as np
    import pandas as pd

    from exotwin.trial import quantiles_within_draws

    draw = result.dataset["draw"].values
    rows = []
    for arm, name, days, values, unit in _courses(result):
        there = np.isfinite(values).any(axis=1)
        values = values[there]
        each = np.stack([np.nanmax(values, axis=1), values[:, -1]], axis=1)
        (peak, end), (peak_low, end_low), (peak_high, end_high) = quantiles_within_draws(each, draw[there])
        at = float(np.median(days[np.nanargmax(values, axis=1)]))
        rows.append((arm, name, peak, peak_low, peak_high, at, end, end_low, end_high, unit))
    columns = ["arm", "exposure", "peak", "peak_p5", "peak_p95", "peak_day", "end", "end_p5", "end_p95", "unit"]
    return pd.DataFrame(rows, columns=columns)


def copies(result: TrialResult) -> pd.DataFrame:
    """Copies of each mediator delivered to a target cell against copies needed, by arm; NaN: not measured."""
    import pandas as pd

    rows = [
        (
            arm,
            p.mediator,
            p.needed,
            p.delivered,
            p.low,
            p.high,
            p.log10_short,
            p.own_supply_minutes,
            p.outcome,
            " ".join(p.records),
            p.note,
        )
        for arm, judged in result.plausibility.items()
        for p in judged
    ]
    columns = ["arm", "mediator", "needed", "delivered", "low", "high", "log10_short", "own_supply_minutes", "outcome"]
    return pd.DataFrame(rows, columns=[*columns, "records", "note"])


def _courses(
    result: TrialResult,
) -> Iterator[tuple[str, str, npt.NDArray[np.float64], npt.NDArray[np.float64], str]]:
    """(arm, exposure, days, (patient, time) values, unit) for every exposure that is not nothing in its arm."""
    import numpy as np

    days = result.exposure["time"].values.astype(np.float64)
    days = days[days <= FIRST_DAYS]
    for arm in facts.treated(result):
        given = _given(result, arm, days)
        for name in result.model.exposures:
            array = result.exposure[name].sel(arm=arm).transpose("patient", "time")
            values = array.values[:, : days.size].astype(np.float64)
            if not np.nanmax(np.abs(values), initial=0.0) > 0:
                continue
            place = place_of(result, name)
            if place is None:
                yield arm, name, days, values, str(array.attrs.get("units", ""))
            elif place[0] == result.study.arms[arm].give:
                with np.errstate(divide="ignore", invalid="ignore"):
                    yield arm, name, days, np.where(given > 0, 100 * values / given, np.nan), PER_DOSE
            # else: vesicles that infused cells shed; there is no dose of them to be a part of


def _given(result: TrialResult, name: str, days: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(patient, time): particles or living cells given up to each time, inclusive."""
    import numpy as np

    arm = result.study.arms[name]
    n_doses = np.searchsorted(np.asarray(arm.days), days, side="right")
    return result.given(name)[:, None] * n_doses[None, :]
