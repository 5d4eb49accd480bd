"""exotwin on one problem, in a process of its own: read, compile, search; each timed apart.

python -m fit.ours TASK.json RESULT.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from fit.task import Clock, Task


def run(task: Task) -> dict[str, Any]:
    """What the task asks for."""
    clock = Clock()
    with clock("import"):
        from exotwin import __version__
        from exotwin.calibration.objective import objective
        from exotwin.calibration.problem import read
        from exotwin.calibration.search import multistart
    with clock("read"):
        problem = read(task.yaml)
    with clock("compile"):
        aim = objective(problem, rtol=task.rtol)
    points = task.in_order(problem.names, task.points)
    with clock("search"):
        found = multistart(aim, points, max_iterations=task.max_iterations, tolerance=task.tolerance)
    nominal = problem.nominal[None]
    values = aim.evaluate(nominal, slopes=True)
    begin = time.perf_counter()
    aim.evaluate(nominal, slopes=True)
    return {
        "versions": {"exotwin": __version__},
        "seconds": clock.seconds,
        "names": problem.names,
        "simulations": aim.simulations,
        "nominal": nominal[0].tolist(),
        "nominal_value": float(values.value[0]),
        "nominal_seconds": time.perf_counter() - begin,
        "starts": [
            {
                "number": start.number,
                "begin_value": start.begin_value,
                "value": start.found.value,
                "point": start.found.point.tolist(),
                "evaluations": start.found.evaluations,
                "failed": start.found.failed,
                "seconds": start.seconds,
                "outcome": start.found.outcome,
            }
            for start in found
        ],
    }


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(run(Task.read(Path(sys.argv[1])))), "utf-8")
