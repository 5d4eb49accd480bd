"""Tables of the virtual patients: how they were found, and what they were like at enrolment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.report import facts

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.trial import TrialResult


def screening(result: TrialResult) -> pd.DataFrame:
    """Candidates, who was left out and why, and how many courses of each arm were computed (main reading)."""
    import pandas as pd

    found = result.screening
    rows = [("screened", "", "", found.n_screened)]
    rows += [("left out", rule, record, n) for rule, record, n in found.left_out]
    rows += [("not computed", outcome, "", n) for outcome, n in found.failed.items()]
    rows.append(("enrolled", "", "", found.n_enrolled))
    outcome = result.dataset["outcome"].sel(reading=result.study.potency)
    rows += [("computed to the end", arm, "", int((outcome.sel(arm=arm) == "ok").sum())) for arm in facts.arms(result)]
    return pd.DataFrame(rows, columns=["step", "what", "record", "n"])


def baseline(result: TrialResult) -> pd.DataFrame:
    """Age and observables at enrolment: median, 5 % and 95 % between all enrolled patients, and the normal range.

    Observables that are the rule of a share (``kind`` = "share"): the share of patients at or above the threshold.
    """
    import numpy as np
    import pandas as pd

    first = result.dataset.sel(reading=result.study.potency, arm=result.study.comparator).sel(
        time=0.0, method="nearest"
    )
    rows: list[tuple[object, ...]] = []
    drawn = facts.drawn(result)
    for name in ("age_start", "body_weight"):
        if name in drawn:
            unit = result.model.parameters[name].unit
            rows.append((name, "drawn", *_spread(drawn[name]), np.nan, np.nan, unit))
    for name, observable in result.model.observables.items():
        if name not in first:
            continue
        values = first[name].values.astype(np.float64)
        threshold = facts.thresholds(result).get(name)
        low, high = observable.normal or (np.nan, np.nan)
        if threshold is not None:
            rows.append((name, "share", float(np.mean(values >= threshold)), np.nan, np.nan, np.nan, np.nan, "1"))
        else:
            rows.append((name, "observed", *_spread(values), low, high, observable.unit))
    columns = ["quantity", "kind", "median", "p5", "p95", "normal_low", "normal_high", "unit"]
    return pd.DataFrame(rows, columns=columns)


def _spread(values: object) -> tuple[float, float, float]:
    import numpy as np

    middle, low, high = np.nanquantile(np.asarray(values, dtype=np.float64), [0.5, 0.05, 0.95])
    return float(middle), float(low), float(high)
