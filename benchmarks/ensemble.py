"""Speed and error of ensembles, beside libRoadRunner (CVODE) on one core at the same tolerances.

Both alone mislead: a fast integrator may be a careless one. Errors are against a run of libRoadRunner at 1e-12, as the
largest deviation over states and times relative to the largest value of the state in that patient. Times are the
processor's, the best of several repeats, since other work on the machine only ever adds.
"""

from __future__ import annotations

from functools import cached_property
from time import process_time

import numpy as np
import xarray as xr

from cases import Model
from exotwin.engine import load

TOLERANCES = (1e-4, 1e-6, 1e-8)
_PEER_PATIENTS, _PATIENTS, _REPEATS = 24, 2000, 5


class Ensemble:
    """One model at one relative tolerance; the absolute one is a thousandth of it, for both."""

    def __init__(self, model: Model, rtol: float) -> None:
        import roadrunner

        self.model, self.rtol, self.atol = model, rtol, rtol * 1e-3
        self.ours = load(model.document)
        self.peer = roadrunner.RoadRunner(model.document)
        known = set(self.peer.model.getFloatingSpeciesIds()) | set(self.peer.model.getGlobalParameterIds())
        self.states = [name for name in self.ours.states if name in known]
        self.draws = model.draws(_PATIENTS)
        # the peer does not compute parameters anew from changed ones, so it is told them
        computed = self.ours.simulate([0.0], parameters=self.draws, outputs=model.computed())
        self._told = {**self.draws, **{name: computed[name].values[:, 0] for name in computed.data_vars}}
        concentrations = model.in_concentration()
        self.peer.timeCourseSelections = [f"[{s}]" if s in concentrations else s for s in self.states]

    # ours

    def _simulate(self, *, own_scale: bool = False) -> xr.Dataset:
        return self.ours.simulate(
            self.model.times,
            parameters=self.draws,
            outputs=self.states,
            rtol=self.rtol,
            atol=None if own_scale else self.atol,
            n_threads=1,
        )

    def seconds(self, *, own_scale: bool = False) -> float:
        """Per patient, with all states recorded and handed over as a Dataset."""
        times = []
        for _ in range(_REPEATS):
            start = process_time()
            self._simulate(own_scale=own_scale)
            times.append(process_time() - start)
        return min(times) / _PATIENTS

    def error(self, *, own_scale: bool = False) -> float:
        """Median over patients."""
        result = self._simulate(own_scale=own_scale)
        values = np.stack([result[name].values for name in self.states], axis=-1)
        return self._error(values[:_PEER_PATIENTS])

    def steps(self, *, own_scale: bool = False) -> float:
        """Tried per patient."""
        result = self._simulate(own_scale=own_scale)
        return float((result["steps"] + result["rejected"]).mean())

    # the peer

    def _peer_runs(self, rtol: float, atol: float) -> tuple[np.ndarray, float]:
        """(patient, time, state), and seconds per patient: of the run alone, without setting parameters."""
        integrator = self.peer.integrator
        integrator.relative_tolerance, integrator.absolute_tolerance = rtol, atol
        integrator.maximum_num_steps = 1_000_000
        values, spent = [], 0.0
        for patient in range(_PEER_PATIENTS):
            for name, draw in self._told.items():
                self.peer[name] = draw[patient]
            self.peer.reset()
            start = process_time()
            run = self.peer.simulate(0, self.model.end, self.model.points)
            spent += process_time() - start
            values.append(np.array(run))
        return np.array(values), spent / _PEER_PATIENTS

    @cached_property
    def reference(self) -> np.ndarray:
        """Far more exact than either."""
        return self._peer_runs(1e-12, 1e-15)[0]

    def _error(self, values: np.ndarray) -> float:
        size = np.abs(self.reference).max(axis=1, keepdims=True)
        deviation = np.abs(values - self.reference) / np.where(size > 0, size, 1.0)
        return float(np.median(deviation.max(axis=(1, 2))))

    def row(self) -> dict[str, float | str]:
        """One line of the table."""
        runs = [self._peer_runs(self.rtol, self.atol) for _ in range(_REPEATS)]
        peer_seconds, peer_error = min(seconds for _, seconds in runs), self._error(runs[0][0])
        seconds, error = self.seconds(), self.error()
        own_seconds, own_error = self.seconds(own_scale=True), self.error(own_scale=True)
        return {
            "model": self.model.name,
            "states": len(self.ours.states),
            "rtol": self.rtol,
            "us_per_patient": seconds * 1e6,
            "speed_over_roadrunner": peer_seconds / seconds,
            "error": error,
            "error_over_roadrunner": error / peer_error,
            "steps": self.steps(),
            "us_per_patient_default_atol": own_seconds * 1e6,
            "speed_over_roadrunner_default_atol": peer_seconds / own_seconds,
            "error_over_roadrunner_default_atol": own_error / peer_error,
        }
