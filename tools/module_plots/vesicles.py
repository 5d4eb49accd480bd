"""Vesicles: courses in blood and organs, routes, dose."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exotwin.report.palette import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION
from exotwin.validation.check import ArmPlan
from exotwin.validation.study import Simulated
from module_plots.shared import (
    HOUR,
    MINUTE,
    Floats,
    arm,
    band,
    bolus,
    dress,
    legend,
    of,
    points,
    run,
    sheet,
    study,
    value,
)

Organs = tuple[tuple[str, str, str], ...]
ORGANS: Organs = (
    ("liver", "seen_liver", GREEN),
    ("spleen", "seen_spleen", PURPLE),
    ("lung", "seen_lung", SKY),
    ("kidney", "seen_kidney", ORANGE),
)
KEPT = {
    "liver": "vesicles_liver",
    "spleen": "vesicles_in_spleen",
    "lung": "vesicles_in_lung",
    "kidney": "vesicles_kidney",
}
ROUTES = (
    ("vein", "vesicles_blood"),
    ("peritoneum", "vesicles_ip"),
    ("nose", "vesicles_nose"),
    ("airways", "vesicles_airway"),
    ("ovaries", "vesicles_depot_ovary"),
    ("skin, injected", "vesicles_depot_skin"),
    ("skin, on top", "vesicles_on_skin"),
    ("skin, spicules", "vesicles_on_skin_spicules"),
)
TISSUES = (
    ("blood", "vesicles_blood"),
    ("liver", "vesicles_liver"),
    ("spleen", "vesicles_spleen"),
    ("lung", "vesicles_in_lung"),
    ("kidney", "vesicles_kidney"),
    *((t, f"vesicles_in_{t}") for t in ("ovary", "brain", "artery", "heart", "marrow", "skin", "muscle")),
)


def course() -> Figure:
    """Blood and organs over time, mouse and person, with the records."""
    figure, ((blood, organs, relative),) = sheet(1, 3, 3.3)
    days = np.concatenate([[0.0], np.geomspace(0.5 * MINUTE, 2, 140)])
    minutes = days[1:] / MINUTE
    mouse = study("vesicles-mouse", patients=40, draws=0)
    arms = {k: mouse.arms[k] for k in ("particle", "technetium", "no macrophages")}
    outputs = ["vesicles_blood", *(o for _, o, _ in ORGANS)]
    found = run(study("vesicles-mouse", patients=40, draws=0, arms=arms), outputs, days)
    human = study("vesicles-human", patients=40, draws=0)
    person = run(human, ["vesicles_blood"], days)
    dose = arms["particle"].doses[0].amount
    for source, which, given, label, colour, dashes in (
        (found, "particle", dose, "mouse", BLUE, "-"),
        (found, "no macrophages", dose, "mouse without macrophages", ORANGE, (0, (5, 2))),
        (person, "vesicles", human.arms["vesicles"].doses[0].amount, "person", VERMILION, (0, (1.5, 1))),
    ):
        band(blood, minutes, 100 * of(source, which, "vesicles_blood")[:, 1:] / given, colour, label, ls=dashes)
    blood.set_yscale("log")
    blood.set_xscale("log")
    blood.set_ylim(1e-6, 300)
    blood.set_xlim(0.5, 2880)
    dress(blood, "Vesicles in blood, % of dose", "minutes after a dose by vein", x="log", y="log")
    legend(blood, loc="lower left")
    for name, output, colour in ORGANS:
        band(organs, minutes, 100 * of(found, "particle", output)[:, 1:] / dose, colour, name, limits=False)
    seen = value("np-100nm-mouse-timecourse")
    for name, _, colour in ORGANS:
        if name in seen:
            points(organs, seen["time_min"], seen[name], color=colour)
    points(organs, [], [], color=FAINT, label="np-100nm-mouse-timecourse")
    organs.set_xscale("log")
    organs.set_yscale("log")
    organs.set_ylim(0.05, 800)
    organs.set_xlim(1, 2880)
    dress(organs, "Mouse, particles, % of dose", "minutes after a dose by vein", x="log", y="log")
    legend(organs, loc="upper left", ncols=2)
    _shares(relative, found, "technetium", "atlas-ucmsc-99mTc", days, ORGANS)
    relative.set_ylim(0.5, 2000)
    dress(relative, "By 99mTc, liver + spleen = 100", "hours after a dose by vein", y="log")
    return figure


def _shares(axes: Axes, found: Simulated, which: str, name: str, days: Floats, organs: Organs) -> None:
    """Organs against liver and spleen together, with the record of that label."""
    seen = value(name)
    both = of(found, which, "seen_liver") + of(found, which, "seen_spleen")
    for organ, output, colour in organs:
        with np.errstate(all="ignore"):
            course = (100 * of(found, which, output) / both)[:, 1:]
        band(axes, days[1:] / HOUR, course, colour, organ, limits=False)
        points(axes, seen["time_h"], seen[organ], color=colour)
    points(axes, [], [], color=FAINT, label=name)
    axes.set_yscale("log")
    axes.set_xlim(0, 6.3)
    legend(axes, loc="upper right", ncols=2)


def labels() -> Figure:
    """One dose by what labels show: blood, kidneys by indium, brain, against what is on vesicles."""
    figure, ((blood, kidney, muscle),) = sheet(1, 3, 3.3)
    days = np.concatenate([[0.0], np.geomspace(0.5 * MINUTE, 2, 140)])
    mouse = study("vesicles-mouse", patients=40, draws=0)
    kinds = (
        ("iodine", VERMILION),
        ("fluorophore", ORANGE),
        ("indium", GREEN),
        ("lipid dye", PURPLE),
        ("luciferase", SKY),
    )
    arms = {k: mouse.arms[k] for k, _ in kinds}
    outputs = [
        "seen_blood",
        "seen_muscle",
        "seen_heart",
        "vesicles_blood",
        "vesicles_in_muscle",
        *(o for _, o, _ in ORGANS),
    ]
    found = run(study("vesicles-mouse", patients=40, draws=0, arms=arms), outputs, days)
    dose = arms["iodine"].doses[0].amount
    for axes, seen, whole in ((blood, "seen_blood", "vesicles_blood"), (muscle, "seen_muscle", "vesicles_in_muscle")):
        for kind, colour in kinds:
            band(axes, days[1:] / MINUTE, 100 * of(found, kind, seen)[:, 1:] / dose, colour, kind, limits=False)
        course = 100 * of(found, "luciferase", whole)[:, 1:] / dose
        band(axes, days[1:] / MINUTE, course, INK, "vesicles", limits=False, ls=(0, (1.5, 1)))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(0.5, 2880)
    blood.set_ylim(1e-3, 200)
    muscle.set_ylim(1e-3, 200)
    dress(blood, "Mouse, seen in blood, % of dose", "minutes after a dose by vein", x="log", y="log")
    legend(blood, loc="lower left")
    dress(muscle, "Mouse, seen in muscle, % of dose", "minutes after a dose by vein", x="log", y="log")
    chosen = (*(o for o in ORGANS if o[0] != "liver"), ("heart", "seen_heart", INK))
    _shares(kidney, found, "indium", "atlas-wjmsc-111In", days, chosen)
    kidney.set_ylim(0.2, 300)
    dress(kidney, "By 111In, liver + spleen = 100", "hours after a dose by vein", y="log")
    return figure


def endotoxin() -> Figure:
    """Where a dose is after an hour, at rest and with endotoxin; the second leg into muscle."""
    figure, ((place, leg),) = sheet(1, 2, 2.9)
    mouse = study("vesicles-mouse", patients=40, draws=0)
    arms = {k: mouse.arms[k] for k in ("lipid dye", "endotoxin")}
    where = (
        ("liver", "vesicles_liver"),
        ("spleen", "vesicles_in_spleen"),
        ("lung", "vesicles_in_lung"),
        ("monocytes", "vesicles_monocytes"),
        ("marrow", "vesicles_in_marrow"),
        ("blood", "vesicles_blood"),
    )
    days = np.concatenate([[0.0], np.geomspace(MINUTE, 6, 120)])
    at = int(np.argmin(abs(days - HOUR)))
    found = run(
        study("vesicles-mouse", patients=40, draws=0, arms=arms),
        [*(o for _, o in where), "label_monocytes", "vesicles_phagocytes_muscle", "label_muscle"],
        days,
    )
    dose = arms["lipid dye"].doses[0].amount
    for which, name, colour, dy in (("lipid dye", "at rest", BLUE, -0.17), ("endotoxin", "endotoxin", VERMILION, 0.17)):
        shares = [100 * np.median(of(found, which, o)[:, at]) / dose for _, o in where]
        place.barh(np.arange(len(where)) + dy, shares, 0.32, color=colour, label=name)
        carried = of(found, which, "vesicles_monocytes") + of(found, which, "label_monocytes")
        band(leg, days[1:], 100 * carried[:, 1:] / dose, colour, f"monocytes in vessels, {name}", limits=False)
        held = of(found, which, "vesicles_phagocytes_muscle") + of(found, which, "label_muscle")
        band(leg, days[1:], 100 * held[:, 1:] / dose, colour, f"muscle, {name}", limits=False, ls=(0, (1.5, 1)))
    place.set_yticks(range(len(where)), [n for n, _ in where])
    place.set_ylim(len(where) - 0.5, -0.6)
    place.set_xscale("log")
    dress(place, "Mouse after an hour, % of dose", "% of dose", x="log", y="none")
    legend(place, loc="lower right")
    leg.set_yscale("log")
    leg.set_ylim(0.01, 1000)
    dress(leg, "Vesicles or what is left of a label, % of dose", "days after a dose by vein", y="log")
    legend(leg, loc="upper right", ncols=2)
    return figure


def routes() -> Figure:
    """Per cent of the dose by tissue and route after an hour and after a day, person."""
    figure, ((early, late),) = sheet(1, 2, 3.6)
    arms = {label: ArmPlan(label, doses=(bolus(state, 1e11),)) for label, state in ROUTES}
    plan = study("vesicles-human", patients=40, draws=0, arms=arms)
    for axes, hours in ((early, 1.0), (late, 24.0)):
        found = run(plan, [o for _, o in TISSUES], [0.0, hours * HOUR])
        shares = np.array([[100 * np.median(of(found, a, o)[:, -1]) / 1e11 for _, o in TISSUES] for a in arms])
        with np.errstate(all="ignore"):
            axes.imshow(np.log10(shares.T), cmap="Blues", vmin=-4, vmax=2.3, aspect="auto")
        for i in range(len(TISSUES)):
            for j in range(len(ROUTES)):
                v = shares[j, i]
                text = "0" if v < 1e-6 else f"{v:.0f}" if v >= 9.95 else f"{v:.1g}" if v >= 1e-3 else "<0.001"
                axes.text(j, i, text, ha="center", va="center", fontsize=6.8, color="white" if v > 8 else INK)
        axes.set_xticks(range(len(ROUTES)), [r for r, _ in ROUTES], rotation=35, ha="right", fontsize=7.5)
        axes.set_yticks(range(len(TISSUES)), [t for t, _ in TISSUES], fontsize=7.5)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_title(f"Person, {'an hour' if hours == 1 else 'a day'} after, % of dose by route")
    return figure


def dose() -> Figure:
    """What liver, spleen and other tissues hold against the dose; size of the vesicles."""
    figure, ((amount, size, site),) = sheet(1, 3, 3.0)
    doses = np.geomspace(1e9, 1e14, 21)
    base = study("vesicles-mouse-doses", patients=1, draws=0)
    stays = {"vesicle_half_life_in_cells": 1e6}
    arms = {
        f"{k}": arm(f"{k}", ArmPlan("x", doses=(bolus("vesicles_blood", float(d)),)), **stays)
        for k, d in enumerate(doses)
    }
    organs = [(name, KEPT[name], colour) for name, _, colour in ORGANS]
    outputs = [*(o for _, o, _ in organs), "vesicles_blood", "vesicles_in_muscle"]
    found = run(study(base.name, patients=1, draws=0, arms=arms), outputs, [0.0, 1 / 24])
    lines = (*organs, ("blood", "vesicles_blood", VERMILION), ("muscle", "vesicles_in_muscle", INK))
    for name, output, colour in lines:
        share = [100 * of(found, f"{k}", output)[0, -1] / d for k, d in enumerate(doses)]
        amount.plot(doses, share, color=colour, label=name)
    limit = "np-liver-threshold-1e12"
    amount.axvline(value(limit), color=INK, lw=0.9, ls=(0, (1, 2)), label=limit)
    amount.set_xscale("log")
    amount.set_yscale("log")
    amount.set_ylim(0.01, 3000)
    dress(amount, "Mouse after an hour, % of dose", "vesicles given", x="log", y="log")
    legend(amount, loc="upper left", ncols=2)
    sizes = np.geomspace(30, 1000, 21)
    given = ArmPlan("x", doses=(bolus("vesicles_blood", 1.25e10),))
    arms = {f"{k}": arm(f"{k}", given, vesicle_diameter=float(s), **stays) for k, s in enumerate(sizes)}
    found = run(study(base.name, patients=1, draws=0, arms=arms), outputs, [0.0, 0.25 / 24])
    for _, output, colour in lines:
        size.plot(sizes, [100 * of(found, f"{k}", output)[0, -1] / 1.25e10 for k in range(sizes.size)], color=colour)
    size.set_xscale("log")
    size.set_yscale("log")
    size.set_ylim(0.01, 1000)
    dress(size, "Mouse after 15 minutes, % of dose", "diameter, nm", x="log", y="log")
    _tissues(site)
    return figure


def _tissues(axes: Axes) -> None:
    """Vesicles taken up per cell of each tissue over a week, per 1e11 given to a person."""
    names = ("ovary", "brain", "artery", "heart", "marrow", "skin", "muscle")
    days = np.concatenate([[0.0], np.geomspace(1e-3, 7, 200)])
    chosen = {"vein": BLUE, "into the tissue": VERMILION}
    arms = {"vein": ArmPlan("vein", doses=(bolus("vesicles_blood", 1e11),))}
    arms |= {t: ArmPlan(t, doses=(bolus(f"vesicles_depot_{t}", 1e11),)) for t in names}
    found = run(
        study("vesicles-human", patients=40, draws=0, arms=arms), [f"vesicles_per_cell_day_{t}" for t in names], days
    )
    for k, t in enumerate(names):
        for which, colour, dy in (("vein", BLUE, -0.13), (t, VERMILION, 0.13)):
            total = np.trapezoid(of(found, which, f"vesicles_per_cell_day_{t}"), days, axis=1)
            low, middle, high = np.quantile(total, [0.025, 0.5, 0.975])
            axes.plot([low, high], [k + dy, k + dy], color=colour, lw=1.3)
            axes.plot(middle, k + dy, "o", color=colour, ms=4.5, label=None if k else list(chosen)[which != "vein"])
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -1.6)
    dress(axes, "Person, taken up per cell", "vesicles per cell in a week, of 10¹¹", x="log", y="none")
    legend(axes, loc="upper left")
