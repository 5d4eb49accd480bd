"""SciPy's integrators on a compiled right-hand side and Jacobian."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np

from cases import Model
from equations import Unknown
from peers.peer import LeftOut, Runs, Watch, count


class SciPy:
    settings = "solve_ivp; right-hand side and analytic Jacobian as casadi functions called through their buffers"

    def __init__(self, method: str) -> None:
        self._method, self.title = method, f"SciPy {method}"

    def prepare(self, model: Model) -> float:
        import casadi as ca

        start = perf_counter()
        self._model = model
        t, y, p = ca.SX.sym("t"), ca.SX.sym("y", len(model.states)), ca.SX.sym("p", len(model.equations.inputs))
        library = SimpleNamespace(exp=ca.exp, log=ca.log, where=ca.if_else)
        try:
            rates = model.equations.rates(library, lambda values: ca.vcat(values))(t, ca.vertsplit(y), ca.vertsplit(p))
        except Unknown as fault:
            raise LeftOut(f"its equations are not translated: {fault}") from fault
        self._rates = _Buffered(ca.Function("f", [t, y, p], [ca.densify(rates)]))
        self._jacobian = _Buffered(ca.Function("J", [t, y, p], [ca.densify(ca.jacobian(rates, y))]))
        return perf_counter() - start

    def simulate(self, draws: Mapping[str, np.ndarray], rtol: float, atol: float) -> Runs:
        from scipy.integrate import solve_ivp

        model, n = self._model, count(draws)
        starts, inputs = model.equations.start(draws, n)

        def run(patient: int) -> Any:
            self._rates.inputs[:] = self._jacobian.inputs[:] = inputs[:, patient]
            return solve_ivp(
                self._rates,
                (0.0, model.end),
                starts[:, patient],
                method=self._method,
                t_eval=model.times,
                jac=self._jacobian,
                rtol=rtol,
                atol=atol,
            )

        watch, values = Watch(), np.full((n, model.points, len(model.states)), np.nan)
        for patient in range(n):
            result = watch.time(run, patient)
            values[patient, : len(result.t)] = result.y.T
        return Runs(values, watch.seconds / n)


class _Buffered:
    """A casadi function of (t, y, p) that reads and writes fixed memory: one call costs about a microsecond."""

    def __init__(self, function: Any) -> None:
        self._time, self._state = np.zeros(1), np.zeros(function.size1_in(1))
        self.inputs = np.zeros(function.size1_in(2))
        rows, columns = function.size_out(0)
        self._result = np.zeros((columns, rows)) if columns > 1 else np.zeros(rows)
        self._buffer, self._call = function.buffer()
        for i, memory in enumerate((self._time, self._state, self.inputs)):
            self._buffer.set_arg(i, memoryview(memory))
        self._buffer.set_res(0, memoryview(self._result))

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        self._time[0], self._state[:] = t, y
        self._call()
        return self._result.T.copy()
