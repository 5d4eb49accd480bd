"""The sections of a fit's page: words, tables and pictures, before they become HTML."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from exotwin.report.blocks import Cell, Download, Fact, Picture, Table, download, figure, text
from exotwin.report.fit import facts, summary, tables
from exotwin.report.fit.figures import correlations, fits, profiles, residuals, waterfall
from exotwin.report.fit.panels import common_before, panels
from exotwin.report.numbers import NOTHING, number, tick
from exotwin.report.references import References
from exotwin.report.svg import to_svg
from exotwin.report.wording import Words, as_text, readable

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.calibration.fit import Fit
    from exotwin.report.figures.shared import Drawing


class Page:
    """One page in the making. Figures are drawn once, for the page and for their files."""

    def __init__(self, fit: Fit) -> None:
        self.fit = fit
        self.words = Words("en")
        self.references = References()
        self.comparison = facts.comparison(fit.problem, fit.evaluation)
        self.fitted = math.isfinite(fit.best.found.value)
        self._svgs: dict[str, str] = {}

    @cached_property
    def drawings(self) -> dict[str, list[Drawing]]:
        """Figures by section; to be asked for within the house style."""
        if not self.fitted:
            return {}
        found = {
            "waterfall": [waterfall.draw(self.fit)] if len(self.fit.starts) > 1 else [],
            "fits": fits.draw(self.comparison, panels(self.fit.problem)),
            "residuals": [residuals.draw(self.comparison)] if math.isfinite(self.comparison.rms()) else [],
            "profiles": profiles.draw(self.fit),
        }
        if self.fit.curvature is not None:
            drawn = correlations.draw(self.fit.problem.names, self.fit.curvature.correlation)
            found["correlations"] = [] if drawn is None else [drawn]
        return found

    @property
    def svgs(self) -> Mapping[str, str]:
        """Every figure by name."""
        return {d.name: self.svg(d) for group in self.drawings.values() for d in group}

    def svg(self, drawing: Drawing) -> str:
        """A drawing as SVG, made once: page and file show the same."""
        if drawing.name not in self._svgs:
            self._svgs[drawing.name] = to_svg(drawing.figure, name=drawing.name, title=drawing.title)
        return self._svgs[drawing.name]

    def pictures(self, group: str, caption: str, *downloads: Download) -> list[Picture]:
        """The pictures of a section; caption and data stand with the first."""
        return [
            Picture(
                d.name,
                "" if k else caption,
                self.svg(d),
                float(d.figure.get_size_inches()[0]),
                () if k else downloads,
            )
            for k, d in enumerate(self.drawings.get(group, []))
        ]


TITLES = {
    "answer": "What came out",
    "starts": "The search",
    "fits": "Measurements and simulation",
    "residuals": "Residuals",
    "parameters": "Parameters",
    "correlations": "Correlations of the estimates",
    "sources": "Sources of the measurements",
    "method": "How it was done",
}


def sections(page: Page) -> dict[str, dict[str, Any]]:
    """What the template needs, by section in the order of the page; sections with nothing to show are left out."""
    made: dict[str, dict[str, Any]] = {"answer": _answer(page), "starts": _starts(page)}
    if page.fitted:
        made |= {"fits": _fits(page), "residuals": _residuals(page), "parameters": _parameters(page)}
        made["correlations"] = _correlations(page)
    made |= {"sources": _sources(page), "method": _method(page)}
    return {name: view for name, view in made.items() if any(view.values())}


def _answer(page: Page) -> dict[str, Any]:
    fit = page.fit
    document = summary.document(fit)
    best = document["best"]
    shown = [
        Fact("Measurements", number(best["n_measurements"])),
        Fact("Estimated parameters", number(best["n_parameters"])),
        Fact("Conditions", number(len(fit.problem.simulations))),
        Fact("Observables", number(len(fit.problem.observables))),
    ]
    if page.fitted:
        shown += [
            Fact("Minus log posterior", number(best["objective"], digits=7)),
            Fact("Log-likelihood", number(best["log_likelihood"], digits=7)),
            Fact("AIC", number(best["aic"], digits=7)),
            Fact("BIC", number(best["bic"], digits=7)),
        ]
    said = (*facts.remarks(fit), *(fit.samples.remarks if fit.samples else ()))
    remarks = [page.words.first(readable(r)) for r in said]
    return {"text": summary.paragraph(fit), "facts": shown, "remarks": remarks}


def _starts(page: Page) -> dict[str, Any]:
    fit, s = page.fit, facts.starts(page.fit)
    infinite = sum(not math.isfinite(x.found.value) for x in fit.starts)
    caption = (
        "Each point is a start: where its search ended, above the best. A flat step on the left means that many "
        "searches found the same optimum. "
    )
    caption += f"Of {number(s.n)} starts, {number(s.failed)} failed"
    caption += f"; not drawn, without a value: {number(infinite)}" if infinite else ""
    caption += "."
    rows = [(text(reason, head=True), figure(number(n), n)) for reason, n in s.reasons]
    reasons = None
    if rows:
        reasons = Table("reasons", "Why starts failed.", ("Outcome", "Starts"), tuple(rows), numeric=frozenset({1}))
    ended = tables.starts(fit).iloc[:, : tables.N_FACTS]  # their points would be too much for a page
    return {"pictures": page.pictures("waterfall", caption, _csv("starts", ended)), "reasons": reasons}


def _fits(page: Page) -> dict[str, Any]:
    problem = page.fit.problem
    shown = page.drawings["fits"]
    over_time = any(p.over_time for p in panels(problem))
    side = any(not p.over_time for p in panels(problem))
    said = ["Markers: measurements."]
    if over_time:
        said.append(
            "Lines join the simulated values at the measured times; between these the simulation itself was not drawn. "
            "Bands: simulated ± 1 SD of the noise, as fitted."
        )
    if side:
        said.append(
            "Where each condition was measured at one time, conditions stand side by side: dash, simulated; bar, "
            "± 1 SD of the noise."
        )
    said.append(
        "Vertical axes: values as in the table of measurements, in its units, logarithmic where the noise is on a "
        "logarithmic scale. Rms: root mean square of the residuals."
    )
    if over_time:
        none = page.comparison.time == "time"
        said.append(
            "The model states no unit of time." if none else "The unit of time is the one that the model states."
        )
    if before := common_before(problem):
        said.append(f"All simulations start from the steady state under {before}.")
    made = page.pictures("fits", " ".join(said), _tsv(page))
    return {"pictures": made[:1], "more": made[1:], "more_title": f"More observables ({_figures(shown[1:])})"}


def _residuals(page: Page) -> dict[str, Any]:
    c = page.comparison
    beyond = int((abs(c.residual) > residuals.EDGE).sum())
    none = int(sum(math.isnan(r) for r in c.residual))
    caption = (
        "Measured less simulated on the scale of the observable's transformation, in units of the noise. If the model "
        "and its noise are right, the bars follow the line, and about 5 % of normal residuals lie beyond the dashes "
        "(± 1.96)."
    )
    caption += f" Beyond ± {number(residuals.EDGE)}: {number(beyond)}, drawn at the edge." if beyond else ""
    caption += f" Without a residual: {number(none)}." if none else ""
    left_out = len({*c.problem.measurements.observable}) - len(residuals.worst(c))
    caption += f" By observable: the {residuals.OBSERVABLES} that fit worst." if left_out > 0 else ""
    return {"pictures": page.pictures("residuals", caption)}


def _parameters(page: Page) -> dict[str, Any]:
    fit = page.fit
    rows = []
    for e in facts.estimates(fit):
        note = "; ".join(s for s in (spoken(e.label, e.name), _bound(e)) if s)
        rows.append(
            (
                text(e.name, note=note, head=True),
                text(e.scale),
                figure(number(e.value, digits=4), e.value),
                figure(NOTHING) if e.verdict == "failed" else _interval(*e.profile),
                _interval(*e.curvature),
                figure(f"{tick(e.lower)} to {tick(e.upper)}", e.lower, e.upper),
                Cell(e.verdict),
            )
        )
    caption = (
        "Best values with 95 % limits, by profile likelihood and by the curvature of the objective at the optimum. The "
        "latter hold where the objective is a parabola over the whole interval; where they differ, trust the profile."
    )
    columns = ("Parameter", "Scale", "Value", "95 % by profile", "95 % by curvature", "Searched", "Identifiability")
    table = Table(
        "parameters",
        caption,
        columns,
        tuple(rows),
        (_csv("parameters", tables.parameters(fit)),),
        numeric=frozenset({2, 3, 4, 5}),
        wide=True,
    )
    profiled = tables.profiles(fit)
    downloads = () if profiled is None else (_csv("profiles", profiled[["parameter", "at", "value"]]),)
    made = page.pictures("profiles", _profile_caption(fit), *downloads)
    without = "" if made else "No profiles and no samples were asked for."
    return {
        "table": table,
        "pictures": made[:1],
        "more": made[1:],
        "more_title": f"More profiles ({_figures(made[1:])})",
        "without": without,
    }


def _profile_caption(fit: Fit) -> str:
    said = []
    if fit.profiles:
        said.append(
            "Objective above its minimum as one parameter is held and all others are fitted again (dots and line). "
            "Upright lines: 95 % limits, where it exceeds the dashed threshold "
            f"({number(facts.THRESHOLD)}, half the 0.95 quantile of χ²)."
        )
    said.append(
        "Diamond: best value. Dotted: the parabola that the curvature at the optimum gives. Thick upright line: bound "
        "of the search."
    )
    if fit.samples is not None:
        n = len(fit.samples.value)
        said.append(
            f"Grey: histogram of the {number(n)} draws from the posterior, its highest bar at the threshold "
            f"(mean share of accepted proposals: {number(fit.samples.acceptance, digits=2)})."
        )
    return " ".join(said)


def _correlations(page: Page) -> dict[str, Any]:
    curvature = page.fit.curvature
    if curvature is None:
        return {}
    caption = (
        "From the inverse of the information at the optimum; parameters at a bound are held there. Near ± 1, the data "
        "hold a combination of two parameters and not each."
    )
    frame = tables.correlations(page.fit)
    made = page.pictures("correlations", caption, *([] if frame is None else [_csv("correlations", frame)]))
    names, numbered = page.fit.problem.names, int(curvature.free.sum()) <= correlations.NUMBERED
    pairs = [] if made and numbered else correlations.strongest(names, curvature.correlation)
    table = None
    if pairs:
        rows = tuple(
            (text(p.first, head=True), Cell(p.second), figure(number(p.correlation), p.correlation))
            for p in pairs[: correlations.SHOWN]
        )
        told = f"Pairs with a correlation beyond ± {correlations.STRONG}: {number(len(pairs))}"
        told += f", the {correlations.SHOWN} strongest below." if len(pairs) > correlations.SHOWN else "."
        told += "" if made else f" {caption}"
        downloads = () if made or frame is None else (_csv("correlations", frame),)
        table = Table("pairs", told, ("Parameter", "and", "Correlation"), rows, downloads, numeric=frozenset({2}))
    none = ""
    if not made and not pairs:
        none = f"No two estimates have a correlation beyond ± {correlations.STRONG}, of those for which there is one."
    return {"pictures": made, "table": table, "none": none}


def _sources(page: Page) -> dict[str, Any]:
    """The evidence records that the table of measurements names in a column ``record``, if it has one."""
    table = page.fit.problem.measurements.table
    if "record" not in table:
        return {}
    page.references.cite(name for cell in table["record"].fillna("").unique() for name in str(cell).split())
    page.references.close()
    unknown = [page.words("sources.not_found", id=name) for name in page.references.unknown]
    return {"references": page.references.entries, "unknown": unknown}


def _method(page: Page) -> dict[str, Any]:
    fit = page.fit
    rows: list[tuple[Cell, ...]] = [
        (text("problem", head=True), Cell(fit.problem.name, kind="code")),
        (text("digest of the problem", head=True), Cell(fit.problem.digest, kind="code")),
    ]
    named = {**fit.settings, **summary.versions()}  # a version may stand in both
    rows += [(text(key, head=True), Cell(as_text(value, page.words), kind="code")) for key, value in named.items()]
    rows += [(text(f"seconds, {stage}", head=True), Cell(number(s), kind="code")) for stage, s in fit.seconds.items()]
    return {"table": Table("method", "", ("Item", "Content"), tuple(rows))}


def spoken(label: str, name: str) -> str:
    """A label without the marks of TeX, which published problems use; nothing where it only repeats the name."""
    plain = re.sub(r"\\([A-Za-z]+)", r"\1", label)
    plain = re.sub(r"\s*_?\{([^{}]*)\}", r" \1", plain).strip() if plain != label or "{" in label else label
    letters = [re.sub(r"[\W_]", "", s) for s in (plain, name)]
    return "" if letters[0] == letters[1] else plain


def _figures(left: Sequence[object]) -> str:
    return "1 figure" if len(left) == 1 else f"{number(len(left))} figures"


def _bound(e: facts.Estimate) -> str:
    return f"at its {e.at_bound} bound" if e.at_bound else ""


def _interval(low: float, high: float) -> Cell:
    """Limits as text; a side without one is said to have none."""
    if math.isnan(low) or math.isnan(high):
        return figure(NOTHING)
    if math.isinf(low) and math.isinf(high):
        return figure("no limits")
    if math.isinf(low) or math.isinf(high):
        return figure(f"below {number(high)}" if math.isinf(low) else f"above {number(low)}", low, high)
    return figure(f"{number(low)} to {number(high)}", low, high)


def _csv(name: str, frame: pd.DataFrame) -> Download:
    import numpy as np

    return download(name, frame.replace([np.inf, -np.inf], np.nan))


def _tsv(page: Page) -> Download:
    return download("simulation", tables.simulation(page.fit.problem, page.fit.evaluation))
