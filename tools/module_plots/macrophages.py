"""Macrophages as a site of action: response by dose, against the target's; what it does to TNF in frail people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exotwin.report.palette import BLUE, FAINT, GREEN, INK, VERMILION
from exotwin.validation.check import ArmPlan
from module_plots.shared import arm, band, bolus, dress, legend, of, run, said, sheet, study, value

PARTS = ("physiology", "culture", "cells", "vesicles", "uptake", "macrophages")
DOSES = np.geomspace(1e6, 1e13, 15)


def site() -> Figure:
    """Peak response to vesicles by vein in macrophages and in muscle, by dose; TNF over time in frail people."""
    figure, ((mouse, person, course),) = sheet(1, 3, 3.5)
    _response(mouse, "mouse", "Mouse: peak response, %")
    _response(person, "human", "Person: peak response, %")
    _course(course)
    return figure


def _response(axes: Axes, species: str, title: str) -> None:
    base = study("frail-vesicles", modules=PARTS, reading="", species=species, patients=4, draws=60)
    arms = {f"{k}": arm(f"{k}", ArmPlan("x", doses=(bolus("vesicles_blood", float(d)),))) for k, d in enumerate(DOSES)}
    outputs = ("animal_response_macrophages", "animal_response")
    found = run(replace(base, parameters={}, arms=arms), outputs, np.concatenate([[0.0], np.geomspace(1e-2, 10, 25)]))
    axes.axvspan(*_usual(species), color=FAINT, alpha=0.15, lw=0)
    for output, colour, dashes, label in zip(
        outputs, (VERMILION, BLUE), ("-", (0, (5, 2))), ("macrophages", "muscle"), strict=True
    ):
        peaks = [
            [100 * np.median(found.values[f"{k}", output][g].max(axis=1)) for k in range(DOSES.size)]
            for g in found.groups[1:]
        ]
        band(axes, DOSES, np.array(peaks), colour, label, ls=dashes)
    axes.set_xscale("log")
    axes.set_ylim(0, 118)
    axes.set_yticks([0, 25, 50, 75, 100])
    dress(axes, title, "vesicles by vein", x="log", y="none")
    legend(axes, loc="upper left", ncols=2)


def _usual(species: str) -> tuple[float, float]:
    """Quartiles of published doses in mice; lowest to highest registered dose by vein in people."""
    if species == "mouse":
        low, high = value("add-ev-mouse-dose-median")["particles_per_mouse"]["IV"]["quartiles"]
    else:
        low, high = value("add-ev-human-dose-by-route")["IV_particles"]["range"]
    return low, high


def _course(axes: Axes) -> None:
    """TNF of frail people, treated over untreated, with and without what the product does from macrophages."""
    days = np.linspace(0, 365, 74)
    base = study("frail-vesicles", patients=60, draws=0)
    usual = value("add-ev-human-dose-by-route")["IV_particles"]["median"]
    arms = {
        "untreated": ArmPlan("untreated"),
        "vesicles": ArmPlan("vesicles", doses=(bolus("vesicles_blood", usual, (0.0, 7.0)),)),
        "cells": ArmPlan("cells", doses=(bolus("cells_venous", 1e8),)),
        "few": ArmPlan("few", doses=(bolus("vesicles_blood", usual / 50, (0.0, 7.0)),)),
    }
    found = run(replace(base, arms=arms), ["tnf"], days)
    for name, colour, dashes, label in (
        ("cells", GREEN, "-", "10⁸ cells"),
        ("vesicles", VERMILION, (0, (5, 2)), "5 × 10¹¹ vesicles, twice"),
        ("few", BLUE, (0, (1.5, 1.5)), "a fiftieth of that"),
    ):
        axes.plot(
            days,
            100 * np.median(of(found, name, "tnf") / of(found, "untreated", "tnf") - 1, axis=0),
            color=colour,
            ls=dashes,
            label=label,
        )
    axes.axhline(0, color=INK, lw=0.8)
    axes.set_ylim(-40, 16)
    dress(axes, "Frail people: TNF-α, change in %", "days after the first dose")
    legend(axes, loc="upper right")
    said(axes, "all numbers in their middle", (0.98, 0.02))
