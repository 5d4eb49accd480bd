"""What the figures share: courses from the studies of the checks, records as points, panels in the house style."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exotwin.evidence import record
from exotwin.report.figures.shared import log_ticks, plain_ticks
from exotwin.report.palette import FAINT, INK
from exotwin.validation import read_checks
from exotwin.validation.check import ArmPlan, Check, DosePlan, ReadingPlan, StudyPlan
from exotwin.validation.study import Models, Simulated, simulate

Floats = npt.NDArray[np.float64]
YEAR, MONTH, HOUR, MINUTE = 365.25, 365.25 / 12, 1 / 24, 1 / 1440
WIDTH = 9.2
MODELS = Models()


@lru_cache(maxsize=1)
def studies() -> Mapping[str, StudyPlan]:
    """All studies of the checks by name."""
    return {name: plan for file in read_checks() for name, plan in file.studies.items()}


def study(name: str, **changes: Any) -> StudyPlan:
    """A study of the checks, with changes."""
    return replace(studies()[name], **changes)


def arm(name: str, plan: ArmPlan | None = None, **parameters: float) -> ArmPlan:
    """An arm with parameters, on top of another arm if one is given."""
    base = plan or ArmPlan(name)
    return replace(base, name=name, parameters={**base.parameters, **parameters})


def bolus(state: str, amount: float, at: Sequence[float] = (0.0,)) -> DosePlan:
    """Doses of a state in its own unit."""
    return DosePlan(state, amount, "", tuple(at))


def run(plan: StudyPlan, outputs: Iterable[str], days: Iterable[float]) -> Simulated:
    """All arms of a study, these outputs at these days."""
    at = tuple(float(d) for d in days)
    readings = tuple(
        ReadingPlan(f"r{k}", name, output, at, curve=True)
        for k, (name, output) in enumerate((a, o) for a in plan.arms for o in outputs)
    )
    reader = Check("figure", "figure", ("figure",), "natural history", "figure", readings=readings)
    return simulate(plan, [reader], MODELS.of(plan), lambda: None)


def of(found: Simulated, arm_name: str, output: str) -> Floats:
    """(patient, time)."""
    return found.values[arm_name, output][found.groups[0]]


def one(plan: StudyPlan, outputs: Sequence[str], days: Iterable[float]) -> dict[tuple[str, str], Floats]:
    """Medians over the patients: (arm, output) -> (time,)."""
    found = run(plan, outputs, days)
    return {(a, o): np.nanmedian(of(found, a, o), axis=0) for a in plan.arms for o in outputs}


def band(
    axes: Axes, x: Floats, values: Floats, colour: str, label: str = "", *, limits: bool = True, **how: Any
) -> None:
    """Median of the patients and what 95 % of them span."""
    axes.plot(x, np.nanmedian(values, axis=0), color=colour, label=label or None, **how)
    if limits:
        low, high = np.nanquantile(values, [0.025, 0.975], axis=0)
        axes.fill_between(x, low, high, color=colour, alpha=0.14, lw=0)


def points(axes: Axes, x: Any, y: Any, error: Any = None, *, label: str = "", marker: str = "s", **how: Any) -> None:
    """Published values."""
    colour = how.pop("color", INK)
    axes.errorbar(
        x,
        y,
        yerr=error,
        fmt=marker,
        ms=4.8,
        color=colour,
        mec="white",
        mew=0.7,
        elinewidth=1.1,
        label=label or None,
        zorder=5,
        **how,
    )


def value(name: str) -> Any:
    """What a record says; it must have been read."""
    found = record(name)
    assert found.seen, name
    return found.value


def dress(axes: Axes, title: str, across: str, *, x: str = "plain", y: str = "plain", n: int = 5) -> None:
    """Title, name of the horizontal axis, ticks as the text has numbers."""
    axes.set_title(title)
    axes.set_xlabel(across)
    for axis, kind in ((axes.xaxis, x), (axes.yaxis, y)):
        if kind == "plain":
            plain_ticks(axis, n=n)
        elif kind == "log":
            log_ticks(axis, n=n + 1)


def said(axes: Axes, text: str, at: tuple[float, float] = (0.98, 0.04), **how: Any) -> None:
    """A remark inside a panel."""
    side = "right" if at[0] > 0.5 else "left"
    axes.text(*at, text, transform=axes.transAxes, ha=side, va="bottom", fontsize=7.5, color=FAINT, **how)


def sheet(rows: int, columns: int, height: float) -> tuple[Figure, Any]:
    """A figure of the page's width with its panels."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    return figure, figure.subplots(rows, columns, squeeze=False)


def legend(axes: Axes, **how: Any) -> None:
    """The labels of a panel."""
    axes.legend(**({"fontsize": 7.5, "handlelength": 1.8, "labelspacing": 0.3} | how))
