"""Work and precision of everybody with every model: error against time, small multiples.

Run by itself it draws again from results/ensemble.csv.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from measure import MAIN, Row

TARGET = Path(__file__).parents[1] / "docs" / "img" / "engine-work-precision"

_STYLES = {  # colours that colour-blind readers tell apart (Okabe and Ito), and a mark for each
    "exotwin": ("#D55E00", "o"),
    "libRoadRunner": ("#0072B2", "s"),
    "AMICI": ("#009E73", "D"),
    "COPASI": ("#CC79A7", "^"),
    "SciPy LSODA": ("#56B4E9", "v"),
    "SciPy BDF": ("#A0A0A0", "<"),
    "SciPy Radau": ("#404040", ">"),
    "diffrax": ("#E69F00", "P"),
}


def draw(rows: list[Row], target: Path) -> None:
    """Writes target.png and target.svg."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    models = list(dict.fromkeys(row.model for row in rows))
    shown = [name for name in _STYLES if any(row.simulator == name and row.error > 0 for row in rows)]
    columns = min(3, len(models))
    lines = -(-len(models) // columns)
    figure, axes = plt.subplots(
        lines,
        columns,
        figsize=(3.1 * columns, 2.35 * lines + 0.7),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, model in zip(axes.flat, models, strict=False):
        _panel(axis, [row for row in rows if row.model == model], shown)
    for axis in axes.flat[len(models) :]:
        axis.set_visible(False)
    figure.supxlabel("processor time for one patient (µs, one core)", fontsize=9)
    figure.supylabel("error relative to the largest value of the state", fontsize=9)
    compared = Line2D(
        [], [], marker="o", color="none", markeredgecolor="black", markersize=7, label="at rtol $10^{-6}$"
    )
    handles = [*axes.flat[0].get_lines()[: len(shown)], compared]
    for handle, name in zip(handles, shown, strict=False):
        handle.set_label(name)
    figure.legend(handles=handles, loc="outside upper center", ncols=5, frameon=False, fontsize=8.5)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target.with_suffix(".png"), dpi=170)
    figure.savefig(target.with_suffix(".svg"))
    plt.close(figure)


def _panel(axis: Any, rows: list[Row], shown: list[str]) -> None:
    """From loose tolerances, up and left, to tight ones; the one at which ratios are given has a black edge."""
    found = {name: [row for row in rows if row.simulator == name and row.error > 0] for name in shown}
    for name, points in found.items():
        colour, mark = _STYLES[name]
        ours = name == "exotwin"
        axis.plot(
            [row.us_per_patient for row in points],
            [row.error for row in points],
            color=colour,
            marker=mark,
            markersize=4.5 if ours else 3.5,
            linewidth=2.2 if ours else 1.1,
            zorder=3 if ours else 2,
        )
    for name, points in found.items():
        colour, mark = _STYLES[name]
        at = [row for row in points if row.rtol == MAIN]
        axis.plot(
            [row.us_per_patient for row in at],
            [row.error for row in at],
            color=colour,
            marker=mark,
            markersize=6,
            markeredgecolor="black",
            markeredgewidth=0.9,
            linestyle="none",
            zorder=4,
        )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(f"{_short(rows[0].model)}, {rows[0].states} states", fontsize=9)
    axis.tick_params(labelsize=8)
    axis.minorticks_off()
    axis.grid(which="major", color="#e2e2e2", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _short(model: str) -> str:
    """Name_Journal2011 as "Name 2011"; our own as they are."""
    found = re.fullmatch(r"([A-Za-z]+)_[A-Za-z]+(\d{4})", model)
    return f"{found[1]} {found[2]}" if found else f"exotwin's {model}"


def read(path: Path) -> list[Row]:
    """Rows of a run before."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    text, whole = {"model", "simulator", "remark"}, {"states", "patients"}
    kinds = {name: str if name in text else int if name in whole else float for name in lines[0]}
    return [Row(**{name: kinds[name](value) for name, value in line.items()}) for line in lines]


if __name__ == "__main__":
    draw(read(Path(__file__).parent / "results" / "ensemble.csv"), TARGET)
