"""Tables of the model itself: its numbers and their sources, what moves the answer, and what could not be computed."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from exotwin.quantities import Z95
from exotwin.report import facts
from exotwin.report.tables.outcome import draws

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from exotwin.trial import TrialResult

_COMMENT = re.compile(r"(?:^[ \t]*//[^\n]*\n)+", re.MULTILINE)
_PAGE = re.compile(r"\s*See \w+\.md\.?")


def parameters(result: TrialResult) -> pd.DataFrame:
    """Every number of the model with unit, spread, basis and record ids."""
    import pandas as pd

    rows = [
        (
            p.name,
            p.value,
            p.unit,
            p.spread.distribution,
            p.spread.text,
            p.level,
            p.basis,
            p.record,
            p.spread_record,
            p.note,
        )
        for p in result.model.parameters.values()
    ]
    columns = [
        "parameter",
        "value",
        "unit",
        "distribution",
        "spread",
        "level",
        "basis",
        "record",
        "spread_record",
        "note",
    ]
    return pd.DataFrame(rows, columns=columns)


def influence(result: TrialResult) -> pd.DataFrame:
    """How closely the effect on each endpoint at its last time follows each number that is not known, over the draws.

    ``correlation``: Spearman's, of the effect in a draw (main reading) with the number drawn; ``noise``: the absolute
    value that one correlation without any link exceeds once in twenty times.
    """
    import numpy as np
    import pandas as pd

    table = draws(result)
    table = table[table["reading"] == result.study.potency]
    draw = result.dataset["draw"].values
    numbers, first = np.unique(draw, return_index=True)
    columns = ["endpoint", "arm", "parameter", "correlation", "noise", "n_draws"]
    known = {name: values[first] for name, values in facts.drawn(result, level="knowledge").items()}
    known = {name: values for name, values in known.items() if np.ptp(values) > 0 and _can_matter(result, name)}
    rows = []
    for (endpoint, arm), group in table.groupby(["endpoint", "arm"], sort=False):
        at = np.searchsorted(numbers, group["draw"].to_numpy())
        if at.size < 4:
            continue
        noise = Z95 / math.sqrt(at.size - 1)
        for name, values in known.items():
            r = _rank_correlation(group["effect"].to_numpy(), values[at])
            rows.append((endpoint, arm, name, r, noise, at.size))
    return pd.DataFrame(rows, columns=columns)


def _can_matter(result: TrialResult, name: str) -> bool:
    """Whether the main reading uses a number at all: counted copies and the effects of animals exclude each other."""
    of_copies = ":copies:" in name or ":gain:" in name
    of_animals = name == "translation" or name.startswith("animal_")
    return not (of_animals if result.study.potency == "copies" else of_copies)


def edges(result: TrialResult) -> pd.DataFrame:
    """Links from cargo to process that each product uses: factor on the rate at full repression, 95 % limits."""
    import pandas as pd

    rows = [
        (
            name,
            e.mediator,
            e.target,
            e.process,
            e.gain,
            e.gain_sd,
            math.exp(e.gain),
            math.exp(e.gain - Z95 * e.gain_sd),
            math.exp(e.gain + Z95 * e.gain_sd),
            e.basis,
            " ".join(e.records),
            e.note,
        )
        for name, mechanism in result.mechanisms.items()
        for e in mechanism.edges
    ]
    columns = [
        "product",
        "mediator",
        "target",
        "process",
        "gain",
        "gain_sd",
        "factor",
        "low",
        "high",
        "basis",
        "records",
    ]
    return pd.DataFrame(rows, columns=[*columns, "note"])


def processes(result: TrialResult) -> pd.DataFrame:
    """What therapy may change: factor on each process at full response, from animals and from all copies together."""
    import pandas as pd

    rows = []
    for process in result.model.processes:
        rows += _from_animals(result, process)
        for name, mechanism in result.mechanisms.items():
            gains = [g for (_, reached), g in mechanism.gains.items() if reached == process]
            if not gains:
                continue
            total, sd = sum(g for g, _ in gains), math.hypot(*(s for _, s in gains))
            factors = (math.exp(total), math.exp(total - Z95 * sd), math.exp(total + Z95 * sd))
            through = [m for (m, reached) in mechanism.gains if reached == process]
            rows.append((process, f"copies: {name}", " ".join(through), *factors, "", ""))
    columns = ["process", "reading", "through", "factor", "low", "high", "basis", "record"]
    return pd.DataFrame(rows, columns=columns)


def _from_animals(result: TrialResult, process: str) -> list[tuple[str, str, str, float, float, float, str, str]]:
    """The row of a process in the reading from animals: exp(effect), or exp(scale x split) where they share a scale."""
    import numpy as np

    parameters = result.model.parameters
    own, split = parameters.get(f"animal_effect_{process}"), parameters.get(f"animal_split_{process}")
    scale = parameters.get("animal_scale")
    if own is not None:
        unknown, times, basis, cited = own, 1.0, own.basis, own.records
    elif split is not None and scale is not None:
        unknown, times, basis, cited = scale, split.value, split.basis, (*split.records, *scale.records)
    else:
        return []
    drawn = facts.drawn(result).get(unknown.name, np.array([unknown.value]))
    low, middle, high = (math.exp(times * float(q)) for q in np.quantile(np.unique(drawn), [0.025, 0.5, 0.975]))
    records = " ".join(dict.fromkeys(cited))
    return [(process, "animal", "", middle, min(low, high), max(low, high), basis, records)]


def failures(result: TrialResult) -> pd.DataFrame:
    """Courses that stopped before the end, by reading, arm and reason."""
    import numpy as np
    import pandas as pd

    rows = []
    outcome = result.dataset["outcome"]
    for reading in facts.readings(result):
        for arm in facts.arms(result):
            reasons, counts = np.unique(outcome.sel(reading=reading, arm=arm).values, return_counts=True)
            rows += [
                (reading, arm, str(r), int(n))
                for r, n in zip(reasons, counts, strict=True)
                if r not in facts.NOT_FAILED
            ]
    return pd.DataFrame(rows, columns=["reading", "arm", "reason", "n"])


def misses(result: TrialResult) -> pd.DataFrame:
    """What each module of the model says that it leaves out: the sentence "Misses: …" of its opening comment."""
    import pandas as pd

    rows = []
    for comment in _COMMENT.findall(result.model.antimony):
        lines = [line.strip().removeprefix("//").strip() for line in comment.strip().splitlines()]
        start = next((k for k, line in enumerate(lines) if line.startswith("Misses:")), None)
        if start is None:
            continue
        # the sentence ends with its line; what follows are comments of the equations
        end = next((k for k in range(start, len(lines)) if lines[k].endswith(".")), len(lines) - 1)
        missed = " ".join(lines[start : end + 1]).removeprefix("Misses:")
        rows.append((lines[0].partition(":")[0], _PAGE.sub("", missed).strip()))
    return pd.DataFrame(rows, columns=["module", "misses"])


def overrides(result: TrialResult) -> pd.DataFrame:
    """Numbers that the study fixes, beside the model's own."""
    import pandas as pd

    rows = []
    for name, value in result.study.parameters.items():
        own = result.model.parameters.get(name)
        rows.append((name, str(value), own.value if own else math.nan, own.unit if own else ""))
    return pd.DataFrame(rows, columns=["parameter", "value", "own_value", "own_unit"])


def _rank_correlation(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    # not scipy.stats, whose import alone takes longer than the whole report
    import numpy as np

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    ranks = [values.argsort(kind="stable").argsort(kind="stable") for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
