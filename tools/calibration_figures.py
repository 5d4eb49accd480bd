"""Draw the figures of exotwin's own calibrations: `python tools/calibration_figures.py [NAME …]`.

Each is refitted and drawn into docs/img/calibration-NAME.svg: measurements with their errors, the fitted course, what
the fit is only held against, and the profiles of the numbers that go into the tables.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from exotwin.calibration import Comparison, OwnCalibration, calibrate, calibrations, objective
from exotwin.engine import load

IMAGES = Path(__file__).parents[1] / "docs" / "img"
INK, FAINT, RULE, BLUE, VERMILION, GREEN = "#1c2430", "#5b6673", "#d5dae0", "#0072B2", "#D55E00", "#009E73"
COLOURS = (BLUE, VERMILION, GREEN)
YEAR = 365.25
STYLE = {
    "svg.hashsalt": "exotwin",
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": RULE,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A course to draw: observable and condition, over days from and to; ``label`` for the legend."""

    observable: str
    condition: str
    begin: float
    end: float
    label: str = ""


@dataclass(frozen=True)
class Panel:
    """Courses and measurements over time. axis : what it shows, x : days → that. top : end of the other axis."""

    title: str
    axis: str
    lines: tuple[Line, ...]
    x: Callable[[Floats], Floats] = lambda days: days
    log: bool = True
    band: bool = False
    note: str = ""
    top: float | None = None


def age(start: float, unit: float = YEAR) -> Callable[[Floats], Floats]:
    """Days since ``start`` (in ``unit`` days) → age in that unit."""
    return lambda days: start + np.asarray(days) / unit


PANELS: dict[str, tuple[Panel, ...]] = {
    "mouse-pool": (
        Panel(
            "resting follicles of a mouse",
            "age, days",
            (Line("count", "mouse", 0, 345),),
            x=age(40, 1),
            band=True,
        ),
    ),
    "human-pool": (
        Panel(
            "resting follicles of one ovary",
            "age, years",
            (Line("count", "average", 0, 34 * YEAR, "average woman"), Line("count", "girl", 0, 5 * YEAR)),
            x=age(18),
            band=True,
            note="hollow: not fitted",
        ),
        Panel(
            "both ovaries towards menopause",
            "age, years",
            (
                Line("at_menopause", "average", 22 * YEAR, 34 * YEAR, "average woman"),
                Line("at_menopause", "early", 10 * YEAR, 20 * YEAR, "ovaries one SD ahead"),
            ),
            x=age(18),
        ),
    ),
    "human-markers": (
        Panel("AMH, ng/mL", "age, years", (Line("amh_level", "woman", 3 * YEAR, 21 * YEAR),), x=age(22), band=True),
        Panel(
            "antral follicles lost a year",
            "age, years",
            (Line("afc_fall", "woman", 3 * YEAR, 20 * YEAR),),
            x=age(22),
            band=True,
            note="hollow: not fitted",
        ),
    ),
    "vesicle-clearance-mouse": (
        Panel(
            "blood, liver and spleen being 100",
            "minutes",
            (Line("blood_share", "luciferase", 1 / 1440, 25 / 1440),),
            x=age(0, 1 / 1440),
            band=True,
        ),
        Panel(
            "half-life in blood of dyes, minutes",
            "minutes",
            (Line("first_phase", "fluorophore", 0, 30 / 1440),),
            x=age(0, 1 / 1440),
            note="",
        ),
        Panel(
            "liver, per cent of dose",
            "minutes",
            (
                Line("liver", "particle", 0, 250 / 1440, "particles"),
                Line("liver", "iodine", 0, 250 / 1440, "iodine"),
            ),
            x=age(0, 1 / 1440),
            log=False,
            top=110,
        ),
        Panel(
            "organs, liver and spleen being 100",
            "hours",
            (
                Line("spleen_share", "technetium", 0.01, 0.26, "spleen, 99mTc"),
                Line("kidney_share", "technetium", 0.01, 0.26, "kidneys, 99mTc"),
                Line("kidney_share", "indium", 0.01, 0.26, "kidneys, 111In"),
            ),
            x=age(0, 1 / 24),
        ),
    ),
}
SAME = {"liver_early": "liver", "liver_rest": "liver"}
SHIFTED = {("human-pool", "early"): 12 * YEAR, ("human-pool", "girl"): -5 * YEAR, ("human-pool", "newborn"): -18 * YEAR}


def course(found: OwnCalibration, line: Line) -> tuple[Floats, Floats, Floats]:
    """(k,) days, the fitted observable, SD of its noise (on the logarithm if that is how it is measured)."""
    problem, days = found.fit.problem, np.linspace(line.begin, line.end, 160)
    n = next(k for k, o in enumerate(problem.observables) if o.name == line.observable)
    row = next((k for k, o in enumerate(problem.measurements.observable) if o == n), 0)
    simulation = next((s for s in problem.simulations if s.condition == line.condition), None)
    if simulation is None:
        simulation = replace(problem.simulations[0], condition=line.condition)
    k = len(days)
    noise = problem.measurements.noise_parameters[row] if problem.observables[n].noise_placeholders else ()
    if problem.observables[n].noise_placeholders and not noise:
        noise = (1.0,)
    dense = replace(
        problem.measurements,
        observable=np.full(k, n),
        simulation=np.zeros(k, np.int64),
        time=days,
        value=np.ones(k),
        observable_parameters=((),) * k,
        noise_parameters=(noise,) * k,
    )
    at = objective(replace(problem, simulations=(simulation,), measurements=dense)).evaluate(
        found.fit.best.found.point[None, :]
    )
    return days, at.simulation[0], at.noise[0]


def draw_panel(axes: Axes, found: OwnCalibration, panel: Panel) -> None:
    """A panel of courses with all measurements of the same observables and conditions."""
    names = {line.observable for line in panel.lines}
    if panel.log:
        axes.set_yscale("log")
    conditions = {line.condition for line in panel.lines} | ({"newborn"} if found.name == "human-pool" else set())
    colour = {}
    for line, shade in zip(panel.lines, COLOURS, strict=False):
        key = (line.observable, line.condition)
        colour[key] = BLUE if line.condition == "girl" else shade
        days, values, sd = course(found, line)
        x = panel.x(days + SHIFTED.get((found.name, line.condition), 0.0))
        axes.plot(x, values, color=colour[key], lw=1.6, label=line.label or None)
        if panel.band and line.condition not in ("girl",):
            axes.fill_between(x, values / np.exp(sd), values * np.exp(sd), color=colour[key], alpha=0.13, lw=0)
    for c in found.comparisons:
        shown = SAME.get(c.observable, c.observable)
        if shown in names and c.condition in conditions:
            key = (shown, c.condition)
            if len(names) > 1 and key not in colour:
                continue
            mark(
                axes,
                float(panel.x(np.array(c.time + SHIFTED.get((found.name, c.condition), 0.0)))),
                c,
                colour.get(key, BLUE),
                bars=not panel.band,
            )
    axes.set_title(panel.title, loc="left", fontsize=9, fontweight="bold")
    axes.set_xlabel(panel.axis)
    if panel.log:
        plain(axes.yaxis)
    if panel.top is not None:
        axes.set_ylim(0, panel.top)
    if any(line.label for line in panel.lines):
        axes.legend(loc="best")
    if panel.note:
        axes.text(0.98, 1.02, panel.note, transform=axes.transAxes, ha="right", va="bottom", fontsize=7.5, color=FAINT)


def mark(axes: Axes, x: float, c: Comparison, colour: str, *, bars: bool) -> None:
    """A measurement: full if it was fitted, hollow if not; with 95 % limits."""
    if bars and np.isfinite(c.low):
        axes.plot([x, x], [max(c.low, 1e-6), c.high], color=colour, lw=1, alpha=0.7)
    face = colour if c.role == "fit" else "white"
    axes.plot(x, c.observed, "o", ms=4.5, mfc=face, mec=colour, mew=1.1)


def draw_rows(axes: Axes, found: OwnCalibration) -> None:
    """Each measurement beside the model, one below the other: what has no course to draw."""
    rows = list(found.comparisons)[::-1]
    for k, c in enumerate(rows):
        mark_row(axes, k, c)
        axes.plot([c.simulated], [k], "|", ms=11, mew=2.2, color=VERMILION)
    axes.set_yticks(range(len(rows)), [told(c) for c in rows], fontsize=7.5)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_title("measured (dots; hollow: not fitted), model (bars)", loc="left", fontsize=9, fontweight="bold")


def mark_row(axes: Axes, k: int, c: Comparison) -> None:
    """As `mark`, lying."""
    if np.isfinite(c.low):
        axes.plot([c.low, c.high], [k, k], color=BLUE, lw=1, alpha=0.7)
    axes.plot(c.observed, k, "o", ms=4.5, mfc=BLUE if c.role == "fit" else "white", mec=BLUE, mew=1.1)


def told(c: Comparison) -> str:
    """Short name of a row: what, where, day, record."""
    what = c.label.split(",")[0].replace("SD between women of the logarithm of AMH", "SD of ln AMH")
    day = c.note.split(" after")[0] if c.note.startswith("day") else ""
    return ", ".join(part for part in (what, c.condition, day, c.record.split()[0]) if part)


def draw_dose(axes: Axes, found: OwnCalibration) -> None:
    """Share of the pool that is left against the dose, with the limits of the ED50."""
    model = load((found.definition.folder / "model.xml").read_text(encoding="utf-8"))
    doses, estimate = np.linspace(0, 520, 120), found.estimates[0]
    healthy = {"growing_survival": 1.0, "damage_after_injury": 0.0, "run_in": 0.0, "age_start": 0.21}
    left = {}
    for name, ed50 in (("best", estimate.value), ("low", estimate.low), ("high", estimate.high)):
        run = model.simulate(
            [0.0], parameters=healthy | {"cpa_dose": doses, "cpa_ed50": ed50}, outputs=["cpa_survival"]
        )
        left[name] = run["cpa_survival"].to_numpy()[:, 0]
    axes.plot(doses, left["best"], color=BLUE, lw=1.6)
    axes.fill_between(doses, left["low"], left["high"], color=BLUE, alpha=0.13, lw=0)
    for dose, share, role in ((49, 0.5, "fit"), (122, 0.5, "fit"), (500, 0.0, "check")):
        axes.plot(dose, share, "o", ms=4.5, mfc=BLUE if role == "fit" else "white", mec=BLUE, mew=1.1)
    axes.set_title("share of resting follicles left", loc="left", fontsize=9, fontweight="bold")
    axes.set_xlabel("cyclophosphamide, mg/kg")


def draw_shares(axes: Axes, found: OwnCalibration) -> None:
    """Share of the effect in animals that each therapy carried over to people, beside what a further one may."""
    told, given = found.fit.problem.measurements, [k for k, c in enumerate(found.comparisons) if c.observed]
    for row, k in enumerate(reversed(given)):
        animals, error = float(told.observable_parameters[k][0]), float(told.noise_parameters[k][0])
        share, reach = found.comparisons[k].observed / animals, 1.96 * error / animals
        axes.plot([share - reach, share + reach], [row, row], color=BLUE, lw=1, alpha=0.7)
        axes.plot(share, row, "o", ms=4.5, color=BLUE)
    further = found["translation"]
    axes.axvspan(further.value - further.se, further.value + further.se, color=VERMILION, alpha=0.13, lw=0)
    axes.axvline(further.value, color=VERMILION, lw=1.4)
    axes.axvline(0, color=FAINT, lw=0.8)
    names = [found.comparisons[k].observable.replace("_", " ") for k in reversed(given)]
    axes.set_yticks(range(len(given)), names, fontsize=8)
    axes.set_ylim(-0.7, len(given) - 0.3)
    axes.set_xlabel("dots: with 95 % limits of the effect in people; line, band: a further therapy, one SE", fontsize=8)
    axes.set_title("effect in people over effect in animals", loc="left", fontsize=9, fontweight="bold")


def draw_profile(axes: Axes, found: OwnCalibration, parameter: str) -> None:
    """Profile likelihood: twice the rise of the objective, which 3.84 cuts at the 95 % limits."""
    problem = found.fit.problem
    profile = next(p for p in found.fit.profiles if p.parameter == parameter)
    k = problem.names.index(parameter)
    points = np.tile(found.fit.best.found.point, (len(profile.grid), 1))
    points[:, k] = profile.grid
    axes.plot(problem.unscaled(points)[:, k], 2 * (profile.value - found.fit.best.found.value), color=INK, lw=1.4)
    axes.axhline(3.84, color=VERMILION, lw=1, ls=(0, (4, 2)))
    if problem.parameters[k].scale != "lin":
        axes.set_xscale("log")
    ends = np.tile(found.fit.best.found.point, (3, 1))
    ends[0, k], ends[2, k] = profile.low, profile.high
    axes.set_xticks(shown := problem.unscaled(ends)[:, k], [f"{float(f'{v:.2g}'):g}" for v in shown])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 6)
    axes.set_title(parameter, loc="left", fontsize=8)


def plain(axis: Axis) -> None:
    """Ticks of a logarithmic axis as numbers that one reads, at 1, 2 and 5 where the range is short."""
    low, high = sorted(axis.get_view_interval())
    steps = (1, 2, 5) if high / low < 200 else (1,)
    ticks = [m * 10.0**e for e in range(-4, 8) for m in steps]
    axis.set_ticks([t for t in ticks if low <= t <= high])
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}".replace(",", " ")))
    axis.set_minor_locator(NullLocator())


def draw(name: str) -> Path:
    """Refit a calibration and draw its figure."""
    found = calibrate(name)
    panels: Sequence[Callable[[Axes], None]]
    if name in PANELS:
        panels = [lambda axes, p=p: draw_panel(axes, found, p) for p in PANELS[name]]
    elif name == "cyclophosphamide-mouse":
        panels = [lambda axes: draw_dose(axes, found)]
    elif name == "translation":
        panels = [lambda axes: draw_shares(axes, found)]
    else:
        panels = [lambda axes: draw_rows(axes, found)]
    parameters = list(dict.fromkeys(t.parameter for t in found.definition.targets))
    with mpl.rc_context(STYLE):
        if len(panels) == len(parameters) == 1:
            figure = plt.figure(figsize=(9, 5.4 if name == "poi-animal-potency" else 2.6), layout="constrained")
            above, below = figure.subfigures(1, 2, width_ratios=[3, 1])
            rows, columns, foot, across = 1, 1, 1, 1
        else:
            columns, across = (2 if len(panels) % 2 == 0 else min(len(panels), 3)), 4
            rows, foot = -(-len(panels) // columns), -(-len(parameters) // across)
            heights = [2.7 * rows, 1.5 * foot]
            figure = plt.figure(figsize=(9, sum(heights)), layout="constrained")
            above, below = figure.subfigures(2, 1, height_ratios=heights)
        for axes, panel in zip(above.subplots(rows, columns, squeeze=False).flat, panels, strict=True):
            panel(axes)
        for k, axes in enumerate(below.subplots(foot, across, squeeze=False).flat):
            if k < len(parameters):
                draw_profile(axes, found, parameters[k])
            else:
                axes.set_axis_off()
        path = IMAGES / f"calibration-{name}.svg"
        figure.savefig(path, metadata={"Date": None, "Title": found.definition.title})
        plt.close(figure)
    return path


if __name__ == "__main__":
    for chosen in sys.argv[1:] or calibrations():
        print(draw(chosen))
