"""One lot as cells and as vesicles, tissue by tissue: the share that arrives, and vesicles for each starting cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exotwin.report.figures.shared import Drawing, Sheet, legend, log_ticks
from exotwin.report.palette import FAINT, INK, RULE, Stroke
from exotwin.report.wording import Words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_ROW, _HEAD, _FOOT = 0.42, 0.85, 0.55
_SMALLEST = 1e-12


def draw(name: str, table: pd.DataFrame, arms: tuple[str, str], words: Words, strokes: dict[str, Stroke]) -> Drawing:
    """Two panels with a row a tissue; ``table``: the rows of one product, ``arms``: of its cells, of its vesicles."""
    n = len(table)
    sheet = Sheet(_HEAD + n * _ROW + _FOOT)
    panels = (("figure.share_arrives", ("cells", "vesicles")), ("figure.per_cell", ("from_cells", "from_vesicles")))
    for k, (label, columns) in enumerate(panels):
        axes = sheet.panel(1.35 + k * 4.0, _HEAD, 3.55, n * _ROW)
        axes.set_xscale("log")
        axes.set_ylim(n, 0)
        for row, tissue in enumerate(table.to_dict(orient="records")):
            if row:
                axes.axhline(row, color=RULE, linewidth=0.6)
            if k == 0:
                weight = "bold" if tissue["target"] else "normal"
                where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "center"}
                shown = words.known(f"figure.{tissue['tissue']}", str(tissue["tissue"]))
                axes.text(-0.03, row + 0.5, shown, fontsize=9, fontweight=weight, color=INK, **where)
            for a, (column, arm) in enumerate(zip(columns, arms, strict=True)):
                _lane(axes, [float(tissue[c]) for c in (column, f"{column}_p5", f"{column}_p95")], row, a, strokes[arm])
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        log_ticks(axes.xaxis, n=8)
        axes.set_xlabel(words(label), labelpad=3)
        axes.axvline(axes.get_xlim()[0], color=FAINT, linewidth=0.6)
    entries = [(strokes[arm], words.arm(arm)) for arm in arms]
    legend(sheet, entries, left=1.35, top=0.4, step=2.2)
    return Drawing(f"forms-{name}", sheet.figure, words("title.forms"))


def _lane(axes: Axes, numbers: list[float], row: int, a: int, stroke: Stroke) -> None:
    middle, low, high = numbers
    if not middle > 0:
        return
    y = row + 0.32 + 0.36 * a
    axes.plot([max(low, _SMALLEST), high], [y, y], color=stroke.colour, linewidth=1.6)
    axes.plot([middle], [y], marker=stroke.marker, color=stroke.colour, markersize=6, markeredgecolor="white")
