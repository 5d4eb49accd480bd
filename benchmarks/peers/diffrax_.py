"""diffrax: all patients side by side by vmap, compiled by XLA."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np

from cases import Model
from equations import Unknown
from peers.peer import MAX_STEPS, LeftOut, Runs, Watch, count

_BATCH = 16


class Diffrax:
    title = "diffrax"
    settings = "Kvaerno5, jit(vmap(diffeqsolve)) over patients in double precision; warm; tolerances are arguments"

    def prepare(self, model: Model) -> float:
        try:
            import diffrax
            import jax
        except ImportError as fault:
            raise LeftOut(f"not installed: {fault}") from fault
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self._model = model
        try:
            rates = model.equations.rates(jnp, jnp.stack)
        except Unknown as fault:
            raise LeftOut(f"its equations are not translated: {fault}") from fault
        term, times = diffrax.ODETerm(rates), jnp.asarray(model.times)

        def solve(y: Any, p: Any, rtol: Any, atol: Any) -> Any:
            solution = diffrax.diffeqsolve(
                term,
                diffrax.Kvaerno5(),
                0.0,
                model.end,
                None,
                y,
                p,
                saveat=diffrax.SaveAt(ts=times),
                stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
                max_steps=MAX_STEPS,
                adjoint=diffrax.ForwardMode(),
                throw=False,
            )
            return solution.ys, solution.stats["num_steps"]

        solve_all = jax.vmap(solve, in_axes=(0, 0, None, None))
        start = perf_counter()
        y, p = self._start(model.draws)
        self._compiled = jax.jit(solve_all).lower(y[:_BATCH], p[:_BATCH], 1e-6, 1e-9).compile()
        return perf_counter() - start

    def _start(self, draws: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        y, p = self._model.equations.start(draws, count(draws))
        return y.T, p.T

    def simulate(self, draws: Mapping[str, np.ndarray], rtol: float, atol: float) -> Runs:
        import jax

        n, (y, p) = count(draws), self._start(draws)
        watch, values, steps = Watch(), [], []

        def run(y: np.ndarray, p: np.ndarray) -> Any:
            return jax.block_until_ready(self._compiled(y, p, rtol, atol))

        for first in range(0, n, _BATCH):
            # compiled for whole batches: the last one is filled up with patients that count for nothing
            places = np.arange(first, first + _BATCH) % n
            found, tried = watch.time(run, y[places], p[places])
            values.append(np.asarray(found)[: n - first])
            steps.append(np.asarray(tried)[: n - first])
        return Runs(np.concatenate(values), watch.seconds / (len(values) * _BATCH), float(np.concatenate(steps).mean()))
