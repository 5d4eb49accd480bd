"""First screen: what came out, how big, how sure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from exotwin.report import answer, facts
from exotwin.report.blocks import Bar, Cell, Table, figure, group, text
from exotwin.report.in_short import in_short
from exotwin.report.numbers import number, tick
from exotwin.report.sections.given import lasting

if TYPE_CHECKING:
    from exotwin.report.page import Page


def build(page: Page) -> dict[str, Any]:
    """Paragraphs on each arm, the list of how sure, the table of all endpoints at their last time."""
    words, result = page.words, page.result
    arms = [
        {
            "name": words.first(words.arm(arm)),
            "given": given(page, arm),
            "text": answer.about_arm(result, arm, words),
            "stroke": page.strokes[arm],
        }
        for arm in page.treated
    ]
    return {
        "facts": _facts(page),
        "short": in_short(result, words),
        "arms": arms,
        "sure": answer.sure(result, words),
        "glance": _glance(page),
    }


def given(page: Page, arm: str) -> str:
    """``10¹¹ vesicles intravenously, weekly, 4 doses``."""
    words, treatment = page.words, page.result.study.arms[arm]
    if not treatment.treated:
        return words("answer.untreated")
    said = []
    if treatment.give is not None:
        amount, unit = treatment.amount
        days = words("word.comma").join(number(d) for d in treatment.days)
        schedule = words("answer.schedule", schedule=treatment.schedule, days=days)
        route = words.known(f"route.{treatment.route}", str(treatment.route))
        said.append(words("answer.gives", dose=words.number(amount, unit), route=route, schedule=schedule))
    for held in page.result.added.get(arm, ()):
        level = words.with_unit(tick(held.level), held.comparator.unit)
        said.append(words("answer.adds", name=words.label(held.comparator), level=level, lasting=lasting(words, held)))
    return words("word.semicolon").join(said)


def _facts(page: Page) -> str:
    words, study, model = page.words, page.result.study, page.result.model
    condition = model.title_zh if words.language == "zh" and model.title_zh else model.title
    return words(
        "page.facts",
        condition=condition,
        species=words.known(f"species.{study.species}", study.species),
        patients=number(study.population.n_patients),
        draws=study.population.n_draws,
        horizon=words.time(study.horizon_days),
    )


def _glance(page: Page) -> Table:
    words, rows = page.words, facts.main_rows(page.result)
    comparator = page.result.study.comparator
    against = answer.comparator_name(page.result, words)
    columns = (
        words("outcome.arm"),
        words("answer.glance_value"),
        words("answer.glance_effect", comparator=against),
        words("answer.glance_bar"),
        words("answer.glance_draws"),
    )
    lines: list[tuple[Cell, ...]] = []
    for endpoint in rows["endpoint"].unique():
        of_endpoint = facts.dicts(rows[rows["endpoint"] == endpoint])
        compared = [r for r in of_endpoint if r["arm"] != comparator]
        base = [f"{words.arm(comparator)} {value(page, r).text}" for r in of_endpoint if r["arm"] == comparator]
        if compared:
            lines.append(group(answer.label(compared[0], words), "".join(base), len(columns)))
            lines += [_compared(page, row, compared) for row in compared]
    times = words.list(words.time(d) for d in sorted({float(d) for d in rows["day"]}))
    caption = words("answer.glance", time=times, comparator=against)
    return Table("glance", caption, columns, tuple(lines), numeric=frozenset({1, 2, 4}))


def value(page: Page, row: Mapping[str, Any]) -> Cell:
    """Median with the 5-95 % band between patients, or a share with its interval."""
    words = page.words
    if row["kind"] == "share":
        shown = words.percent_estimate(float(row["share"]), float(row["share_low"]), float(row["share_high"]))
        return figure(shown, row["share"], row["share_low"], row["share_high"])
    numbers = (float(row["median"]), float(row["p5"]), float(row["p95"]))
    return figure(words.estimate(*numbers, str(row["unit"])), *numbers)


def effect_cell(page: Page, row: Mapping[str, Any], *, note: str = "") -> Cell:
    """Effect with its interval, and what the interval says of it."""
    numbers = [float(row[k]) for k in ("effect", "low", "high")]
    numbers += [float(row[k]) for k in ("nnt", "nnt_low", "nnt_high")] if note else []
    direction = answer.clause(page.result, row).replace("_", " ")
    shown = answer.effect(page.result, row, page.words)
    return Cell(shown, tuple(numbers), f"number {direction}", note)


def _compared(page: Page, row: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]) -> tuple[Cell, ...]:
    words = page.words
    bar = Cell("", kind="bar", bar=bar_of(row, beside, page.strokes[str(row["arm"])].colour))
    draws = Cell(answer.probability(page.result, row, words), (float(row["p_better"]),), "number")
    return (text(words.arm(str(row["arm"]))), value(page, row), effect_cell(page, row), bar, draws)


def bar_of(row: Mapping[str, Any], beside: Sequence[Mapping[str, Any]], colour: str) -> Bar | None:
    """Intervals of one row on the scale of its endpoint, turned so that right is better; None without an effect."""
    keys = ("low", "high", "low_patients", "high_patients", "effect")
    if any(math.isnan(row[k]) for k in keys):
        return None
    ratio = row["no_effect"] == 1

    def place(v: float) -> float:
        distance = math.log(v) if ratio else v - float(row["no_effect"])
        return distance if row["better"] == "higher" else -distance

    if ratio and any(r[k] <= 0 for r in beside for k in ("low", "high") if not math.isnan(r[k])):
        return None
    reach = max((abs(place(r[k])) for r in beside for k in ("low", "high") if not math.isnan(r[k])), default=0.0)
    if not 0 < reach < math.inf:
        return None
    at = {k: 0.5 + 0.46 * place(float(row[k])) / reach for k in keys}
    low, high = sorted((at["low"], at["high"]))
    inner_low, inner_high = sorted((at["low_patients"], at["high_patients"]))
    return Bar(0.5, low, high, inner_low, inner_high, at["effect"], colour)
