"""A made-up trial result with every part that a real one has, for tests of what the report does with it.

The numbers are not from any model. They are chosen so that arms, readings and endpoints differ visibly.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from exotwin.biology.model import Criterion, DoseInput, EndpointRule, Model, Observable
from exotwin.biology.parameters import Parameter, Spread
from exotwin.mechanism import Edge, Mechanism, plausibility
from exotwin.product import (
    Cargo,
    CellLot,
    MarkerReading,
    MediatorCopies,
    Product,
    SizeDistribution,
    SourceFile,
    Verdict,
    VesicleLot,
)
from exotwin.product.parts import Criterion as ProductCriterion
from exotwin.quantities import Estimate
from exotwin.trial import (
    COLUMNS,
    READINGS,
    Screening,
    Study,
    TrialResult,
    number_needed,
    paired_effect,
    quantiles_within_draws,
    wilson,
)

HOSTILE = "<script>alert('x')</script> & \"co\" $5 {braces} 100 %"
ARMS = ("untreated", "exosomes", "cells")
N_PATIENTS, N_DRAWS = 240, 24
MONTH = 365.25 / 12

OBSERVABLES = {
    o.id: o
    for o in (
        Observable("amh", "amh", "Anti-Müllerian hormone (AMH)", "抗缪勒管激素（AMH）", "ng/mL", (1.0, 4.0), log=True),
        Observable("fsh", "fsh", "Follicle-stimulating hormone (FSH)", "卵泡刺激素（FSH）", "IU/L", (3.5, 12.5)),
        Observable("e2", "e2", "Oestradiol (E2)", "雌二醇（E2）", "pg/mL", (30.0, 120.0)),
        Observable("afc", "afc", "Antral follicle count, both ovaries", "双侧窦卵泡计数", "follicle", (8.0, 25.0)),
        Observable("primordial", "primordial", "Primordial follicles", "原始卵泡", "follicle", None, log=True),
        Observable("cycling", "cycling", "Cycling", "月经周期", "dimensionless", None),
    )
}
_BASE = {"amh": 0.12, "fsh": 52.0, "e2": 22.0, "afc": 3.0, "primordial": 4000.0, "cycling": 0.2}
_EFFECT = {"amh": 0.5, "fsh": -0.25, "e2": 0.4, "afc": 0.6, "primordial": -0.05, "cycling": 0.8}
_READING = {"animal": 0.5, "animal untranslated": 1.0, "copies": 0.004}
_ARM = {"untreated": 0.0, "exosomes": 1.0, "cells": 0.7}


def synthetic_result(
    folder: Path, *, title: str = "Umbilical exosomes in premature ovarian insufficiency", effect: float = 1.0
) -> TrialResult:
    """The result; ``effect`` scales all effects: 0 for none, negative for harm. ``folder``: for the study file."""
    rng = np.random.default_rng(7)
    draw = np.arange(N_PATIENTS) % N_DRAWS
    dataset = _dataset(rng, draw, effect)
    model = _model()
    values, endpoints = _endpoints(dataset, model)
    return TrialResult(
        study=_study(title, folder),
        model=model,
        products={"umbilical": _product(rng)},
        mechanisms={"umbilical": _mechanism()},
        dataset=dataset,
        exposure=_exposure(rng),
        screening=Screening(
            912,
            N_PATIENTS,
            (("age < 40 year", "poi-eshre2024-criteria", 310), ("fsh > 25 IU/L", "poi-eshre2024-criteria", 359)),
            {"step limit": 3},
        ),
        endpoints=endpoints,
        plausibility={
            "exosomes": plausibility(_mechanism(), {"miR-21-5p": 3.1, "miR-146a-5p": 0.26, "miR-126-3p": 0.0})
        },
        lock={
            "exotwin": "0.1.0",
            "study": {"file": "study.toml", "sha256": "e" * 64, "seed": 20250101, "rtol": 1e-6, "atol": 1e-9},
            "model": {"condition": "poi", "species": "human", "sbml_sha256": "f" * 64},
            "libraries": {"numpy": "2.0"},
        },
        values=values,
        population=_population(rng, draw),
        remarks=("3 patients could not be integrated.",),
    )


STUDY = """
title = {title}
condition = "poi"
horizon = "2 years"
seed = 20250101
comparator = "untreated"
[population]
n_patients = 240
n_draws = 24
[products.umbilical]
file = "product.toml"
[arms.untreated]
[arms.exosomes]
product = "umbilical"
give = "vesicles"
route = "intravenous"
dose = "1e11 particles"
schedule = "weekly, 4 doses"
[arms.cells]
product = "umbilical"
give = "cells"
route = "intravenous"
dose = "1e6 cells/kg"
[parameters]
body_weight = 58.0
"""


def _study(title: str, folder: Path) -> Study:
    (folder / "product.toml").write_text("")
    (folder / "study.toml").write_text(STUDY.format(title=json.dumps(title)), encoding="utf-8")
    return Study.from_toml(folder / "study.toml")


def _dataset(rng: np.random.Generator, draw: np.ndarray, effect: float) -> xr.Dataset:
    time = np.arange(9) * 3 * MONTH
    potency = np.exp(rng.normal(0, 0.7, N_DRAWS))[draw]
    rise = 1 - np.exp(-time / 120)
    variables = {}
    for name, base in _BASE.items():
        patient = base * np.exp(rng.normal(0, 0.2 if name == "cycling" else 0.5, N_PATIENTS))
        course = patient[:, None] * np.exp(-time / 2000)
        cube = np.empty((3, 3, N_PATIENTS, time.size), dtype=np.float32)
        for r, reading in enumerate(READINGS):
            for a, arm in enumerate(ARMS):
                size = _EFFECT[name] * _READING[reading] * _ARM[arm] * effect
                cube[r, a] = course * (1 + np.clip(size * potency, -0.9, 8)[:, None] * rise)
        if name == "cycling":
            cube = (cube > rng.uniform(0.1, 0.6, N_PATIENTS)[:, None]).astype(np.float32)
        o = OBSERVABLES[name]
        attributes = {"units": o.unit, "label": o.label, "label_zh": o.label_zh, "log": int(o.log)}
        variables[name] = (("reading", "arm", "patient", "time"), cube, attributes)
    outcome = np.full((3, 3, N_PATIENTS), "ok", dtype="U16")
    outcome[:, 1, 5] = "step limit"
    for _, cube, _ in variables.values():
        cube[:, 1, 5, 4:] = np.nan
    return xr.Dataset(
        variables,
        coords={
            "reading": list(READINGS),
            "arm": list(ARMS),
            "time": ("time", time, {"units": "day"}),
            "draw": ("patient", draw),
            "outcome": (("reading", "arm", "patient"), outcome),
        },
    )


def _endpoints(dataset: xr.Dataset, model: Model) -> tuple[xr.DataArray, pd.DataFrame]:
    rules = [(rule, day) for rule in model.endpoints for day in rule.days]
    cubes, rows = [], []
    for rule, day in rules:
        cube = dataset[rule.observable].sel(time=day, method="nearest").values.astype(float)
        cubes.append(cube)
        for r, reading in enumerate(READINGS):
            for a, arm in enumerate(ARMS):
                rows.append(_row(rule, day, reading, arm, cube[r, a], cube[r, 0], dataset["draw"].values))
    values = xr.DataArray(
        np.array(cubes),
        dims=("endpoint", "reading", "arm", "patient"),
        coords={
            "rule": ("endpoint", [r.id for r, _ in rules]),
            "day": ("endpoint", [d for _, d in rules]),
            "reading": list(READINGS),
            "arm": list(ARMS),
            "draw": ("patient", dataset["draw"].values),
        },
    )
    return values, pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    rule: EndpointRule, day: float, reading: str, arm: str, here: np.ndarray, there: np.ndarray, draw: np.ndarray
) -> dict[str, Any]:
    share, log = rule.kind == "share", OBSERVABLES[rule.observable].log
    known = np.isfinite(here)
    row: dict[str, Any] = dict.fromkeys(COLUMNS, math.nan)
    row |= {
        "reading": reading,
        "main": reading == "animal",
        "endpoint": rule.id,
        "observable": rule.observable,
        "label": rule.label,
        "label_zh": rule.label_zh,
        "day": day,
        "kind": rule.kind,
        "unit": rule.unit,
        "better": rule.better,
        "arm": arm,
        "comparator": "",
        "n": int(known.sum()),
        "n_failed": int((~known).sum()),
        "n_undefined": 0,
        "n_draws": N_DRAWS,
        "effect_kind": "",
        "effect_unit": "",
        "nnt_text": "",
    }
    if share:
        low, high = wilson(int(np.nansum(here)), int(known.sum()))
        row |= {"share": float(np.nanmean(here)), "share_low": low, "share_high": high}
    else:
        row |= dict(zip(("median", "p5", "p95"), quantiles_within_draws(here[:, None], draw)[:, 0], strict=True))
    if arm == "untreated":
        return row
    difference = np.log(here / there) if log else here - there
    both = np.isfinite(difference)
    effect = paired_effect(difference[both], draw[both], share=share)
    names = ("low", "high", "low_patients", "high_patients")
    numbers = {"effect": effect.value} | {k: getattr(effect, k) for k in names}
    sign = 1 if rule.better == "higher" else -1
    row |= {k: math.exp(v) if log else v for k, v in numbers.items()}
    row |= {
        "comparator": "untreated",
        "n": effect.n,
        "effect_unit": "dimensionless" if share or log else rule.unit,
        "effect_kind": "risk difference" if share else "ratio of geometric means" if log else "difference of means",
        "no_effect": 1.0 if log else 0.0,
        "p_better": effect.p_better(sign, 0.0),
        "ratio_to_copies": {"animal": 125.0, "animal untranslated": math.inf, "copies": 1.0}[reading],
    }
    if share:
        needed = number_needed(sign * effect.value, *sorted((sign * effect.low, sign * effect.high)))
        row |= {"nnt": needed.value, "nnt_low": needed.low, "nnt_high": needed.high, "nnt_text": needed.text}
    return row


def _model() -> Model:
    days = (182.625, 365.25, 730.5)
    rules = [
        EndpointRule(o.id, o.id, days, "value", "lower" if o.id == "fsh" else "higher", o.label, o.label_zh, o.unit)
        for o in OBSERVABLES.values()
        if o.id != "cycling"
    ]
    shares = EndpointRule(
        "cycling", "cycling", days, "share", "higher", "Women who cycle", "恢复月经的女性", "dimensionless", 0.5
    )
    sigma = Spread("lognormal", 0.1, 0.7, text="log10 sd 0.3")
    fixed = Spread("fixed", 1.0)
    parameters = (
        Parameter("body_weight", 60.0, "kg", fixed, "fixed", "measured", "phys-weight", "", ""),
        Parameter(
            "translation", 0.1, "dimensionless", sigma, "knowledge", "assumed", "", "", "no human trial fixes it"
        ),
        Parameter("escape", 0.01, "dimensionless", sigma, "knowledge", "measured", "ev-escape", "ev-escape", ""),
        Parameter("amh_per_follicle", 0.02, "ng/mL", fixed, "fixed", "derived", "poi-amh-auc-jiao2021", "", "computed"),
        Parameter(
            "age_start", 34.0, "year", Spread("normal", 34, 4, text="sd 4"), "patient", "measured", "poi-x", "poi-x", ""
        ),
        Parameter(
            "animal_scale",
            1.2,
            "dimensionless",
            sigma,
            "knowledge",
            "fitted",
            "calibration:poi msc-meta-2023-e2",
            "",
            "",
        ),
        Parameter(
            "animal_split_granulosa_apoptosis",
            -1.0,
            "dimensionless",
            fixed,
            "fixed",
            "derived",
            "guo2013-granulosa-apoptosis",
            "",
            "ln 0.34",
        ),
    )
    exposures = {
        name: Observable(name, name, label, zh, unit)
        for name, label, zh, unit in (
            ("vesicles_blood", "Vesicles in blood", "血液中囊泡", "particle"),
            ("vesicles_liver", "Vesicles in liver", "肝脏中囊泡", "particle"),
            ("vesicles_target", "Vesicles in target", "靶组织中囊泡", "particle"),
            ("obstruction_index", "Lung capillaries plugged", "肺毛细血管阻塞", "dimensionless"),
        )
    }
    return Model(
        condition="poi",
        species="human",
        title="Premature ovarian insufficiency",
        title_zh="早发性卵巢功能不全",
        antimony="// Ovary: follicles.\n// Misses: the cycle itself. See poi.md.\nmodel poi end",
        sbml="<sbml/>",
        digest="f" * 64,
        parameters={p.name: p for p in parameters},
        observables=OBSERVABLES,
        processes=("granulosa_apoptosis", "primordial_activation", "angiogenesis"),
        mediators={"miR-21-5p": "mir_21_5p"},
        dosing={
            ("vesicles", "intravenous"): DoseInput("vesicles_blood", "particle"),
            ("cells", "intravenous"): DoseInput("cells_lung", "cell"),
        },
        exposures=exposures,
        run_in=365.0,
        inclusion=(Criterion("age", "age", "<", 40, "year", "poi-eshre2024-criteria"),),
        endpoints=(*rules, shares),
    )


def _exposure(rng: np.random.Generator) -> xr.Dataset:
    time = np.geomspace(1e-3, 7, 60)
    spread = np.exp(rng.normal(0, 0.3, N_PATIENTS))[:, None]
    blood, liver = 1e11 * np.exp(-time / 0.02 / spread), 6e10 * (1 - np.exp(-time / 0.02 / spread)) * np.exp(-time / 2)
    target = 1e7 * (1 - np.exp(-time / 0.05 / spread)) * np.exp(-time / 1.5)
    plugged = 0.02 * np.exp(-time / 0.8 / spread)
    zero = np.zeros_like(blood)
    courses = {
        "vesicles_blood": (zero, blood, zero),
        "vesicles_liver": (zero, liver, zero),
        "vesicles_target": (zero, target, zero),
        "obstruction_index": (zero, zero, plugged),
    }
    units = {"obstruction_index": "dimensionless"}
    return xr.Dataset(
        {
            k: (
                ("arm", "patient", "time"),
                np.stack(v).astype(np.float32),
                {"units": units.get(k, "particle"), "label": k, "label_zh": k, "log": 0},
            )
            for k, v in courses.items()
        },
        coords={"arm": list(ARMS), "time": ("time", time, {"units": "day"})},
    )


def _population(rng: np.random.Generator, draw: np.ndarray) -> xr.DataArray:
    drawn = {
        "age_start": rng.normal(34, 3, N_PATIENTS),
        "translation": rng.lognormal(-2.3, 1, N_DRAWS)[draw],
        "escape": rng.lognormal(-4, 0.6, N_DRAWS)[draw],
        "umbilical:viability": np.full(N_PATIENTS, 0.94),
        "body_weight": np.full(N_PATIENTS, 58.0),
    }
    levels = ["patient", "knowledge", "knowledge", "knowledge", "fixed by the study"]
    return xr.DataArray(
        np.array(list(drawn.values())),
        dims=("quantity", "patient"),
        coords={"quantity": list(drawn), "level": ("quantity", levels)},
    )


def _mechanism() -> Mechanism:
    edges = (
        Edge(
            "miR-21-5p", "PTEN", "granulosa_apoptosis", -0.134, 0.12, "assumed", ("mir21-msc-pten-pdcd4",), "an eighth"
        ),
        Edge("miR-126-3p", "SPRED1", "angiogenesis", 0.2, 0.15, "derived", ("mir126-angiogenesis",), "from sprouts"),
    )
    copies = {m.name: m for m in _mediators().values()}
    gains = {(e.mediator, e.process): (e.gain, e.gain_sd) for e in edges}
    return Mechanism("UC-MSC lot 7", edges, gains, copies, ("miR-22-3p",), remarks=("A remark of the mechanism.",))


def _mediators() -> dict[str, MediatorCopies]:
    return {
        m: MediatorCopies(m, s, c, 0.5, measured=True)
        for m, s, c in (("miR-21-5p", 0.12, 0.0071), ("miR-146a-5p", 0.01, 6e-4), ("miR-126-3p", 0.004, 2.4e-4))
    }


def _product(rng: np.random.Generator) -> Product:
    diameter = np.arange(10.5, 600, 5.0)
    captures = np.stack(
        [3e7 * np.exp(-0.5 * (np.log(diameter / 118) / 0.32) ** 2) * rng.uniform(0.85, 1.15) for _ in range(3)]
    )
    size = SizeDistribution(
        diameter, captures * rng.uniform(0.9, 1.1, captures.shape), 200.0, {"d50": 121.0}, "NanoSight NTA 3.4"
    )
    markers = tuple(
        MarkerReading(
            m,
            f"{c}-A",
            side,
            Estimate(v, "1", max(0, v - 0.004), min(1, v + 0.004), "Wilson"),
            850.0,
            "iso.fcs",
            9421,
            f"{m}.fcs",
            "FSC-A/SSC-A",
            10000,
        )
        for m, c, side, v in (
            ("CD73", "PE", "positive", 0.991),
            ("CD90", "FITC", "positive", 0.996),
            ("CD105", "APC", "positive", 0.973),
            ("CD45", "PerCP", "negative", 0.004),
            ("HLA-DR", "PE", "negative", 0.031),
        )
    )
    mediators = _mediators()
    criteria = (
        ProductCriterion("CD73", ">= 95 % positive", "99.1 %", "met", ("isct-2006-positive",)),
        ProductCriterion("HLA-DR", "<= 2 % positive", "3.1 %", "not met", ("isct-2006-positive",)),
        ProductCriterion(
            "Differentiation", "three lineages", "no assay given", "not measured", ("isct-2006-positive",)
        ),
    )
    return Product(
        name="UC-MSC lot 7",
        source_tissue="umbilical cord",
        species="human",
        synthetic=True,
        cells=CellLot(4, Estimate(0.94, "1", 0.92, 0.96), markers),
        vesicles=VesicleLot(
            1.0,
            410.0,
            size,
            Estimate(2.4e11, "particles/mL", 2.1e11, 2.7e11, "3 captures"),
            Estimate(0.71, "1", 0.66, 0.76),
            Cargo(mediators, 4.1e6, ("novel-1",), "one copy per vesicle in total (copies-per-exosome)"),
        ),
        verdicts=(
            Verdict("ISCT 2006", "not met", criteria, ("isct-2006-positive",), "HLA-DR above the limit."),
            Verdict(
                "MISEV2023", "cannot be judged", criteria[2:], ("misev2023-scope",), "Markers of vesicles not given."
            ),
        ),
        files=(SourceFile("nta.csv", "NanoSight 3.4", "a" * 64, "3 captures"),),
        remarks=("The example is synthetic.", "The dilution of the NTA was 200."),
    )
