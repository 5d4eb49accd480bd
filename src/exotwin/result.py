"""From a study to everything that comes out of it: the object that a notebook holds, the folder that a run leaves."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin.errors import StudyError
from exotwin.progress import Progress, Silent
from exotwin.trial import Study, TrialResult, held, lock_text, simulate_trial

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

_LEFT = ("report.html", "endpoints.csv", "study.lock.toml", "figures", "tables")
_ASIDE = ".exotwin-"


class Result:
    """A simulated trial with its tables, figures and report."""

    def __init__(self, trial: TrialResult) -> None:
        self.trial = trial

    @property
    def endpoints(self) -> pd.DataFrame:
        """One row per reading, endpoint and arm: values, paired differences, 95 % intervals."""
        return self.trial.endpoints

    @property
    def dataset(self) -> xr.Dataset:
        """Trajectories of the observables, (reading, arm, patient, time); units as attributes."""
        return self.trial.dataset

    @property
    def exposure(self) -> xr.Dataset:
        """What reaches where in the first week, (arm, patient, time); units as attributes."""
        return self.trial.exposure

    def plot(self, name: str) -> Figure:
        """Curves of one observable with bands for each arm.

        Raises
        ------
        ReportError : no observable of that name; names the nearest.
        """
        from exotwin.report import figure

        return figure(self.trial, name)

    def report(self, path: str | Path, *, language: str = "en") -> Path:
        """Write the report as one self-contained HTML file; ``language`` is "en" or "zh"."""
        from exotwin.report import write_report

        return write_report(self.trial, Path(path), language=language)

    def save(self, folder: Path, *, language: str = "en") -> Path:
        """Write report, endpoints, figures, tables and lock file into ``folder``; gives the path of the report.

        Everything is made aside and moved at the end, so that a failure leaves the folder as it was.

        Raises
        ------
        StudyError : things of the same names that no run has left there; a folder that cannot be written to, or that
            another run writes to. ReportError : an unknown language.
        """
        from exotwin.report import write_folder

        _refuse_what_no_run_left(folder)
        with held(folder):
            for left in folder.glob(f"{_ASIDE}*"):  # by a run that was killed
                shutil.rmtree(left)
            made = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=folder))
            try:
                write_folder(self.trial, made, language=language)
                self.endpoints.to_csv(made / "endpoints.csv", index=False)
                (made / "study.lock.toml").write_text(lock_text(self.trial), encoding="utf-8")
                for path in sorted(made.iterdir()):
                    target = folder / path.name
                    if target.is_dir():
                        shutil.rmtree(target)
                    path.replace(target)
            finally:
                shutil.rmtree(made)
        return folder / "report.html"

    def _repr_html_(self) -> str:
        return self.trial._repr_html_()


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    language: str = "en",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Simulate a study.

    Parameters
    ----------
    study : the study or the path of its TOML file.
    out : folder for results.zarr, endpoints.csv, report.html, figures, tables and study.lock.toml; None keeps all in
        memory. A run that was interrupted goes on where it stopped.
    language : of the report, "en" or "zh".
    n_threads : threads of the engine; None takes all cores. The numbers do not depend on it.
    progress : told how far the work has come.

    Raises
    ------
    StudyError, ProductError, ReportError : study, product file, output folder or language is wrong; nothing is written.
    """
    from exotwin.report import catalogue

    catalogue(language)  # an unknown one is told before the work, not after it
    if not isinstance(study, Study):
        study = Study.from_toml(Path(study))
    folder = None if out is None else Path(out)
    if folder is not None:
        _refuse_what_no_run_left(folder)
    trial = simulate_trial(study, out=folder, n_threads=n_threads, progress=progress or Silent())
    result = Result(trial)
    if folder is not None:
        (progress or Silent()).start("report", 1)
        result.save(folder, language=language)
    return result


def _refuse_what_no_run_left(folder: Path) -> None:
    """Writing replaces whole folders such as ``figures``: never those of somebody's own work."""
    if os.path.isfile(folder):
        raise StudyError(f"folder {folder}", found="a file", expected="a folder, or a path that does not exist yet")
    if any(os.path.isfile(folder / mark) for mark in ("manifest.json", "study.lock.toml")):
        return
    for name in _LEFT:
        if os.path.exists(folder / name):
            raise StudyError(
                f"folder {folder}", found=f"{name}, which no run has left there", expected="another or an empty folder"
            )
