"""pypesto with AMICI on one problem, in a process of its own: read, compile, search; each timed apart.

python -m fit.peer TASK.json RESULT.json
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from fit.task import Clock, Task

FLAGS = "-march=native"
HESSIANS = {"fim": "the Fisher information as Hessian", "hybrid": "the Fisher information at first, then BFGS"}
"""How fides is given curvature: as ours is, and as pypesto does unless told otherwise."""
EXACT = 1e-10
"""Relative tolerance for the objective with which both sides are compared."""
_EXACT_STEPS = 50_000
NOT_BEGUN = "not begun within the limit"
CUT_SHORT = "Expected to reach maximum allowed time in next iteration"
"""Outcomes of starts that the limit ended: ours, and fides' own."""

_tasks: Sequence[Any] = ()


class Peer:
    """One problem for pypesto and AMICI: forward sensitivities, and the Fisher information in place of the Hessian.

    Steady states are integrated, which is AMICI's own choice: the Jacobian of the one problem that has them is
    singular, and Newton's method fails there.
    """

    def __init__(self, yaml: Path, folder: Path, *, rtol: float, atol: float) -> None:
        os.environ.setdefault("AMICI_CXXFLAGS", FLAGS)
        os.environ.setdefault("AMICI_PARALLEL_COMPILE", str(os.cpu_count() or 1))
        # cmake looks for swig on the path, where an environment that is not activated does not stand
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.clock = Clock()
        with self.clock("import"):
            import amici.importers.petab.v1
            import amici.sim.sundials.petab.v1  # noqa: F401
            import fides  # noqa: F401
            import petab.v1 as petab
            import pypesto.optimize
            import pypesto.petab
        logging.disable()  # each evaluation would write lines
        warnings.simplefilter("ignore")
        with self.clock("read"):
            tables = petab.Problem.from_yaml(yaml)
            if _must_be_flat(tables):
                petab.flatten_timepoint_specific_output_overrides(tables)
            importer = pypesto.petab.PetabImporter(tables, str(folder), f"m_{yaml.stem}")
            self._creator = importer.create_objective_creator()
        with self.clock("compile"):
            self._model = self._creator.create_model(verbose=False)
        with self.clock("prepare"):
            self.problem = self._problem(importer, rtol=rtol, atol=atol)
        self.exact = self._problem(importer, rtol=EXACT, atol=EXACT * atol / rtol, max_steps=_EXACT_STEPS)
        self.names = list(tables.x_free_ids)
        self.nominal = np.array(tables.x_nominal_free_scaled, float)

    def _problem(self, importer: Any, *, rtol: float, atol: float, max_steps: int | None = None) -> Any:
        solver = self._creator.create_solver(self._model)
        solver.set_relative_tolerance(rtol)
        solver.set_absolute_tolerance(atol)
        if max_steps is not None:
            solver.set_max_steps(max_steps)
        return importer.create_problem(self._creator.create_objective(model=self._model, solver=solver))

    def slopes(self, point: Sequence[float]) -> tuple[float, np.ndarray, np.ndarray]:
        """Minus log posterior, its gradient and the Fisher information."""
        value, gradient, information = self.problem.objective(np.asarray(point, float), sensi_orders=(0, 1, 2))
        return _number(value), np.asarray(gradient), np.asarray(information)

    def judge(self, point: Sequence[float]) -> float:
        """Minus log posterior, more exactly than in a search."""
        return _number(self.exact.objective(np.asarray(point, float)))

    def search(self, points: np.ndarray, *, hessian: str, task: Task) -> list[dict[str, Any]]:
        """From each point; what the limit cuts short says so."""
        from pypesto.engine import Engine
        from pypesto.optimize import FidesOptimizer, minimize
        from pypesto.result import OptimizerResult

        class Forked(Engine):
            """Processes that are forked when everything is compiled. pypesto's own are sent AMICI's objects, which
            needs an AMICI built with HDF5, and make them anew for each start."""

            def execute(self, tasks: list[Any], progress_bar: bool | None = None) -> list[Any]:
                global _tasks
                _tasks = tasks
                with ProcessPoolExecutor(task.cores, multiprocessing.get_context("fork")) as pool:
                    return [*pool.map(_execute, range(len(tasks)))]

        class UntilDeadline(FidesOptimizer):
            def minimize(self, problem: Any, x0: Any = None, id: Any = None, **options: Any) -> Any:
                left = deadline - time.monotonic()
                if left <= 0:
                    full = problem.get_full_vector(x0, problem.x_fixed_vals)
                    return OptimizerResult(id=id, x=full, x0=full, message=NOT_BEGUN, time=0.0)
                self.set_maxtime(left)
                return super().minimize(problem, x0, id, **options)

        stop = {"maxiter": task.max_iterations, "fatol": task.tolerance, "frtol": 0.0}
        strategy = {"fim": None, "hybrid": "default"}[hessian]
        optimizer = UntilDeadline(hessian_update=strategy, options=stop, verbose=logging.CRITICAL)
        self.problem.set_x_guesses([self._full(point) for point in points])
        deadline = time.monotonic() + task.limit
        with self.clock(f"search {hessian}"):
            found = minimize(
                self.problem,
                optimizer,
                n_starts=len(points),
                ids=[str(i) for i in range(len(points))],
                engine=Forked(),
                progress_bar=False,
            )
        return sorted((self._start(result) for result in found.optimize_result.list), key=lambda row: row["number"])

    def _full(self, point: np.ndarray) -> np.ndarray:
        """With the parameters that are fixed."""
        return self.problem.get_full_vector(point, self.problem.x_fixed_vals)

    def _start(self, result: Any) -> dict[str, Any]:
        return {
            "number": int(result.id),
            "begin_value": _number(result.fval0),
            "value": _number(result.fval),
            "point": [*map(float, self.problem.get_reduced_vector(result.x0 if result.x is None else result.x))],
            "evaluations": int(result.n_grad or 0),
            "seconds": float(result.time or 0.0),
            "outcome": str(result.message),
        }


def run(task: Task) -> dict[str, Any]:
    """What the task asks for."""
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(Path(task.yaml), Path(folder) / "model", rtol=task.rtol, atol=task.atol)
        points = task.in_order(peer.names, task.points)
        searches = {hessian: peer.search(points, hessian=hessian, task=task) for hessian in task.hessians}
        values = peer.slopes(peer.nominal)
        begin = time.perf_counter()
        peer.slopes(peer.nominal)
        seconds = time.perf_counter() - begin
        judged = task.in_order(peer.names, task.judge)
        return {
            "versions": {name: version(name) for name in ("amici", "pypesto", "fides", "petab")},
            "seconds": peer.clock.seconds,
            "names": peer.names,
            "nominal": peer.nominal.tolist(),
            "nominal_value": values[0],
            "nominal_seconds": seconds,
            "nominal_exact": peer.judge(peer.nominal),
            "judged": [peer.judge(point) for point in judged],
            "searches": {
                hessian: [{**start, "exact": peer.judge(start["point"])} for start in starts]
                for hessian, starts in searches.items()
            },
        }


def _execute(index: int) -> Any:
    found = _tasks[index].execute()
    if found.fval is None:  # of a start that broke down; pypesto sorts by it
        found.fval = np.inf
    return found


def _number(value: float | None) -> float:
    return float("inf") if value is None or not np.isfinite(value) else float(value)


def _must_be_flat(tables: Any) -> bool:
    """AMICI's own condition: it wants one observable for each set of placeholders' values."""
    from petab.v1 import lint

    formulas = lint.observable_table_has_nontrivial_noise_formula(tables.observable_df)
    return lint.measurement_table_has_timepoint_specific_mappings(
        tables.measurement_df, allow_scalar_numeric_noise_parameters=not formulas
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(run(Task.read(Path(sys.argv[1])))), "utf-8")
