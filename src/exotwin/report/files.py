"""The report with its figures and tables as files, and one figure by name for a notebook."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin.errors import ReportError, nearest
from exotwin.report import facts
from exotwin.report.blocks import csv_text
from exotwin.report.figures import curves, exposure, forest, forms, plausibility, size
from exotwin.report.html import write_page
from exotwin.report.page import Page
from exotwin.report.svg import house_style
from exotwin.report.tables import MAKERS, Tables, outcome
from exotwin.report.wording import Words
from exotwin.trial import both_forms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from exotwin.report.figures.shared import Drawing
    from exotwin.trial import TrialResult


def figure(result: TrialResult, observable: str, *, language: str = "en") -> Figure:
    """Course of one observable in the main reading, with bands for each arm, and its difference from the comparator.

    Parameters
    ----------
    observable : its id, such as "amh".
    language : "en" or "zh". A picture that is not SVG needs a font with Chinese glyphs; without one it stays English.

    Raises
    ------
    ReportError : no observable of that name; names the nearest.
    """
    names = facts.observables(result)
    if observable not in names:
        raise ReportError(
            "figure", found=f'"{observable}"', expected="one of " + ", ".join(names), nearest=nearest(observable, names)
        )
    shown, differences = (table(result, only=observable) for table in (outcome.curves, outcome.differences))
    font = chinese_font() if language == "zh" else None
    with house_style(font=font):
        return curves.draw(result, Words(language if font or language == "en" else "en"), shown, differences).figure


def write_folder(result: TrialResult, folder: Path, *, language: str = "en") -> Path:
    """Write ``report.html``, ``figures/`` and ``tables/``, computed once for all three; gives the report's path.

    Raises
    ------
    ReportError : a language that the report does not speak, a folder that does not exist.
    """
    page = Page(result, language)
    report = write_page(page, folder / "report.html")
    _write_figures(page, folder / "figures")
    _write_tables(page.tables, folder / "tables")
    return report


def write_figures(result: TrialResult, folder: Path, *, language: str = "en") -> list[Path]:
    """Write every figure of the report as an SVG file, and one for each observable; gives their paths.

    Raises
    ------
    ReportError : a language that the report does not speak.
    """
    return _write_figures(Page(result, language), folder)


def write_tables(result: TrialResult, folder: Path) -> list[Path]:
    """Write every table of the report as a CSV file; gives their paths. The report's own links hold the same text."""
    return _write_tables(Tables(result), folder)


def _write_figures(page: Page, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with house_style():
        for name, drawing in _drawings(page).items():
            path = folder / f"{name}.svg"
            path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{page.svg(drawing)}\n', encoding="utf-8")
            paths.append(path)
    return paths


def _write_tables(tables: Tables, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in MAKERS:
        path = folder / f"{name}.csv"
        path.write_text(csv_text(tables[name]), encoding="utf-8")
        paths.append(path)
    return paths


def chinese_font() -> str | None:
    """Name of an installed font that can draw Chinese, as matplotlib knows it, or None."""
    from matplotlib import font_manager

    wanted = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        installed = {font.name for font in font_manager.fontManager.ttflist}
    # A collection of all CJK fonts goes by the name of its first, the Japanese one, and holds every glyph.
    return next((name for name in (*wanted, "Noto Sans CJK JP", "WenQuanYi Zen Hei") if name in installed), None)


def _drawings(page: Page) -> dict[str, Drawing]:
    result, words, tables = page.result, page.words, page.tables
    found: dict[str, Drawing | None] = {
        "curves": curves.draw(result, words, tables["curves"], tables["differences"]),
        "readings": forest.draw(result, words, facts.last_rows(result), tables["draws"]),
        "exposure": exposure.draw(result, words, tables["exposure"]),
        "obstruction": exposure.obstruction(words, tables["exposure"], page.strokes),
    }
    for observable in tables["curves"]["observable"].unique():
        shown, differences = (t[t["observable"] == observable] for t in (tables["curves"], tables["differences"]))
        name = f"curve-{observable}"
        found[name] = replace(curves.draw(result, words, shown, differences), name=name)
    for key, product in result.products.items():
        if product.vesicles is not None:
            found[f"sizes-{key}"] = size.draw(key, product, words, tables["sizes"])
    for key, arms in both_forms(result.study).items():
        rows = tables["tissues"][tables["tissues"]["product"] == key]
        if not rows.empty:
            found[f"forms-{key}"] = forms.draw(key, rows, arms, words, page.strokes)
    if (tables["copies"]["delivered"] > 0).any():
        found["copies"] = plausibility.draw(words, tables["copies"], page.strokes)
    return {name: drawing for name, drawing in found.items() if drawing is not None}
