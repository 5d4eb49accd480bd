"""Who was in the trial: flow of participants, criteria, what they were like at enrolment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exotwin.report import facts
from exotwin.report.blocks import Fact, Table, figure, text
from exotwin.report.numbers import number, tick

if TYPE_CHECKING:
    from exotwin.report.page import Page


@dataclass(frozen=True)
class Flow:
    """The drawing of the flow: a column of boxes, with what was left out at its side, and a row of arms below."""

    screened: str
    left_out: tuple[str, ...]
    enrolled: str
    arms: tuple[tuple[str, str, str], ...]  # name, how many, colour


def build(page: Page) -> dict[str, Any]:
    """Flow, criteria with their records, baseline table."""
    words = page.words
    n = page.result.screening.n_enrolled
    return {
        "flow": _flow(page),
        "downloads": page.downloads("screening"),
        "criteria": _criteria(page),
        "baseline": _baseline(page, words("population.baseline_caption", n=number(n))),
    }


def _flow(page: Page) -> Flow:
    words, found = page.words, page.result.screening
    rules = [_rule(page, k, rule) for k, (rule, _, _) in enumerate(found.left_out)]
    left_out = [
        words("population.flow_item", n=number(n), what=words("population.not_met", rule=rule))
        for rule, (_, _, n) in zip(rules, found.left_out, strict=True)
    ]
    left_out += [
        words("population.flow_item", n=number(n), what=words("population.failed", outcome=words.known(f"stop.{o}", o)))
        for o, n in found.failed.items()
    ]
    table = page.tables["screening"]
    ended = table[table["step"] == "computed to the end"]
    arms = []
    for row in facts.rows(ended):
        lost = found.n_enrolled - row.n
        key = "analysed_lost" if lost else "analysed"
        arms.append(
            (
                words.arm(row.what),
                words(f"population.{key}", n=number(row.n), lost=number(lost)),
                page.strokes[row.what].colour,
            )
        )
    return Flow(
        words("population.flow_item", n=number(found.n_screened), what=words("population.screened")),
        tuple(left_out),
        words("population.flow_item", n=number(found.n_enrolled), what=words("population.enrolled")),
        tuple(arms),
    )


def _rule(page: Page, at: int, otherwise: str) -> str:
    """The criterion in the language: those left out are listed in the order of the model's criteria."""
    criteria = page.result.model.inclusion
    if at >= len(criteria):
        return otherwise
    c = criteria[at]
    if named := page.words.label(c):
        return named
    signs = {"<=": "≤", ">=": "≥"}
    return f"{c.id} {signs.get(c.rule, c.rule)} {page.words.with_unit(tick(c.value), c.unit)}"


def _criteria(page: Page) -> list[Fact]:
    return [
        Fact(_rule(page, k, c.id), "", page.references.cite(c.record.split()))
        for k, c in enumerate(page.result.model.inclusion)
    ]


def _baseline(page: Page, caption: str) -> Table:
    words, rows = page.words, []
    for r in facts.rows(page.tables["baseline"]):
        if r.kind == "share":
            shown = figure(words.percent(r.median), r.median)
        else:
            shown = figure(words.estimate(r.median, r.p5, r.p95, r.unit), r.median, r.p5, r.p95)
        normal = (
            figure(words("word.range", low=tick(r.normal_low), high=tick(r.normal_high)), r.normal_low, r.normal_high)
            if r.normal_low == r.normal_low
            else text("")
        )
        seen = page.result.model.observables.get(r.quantity)
        name = words.label(seen) if seen else words.known(f"quantity.{r.quantity}", r.quantity)
        rows.append((text(name, head=True), shown, normal))
    columns = (words("population.quantity"), words("word.median_band"), words("population.normal"))
    return Table("baseline", caption, columns, tuple(rows), page.downloads("baseline"), numeric=frozenset({1, 2}))
