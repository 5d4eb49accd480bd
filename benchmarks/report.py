"""Rows → CSV files and a page whose sentences are computed from them."""

from __future__ import annotations

import csv
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from cases import PATIENTS, SPREAD
from measure import ABSOLUTE, MAIN, Row
from peers import PEERS

_PACKAGES = ("libroadrunner", "amici", "python-copasi", "scipy", "diffrax", "jax", "casadi")
Table = Sequence[Mapping[str, float | str]]


def line(row: Row) -> str:
    """For the terminal."""
    what = f"  {row.simulator:<18} {row.rtol:5.0e}"
    if math.isnan(row.us_per_patient):
        return f"{what}  {row.remark}"
    steps = "" if math.isnan(row.steps) else f"  {row.steps:6.0f} steps"
    ratio = "" if row.simulator == "exotwin" else f"  {row.ratio:7.1f} times ours"
    return f"{what} {row.us_per_patient:10.1f} µs{ratio}  error {row.error:.1e}{steps}  {row.remark}"


def write(folder: Path, rows: list[Row], tables: Mapping[str, Table], missing: list[str], *, seconds: float) -> None:
    """All files of the folder but the figure."""
    for name, table in {"ensemble": [row.as_dict() for row in rows], **tables}.items():
        _csv(folder / f"{name}.csv", table)
    (folder / "engine.md").write_text("\n".join(_page(rows, tables, missing, seconds)), "utf-8")


def _page(rows: list[Row], tables: Mapping[str, Table], missing: list[str], seconds: float) -> list[str]:
    from exotwin import __version__
    from exotwin.engine.kernels.compile import processor

    target = processor()
    models = list(dict.fromkeys(row.model for row in rows))
    packages = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    return [
        "# Engine: measured",
        "",
        f"One run of `benchmarks/run.py` ({seconds / 60:.0f} min) on one core of {target.name} ({target.width} lanes), "
        f"{platform.system()}, Python {platform.python_version()}, exotwin {__version__}, {packages}.",
        "",
        f"Parameters spread by {SPREAD:.0%} (standard deviation of the logarithm), relative tolerances as shown, the "
        f"absolute one {ABSOLUTE:g} of it for everybody and all states, all states at 41 times. exotwin runs "
        f"{PATIENTS} patients, peers the first of the same. Errors are against libRoadRunner at 1e-12: the largest "
        "deviation over times and states relative to the largest value of the state, median over patients. Times are "
        "the processor's, best of several repeats; for peers without setting parameters and reading results.",
        "",
        f"## At rtol {MAIN:g}",
        "",
        *_summary(rows),
        "",
        "Times of each peer over ours:",
        "",
        *_matrix(rows, models),
        "",
        *_below(rows),
        *_omissions(rows, missing),
        "## What each was given",
        "",
        *(f"- **{peer().title}**: {peer().settings}" for peer in PEERS.values()),
        "",
        "## Reading and compiling, seconds",
        "",
        "Once for each model, in a process that has already imported the simulator, nothing taken from a cache (AMICI: "
        "as it took when the module was compiled).",
        "",
        *_prepared(rows, models),
        "",
        "## How well the exact solution is known",
        "",
        "exotwin at 1e-11 against libRoadRunner at 1e-12, relative to the largest value of the state; over patients.",
        "",
        *_markdown(tables["agreement"]),
        "",
        "## Two threads",
        "",
        *_markdown(tables["threads"]),
        "",
        "## From a document to the first trajectory, in a new process",
        "",
        *_markdown(tables["startup"]),
        "",
        "## Every run",
        "",
        "`ratio`: time over exotwin's with the same tolerances. `our_error`: exotwin's, of the same patients. "
        "`prepare_s`: reading and compiling, once for each model. `own atol`: with the engine's own rule for absolute "
        "tolerances.",
        "",
        *_markdown([row.as_dict() for row in rows]),
        "",
    ]


def _main(rows: list[Row], simulator: str) -> list[Row]:
    return [row for row in rows if row.simulator == simulator and row.rtol == MAIN and not math.isnan(row.ratio)]


def _peers(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row.simulator for row in rows if not row.simulator.startswith("exotwin")))


def _summary(rows: list[Row]) -> list[str]:
    """A line for each peer: geometric mean, smallest ratio, errors."""
    table = []
    for peer in _peers(rows):
        found = _main(rows, peer)
        if not found:
            continue
        worst = min(found, key=lambda row: row.ratio)
        worse = [row.model for row in found if row.our_error > row.error]
        table.append(
            {
                "exotwin against": peer,
                "models": str(len(found)),
                "times as fast, geometric mean": _shown(math.exp(np.mean([math.log(row.ratio) for row in found]))),
                "smallest": f"{_shown(worst.ratio)} ({worst.model})",
                "error over the peer's, geometric mean": _shown(
                    math.exp(np.mean([math.log(row.our_error / row.error) for row in found]))
                ),
                "our error is larger in": ", ".join(worse) or "none",
            }
        )
    return _markdown(table)


def _matrix(rows: list[Row], models: list[str]) -> list[str]:
    table = []
    for model in models:
        ours = next(row for row in _main(rows, "exotwin") if row.model == model)
        entry: dict[str, float | str] = {"model": model, "states": str(ours.states), "exotwin, µs": ours.us_per_patient}
        for peer in _peers(rows):
            entry[peer] = next((row.ratio for row in _main(rows, peer) if row.model == model), math.nan)
        entry["exotwin's error"] = ours.error
        entry["exotwin's steps"] = ours.steps
        table.append(entry)
    return _markdown(table)


def _prepared(rows: list[Row], models: list[str]) -> list[str]:
    table = []
    for model in models:
        entry: dict[str, float | str] = {"model": model}
        for simulator in ("exotwin", *_peers(rows)):
            found = [row.prepare_s for row in _main(rows, simulator) if row.model == model]
            entry[simulator] = found[0] if found else math.nan
        table.append(entry)
    return _markdown(table)


def _below(rows: list[Row]) -> list[str]:
    """Where the aim is missed, with what to look at."""
    aims = {"libRoadRunner": 20.0, "AMICI": 15.0}
    lines = []
    for peer, aim in aims.items():
        for row in _main(rows, peer):
            if row.ratio < aim:
                ours = next(r for r in _main(rows, "exotwin") if r.model == row.model)
                steps = "" if math.isnan(row.steps) else f" in {row.steps:.0f} steps"
                lines.append(
                    f"- {row.model}, {row.ratio:.1f} times as fast as {peer} (aim {aim:.0f}): "
                    f"{ours.us_per_patient:.1f} µs in {ours.steps:.0f} steps of "
                    f"{ours.us_per_patient / ours.steps:.2f} µs, beside {row.us_per_patient:.0f} µs{steps}; "
                    f"error {row.our_error:.1e} beside {row.error:.1e}"
                )
    return ["Below the aim:", "", *lines, ""] if lines else []


def _omissions(rows: list[Row], missing: list[str]) -> list[str]:
    lines = [f"- {text}" for text in missing]
    lines += [f"- {row.model}, {row.simulator}, rtol {row.rtol:g}: {row.remark}" for row in rows if row.remark]
    return ["Left out, or not finished:", "", *lines, ""] if lines else []


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if 100 <= abs(value) < 1e7 else f"{value:.3g}"


def _markdown(rows: Table) -> list[str]:
    if not rows:
        return ["Nothing measured."]
    names = list(rows[0])
    lines = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |", "|" + "---|" * len(names)]
    return lines + ["| " + " | ".join(_shown(value) for value in row.values()) + " |" for row in rows]


def _csv(path: Path, rows: Iterable[Mapping[str, float | str]]) -> None:
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys() if rows else [])
        writer.writeheader()
        writer.writerows(rows)
