"""Outcomes in full: courses, endpoints in all readings, the three readings side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from exotwin.report import answer, facts
from exotwin.report.blocks import Cell, Table, figure, group, text
from exotwin.report.figures import curves, forest
from exotwin.report.numbers import NOTHING, number, rough
from exotwin.report.sections.answer import effect_cell, value

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.report.page import Page


def build(page: Page) -> dict[str, Any]:
    """Courses, the table of endpoints of the main reading, of the others, and the forest of readings."""
    words, result = page.words, page.result
    main, *others = facts.readings(result)
    comparator = answer.comparator_name(result, words)
    drawing = curves.draw(result, words, page.tables["curves"], page.tables["differences"])
    named = words(f"reading.{main}")
    return {
        "lead": words("outcome.lead", reading=_long(page, main)),
        "curves": page.picture(
            drawing, words("outcome.curves_caption", reading=named, comparator=comparator), "curves", "differences"
        ),
        "endpoints": _endpoints(page, main),
        "others": [_endpoints(page, reading) for reading in others],
        "forest": _forest(page),
        "ratios": _ratios(page),
        "notes": _notes(page),
    }


def _long(page: Page, reading: str) -> str:
    species = page.result.study.species
    return page.words(f"reading.{reading}_long", species=page.words.known(f"word.{species}", species))


def _endpoints(page: Page, reading: str) -> Table:
    words, table = page.words, page.result.endpoints
    table = table[table["reading"] == reading]
    main = reading == page.result.study.potency
    columns = ["arm", "n", "value", "effect", "effect_patients", "better"]
    rows: list[tuple[Cell, ...]] = []
    for (_, day), of_endpoint in table.groupby(["endpoint", "day"], sort=False):
        lines = facts.dicts(of_endpoint)
        rows.append(group(answer.label(lines[0], words), words.time(float(str(day))), len(columns)))
        rows += [_row(page, row) for row in lines]
    caption = words(
        "outcome.endpoints_caption" if main else "outcome.other_readings",
        reading=words(f"reading.{reading}"),
        comparator=answer.comparator_name(page.result, words),
    )
    return Table(
        f"endpoints-{reading.replace(' ', '-')}",
        caption,
        tuple(words(f"outcome.{c}") for c in columns),
        tuple(rows),
        page.downloads("endpoints") if main else (),
        numeric=frozenset(range(1, len(columns))),
        wide=True,
    )


def _row(page: Page, row: dict[str, Any]) -> tuple[Cell, ...]:
    words = page.words
    start = (text(words.arm(row["arm"])), figure(number(row["n"]), row["n"]), value(page, row))
    if not row["comparator"]:
        return (*start, text(""), text(""), text(""))
    own = figure(_patients(page, row), row["low_patients"], row["high_patients"])
    draws = Cell(answer.probability(page.result, row, words), (float(row["p_better"]),), "number")
    needed = answer.needed(row, words)
    effect = effect_cell(page, row, note=words("outcome.nnt_of", nnt=needed) if needed else "")
    return (*start, effect, own, draws)


def _patients(page: Page, row: dict[str, Any]) -> str:
    if facts.is_noise(page.result, row):
        return NOTHING
    scale = 100.0 if row["effect_kind"] == "risk difference" else 1.0
    digits = 6 if row["no_effect"] == 1 else 4
    return page.words.interval(scale * row["low_patients"], scale * row["high_patients"], digits=digits)


def _forest(page: Page) -> Any:
    rows = facts.last_rows(page.result)
    if not page.treated:
        return None
    drawing = forest.draw(page.result, page.words, rows, page.tables["draws"])
    times = page.words.list(page.words.time(d) for d in sorted({float(d) for d in rows["day"]}))
    return page.picture(drawing, page.words("outcome.forest_caption", time=times), "draws")


def _ratios(page: Page) -> Table:
    words, rows = page.words, facts.last_rows(page.result)
    compared = rows[rows["comparator"] != ""]
    readings = facts.readings(page.result)
    columns = (words("outcome.arm"), *(words(f"reading.{r}") for r in readings), words("outcome.ratio"))
    lines: list[tuple[Cell, ...]] = []
    for _, of_endpoint in compared.groupby("endpoint", sort=False):
        rows_of = facts.dicts(of_endpoint)
        lines.append(group(answer.label(rows_of[0], words), "", len(columns)))
        for arm in dict.fromkeys(r["arm"] for r in rows_of):
            mine = {r["reading"]: r for r in rows_of if r["arm"] == arm}
            cells = [effect_cell(page, mine[r]) if r in mine else text("") for r in readings]
            ratio = float(mine[readings[0]]["ratio_to_copies"]) if readings[0] in mine else math.nan
            lines.append(
                (
                    text(words.arm(str(arm))),
                    *cells,
                    figure(rough(abs(ratio) if math.isinf(ratio) else ratio), ratio),
                )
            )
    times = words.list(words.time(d) for d in sorted({float(d) for d in rows["day"]}))
    return Table(
        "readings",
        words("outcome.forest_numbers", time=times),
        columns,
        tuple(lines),
        (),
        numeric=frozenset(range(1, len(columns))),
        wide=True,
    )


def _notes(page: Page) -> list[str]:
    words, table = page.words, page.result.endpoints
    compared: pd.DataFrame = table[table["comparator"] != ""]
    notes = []
    if (compared["n_failed"] > 0).any() or (compared["n_undefined"] > 0).any():
        most = {"failed": int(compared["n_failed"].max()), "undefined": int(compared["n_undefined"].max())}
        notes.append(words("outcome.failed_note", **most))
    if (table["kind"] == "share").any():
        notes.append(words("outcome.nnt_note"))
    return notes
