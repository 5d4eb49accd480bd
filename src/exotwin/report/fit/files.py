"""A fit as files: document, tables, simulation, figures, page; all of them or none."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin.errors import ReportError
from exotwin.report.blocks import csv_text
from exotwin.report.fit import summary, tables
from exotwin.report.fit.html import render
from exotwin.report.fit.page import Page
from exotwin.report.svg import house_style

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.calibration.fit import Fit
    from exotwin.calibration.objective import Evaluation
    from exotwin.calibration.problem import Problem

# What an earlier fit may have left in the same folder, and this one does not write.
_OURS = re.compile(
    r"(profiles|samples)\.parquet|correlations\.csv|figures/(waterfall|fits|residuals|profiles|correlations)(-\d+)?\.svg"
)


def write_fit(fit: Fit, folder: Path) -> None:
    """Write a fit into ``folder``: all files are made beside it and moved there when the last is complete.

    ``fit.json``: what was fitted, best value, starts, parameters, settings, versions; null for infinite or no numbers.
    ``fit.html``: the page to read, with nothing to load. ``figures/``: its figures as SVG.
    ``parameters.csv``: value, standard error, 95 % limits and identifiability of each parameter; ``correlations.csv``.
    ``simulation.tsv``: the simulation at the best point as PEtab writes it.
    ``starts.parquet``, ``profiles.parquet``, ``samples.parquet``: with points on the scale of the parameters. The last
    two, and the correlations, only if the fit has them; what an earlier fit left of them is removed.

    Raises
    ------
    ReportError : the folder cannot be made: nothing above it, or a file in its place.
    """
    with _beside(folder) as aside:
        page = Page(fit)
        with house_style():
            drawn = page.svgs
        (aside / "figures").mkdir()
        for name, svg in drawn.items():
            _write(aside / "figures" / f"{name}.svg", f'<?xml version="1.0" encoding="UTF-8"?>\n{svg}\n')
        _write(aside / "fit.html", render(page))
        document = json.dumps(summary.document(fit), indent=2, allow_nan=False, ensure_ascii=False)
        _write(aside / "fit.json", document + "\n")
        _write(aside / "parameters.csv", csv_text(tables.parameters(fit)))
        _write(aside / "simulation.tsv", _tsv(tables.simulation(fit.problem, fit.evaluation)))
        if (matrix := tables.correlations(fit)) is not None:
            _write(aside / "correlations.csv", csv_text(matrix))
        frames = {"starts": tables.starts(fit), "profiles": tables.profiles(fit), "samples": tables.samples(fit)}
        for name, frame in frames.items():
            if frame is not None:
                frame.to_parquet(aside / f"{name}.parquet", index=False)


def write_simulation(problem: Problem, evaluation: Evaluation, path: Path) -> None:
    """Write what is simulated at the first point of ``evaluation`` as a simulation table of PEtab (TSV).

    The measurement table with a column ``simulation`` in place of ``measurement``, empty where there is no value.

    Raises
    ------
    ReportError : a folder that does not exist.
    """
    if not path.parent.is_dir():
        raise ReportError(f"simulation {path}", found=f"no folder {path.parent}", expected="a folder that exists")
    aside = path.with_name(f".{path.name}.part")
    try:
        _write(aside, _tsv(tables.simulation(problem, evaluation)))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """An empty folder, whose files move into ``folder`` at the end, or vanish if there was an error."""
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise ReportError(f"fit {folder}", found="a file of that name", expected="a folder, or a name that is free")
    if not folder.parent.is_dir():
        raise ReportError(f"fit {folder}", found=f"no folder {folder.parent}", expected="a folder that exists")
    aside = folder.with_name(f".{folder.name}.part")
    if aside.exists():
        shutil.rmtree(aside)  # of a run that was killed
    aside.mkdir()
    try:
        yield aside
        _move(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _move(aside: Path, folder: Path) -> None:
    made = {str(p.relative_to(aside).as_posix()) for p in aside.rglob("*") if p.is_file()}
    if folder.is_dir():
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            if name not in made and _OURS.fullmatch(name):
                path.unlink()
    for name in sorted(made):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (aside / name).replace(target)


def _tsv(frame: pd.DataFrame) -> str:
    text: str = frame.to_csv(sep="\t", index=False, lineterminator="\n")
    return text


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
