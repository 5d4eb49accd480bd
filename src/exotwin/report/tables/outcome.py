"""Tables of what came out: courses, mean differences, the effect in each draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.report import facts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import xarray as xr

    from exotwin.trial import TrialResult

MAX_TIMES = 60  # points a curve; more cannot be told apart in print
MAX_INTERVALS = 25  # points a curve with intervals, each of which takes milliseconds
_EARLY = 1.5  # 1: times evenly spread


def endpoints(result: TrialResult) -> pd.DataFrame:
    """`TrialResult.endpoints` as it is."""
    return result.endpoints


def curves(result: TrialResult, *, only: str | None = None) -> pd.DataFrame:
    """Course of each observable by arm, main reading; of one observable if ``only`` names it.

    Columns ``middle``, ``low``, ``high``: median and 5-95 % between patients of one draw, mean over draws; or, where
    the share of patients above a threshold is an endpoint (``kind`` = "share"), that share with its 95 % interval.
    """
    import pandas as pd

    frames = []
    for observable in _chosen(result, only):
        frame = (
            _share_course(result, observable) if observable in facts.thresholds(result) else _band(result, observable)
        )
        frame.insert(0, "observable", observable)
        frame["unit"] = str(result.dataset[observable].attrs.get("units", ""))
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    table.loc[table["kind"] == "share", "unit"] = "dimensionless"
    table.insert(0, "reading", result.study.potency)
    return table


def differences(result: TrialResult, *, only: str | None = None) -> pd.DataFrame:
    """Effect against the comparator at each time with both 95 % intervals, main reading; the same estimate as in
    ``endpoints``: difference of means, ratio of geometric means for observables read on a logarithmic scale, or risk
    difference where a share is an endpoint.
    """
    import pandas as pd

    main = result.dataset.sel(reading=result.study.potency).isel(time=_times(result, MAX_INTERVALS))
    at = {arm: k for k, arm in enumerate(facts.arms(result))}
    rows = []
    for name in _chosen(result, only):
        cube, kind = _comparable(result, main, name)
        unit = str(main[name].attrs.get("units", "")) if kind == "difference of means" else "dimensionless"
        for arm in facts.treated(result):
            paired = cube[at[arm]] - cube[at[result.study.comparator]]
            for day, column in zip(main["time"].values, paired.T, strict=True):
                numbers = _effect(column, main["draw"].values, kind)
                rows.append((result.study.potency, name, arm, float(day), kind, *numbers, unit))
    limits = ["low", "high", "low_patients", "high_patients"]
    columns = ["reading", "observable", "arm", "day", "effect_kind", "effect", *limits, "n", "unit"]
    return pd.DataFrame(rows, columns=columns)


def draws(result: TrialResult) -> pd.DataFrame:
    """Effect in each draw of what is not known, at the last time of each endpoint, in all readings.

    In the unit and on the scale of ``endpoints["effect"]``, less the noise of the few patients of a draw.
    """
    import numpy as np
    import pandas as pd

    from exotwin.trial import paired_effect

    comparator, draw = result.study.comparator, result.dataset["draw"].values
    rows = []
    for row in facts.rows(facts.last_rows(result)):
        if row.arm == comparator or not np.isfinite(row.effect):
            continue
        ratio, share = row.effect_kind.startswith("ratio"), row.kind == "share"
        here = _values(result, row.endpoint, row.day, row.reading, row.arm)
        there = _values(result, row.endpoint, row.day, row.reading, comparator)
        with np.errstate(divide="ignore", invalid="ignore"):
            paired = np.log(here) - np.log(there) if ratio else here - there
        known = np.isfinite(paired)
        effect = paired_effect(paired[known], draw[known], share=share)
        shown = np.exp(effect.draws) if ratio else effect.draws
        numbers = np.unique(draw[known])
        rows += [(row.reading, row.endpoint, row.arm, row.day, n, v) for n, v in zip(numbers, shown, strict=True)]
    return pd.DataFrame(rows, columns=["reading", "endpoint", "arm", "day", "draw", "effect"])


def _chosen(result: TrialResult, only: str | None) -> tuple[str, ...]:
    return facts.observables(result) if only is None else (only,)


def _comparable(result: TrialResult, main: xr.Dataset, observable: str) -> tuple[npt.NDArray[np.float64], str]:
    """(arm, patient, time) on the scale on which patients are compared, and the kind of effect that this gives."""
    import numpy as np

    cube = main[observable].transpose("arm", "patient", "time").values.astype(np.float64)
    threshold = facts.thresholds(result).get(observable)
    if threshold is not None:
        return np.where(np.isnan(cube), np.nan, cube >= threshold), "risk difference"
    if result.model.observables[observable].log:
        logs = np.log(cube, out=np.full_like(cube, np.nan), where=cube > 0)
        return logs, "ratio of geometric means"
    return cube, "difference of means"


def _effect(paired: npt.NDArray[np.float64], draw: npt.NDArray[np.int64], kind: str) -> tuple[float, ...]:
    import numpy as np

    from exotwin.trial import paired_effect

    there = np.isfinite(paired)
    effect = paired_effect(paired[there], draw[there], share=kind == "risk difference")
    numbers = [effect.value, effect.low, effect.high, effect.low_patients, effect.high_patients]
    if kind == "ratio of geometric means":
        numbers = [float(np.exp(v)) for v in numbers]
    return (*numbers, effect.n)


def _values(result: TrialResult, endpoint: str, day: float, reading: str, arm: str) -> npt.NDArray[np.float64]:
    values = result.values
    at = (values["rule"].values == endpoint) & (values["day"].values == day)
    found: npt.NDArray[np.float64] = values.isel(endpoint=int(at.argmax())).sel(reading=reading, arm=arm).values
    return found


def _times(result: TrialResult, most: int) -> npt.NDArray[np.intp]:
    """Which times a curve shows: closer together early, when most happens, and those of the endpoints among them."""
    import numpy as np

    days = result.dataset["time"].values
    if days.size <= most:
        return np.arange(days.size)
    spread = (np.linspace(0, 1, most) ** _EARLY * (days.size - 1)).round().astype(np.intp)
    read = np.searchsorted(days, result.endpoints["day"].unique()).clip(max=days.size - 1)
    return np.union1d(spread, read)


def _band(result: TrialResult, observable: str) -> pd.DataFrame:
    """As `TrialResult.bands`, for the main reading and the times that are shown."""
    import pandas as pd

    from exotwin.trial import quantiles_within_draws

    main = result.dataset[observable].sel(reading=result.study.potency).isel(time=_times(result, MAX_TIMES))
    found = quantiles_within_draws(main.transpose("patient", "arm", "time").values, result.dataset["draw"].values)
    days = main["time"].values.astype(float)
    parts = [
        pd.DataFrame({"arm": arm, "day": days, "kind": "band", "middle": middle, "low": low, "high": high})
        for arm, (middle, low, high) in zip(facts.arms(result), found.transpose(1, 0, 2), strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _share_course(result: TrialResult, observable: str) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    from exotwin.trial import wilson

    threshold = facts.thresholds(result)[observable]
    main = result.dataset[observable].sel(reading=result.study.potency).isel(time=_times(result, MAX_TIMES))
    parts = []
    for arm in facts.arms(result):
        cube = main.sel(arm=arm).transpose("patient", "time").values
        n, hits = np.isfinite(cube).sum(axis=0), (cube >= threshold).sum(axis=0)
        limits = [wilson(int(h), int(m)) for h, m in zip(hits, n, strict=True)]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = hits / n
        columns = {"middle": share, "low": [lo for lo, _ in limits], "high": [hi for _, hi in limits]}
        parts.append(pd.DataFrame({"arm": arm, "day": main["time"].values.astype(float), "kind": "share", **columns}))
    return pd.concat(parts, ignore_index=True)
