"""Ageing: burden with noise, survival, drivers by age."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exotwin.report.palette import BLUE, FAINT, GREEN, INK, ORANGE, VERMILION
from module_plots.shared import (
    MONTH,
    YEAR,
    Floats,
    arm,
    band,
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

PATHS = {"mouse-life": 14, "human-life": 7}


def burden() -> Figure:
    """Paths, the mean of the living, the mean without noise, the median threshold; mouse and woman."""
    figure, ((left, right),) = sheet(1, 2, 3.1)
    _burden(left, "mouse-life", "control", np.linspace(0, 1050, 211), 0.04, MONTH, "mouse", "age, months")
    _burden(right, "human-life", "women", np.linspace(0, 58 * YEAR, 233), 40, YEAR, "women from 40", "age, years")
    return figure


def _burden(axes: Axes, name: str, which: str, days: Floats, start: float, unit: float, who: str, across: str) -> None:
    plan = study(name, patients=400 if name == "mouse-life" else 250)
    plan = study(name, patients=plan.patients, arms={which: plan.arms[which]})
    found = run(plan, ["senescent", "dead", "death_threshold"], days)
    x = start * YEAR / unit + days / unit
    values, dead = of(found, which, "senescent"), of(found, which, "dead")
    alive = np.where(dead > 0.5, np.nan, values)
    thresholds = of(found, which, "death_threshold")[:, 0]
    for k in range(PATHS[name]):
        axes.plot(x, alive[k], color=BLUE, lw=0.6, alpha=0.35, label="individuals, to death" if k == 0 else None)
        last = np.flatnonzero(dead[k] > 0.5)
        if last.size:
            axes.plot(x[last[0]], thresholds[k], "x", color=VERMILION, ms=4.5, mew=1.1)
    many = np.mean(dead < 0.5, axis=0) > 0.05
    with np.errstate(all="ignore"):
        axes.plot(x[many], np.nanmean(alive[:, many], axis=0), color=INK, lw=2, label="mean of the living")
    usual = {**plan.parameters, "production_individual": 1.0}
    quiet = run(study(name, patients=1, draws=0, noise=False, arms=plan.arms, parameters=usual), ["senescent"], days)
    axes.plot(
        x[many], of(quiet, which, "senescent")[0][many], color=GREEN, ls=(0, (5, 2)), label="equation of the mean"
    )
    low, middle, high = np.quantile(thresholds, [0.025, 0.5, 0.975])
    axes.axhspan(low, high, color=VERMILION, alpha=0.08, lw=0)
    axes.axhline(middle, color=VERMILION, lw=1, ls=(0, (2, 2)), label="threshold of death, 95 % of individuals")
    axes.set_ylim(0, high * 1.05)
    dress(axes, f"Burden of senescent cells, {who}", across)
    legend(axes, loc="upper left")


def survival() -> Figure:
    """Share alive, and the logarithm of the hazard."""
    figure, ((mice, people, hazard),) = sheet(1, 3, 3.0)
    days = np.linspace(0, 1400, 281)
    lives = run(study("mouse-life"), ["dead"], days)
    for which, colour, label in (("control", VERMILION, "females, simulated"), ("males", BLUE, "males, simulated")):
        alive = 100 * np.mean(of(lives, which, "dead") < 0.5, axis=0)
        mice.plot(0.04 * 12 + days / MONTH, alive, color=colour, label=label)
    for name, marker in (("bmt-partial-null", "s"), ("exercise-lifespan-rodent", "o"), ("baker2016-mixed", "D")):
        checked = _medians(name)
        points(mice, [m / MONTH for m in checked], [50] * len(checked), label=f"controls ({name})", marker=marker)
    dress(mice, "Mice alive, %", "age, months")
    mice.set_ylim(-4, 172)
    mice.set_yticks([0, 25, 50, 75, 100])
    legend(mice, loc="upper left")
    plan, ages = study("human-life"), np.arange(40.0, 111.0, 1.0)
    who = {"women-today": VERMILION, "men-today": BLUE, "women": VERMILION}
    found = run(study("human-life", arms={k: plan.arms[k] for k in who}), ["dead"], (ages - 40) * YEAR)
    gompertz = value("human-gompertz")
    cumulative = _gompertz(gompertz, ages)
    for name, colour in who.items():
        alive = np.mean(of(found, name, "dead") < 0.5, axis=0)
        sex, _, today = name.partition("-")
        label = f"{sex} {'of today' if today else 'born in 1890'}"
        people.plot(ages, 100 * alive, color=colour, lw=1.6 if today else 0.9, label=label)
        if not today:
            continue
        step = 5
        rate = np.log(np.maximum(alive[:-step:step], 1e-9) / np.maximum(alive[step::step], 1e-9)) / step
        good = (alive[step::step] > 0.02) & (rate > 0)
        hazard.plot((ages[:-step:step] + step / 2)[good], rate[good], "o-", ms=3.5, color=colour, label=label)
    people.plot(
        ages, 100 * np.exp(-(cumulative - cumulative[0])), color=INK, ls=(0, (5, 2)), label="men (human-gompertz)"
    )
    hazard.plot(
        ages, gompertz["b"] * (cumulative + _shift(gompertz)), color=INK, ls=(0, (5, 2)), label="human-gompertz"
    )
    dress(people, "People alive, % of those at 40", "age, years")
    hazard.set_yscale("log")
    hazard.set_ylim(1e-4, 2)
    dress(hazard, "Rate of death, per year", "age, years", y="log")
    legend(people, loc="lower left")
    legend(hazard, loc="upper left")
    return figure


def _medians(name: str) -> list[float]:
    """Days of the median life that checks read from a record."""
    from exotwin.validation import read_checks
    from exotwin.validation.formula import evaluate

    return [
        float(np.ravel(evaluate(c.published, {"v": value(name)}, where=c.id))[0])
        for f in read_checks()
        for c in f.checks
        if name in c.records and c.sort == "value" and c.unit == "day" and "life" in c.observable
    ]


def _shift(gompertz: dict[str, float]) -> float:
    return gompertz["initial"] / gompertz["b"]


def _gompertz(gompertz: dict[str, float], ages: Floats) -> Floats:
    """Cumulative hazard; the age at which it begins is that which gives the record's median age at death."""
    b, scale = gompertz["b"], _shift(gompertz)
    begin = gompertz["median_age"] - np.log1p(np.log(2) / scale) / b
    cumulative: Floats = scale * np.expm1(b * (ages - begin))
    return cumulative


def drivers() -> Figure:
    """What follows from the burden and what goes beside it, by age, with the records."""
    figure, axes = sheet(2, 3, 5.2)
    _half_life(axes[0, 0])
    ages = np.linspace(20, 95, 76)
    lives = (ages - 20) * YEAR
    plan = study("human-ages", patients=200, draws=0, noise=False)
    arms = {
        "healthy": arm("healthy", age_start=20, run_in=0, activity=0),
        "usual": arm("usual", age_start=20, run_in=0, activity=0, morbidity=1),
        "trained": arm("trained", age_start=20, run_in=0, activity=1),
    }
    outputs = ["il6", "crp", "mito", "telomere", "dna_damage"]
    found = run(study("human-ages", patients=plan.patients, draws=0, arms=arms), outputs, lives)
    for panel, output, title in ((axes[0, 1], "il6", "IL-6, pg/mL"), (axes[0, 2], "crp", "CRP, mg/L")):
        band(panel, ages, of(found, "usual", output), VERMILION, "with the diseases of that age")
        band(panel, ages, of(found, "healthy", output), BLUE, "healthy", limits=False)
        panel.set_yscale("log")
        dress(panel, title, "age, years", y="log")
    points(axes[0, 1], *np.array(value("il6-age-range"), float).T, label="il6-age-range")
    legend(axes[0, 1], loc="upper left")
    legend(axes[0, 2], loc="upper left")
    panel = axes[1, 0]
    band(panel, ages, of(found, "trained", "mito"), GREEN, "trained", limits=False)
    band(panel, ages, of(found, "healthy", "mito"), BLUE, "sedentary", limits=False)
    young = float(np.interp(27, ages, np.nanmedian(of(found, "healthy", "mito"), axis=0)))
    points(panel, [72], [young * (1 + value("mito-capacity-elderly") / 100)], label="mito-capacity-elderly")
    panel.set_ylim(0, 1.2)
    dress(panel, "Mitochondrial capacity, young = 1", "age, years")
    legend(panel, loc="lower left")
    _telomeres(axes[1, 1], ages, of(found, "healthy", "telomere"))
    panel = axes[1, 2]
    band(panel, ages, of(found, "healthy", "dna_damage"), BLUE, "person, simulated", limits=False)
    rate = value("somatic-mutation-rate")
    panel.plot(ages, rate["human"] * ages, color=INK, ls=(0, (4, 2)), label="crypts of the gut (somatic-mutation-rate)")
    for (tissue, slope), marker in zip(value("somatic-mutation-tissues").items(), "sD^v", strict=False):
        points(panel, [80], [slope * 80], label=tissue.replace("_", " "), marker=marker)
    panel.set_ylim(0, 6600)
    dress(panel, "Mutations per cell", "age, years")
    legend(panel, loc="upper left")
    return figure


def _half_life(axes: Axes) -> None:
    days = np.linspace(0, 830, 84)
    plan = study("mouse-life", patients=400)
    found = run(plan, ["senescent_half_life", "dead"], days)
    x = 0.04 * 12 + days / MONTH
    values = np.where(of(found, "control", "dead") > 0.5, np.nan, of(found, "control", "senescent_half_life"))
    with np.errstate(all="ignore"):
        band(axes, x, values, BLUE, "living mice")
    points(axes, *np.array(value("karin2019-halflife"), float).T, label="karin2019-halflife")
    axes.set_ylim(0, 45)
    dress(axes, "Half-life of a senescent cell, days", "age, months")
    legend(axes, loc="upper left")


def _telomeres(axes: Axes, ages: Floats, values: Floats) -> None:
    band(axes, ages, values / 1000, BLUE, "who is 20 today, followed")
    who = {name: int(name[3:]) for name in study("human-ages").arms if name.startswith("at-")}
    plan = study("human-ages", draws=0, arms={name: arm(name, age_start=age) for name, age in who.items()})
    today = run(plan, ["telomere"], np.array([0.0, 1.0]))
    between = [float(np.median(of(today, name, "telomere")[:, 0])) / 1000 for name in who]
    axes.plot(list(who.values()), between, "o-", ms=3, lw=1, color=GREEN, label="people of today, side by side")
    start = float(np.nanmedian(values[:, ages == 40])) / 1000
    meta, followed = value("telomere-meta-2023"), value("telomere-longitudinal")
    late = np.array([40.0, 80.0])
    for slope, colour, dashes, name in (
        (-meta["cross_sectional"], INK, (0, (5, 2)), "between people (telomere-meta-2023)"),
        (-meta["longitudinal"], FAINT, (0, (1.5, 1.5)), "followed (telomere-meta-2023)"),
        (followed["mean"], ORANGE, (0, (4, 1, 1, 1)), "followed (telomere-longitudinal)"),
    ):
        axes.plot(late, start - slope * (late - 40) / 1000, color=colour, ls=dashes, label=name)
    dress(axes, "Telomeres of leukocytes, kb", "age, years")
    legend(axes, loc="lower left")
    said(axes, "slopes drawn from 40 years", (0.98, 0.93))
