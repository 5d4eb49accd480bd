"""AMICI: CVODES on compiled C++ with sparse analytic Jacobians."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from cases import Model
from peers.peer import MAX_STEPS, LeftOut, Runs, Watch, count

_FLAGS = "-march=native"
_FOLDER = Path(os.environ.get("EXOTWIN_BENCH_CACHE", Path.home() / ".cache" / "exotwin-bench")) / "amici"


class Amici:
    title = "AMICI"
    settings = (
        f"CVODES (BDF, KLU); one module a model, compiled with -O3 {_FLAGS}, without sensitivities and simplifying; "
        "one ExpData a patient, run_simulations on one thread"
    )

    def prepare(self, model: Model) -> float:
        os.environ.setdefault("AMICI_CXXFLAGS", _FLAGS)
        os.environ.setdefault("AMICI_PARALLEL_COMPILE", str(os.cpu_count() or 1))
        # cmake looks for swig on the path, where an environment that is not activated does not stand
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        try:
            import amici  # noqa: F401
            from amici.sim import sundials
        except ImportError as fault:
            raise LeftOut(f"not installed: {fault}") from fault
        self._model, self._amici = model, sundials
        seconds = self._compile(model)
        self._solver = self._compiled.create_solver()
        self._compiled.set_timepoints(list(model.times))
        self._compiled.set_always_check_finite(False)
        # sensitivities are off, but their zeros would be copied at every output time for each parameter listed here
        self._compiled.set_parameter_list([])
        state_ids = list(self._compiled.get_state_ids())
        self._columns = [state_ids.index(name) for name in model.states]
        return seconds

    def _compile(self, model: Model) -> float:
        """Make or take the module; seconds that making it took."""
        from amici import import_model_module
        from amici.importers.sbml import SbmlImporter

        key = hashlib.sha256(f"{version('amici')} {self.settings} {model.document}".encode()).hexdigest()[:16]
        name, folder = f"m{key}", _FOLDER / key
        stamp = folder / "seconds"
        if not stamp.is_file():
            start = perf_counter()
            importer = SbmlImporter(model.document, from_file=False)
            # simplifying costs minutes of symbolic work where rules depend on rules, and makes the code no faster
            try:
                importer.sbml2amici(
                    name, folder, generate_sensitivity_code=False, observation_model=[], simplify=None, verbose=False
                )
            except (subprocess.CalledProcessError, OSError) as fault:
                raise LeftOut(f"its C++ cannot be compiled here: {fault}"[:200]) from fault
            stamp.write_text(repr(perf_counter() - start))
        self._compiled: Any = import_model_module(name, folder).get_model()
        return float(stamp.read_text())

    def simulate(self, draws: Mapping[str, np.ndarray], rtol: float, atol: float) -> Runs:
        amici, compiled, solver = self._amici, self._compiled, self._solver
        solver.set_relative_tolerance(rtol)
        solver.set_absolute_tolerance(atol)
        solver.set_max_steps(MAX_STEPS)
        names, usual = list(compiled.get_free_parameter_ids()), list(compiled.get_free_parameters())
        n = count(draws)
        table = np.array([np.broadcast_to(draws.get(name, value), n) for name, value in zip(names, usual, strict=True)])
        patients = [amici.ExpData(compiled) for _ in range(n)]
        for patient, values in zip(patients, table.T, strict=True):
            patient.free_parameters = values.tolist()
        watch = Watch()
        results = watch.time(amici.run_simulations, compiled, solver, patients, False, 1)
        values = np.array([result.x[:, self._columns] for result in results])  # NaN behind a failure
        steps = np.mean([result.numsteps[-1] for result in results])
        return Runs(values, watch.seconds / n, float(steps))
