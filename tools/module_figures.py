"""Draw the figures of the modules' pages: `python tools/module_figures.py [NAME …]` into docs/img/module-NAME.svg.

They are simulated by the studies that the checks read, and records stand in them as points; see `module_plots`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from module_plots import ageing, cells, comparators, macrophages, uptake, vesicles

from exotwin.report.svg import house_style, to_svg

IMAGES = Path(__file__).parents[1] / "docs" / "img"
FIGURES = {
    "ageing-burden": (ageing.burden, "Burden of senescent cells of single mice and women, and its mean, up to death"),
    "ageing-survival": (ageing.survival, "Survival of mice and people, and rates of death, against published ones"),
    "ageing-drivers": (
        ageing.drivers,
        "Half-life of senescent cells, IL-6, CRP, mitochondria, telomeres, mutations by age",
    ),
    "cells-fate": (cells.fate, "Infused cells by compartment over ten days, mouse and person"),
    "cells-limits": (
        cells.limits,
        "Closed capillaries and chance of death by dose; antibodies against the donor over time",
    ),
    "culture": (cells.culture, "Divisions, senescent share, telomeres and doubling time by passage and source"),
    "vesicles-course": (vesicles.course, "Vesicles in blood and organs over time after a dose by vein, with records"),
    "vesicles-monocytes": (
        vesicles.endotoxin,
        "Where a dose is at rest and with endotoxin; what monocytes carry for days",
    ),
    "label-seen": (vesicles.labels, "What labels show of one dose in blood, kidneys and muscle, against the vesicles"),
    "vesicles-routes": (
        vesicles.routes,
        "Per cent of the dose by tissue and route in a person, after an hour and a day",
    ),
    "vesicles-dose": (vesicles.dose, "Organs by dose and by size of the vesicles; what a cell of each tissue takes up"),
    "uptake-copies": (
        uptake.copies,
        "Copies delivered against copies needed; sites that copies bind; the two readings",
    ),
    "macrophages": (
        macrophages.site,
        "Response to vesicles in macrophages and in muscle by dose, mouse and person; TNF of frail people over time",
    ),
    "comparators-effects": (
        comparators.effects,
        "Effects of habits and drugs on life, inflammation and fitness, with records",
    ),
}


def draw(name: str) -> Path:
    """One figure."""
    make, title = FIGURES[name]
    with house_style():
        path = IMAGES / f"module-{name}.svg"
        path.write_text(to_svg(make(), name=f"module-{name}", title=title) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    for chosen in sys.argv[1:] or FIGURES:
        print(draw(chosen))
