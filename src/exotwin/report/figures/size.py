"""Size distribution of a product's particles: captures, their mean, the vesicle window, D10, D50 and D90."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exotwin.report.figures.shared import Drawing, Sheet, plain_ticks, side_label
from exotwin.report.numbers import number, superscript
from exotwin.report.palette import BLUE, FAINT, INK, NORMAL
from exotwin.report.wording import Words

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.product import Product

WINDOW = (30.0, 150.0)


def draw(name: str, product: Product, words: Words, sizes: pd.DataFrame) -> Drawing:
    """The distribution of one product from its rows of the table ``sizes`` (particles/mL a bin, in the vial)."""
    assert product.vesicles is not None
    size = product.vesicles.size
    table = sizes[sizes["product"] == name]
    diameter = table["diameter_nm"].to_numpy(dtype=float)
    width = np.gradient(diameter)
    captures = [table[c].to_numpy(dtype=float) / width for c in table.columns if c.startswith("capture_")]
    mean = table["mean_per_mL"].to_numpy(dtype=float) / width
    top = max(float(np.nanmax(row)) for row in captures)
    power = math.floor(math.log10(top))
    sheet = Sheet(2.7, width=6.4)
    axes = sheet.panel(0.72, 0.12, 5.45, 2.02)
    axes.axvspan(*WINDOW, color=NORMAL, zorder=0, linewidth=0)
    for row in captures:
        axes.plot(diameter, row / 10**power, color=BLUE, linewidth=0.7, alpha=0.45)
    axes.plot(diameter, mean / 10**power, color=BLUE, linewidth=1.9)
    last = float(np.clip(size.percentile(99.5) * 1.1, 250, diameter[-1]))
    axes.set_xlim(0, last)
    axes.set_ylim(0, top / 10**power * 1.22)
    for percent, value in ((10, size.d10), (50, size.d50), (90, size.d90)):
        height = float(np.interp(value, diameter, mean / 10**power))
        axes.plot([value, value], [0, height], color=INK, linewidth=0.8, linestyle=(0, (2, 1.5)))
        axes.annotate(
            f"D{percent} {number(value)}",
            (value, height),
            xytext=(-3, 2) if percent == 10 else (3, 3),
            textcoords="offset points",
            ha="right" if percent == 10 else "left",
            fontsize=8,
            color=INK,
        )
    share = words.percent(product.vesicles.fraction_30_150.value)
    axes.text(
        sum(WINDOW) / 2,
        top / 10**power * 1.2,
        words("figure.window", share=share),
        ha="center",
        va="top",
        fontsize=8.5,
        color="#2f5f48",
    )
    plain_ticks(axes.xaxis, n=8)
    plain_ticks(axes.yaxis)
    axes.set_xlabel(words("figure.diameter"), color=FAINT)
    side_label(axes, words("figure.density", power=superscript(power)))
    return Drawing(f"sizes-{name}", sheet.figure, words("given.sizes"))
