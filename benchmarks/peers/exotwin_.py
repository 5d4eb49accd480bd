"""Our own engine, through the same door as its peers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, process_time
from unittest.mock import patch

import numpy as np

from cases import Model
from peers.peer import MAX_STEPS, Runs, count


class Exotwin:
    """``own_scale``: with the engine's rule for absolute tolerances instead of the one given to everybody."""

    title = "exotwin"
    settings = "the clock runs from parameters to the labelled Dataset with all states, nothing left out"

    def __init__(self, *, own_scale: bool = False, n_threads: int = 1) -> None:
        self._own_scale, self._n_threads = own_scale, n_threads

    def prepare(self, model: Model) -> float:
        from exotwin.engine import load

        self._model = model
        with tempfile.TemporaryDirectory() as folder, patch.dict("os.environ", EXOTWIN_CACHE=str(Path(folder))):
            start = perf_counter()
            self._compiled = load(model.document)
            return perf_counter() - start

    def simulate(self, draws: Mapping[str, np.ndarray], rtol: float, atol: float) -> Runs:
        states = list(self._model.states)
        wall, start = perf_counter(), process_time()
        result = self._compiled.simulate(
            self._model.times,
            parameters=dict(draws),
            outputs=states,
            rtol=rtol,
            atol=None if self._own_scale else atol,
            n_threads=self._n_threads,
            max_steps=MAX_STEPS,
        )
        seconds, self.wall_seconds = process_time() - start, perf_counter() - wall
        values = np.stack([result[name].values for name in states], axis=-1)
        return Runs(values, seconds / count(draws), float((result["steps"] + result["rejected"]).mean()))
