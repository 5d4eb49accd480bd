"""Uptake and cargo: copies delivered against copies needed, repression, the two readings of one vial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exotwin.report.palette import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, VERMILION
from exotwin.validation.check import ArmPlan
from module_plots.shared import MODELS, Floats, arm, band, bolus, dress, legend, of, run, said, sheet, study, value

MEDIATOR = "mir_21_5p"
PARTS = ("physiology", "vesicles", "uptake")
WAYS = (
    ("mouse, 10¹⁰ by vein", "mouse", "vesicles_blood", 1e10),
    ("mouse, 10¹² by vein", "mouse", "vesicles_blood", 1e12),
    ("woman, 10¹¹ by vein", "human", "vesicles_blood", 1e11),
    ("woman, 10¹³ by vein", "human", "vesicles_blood", 1e13),
    ("woman, 3 × 10¹⁰ into the ovaries", "human", "vesicles_depot_ovary", 3e10),
)


def copies() -> Figure:
    """Copies per recipient cell that doses deliver, against those that repression needs; repression by copies."""
    figure, ((needed, curve, readings),) = sheet(1, 3, 3.5)
    threshold = value("mirna-threshold-cell")
    for k, (_, species, state, dose) in enumerate(WAYS):
        found, _ = _dosed(species, state, dose)
        most = np.max(found[f"copies_{MEDIATOR}"], axis=1)
        low, middle, high = np.quantile(most, [0.025, 0.5, 0.975])
        colour = VERMILION if species == "human" else BLUE
        needed.plot([low, high], [k, k], color=colour, lw=1.4)
        needed.plot(middle, k, "o", color=colour, ms=5)
    needed.axvline(threshold, color=INK, lw=1.2, ls=(0, (4, 2)))
    needed.text(threshold * 0.4, -0.7, "needed\n(mirna-threshold-cell)", ha="right", fontsize=7.5, color=FAINT)
    needed.set_xscale("log")
    needed.set_xlim(1e-9, 1e5)
    needed.set_yticks(range(len(WAYS)), [w[0] for w in WAYS], fontsize=7.5)
    needed.set_ylim(len(WAYS) - 0.4, -1.3)
    dress(needed, "Delivered to a cell of the ovary", "copies per cell (95 % by unknowns)", x="log", y="none")
    needed.title.set_x(-0.5)
    _repression(curve, threshold)
    _readings(readings)
    return figure


def _dosed(species: str, state: str, dose: float) -> tuple[dict[str, Floats], Floats]:
    """Copies and responses over days, one row a joint draw of what is not known."""
    days = np.concatenate([[0.0], np.geomspace(1e-3, 30, 90)])
    base = study("mouse-doses", modules=PARTS, reading="", species=species, patients=4, draws=60)
    copies_per_vesicle = value("copies-per-exosome")["mean"]
    given = arm(
        "x", ArmPlan("x", doses=(bolus(state, dose),)), **{f"copies_per_vesicle_{MEDIATOR}": copies_per_vesicle}
    )
    plan = replace(base, parameters={}, arms={"x": given})
    outputs = [f"copies_{MEDIATOR}", f"repression_{MEDIATOR}", "animal_response"]
    found = run(plan, outputs, days)
    return {o: np.array([np.median(found.values["x", o][g], axis=0) for g in found.groups[1:]]) for o in outputs}, days


def _repression(axes: Axes, threshold: float) -> None:
    """Share of the free sites that added copies occupy, for cells that hold few or many of their own."""
    added = np.geomspace(1, 1e6, 60)
    base = study("mouse-doses", modules=PARTS, reading="", patients=1, draws=0, parameters={})
    numbers = MODELS.of(base).model.parameters
    for own, colour, dashes in ((0.0, GREEN, "-"), (1e3, BLUE, (0, (5, 2))), (3e4, PURPLE, (0, (1.5, 1.5)))):
        arms = {
            f"{k}": arm(
                f"{k}", ArmPlan("x", doses=(bolus(f"copies_{MEDIATOR}", float(c)),)), **{f"own_copies_{MEDIATOR}": own}
            )
            for k, c in enumerate(added)
        }
        found = run(
            study(base.name, patients=1, draws=0, parameters={}, arms=arms), [f"occupied_{MEDIATOR}"], [0.0, 1e-6]
        )
        share = [100 * of(found, f"{k}", f"occupied_{MEDIATOR}")[0, -1] for k in range(added.size)]
        label = f"{own:,.0f} copies of its own".replace(",", " ")
        axes.plot(added, share, color=colour, ls=dashes, label=label)
    axes.plot([threshold] * 2, [-2, 104], color=INK, lw=0.9, ls=(0, (4, 2)), label="mirna-threshold-cell")
    sites = numbers["binding_sites"].value
    axes.plot([sites] * 2, [-2, 104], color=ORANGE, lw=0.9, ls=(0, (1, 2)), label="target sites of the cell")
    axes.set_xscale("log")
    axes.set_ylim(-2, 152)
    axes.set_yticks([0, 25, 50, 75, 100])
    dress(axes, "Free target sites bound, %", "added copies per cell", x="log", y="none")
    legend(axes, loc="upper left")


def _readings(axes: Axes) -> None:
    """The same dose in the two readings, over time."""
    found, days = _dosed("mouse", "vesicles_blood", 1e10)
    for output, colour, label in (
        ("animal_response", BLUE, "animal: of the greatest response"),
        (f"repression_{MEDIATOR}", VERMILION, "copies: repression of a target"),
    ):
        band(axes, days[1:], np.maximum(100 * found[output][:, 1:], 1e-14), colour, label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(1e-13, 1e6)
    dress(axes, "Mouse, 10¹⁰ by vein, %", "days after the dose", x="log", y="log")
    legend(axes, loc="upper left")
    said(axes, "bands: 95 % by unknowns", (0.98, 0.02))
