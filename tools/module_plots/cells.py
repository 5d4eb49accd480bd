"""Cells in the body and in culture."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exotwin.report.palette import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION
from exotwin.validation.check import ArmPlan
from module_plots.shared import (
    HOUR,
    Floats,
    arm,
    band,
    bolus,
    dress,
    legend,
    of,
    points,
    run,
    said,
    sheet,
    study,
    value,
)

SOURCES = {"bone marrow": BLUE, "adipose": ORANGE, "umbilical cord": GREEN, "dental pulp": PURPLE}
MINUTES = 1 / 1440
PLACES = (
    ("cells_lung", "lung, alive", SKY, "-"),
    ("cells_past_lung", "past the lung, alive", VERMILION, "-"),
    ("label_lung", "lung, label", SKY, (0, (2, 1.5))),
    ("label_liver", "liver, label", GREEN, (0, (2, 1.5))),
    ("label_spleen", "spleen, label", PURPLE, (0, (2, 1.5))),
)


def fate() -> Figure:
    """Where infused cells are, by compartment, in a mouse and a person."""
    figure, ((mouse, person),) = sheet(1, 2, 3.3)
    days = np.concatenate([[0.0], np.geomspace(MINUTES, 10, 120)])
    for axes, name, which, who in (
        (mouse, "mouse-routes", "vein", "5 × 10⁵ marrow cells into a vein of a mouse"),
        (person, "human-routes", "vein", "2 × 10⁶ cells per kg into a vein of a person"),
    ):
        plan = study(name, patients=60, draws=0)
        plan = study(name, patients=60, draws=0, arms={which: plan.arms[which]})
        found = run(plan, [p[0] for p in PLACES] + ["body_weight"], days)
        given = plan.arms[which].doses[0]
        dose = given.amount * (1 if not given.unit else float(np.median(of(found, which, "body_weight")[:, 0])))
        for output, label, colour, dashes in PLACES:
            band(
                axes,
                days[1:] / HOUR,
                100 * of(found, which, output)[:, 1:] / dose,
                colour,
                label,
                limits=False,
                ls=dashes,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(1e-5, 200)
        axes.set_xlim(0.02, 240)
        dress(axes, who, "hours after the dose", x="log", y="log")
        axes.set_ylabel("per cent of the dose")
    half = value("lung-half-life")
    mouse.axhline(100 * half["cells_other_tissues_max"] / half["dose"], color=INK, lw=0.9, ls=(0, (1, 2)))
    said(mouse, "most found past the lung (lung-half-life)", (0.02, 0.455))
    points(mouse, [half["half_life_h"]], [50], label="half (lung-half-life)")
    points(mouse, [7 * 24], [value("survival-week")], label="most alive (survival-week)", marker="v")
    person.legend(*_both(mouse), loc="lower right", fontsize=7.5, handlelength=1.8, labelspacing=0.3)
    return figure


def _both(axes: Axes) -> tuple[list[Any], list[str]]:
    """Handles and labels of another panel."""
    handles, labels = axes.get_legend_handles_labels()
    return handles, labels


def limits() -> Figure:
    """Dose against obstruction and its risk, with the doses that killed or were borne; antibodies over time."""
    figure, ((plugged, risk, antibodies),) = sheet(1, 3, 3.2)
    doses = np.geomspace(1e5, 1e7, 25)
    days = np.concatenate([[0.0], np.geomspace(1e-4, 0.2, 40)])
    routes = {
        ("adipose", "cells_venous"): "adipose, vein",
        ("bone marrow", "cells_venous"): "marrow, vein",
        ("umbilical cord", "cells_venous"): "cord, vein",
        ("bone marrow", "cells_marrow"): "marrow, into the marrow",
    }
    dashed = {"adipose": "-", "umbilical cord": (0, (5, 2)), "bone marrow": "-"}
    for (source, state), label in routes.items():
        colour, dashes = SOURCES[source], dashed[source] if state == "cells_venous" else (0, (1.5, 1.5))
        arms = {}
        for k, dose in enumerate(doses):
            arms[f"{k}"] = _given(f"{k}", source, state, dose)
        found = run(
            study("mouse-limits", patients=20, draws=0, arms=arms), ["obstruction_index", "embolism_risk"], days
        )
        for axes, output, factor in ((plugged, "obstruction_index", 100), (risk, "embolism_risk", 100)):
            most = [factor * np.mean(np.max(of(found, f"{k}", output), axis=1)) for k in range(doses.size)]
            axes.plot(doses, most, color=colour, ls=dashes, label=label if axes is plugged else None)
    for size, stroke in ((15 / 21, "-."), (30 / 21, ":")):
        arms = {
            f"{k}": arm(f"{k}", _given(f"{k}", "bone marrow", "cells_venous", dose), relative_size=size)
            for k, dose in enumerate(doses)
        }
        found = run(study("mouse-limits", patients=1, draws=0, arms=arms), ["obstruction_index"], days)
        most = [100 * float(np.max(of(found, f"{k}", "obstruction_index"))) for k in range(doses.size)]
        plugged.plot(
            doses, most, color=SOURCES["bone marrow"], lw=0.9, ls=stroke, label=f"marrow, {21 * size:.0f} µm wide"
        )
    for axes in (plugged, risk):
        axes.set_xscale("log")
    plugged.set_yscale("log")
    plugged.set_ylim(0.003, 150)
    dress(plugged, "Capillaries of the lung closed, %", "cells given to a mouse of 20 g", x="log", y="log")
    dress(risk, "Chance to die of it, %", "cells given to a mouse of 20 g", x="log")
    legend(plugged, loc="lower right")
    lethal, borne = value("lethal-dose-canine-admsc-mouse"), value("tolerated-2e6-weekly-mouse")
    points(
        risk,
        [float(d) for d in lethal],
        [100 * (1 - s) for s in lethal.values()],
        color=ORANGE,
        label="adipose (lethal-dose-canine-admsc-mouse)",
    )
    points(
        risk,
        [borne["cells_per_dose"]],
        [100 * borne["findings"]],
        color=GREEN,
        marker="D",
        label="cord (tolerated-2e6-weekly-mouse)",
    )
    risk.set_ylim(-5, 140)
    risk.set_yticks([0, 25, 50, 75, 100])
    legend(risk, loc="upper left")
    _antibodies(antibodies)
    return figure


def _given(name: str, source: str, state: str, dose: float, at: tuple[float, ...] = (0.0,)) -> ArmPlan:
    return ArmPlan(name, source=source, doses=(bolus(state, float(dose), at),))


def _antibodies(axes: Axes) -> None:
    days = np.linspace(0, 365, 147)
    times = {
        "one dose": (0.0,),
        "four, weekly": (0.0, 7.0, 14.0, 21.0),
        "four, every 90 days": (0.0, 90.0, 180.0, 270.0),
    }
    arms = {label: _given(label, "bone marrow", "cells_venous", 1.4e8, at) for label, at in times.items()}
    found = run(study("human-safety", patients=40, draws=0, arms=arms), ["antibody_risk"], days)
    strokes = ((BLUE, "-"), (VERMILION, (0, (6, 2))), (GREEN, (0, (2, 1.5))))
    for label, (colour, dashes) in zip(arms, strokes, strict=True):
        band(axes, days, 100 * of(found, label, "antibody_risk"), colour, label, limits=False, ls=dashes)
    rate = value("dsa-rate")
    axes.axhline(rate["dsa_pct"], color=INK, lw=0.9, ls=(0, (1, 2)))
    said(axes, "patients who form them (dsa-rate)", (0.98, 0.02 + rate["dsa_pct"] / 24))
    axes.set_ylim(0, 24)
    dress(axes, "Antibodies, % of people", "days after the first dose")
    legend(axes, loc="upper left")


def culture() -> Figure:
    """Divisions, senescent share and telomeres by passage and source."""
    figure, ((divisions, share, telomere, times),) = sheet(1, 4, 3.0)
    passages = np.arange(0.0, 21.0, 0.5)
    for source, colour in SOURCES.items():
        arms = {f"{p:g}": arm(f"{p:g}", _given("x", source, "cells_venous", 0.0), passage=float(p)) for p in passages}
        plan = study("culture", patients=1, draws=0, arms=arms)
        outputs = ["doublings", "senescent_share", "cell_telomere", "division_time"]
        found = run(plan, outputs, [0.0])
        got: dict[str, Floats] = {
            o: np.array([float(np.median(of(found, f"{p:g}", o))) for p in passages]) for o in outputs
        }
        divisions.plot(passages, got["doublings"], color=colour, label=source)
        share.plot(passages, 100 * got["senescent_share"], color=colour)
        telomere.plot(passages, got["cell_telomere"] / 1000, color=colour)
        times.plot(list(SOURCES).index(source), 24 * got["division_time"][0], "o", color=colour, ms=6)
        known = value("growth-by-source").get(source.replace(" ", "_"), {})
        if "pdt_h" in known:
            points(times, [list(SOURCES).index(source) + 0.18], [known["pdt_h"]])
        if "senescence_passage" in known:
            points(share, [known["senescence_passage"]], [100], color=colour)
    dress(divisions, "Population doublings", "passage")
    dress(share, "Senescent cells, %", "passage")
    said(share, "squares: passage of the\nstop (growth-by-source)", (0.02, 0.88))
    share.set_ylim(-4, 128)
    share.set_yticks([0, 25, 50, 75, 100])
    dress(telomere, "Telomeres, kb", "passage")
    dress(times, "Doubling time, hours", "", x="none")
    times.set_xticks(range(len(SOURCES)), ["marrow", "fat", "cord", "pulp"])
    times.set_xlim(-0.5, 3.6)
    times.set_ylim(0, None)
    said(times, "dots: simulated at a usual age;\nsquares: growth-by-source", (0.98, 0.04))
    legend(divisions, loc="upper left")
    return figure
