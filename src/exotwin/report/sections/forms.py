"""Cells against vesicles: one lot in both forms, tissue by tissue, and a verdict on each part of the claim EXO-3.

A verdict follows from the simulated numbers alone; the records on both sides stand beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exotwin.report import answer, facts
from exotwin.report.blocks import Cell, Table, figure, prose, text
from exotwin.report.figures import forms as drawn
from exotwin.report.numbers import NOTHING, rough
from exotwin.report.wording import joined
from exotwin.trial import both_forms, paired_effect

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.report.page import Page

FOLD = 2.0
"""Closer than this many times, two forms count as alike: the yield of a cell is not known any better."""
_FEW = 5.0  # per cent of a dose in a tissue, below which a share is told as small
_COLOURS = {"holds": "reaches", "does_not": "falls-short"}
_RECORDS = {
    "embolism": (
        ("msc-embolism-mouse", "iv-asc-pe-family"),
        ("ev-procoagulant-heparin", "tissue-factor-by-source", "safety-meta-2020"),
    ),
    "rejection": (("dsa-rate",), ("frailty-cpra-case",)),
    "penetration": (
        ("lung-half-life", "ev-bbb-10-exosomes"),
        ("null-ev-organs-undetected", "null-brain-share-ev", "hmsc-wide-spread-nodscid"),
    ),
    "lesion": (("secreted-factor-pk",), ("dorronsoro2021", "exo-equals-msc-reza2019")),
    "persistence": (("ev-blood-halflife-under-10min", "atlas-wjmsc-111In"), ("lung-half-life", "viable-24h-lung-only")),
    "outcome": (("dorronsoro2021", "exo-equals-msc-reza2019"), ()),
}


@dataclass(frozen=True)
class _Lot:
    """The rows of one product: by tissue, and what stays and what is risked by (form, quantity, of)."""

    page: Page
    arms: tuple[str, str]
    tissues: pd.DataFrame
    stays: dict[tuple[str, str, str], dict[str, Any]]

    def median(self, form: str, quantity: str, of: str = "") -> float:
        """NaN where the model does not follow it."""
        row = self.stays.get((form, quantity, of))
        return math.nan if row is None else float(row["median"])

    def starting(self) -> tuple[float, float]:
        """Living cells behind the first dose of each arm, median of the patients."""
        import numpy as np

        cells, vesicles = (float(np.median(self.page.result.starting_cells(arm))) for arm in self.arms)
        return cells, vesicles

    def names(self, chosen: pd.Series) -> str:
        """The tissues of a choice in words."""
        words = self.page.words
        return words.list(words.known(f"figure.{t}", str(t)) for t in self.tissues["tissue"][chosen])


def build(page: Page) -> dict[str, Any] | None:
    """Verdicts, figure and tables of each product that is given in both forms; None where none is."""
    words, pairs = page.words, both_forms(page.result.study)
    products = []
    for key, arms in pairs.items():
        tissues, stays = (page.tables[name] for name in ("tissues", "forms"))
        rows = facts.dicts(stays[stays["product"] == key])
        by_key = {(r["form"], r["quantity"], r["of"]): r for r in rows}
        lot = _Lot(page, arms, tissues[tissues["product"] == key], by_key)
        picture = None
        if not lot.tissues.empty:
            drawing = drawn.draw(key, lot.tissues, arms, words, page.strokes)
            picture = page.picture(drawing, words("forms.picture_caption"), "tissues")
        products.append(
            {
                "name": page.result.products[key].name,
                "material": _material(lot),
                "picture": picture,
                "tissues": _tissues(lot),
                "stays": _stays(lot),
                "verdicts": _verdicts(lot),
            }
        )
    return {"lead": words("forms.lead"), "products": products} if products else None


def _material(lot: _Lot) -> str:
    """How many cells each form came from: equal or not."""
    words, (cells, vesicles) = lot.page.words, lot.starting()
    cells_arm, vesicles_arm = (words.arm(arm) for arm in lot.arms)
    numbers = {"n_cells": words.number(cells, digits=2), "n_vesicles": words.number(vesicles, digits=2)}
    return words("forms.material", cells=cells_arm, vesicles=vesicles_arm, **numbers)


def _verdicts(lot: _Lot) -> Table:
    words = lot.page.words
    makers = (_embolism, _rejection, _penetration, _lesion, _persistence, _outcome)
    rows: list[tuple[Cell, ...]] = []
    for maker in makers:
        part = maker.__name__.removeprefix("_")
        verdict, why = maker(lot)
        pro, contra = (lot.page.references.cite(ids) for ids in _RECORDS[part])
        kind = f"reach {_COLOURS.get(verdict, 'undecided')}"
        rows.append(
            (
                text(words(f"forms.{part}"), head=True),
                Cell(words(f"forms.verdict_{verdict}"), kind=kind),
                prose(why),
                Cell("" if pro else NOTHING, records=pro, kind="records"),
                Cell("" if contra else NOTHING, records=contra, kind="records"),
            )
        )
    columns = tuple(words(f"forms.{c}") for c in ("part", "verdict", "why", "records_for", "records_against"))
    return Table("forms-verdicts", words("forms.verdicts_caption"), columns, tuple(rows), wide=True)


def _embolism(lot: _Lot) -> tuple[str, str]:
    words = lot.page.words
    names = ("obstruction", "clotting", "embolism")
    cells, vesicles = ({name: lot.median(form, name) for name in names} for form in ("cells", "vesicles"))
    if math.isnan(cells["obstruction"]) or math.isnan(vesicles["obstruction"]):
        return "cannot", words("forms.not_followed")

    def both(name: str) -> dict[str, str]:
        return {"cells": words.percent(cells[name] / 100), "vesicles": words.percent(vesicles[name] / 100)}

    said = [words("forms.embolism_plugs", **both("obstruction"))]
    said += [words("forms.embolism_clots", **both("clotting"))] if cells["clotting"] == cells["clotting"] else []
    said += [words("forms.embolism_risk", **both("embolism"))] if cells["embolism"] == cells["embolism"] else []
    said.append(words("forms.embolism_known"))
    if vesicles["obstruction"] * FOLD >= cells["obstruction"]:
        return "does_not", joined(said, words)
    # doses of one study need not come from as many cells; the verdict is on the two forms and not on these doses
    by_cells, by_vesicles = lot.starting()
    alike = vesicles["clotting"] / by_vesicles * FOLD >= cells["clotting"] / by_cells
    return ("in_part" if alike or math.isnan(vesicles["clotting"]) else "holds"), joined(said, words)


def _rejection(lot: _Lot) -> tuple[str, str]:
    words, cells = lot.page.words, lot.median("cells", "antibodies")
    if math.isnan(cells):
        return "cannot", words("forms.not_followed")
    return "cannot", words("forms.rejection_why", cells=words.percent(cells / 100))


def _penetration(lot: _Lot) -> tuple[str, str]:
    words, table = lot.page.words, lot.tissues
    if table.empty:
        return "cannot", words("forms.not_followed")
    more = table["vesicles"] > table["cells"]
    best, sink = float(table["vesicles"].max()), lot.median("vesicles", "liver_spleen")
    said = words(
        "forms.penetration_why",
        n=int(more.sum()),
        total=len(table),
        best=words.percent(best / 100),
        liver=words.percent(sink / 100),
        lung=words.percent(lot.median("cells", "lung") / 100),
    )
    if more.all():
        return ("holds_little" if best < _FEW else "holds"), said
    return ("depends" if more.any() else "does_not"), said


def _lesion(lot: _Lot) -> tuple[str, str]:
    words, table = lot.page.words, lot.tissues
    if table.empty:
        return "cannot", words("forms.not_followed")
    more, less = table["ratio"] > FOLD, table["ratio"] < 1 / FOLD
    parts = []
    for key, chosen in (("more", more), ("less", less), ("alike", ~more & ~less)):
        if chosen.any():
            span = table["ratio"][chosen]
            ends = list(dict.fromkeys(rough(float(end)) for end in (span.min(), span.max())))
            times = ends[0] if len(ends) == 1 else words("word.range", low=ends[0], high=ends[1])
            parts.append(words(f"forms.lesion_{key}", tissues=lot.names(chosen), times=times))
    low, high = float(table["ratio_p5"].min()), float(table["ratio_p95"].max())
    said = words("forms.lesion_why", parts=words("word.semicolon").join(parts), low=rough(low), high=rough(high))
    if more.all() or less.all():
        return ("holds" if more.all() else "does_not"), said
    return ("depends" if more.any() or less.any() else "alike"), said


def _persistence(lot: _Lot) -> tuple[str, str]:
    words = lot.page.words
    keys = (("cells", "living cells"), ("vesicles", "vesicles in blood"), ("vesicles", "vesicles"))
    halves = [lot.median(form, "half_life", of) for form, of in keys]
    ends = [lot.median(form, "above_1_percent", of) for form, of in keys]
    if any(math.isnan(v) for v in (*halves, *ends)):
        return "cannot", words("forms.not_followed")
    shown = [words.short_time(v) for v in (*halves, *ends)]
    names = ("cells", "blood", "body", "cells_end", "blood_end", "body_end")
    said = words("forms.persistence_why", **dict(zip(names, shown, strict=True)))
    if ends[0] > FOLD * ends[2]:
        return "cells_longer", said
    return ("vesicles_longer" if ends[2] > FOLD * ends[0] else "alike"), said


def _outcome(lot: _Lot) -> tuple[str, str]:
    """The first endpoint at its last time, paired by patient between the two forms."""
    import numpy as np

    words, result = lot.page.words, lot.page.result
    rows = facts.dicts(facts.main_rows(result))
    first = [r for r in rows if r["endpoint"] == rows[0]["endpoint"]]
    mine = {r["arm"]: r for r in first}
    here = (result.values["rule"].values == first[0]["endpoint"]) & (result.values["day"].values == first[0]["day"])
    both = result.values.isel(endpoint=int(np.argmax(here))).sel(reading=result.study.potency)
    cells, vesicles = (both.sel(arm=arm).values.astype(float) for arm in lot.arms)
    share = first[0]["kind"] == "share"
    if any(str(r["effect_kind"]).startswith("ratio") for r in first):
        with np.errstate(divide="ignore", invalid="ignore"):
            cells, vesicles = np.log(cells), np.log(vesicles)
    difference = vesicles - cells
    known = np.isfinite(difference)
    found = paired_effect(difference[known], result.dataset["draw"].values[known], share=share)
    effects = {
        name: answer.effect(result, mine[arm], words) if mine[arm]["comparator"] else words("answer.untreated")
        for name, arm in zip(("cells", "vesicles"), lot.arms, strict=True)
    }
    said = words(
        "forms.outcome_why",
        label=answer.label(first[0], words),
        time=words.time(float(first[0]["day"])),
        comparator=answer.comparator_name(result, words),
        **effects,
    )
    sign = 1 if first[0]["better"] == "higher" else -1
    low, high = sorted((sign * found.low, sign * found.high))
    if low > 0 or high < 0:
        return ("vesicles_more" if low > 0 else "cells_more"), said
    return "not_told", said


def _tissues(lot: _Lot) -> Table:
    words = lot.page.words
    rows = []
    for r in facts.dicts(lot.tissues):
        name = words.known(f"figure.{r['tissue']}", str(r["tissue"]))
        cells: list[Cell] = [text(name, note=words("forms.is_target") if r["target"] else "", head=True)]
        for column, unit in (
            ("cells", "%"),
            ("vesicles", "%"),
            ("from_cells", ""),
            ("from_vesicles", ""),
            ("ratio", ""),
        ):
            middle, low, high = (float(r[c]) for c in (column, f"{column}_p5", f"{column}_p95"))
            cells.append(figure(words.estimate(middle, low, high, unit, digits=2), middle, low, high))
        rows.append(tuple(cells))
    columns = tuple(
        words(f"forms.{c}") for c in ("tissue", "share_cells", "share_vesicles", "by_cells", "by_vesicles", "ratio")
    )
    return Table(
        "forms-tissues",
        words("forms.tissues_caption"),
        columns,
        tuple(rows),
        lot.page.downloads("tissues"),
        numeric=frozenset({1, 2, 3, 4, 5}),
        wide=True,
    )


def _stays(lot: _Lot) -> Table:
    words = lot.page.words
    rows = []
    for (form, quantity, of), r in lot.stays.items():
        middle, low, high = (float(r[c]) for c in ("median", "p5", "p95"))
        unit, times = ("%", 1.0) if r["unit"] == "%" else _readable(middle)
        shown = words.estimate(times * middle, times * low, times * high, unit, digits=2)
        named = words(f"forms.quantity_{quantity}")
        name = words("forms.quantity_of", quantity=named, of=words(f"forms.of_{of.replace(' ', '_')}")) if of else named
        longer = words("forms.censored", share=words.percent(float(r["censored"]))) if r["censored"] > 0 else ""
        rows.append((text(words(f"form.{form}"), head=True), text(name), figure(shown, middle, low, high, note=longer)))
    columns = (words("forms.form"), words("forms.quantity"), words("word.median_all"))
    return Table(
        "forms-stays",
        words("forms.stays_caption"),
        columns,
        tuple(rows),
        lot.page.downloads("forms"),
        numeric=frozenset({2}),
    )


def _readable(days: float) -> tuple[str, float]:
    """The unit in which a time reads best, and how many of it a day has."""
    if days < 1 / 24:
        return "min", 1440.0
    return ("h", 24.0) if days < 2 else ("day", 1.0)
