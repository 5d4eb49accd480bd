"""Endpoints: what each patient brings to each of them, and the table that a statistician would print.

kind     a patient's value                      effect, paired by virtual patient
value    observable at the day                  difference of means; ratio of geometric means where the observable is
                                                read on a logarithmic scale
change   observable at the day - at enrolment   difference of means
ratio    observable at the day / at enrolment   ratio of geometric means
share    1 if observable >= threshold, else 0   risk difference, number needed to treat
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from exotwin.biology import EndpointRule, Model
from exotwin.errors import StudyError, nearest
from exotwin.quantities import wilson
from exotwin.trial.result import COLUMNS
from exotwin.trial.statistics import Effect, Ints, number_needed, paired_effect, quantiles_within_draws

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.trial.study import Study

Floats = npt.NDArray[np.float64]

NOISE = 100.0
"""An effect below this many relative tolerances of the values that it compares is the solver's noise, not an effect."""


@dataclass(frozen=True)
class TimedEndpoint:
    """One endpoint at one time. log : whether patients are compared by the logarithm of their values."""

    rule: EndpointRule
    day: float
    symbol: str
    log: bool

    @property
    def name(self) -> str:
        """Such as ``amh day 365.25``."""
        return f"{self.rule.id} day {self.day:.12g}"


def endpoint_rules(study: Study, model: Model) -> tuple[EndpointRule, ...]:
    """The study's own endpoints, or the condition's standard ones up to the horizon.

    Raises
    ------
    StudyError : an observable that the condition does not have; a horizon before the first standard endpoint.
    """
    if study.endpoints:
        return tuple(_own_rule(study, name, model) for name in study.endpoints)
    rules = []
    for rule in model.endpoints:
        days = tuple(d for d in rule.days if d <= study.horizon_days)
        if days:
            rules.append(EndpointRule(**{**vars(rule), "days": days}))
    if not rules:
        first = min((d for rule in model.endpoints for d in rule.days), default=math.inf)
        raise StudyError(
            study.where("horizon"),
            found=f'"{study.horizon}"',
            expected=f"at least day {first:g}, the first endpoint of {model.condition}, or a table [endpoints]",
        )
    return tuple(rules)


def _own_rule(study: Study, name: str, model: Model) -> EndpointRule:
    entry = study.endpoints[name]
    if entry.observable not in model.observables:
        raise StudyError(
            study.where("endpoints", name, "observable"),
            found=f'"{entry.observable}"',
            expected="one of " + ", ".join(model.observables),
            nearest=nearest(entry.observable, model.observables),
        )
    seen = model.observables[entry.observable]
    # Several endpoints of one observable must not pass for one in tables that show labels.
    alone = sum(other.observable == entry.observable for other in study.endpoints.values()) == 1
    addition = "" if alone else f" ({name})"
    unit = {"ratio": "dimensionless", "share": "dimensionless"}.get(entry.kind, seen.unit)
    return EndpointRule(
        id=name,
        observable=entry.observable,
        days=entry.days,
        kind=entry.kind,
        better=entry.better,
        label=seen.label + addition,
        label_zh=seen.label_zh + addition,
        unit=unit,
        threshold=entry.threshold,
    )


def timed_endpoints(rules: Sequence[EndpointRule], model: Model) -> tuple[TimedEndpoint, ...]:
    """Every rule at each of its days."""
    return tuple(
        TimedEndpoint(rule, day, seen.symbol, rule.kind == "ratio" or (rule.kind == "value" and seen.log))
        for rule in rules
        for seen in (model.observables[rule.observable],)
        for day in rule.days
    )


def patient_value(timed: TimedEndpoint, at_day: Floats, at_enrolment: Floats) -> Floats:
    """What each patient brings: (patient,) -> (patient,); NaN for failed patients and for ratios to nothing."""
    rule = timed.rule
    if rule.kind == "value":
        return at_day
    if rule.kind == "change":
        return at_day - at_enrolment
    if rule.kind == "ratio":
        return np.divide(at_day, at_enrolment, out=np.full_like(at_day, np.nan), where=at_enrolment > 0)
    assert rule.threshold is not None
    return np.where(np.isnan(at_day), np.nan, (at_day >= rule.threshold).astype(np.float64))


@dataclass(frozen=True)
class Compared:
    """The values of all patients at one endpoint, by reading and arm, with what the table needs to know about them.

    values : (reading, arm, patient). failed, said : the same shape; whether the integration had stopped before the day,
        and whether the reading says anything about the arm.
    """

    timed: TimedEndpoint
    values: Floats
    failed: npt.NDArray[np.bool_]
    said: npt.NDArray[np.bool_]


def table(
    compared: Sequence[Compared],
    draw: Ints,
    *,
    model: Model,
    readings: Sequence[str],
    main: str,
    arms: Sequence[str],
    comparator: str,
    rtol: float,
) -> pd.DataFrame:
    """The endpoints, with columns as in `COLUMNS`."""
    import pandas as pd

    rows = []
    for endpoint in compared:
        effects = _effects(endpoint, draw, arms.index(comparator))
        bands = quantiles_within_draws(np.moveaxis(endpoint.values, -1, 0), draw)
        for r, reading in enumerate(readings):
            for a, arm in enumerate(arms):
                row = _about(endpoint, model) | {"reading": reading, "main": reading == main, "arm": arm}
                row |= _within_arm(endpoint, draw, bands[:, r, a], r, a)
                if arm != comparator:
                    row |= {"comparator": comparator}
                    row |= _against(endpoint, effects, (r, a), readings.index("copies"), rtol)
                rows.append(row)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = ["comparator", "nnt_text", "effect_kind", "effect_unit"]
    return frame.fillna(dict.fromkeys(texts, "")).astype({"n": int, "n_failed": int, "n_undefined": int})


def _about(endpoint: Compared, model: Model) -> dict[str, Any]:
    rule = endpoint.timed.rule
    return {
        "endpoint": rule.id,
        "observable": rule.observable,
        "label": rule.label or model.observables[rule.observable].label,
        "label_zh": rule.label_zh or model.observables[rule.observable].label_zh,
        "day": endpoint.timed.day,
        "kind": rule.kind,
        "unit": rule.unit,
        "better": rule.better,
    }


def _within_arm(endpoint: Compared, draw: Ints, band: Floats, r: int, a: int) -> dict[str, Any]:
    values = endpoint.values[r, a]
    there = ~np.isnan(values)
    n, failed = int(there.sum()), int(endpoint.failed[r, a].sum())
    row: dict[str, Any] = {"n": n, "n_failed": failed, "n_draws": int(np.unique(draw[there]).size)}
    row["n_undefined"] = values.size - n - failed if endpoint.said[r, a] else 0
    if endpoint.timed.rule.kind == "share":
        hits = int(np.nansum(values))
        low, high = wilson(hits, n)
        return row | {"share": hits / n if n else math.nan, "share_low": low, "share_high": high}
    return row | dict(zip(("median", "p5", "p95"), band, strict=True))


@dataclass(frozen=True)
class _Pair:
    effect: Effect
    n_failed: int
    n_undefined: int
    size: float  # typical size of what is compared, for the solver's noise


def _effects(endpoint: Compared, draw: Ints, base: int) -> Mapping[tuple[int, int], _Pair]:
    scale = endpoint.values
    if endpoint.timed.log:
        scale = np.log(scale, out=np.full_like(scale, np.nan), where=scale > 0)
    found = {}
    for r, a in np.ndindex(scale.shape[:2]):
        if a == base:
            continue
        difference = scale[r, a] - scale[r, base]
        there = ~np.isnan(difference)
        failed = endpoint.failed[r, a] | endpoint.failed[r, base]
        said = endpoint.said[r, a] and endpoint.said[r, base]
        effect = paired_effect(difference[there], draw[there], share=endpoint.timed.rule.kind == "share")
        size = 1.0
        if not endpoint.timed.log and effect.n:
            size = float(max(np.abs(scale[r, a][there]).mean(), np.abs(scale[r, base][there]).mean()))
        undefined = int((~there & ~failed).sum()) if said else 0
        found[r, a] = _Pair(effect, int(failed.sum()), undefined, size)
    return found


def _against(
    endpoint: Compared, effects: Mapping[tuple[int, int], _Pair], here: tuple[int, int], copies: int, rtol: float
) -> dict[str, Any]:
    pair, rule, log = effects[here], endpoint.timed.rule, endpoint.timed.log
    effect, noise = pair.effect, NOISE * rtol * pair.size
    sign = 1 if rule.better == "higher" else -1
    shares = rule.kind == "share"
    numbers = {
        "effect": effect.value,
        "low": effect.low,
        "high": effect.high,
        "low_patients": effect.low_patients,
        "high_patients": effect.high_patients,
    }
    with np.errstate(over="ignore"):  # a ratio to almost nothing is infinite
        row: dict[str, Any] = {k: float(np.exp(v)) if log else v for k, v in numbers.items()}
    row |= {
        "effect_kind": "risk difference" if shares else "ratio of geometric means" if log else "difference of means",
        "effect_unit": "dimensionless" if shares or log else rule.unit,
        "no_effect": 1.0 if log else 0.0,
        "n": effect.n,
        "n_failed": pair.n_failed,
        "n_undefined": pair.n_undefined,
        "p_better": effect.p_better(sign, 0.0 if shares else noise),
        "ratio_to_copies": _ratio(effect.value, effects[copies, here[1]].effect.value, 0.0 if shares else noise),
    }
    if shares:
        low, high = sorted([sign * effect.low, sign * effect.high])
        needed = number_needed(sign * effect.value, low, high)
        row |= {"nnt": needed.value, "nnt_low": needed.low, "nnt_high": needed.high, "nnt_text": needed.text}
    return row


def _ratio(effect: float, by_copies: float, noise: float) -> float:
    """Infinite where counted copies do nothing and the reading does something; NaN where neither does."""
    if math.isnan(effect) or math.isnan(by_copies) or (abs(effect) <= noise and abs(by_copies) <= noise):
        return math.nan
    return effect / by_copies if abs(by_copies) > noise else math.copysign(math.inf, effect)
