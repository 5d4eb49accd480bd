"""Where the dose went, what it left in the target cells, what cells plug in the lung."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from exotwin.report import facts
from exotwin.report.blocks import Cell, Picture, Table, figure, text
from exotwin.report.figures import exposure, plausibility
from exotwin.report.numbers import number, rough
from exotwin.report.sections.answer import given
from exotwin.report.tables.exposure import FIRST_DAYS, PER_DOSE, place_of

if TYPE_CHECKING:
    from exotwin.report.page import Page


def build(page: Page) -> dict[str, Any]:
    """Places over time, copies delivered against needed, obstruction of lung capillaries, all other exposures."""
    words = page.words
    span = words.time(min(FIRST_DAYS, float(page.result.exposure["time"].values.max())))
    plugged = exposure.obstruction(words, page.tables["exposure"], page.strokes)
    return {
        "lead": words("exposure.lead", span=span),
        "places": _places(page, span),
        "table": _peaks(page, span, of_dose=True),
        "copies": _copies(page),
        "obstruction": page.picture(plugged, words("exposure.obstruction_caption"), "exposure") if plugged else None,
        "others": _peaks(page, span, of_dose=False),
    }


def _places(page: Page, span: str) -> Picture | None:
    drawing = exposure.draw(page.result, page.words, page.tables["exposure"])
    if drawing is None:
        return None
    doses = page.words("word.semicolon").join(
        page.words("sources.methods_arm", arm=page.words.arm(a), gives=given(page, a)) for a in page.treated
    )
    return page.picture(drawing, page.words("exposure.places_caption", doses=doses), "exposure")


def _peaks(page: Page, span: str, *, of_dose: bool) -> Table | None:
    words, table = page.words, page.tables["peaks"]
    table = table[(table["unit"] == PER_DOSE) == of_dose]
    if table.empty:
        return None
    rows: list[tuple[Cell, ...]] = []
    groups = []
    for arm, group in table.groupby("arm", sort=False):
        groups.append(len(rows))
        for k, r in enumerate(facts.rows(group)):
            first = [text(words.arm(str(arm)), head=True, span=len(group))] if k == 0 else []
            unit = "%" if of_dose else r.unit
            peak = figure(words.estimate(r.peak, r.peak_p5, r.peak_p95, unit), r.peak, r.peak_p5, r.peak_p95)
            end = figure(words.estimate(r.end, r.end_p5, r.end_p95, unit), r.end, r.end_p5, r.end_p95)
            at = figure(words.short_time(r.peak_day) if r.peak_day > 0 else words("exposure.at_once"), r.peak_day)
            rows.append((*first, text(_name(page, r.exposure, of_dose)), peak, at, end))
    key = "places_table" if of_dose else "other_caption"
    columns = (
        words("exposure.arm"),
        words("exposure.place" if of_dose else "exposure.exposure"),
        words("exposure.peak"),
        words("exposure.peak_time"),
        words("exposure.end", span=span),
    )
    return Table(
        "peaks" if of_dose else "peaks-others",
        words(f"exposure.{key}", span=span),
        columns,
        tuple(rows),
        page.downloads("peaks"),
        frozenset(groups),
        frozenset({2, 3, 4}),
    )


def _name(page: Page, exposure_id: str, of_dose: bool) -> str:
    seen = page.result.model.exposures[exposure_id]
    place = place_of(page.result, exposure_id)
    label = page.words.label(seen)
    return page.words.known(f"figure.{place[1]}", label) if of_dose and place else label


def _copies(page: Page) -> dict[str, Any] | None:
    words, table = page.words, page.tables["copies"]
    if table.empty:
        return None
    caption = words("exposure.copies_caption", needed=number(float(table["needed"].iloc[0])))
    if table["needed"].nunique() > 1:
        caption = words("exposure.copies_caption_proteins")
    picture = None
    if (table["delivered"] > 0).any():
        drawing = plausibility.draw(words, table, page.strokes)
        picture = page.picture(drawing, caption, "copies")
    rows: list[tuple[Cell, ...]] = []
    groups = []
    for arm, group in table.groupby("arm", sort=False):
        groups.append(len(rows))
        for k, r in enumerate(facts.rows(group)):
            first = [text(words.arm(str(arm)), head=True, span=len(group))] if k == 0 else []
            delivered = figure(words.estimate(r.delivered, r.low, r.high), r.delivered, r.low, r.high)
            own = figure(_minutes(page, r.own_supply_minutes), r.own_supply_minutes)
            verdict = Cell(
                _verdict(page, r.outcome, r.log10_short), (r.log10_short,), f"reach {r.outcome.replace(' ', '-')}"
            )
            cited = Cell("", records=page.references.cite(r.records.split()), kind="records")
            rows.append(
                (
                    *first,
                    text(r.mediator, note=r.note),
                    delivered,
                    figure(number(r.needed), r.needed),
                    verdict,
                    own,
                    cited,
                )
            )
    columns = tuple(words(f"exposure.{c}") for c in ("arm", "mediator", "delivered", "needed", "verdict", "own_supply"))
    return {
        "picture": picture,
        "table": Table(
            "copies",
            words("exposure.copies_table"),
            (*columns, words("page.source")),
            tuple(rows),
            page.downloads("copies"),
            frozenset(groups),
            frozenset({2, 3, 5}),
        ),
    }


def _minutes(page: Page, minutes: float) -> str:
    if math.isnan(minutes):
        return number(minutes)
    return (
        page.words("word.seconds", n=number(minutes * 60, digits=2))
        if minutes < 1
        else page.words.short_time(minutes / 1440)
    )


def _verdict(page: Page, outcome: str, short: float) -> str:
    """The outcome in words, with how many times too few or to spare."""
    words = page.words
    if outcome in ("nothing delivered", "not measured"):
        return words(f"exposure.{outcome}")
    factor = rough(10 ** abs(short))
    gap = words("exposure.short" if short > 0 else "exposure.spare", factor=factor)
    return words("exposure.undecided" if outcome == "undecided" else f"exposure.{outcome.replace(' ', '_')}", gap=gap)
