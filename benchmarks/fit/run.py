"""Each problem: starting points, ours, the peer from the same ones, and both held against one objective.

Each side runs in a process of its own, one after the other, with nothing taken from a cache.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fit import report
from fit.problems import ATOL, MAX_ITERATIONS, PROBLEMS, RTOL, SEED, TOLERANCE, Fitted, path
from fit.result import Comparison
from fit.task import Task

_ROOT = Path(__file__).parents[1]
_HOUR = 3600.0


def run(folder: Path, names: Sequence[str], *, starts: int | None = None) -> None:
    """Measure, write, show; with other numbers of starts or fewer problems, to ``folder``/part."""
    complete = [*names] == [*PROBLEMS] and starts is None
    folder = folder if complete else folder / "part"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Comparison] = []
    for name in names:
        print(f"\n{name}", flush=True)
        try:
            found.append(compare(name, PROBLEMS[name].fewer(starts)))
        except FileNotFoundError:
            print("  its files are not in the folder of shared data")
            continue
        print(report.lines(found[-1]), flush=True)
        report.write(folder, found)  # what there is: a later problem may end in hours, or badly
    print()
    print((folder / "fit.md").read_text("utf-8") if found else "Nothing measured.")


def compare(name: str, fitted: Fitted) -> Comparison:
    """One problem.

    Raises
    ------
    FileNotFoundError : its files are not here.
    """
    from exotwin.calibration.problem import read
    from exotwin.calibration.search import starts

    problem = read(path(name))
    task = Task(
        yaml=str(path(name)),
        names=problem.names,
        points=starts(problem, fitted.starts, SEED).tolist(),
        rtol=RTOL,
        atol=ATOL,
        tolerance=TOLERANCE,
        max_iterations=MAX_ITERATIONS,
        limit=fitted.limit,
        cores=os.cpu_count() or 1,
    )
    ours = _side("ours", task, limit=_HOUR)
    points = [start["point"] for start in ours.get("starts", ())]
    allowed = len(fitted.hessians) * fitted.limit + _HOUR
    peer = _side("peer", replace(task, hessians=[*fitted.hessians], judge=points), limit=allowed)
    return Comparison(name, len(problem.measurements), fitted.limit, ours, peer)


def _side(side: str, task: Task, *, limit: float) -> Mapping[str, Any]:
    """What the side found, or under "failed" why it found nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        given, result, told = (Path(scratch) / name for name in ("task.json", "result.json", "stderr"))
        task.write(given)
        command = [sys.executable, "-m", f"fit.{side}", str(given), str(result)]
        environment = {**os.environ, "EXOTWIN_CACHE": str(Path(scratch) / "cache")}
        with told.open("w") as errors:
            process = subprocess.Popen(
                command, cwd=_ROOT, env=environment, stdout=errors, stderr=errors, start_new_session=True
            )
            try:
                status = process.wait(limit)
            except BaseException as fault:
                os.killpg(process.pid, signal.SIGKILL)  # and the processes that it forked
                process.wait()
                if isinstance(fault, subprocess.TimeoutExpired):
                    return {"failed": f"no result within {limit:.0f} s"}
                raise
        if status:
            lines = told.read_text("utf-8", "replace").split("\n")
            return {"failed": next(filter(None, reversed(lines)), f"exit status {status}")}
        found: Mapping[str, Any] = json.loads(result.read_text("utf-8"))
        return found
