"""Tables of one lot given as cells and as vesicles: what reaches each tissue, how long it stays, what it risks.

All of it is of the first dose: from enrolment to the second dose, or to the end of what is followed finely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.trial import both_forms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from exotwin.trial import TrialResult

    Floats = npt.NDArray[np.float64]

LEFT = 0.01
"""Share of the dose below which nothing of it counts as being there."""
_RISKS = {
    "obstruction": "obstruction_index",
    "embolism": "embolism_risk",
    "clotting": "clot_index",
    "antibodies": "antibody_risk",
}
TISSUES = ["cells", "vesicles", "from_cells", "from_vesicles", "ratio"]


def tissues(result: TrialResult) -> pd.DataFrame:
    """A row a product and tissue, each quantity with median, 5 % and 95 % of all patients of all draws.

    cells : % of the living cells given that lie alive in the tissue at their most. vesicles : % of the particles given
    that its cells take up. from_cells, from_vesicles : vesicles that its cells take up, for each living cell given, or
    for each cell that the vesicles came from. ratio : the latter over the former.
    """
    import numpy as np
    import pandas as pd

    rows = []
    for key, (cells, vesicles) in both_forms(result.study).items():
        for tissue in result.model.tissues:
            lodged, taken = _course(result, cells, f"cells_{tissue}"), f"vesicle_uptake_{tissue}"
            by_cells, by_vesicles = _course(result, cells, taken), _course(result, vesicles, taken)
            if lodged is None or by_cells is None or by_vesicles is None:
                continue
            start, given = result.starting_cells(cells), result.given(vesicles)
            from_cells = _area(_days(result, cells), by_cells) / start
            reached = _area(_days(result, vesicles), by_vesicles)
            from_vesicles = reached / result.starting_cells(vesicles)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = from_vesicles / from_cells
            values = [100 * lodged.max(axis=1) / start, 100 * reached / given, from_cells, from_vesicles, ratio]
            bands = _bands(np.stack(values, axis=1))
            row = {"product": key, "tissue": tissue, "target": tissue == result.model.target}
            for name, band in zip(TISSUES, bands, strict=True):
                row |= {name: band[0], f"{name}_p5": band[1], f"{name}_p95": band[2]}
            rows.append(row)
    columns = ["product", "tissue", "target", *(f"{n}{e}" for n in TISSUES for e in ("", "_p5", "_p95"))]
    return pd.DataFrame(rows, columns=columns)


def forms(result: TrialResult) -> pd.DataFrame:
    """A row a product, form and quantity: median, 5 % and 95 % of all patients of all draws.

    half_life, above_1_percent (day) : of what is left of the dose, ``of`` = living cells, vesicles in blood, or
    vesicles not yet broken down; ``censored``: share of patients in whom it lasts longer than what is followed.
    obstruction, embolism, clotting, antibodies (%) : the most. liver_spleen, lung (% of the dose) : the most.
    """
    import numpy as np
    import pandas as pd

    rows = []
    for key, arms in both_forms(result.study).items():
        for form, arm in zip(("cells", "vesicles"), arms, strict=True):
            days = _days(result, arm)
            for of, course in _stays(result, arm, form).items():
                most = course.max(axis=1, keepdims=True)
                for name, limit in (("half_life", most / 2), ("above_1_percent", LEFT * result.given(arm)[:, None])):
                    last, censored = _falls_below(days, course, np.broadcast_to(limit, (course.shape[0], 1)))
                    rows.append((key, form, name, of, *_bands(last[:, None])[0], "day", censored))
            for name, values in _most(result, arm, form).items():
                rows.append((key, form, name, "", *_bands(values[:, None])[0], "%", 0.0))
    columns = ["product", "form", "quantity", "of", "median", "p5", "p95", "unit", "censored"]
    return pd.DataFrame(rows, columns=columns)


def _stays(result: TrialResult, arm: str, form: str) -> dict[str, Floats]:
    if form == "cells":
        alive = _course(result, arm, "cells_alive")
        return {} if alive is None else {"living cells": alive}
    found = {}
    blood, degraded = _course(result, arm, "vesicles_blood"), _course(result, arm, "vesicles_degraded")
    if blood is not None:
        found["vesicles in blood"] = blood
    if degraded is not None:
        found["vesicles"] = result.given(arm)[:, None] - degraded
    return found


def _most(result: TrialResult, arm: str, form: str) -> dict[str, Floats]:
    import numpy as np

    found, given = {}, result.given(arm)
    for name, symbol in _RISKS.items():
        course = _course(result, arm, symbol)
        if course is not None:
            found[name] = 100 * course.max(axis=1)
    parts = [_course(result, arm, f"vesicles_{organ}") for organ in ("liver", "spleen")] if form == "vesicles" else []
    held = [part for part in parts if part is not None]
    if held:
        found["liver_spleen"] = 100 * np.sum(held, axis=0).max(axis=1) / given
    lung = _course(result, arm, "cells_lung") if form == "cells" else None
    if lung is not None:
        found["lung"] = 100 * lung.max(axis=1) / given
    return found


def _window(result: TrialResult, arm: str) -> slice:
    import numpy as np

    days = result.study.arms[arm].days
    times = result.exposure["time"].values
    first = int(np.searchsorted(times, days[0]))
    end = int(np.searchsorted(times, days[1])) if len(days) > 1 else times.size
    return slice(first, max(end, first + 1))


def _days(result: TrialResult, arm: str) -> Floats:
    import numpy as np

    times: Floats = result.exposure["time"].values[_window(result, arm)].astype(np.float64)
    since: Floats = times - times[0]
    return since


def _course(result: TrialResult, arm: str, symbol: str) -> Floats | None:
    """(patient, time) after the first dose; None where the model has no such thing. Failed patients stay NaN."""
    import numpy as np

    ids = {seen.symbol: name for name, seen in result.model.exposures.items()} | {
        str(name): str(name) for name in result.exposure.data_vars
    }
    if ids.get(symbol) not in result.exposure.data_vars:
        return None
    array = result.exposure[ids[symbol]].sel(arm=arm).transpose("patient", "time")
    course: Floats = array.values[:, _window(result, arm)].astype(np.float64)
    return course


def _area(days: Floats, course: Floats) -> Floats:
    """Area under each course (patient, time) -> (patient,), exact for exponentials between the times."""
    import numpy as np

    left, right, width = course[:, :-1], course[:, 1:], np.diff(days)
    with np.errstate(divide="ignore", invalid="ignore"):
        curved = (left - right) / np.log(left / right)
    bent = (left > 0) & (right > 0) & (np.abs(left - right) > 1e-6 * left)
    area: Floats = np.sum(np.where(bent, curved, (left + right) / 2) * width, axis=1)
    return area


def _falls_below(days: Floats, course: Floats, limit: Floats) -> tuple[Floats, float]:
    """When each course falls below its limit for good (patient,), and the share in whom it does not."""
    import numpy as np

    above = course >= limit
    last = course.shape[1] - 1 - np.argmax(above[:, ::-1], axis=1)
    never, always = ~above.any(axis=1), last == course.shape[1] - 1
    rows, after = np.arange(course.shape[0]), np.minimum(last + 1, course.shape[1] - 1)
    here, there, bound = course[rows, last], np.maximum(course[rows, after], 1e-300), limit[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.log(here / bound) / np.log(here / there)
    part = np.clip(np.nan_to_num(part), 0.0, 1.0)
    at = np.where(always, days[-1], days[last] + part * (days[after] - days[last]))
    at = np.where(np.isnan(course).any(axis=1), np.nan, np.where(never, 0.0, at))
    return at, float(np.mean(always & ~never))


def _bands(values: Floats) -> Floats:
    """(patient, quantity) -> (quantity, 3): median, 5 %, 95 % of all patients, hence with what is not known."""
    import numpy as np

    finite = np.where(np.isfinite(values), values, np.nan)
    finite = finite[~np.isnan(finite).all(axis=1)]
    if not finite.size:
        return np.full((values.shape[1], 3), np.nan)
    bands: Floats = np.nanquantile(finite, [0.5, 0.05, 0.95], axis=0).T
    return bands
