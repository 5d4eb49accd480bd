"""libRoadRunner: CVODE on just-in-time compiled right-hand sides."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import numpy as np

from cases import Model
from peers.peer import MAX_STEPS, LeftOut, Runs, Watch, count


class RoadRunner:
    title = "libRoadRunner"
    settings = "CVODE (BDF); one instance, reset for each patient; parameters computed at the start are told to it"

    def prepare(self, model: Model) -> float:
        try:
            import roadrunner
        except ImportError as fault:
            raise LeftOut(f"not installed: {fault}") from fault
        roadrunner.Logger.disableLogging()
        start = perf_counter()
        self._model, self._runner = model, roadrunner.RoadRunner(model.document)
        seconds = perf_counter() - start
        concentrations = model.equations.concentrations
        self._runner.timeCourseSelections = [f"[{s}]" if s in concentrations else s for s in model.states]
        ids = self._runner.model.getGlobalParameterIds()
        self._place = {name: i for i, name in enumerate(ids)}
        return seconds

    def simulate(self, draws: Mapping[str, np.ndarray], rtol: float, atol: float) -> Runs:
        runner, model = self._runner, self._model
        integrator = runner.integrator
        integrator.relative_tolerance, integrator.absolute_tolerance = rtol, atol
        integrator.maximum_num_steps = MAX_STEPS
        names = [name for name in draws if name in self._place]
        places = [self._place[name] for name in names]
        table = np.array([draws[name] for name in names]).T
        watch, values = Watch(), []
        for patient in range(count(draws)):
            runner.model.setGlobalParameterValues(places, table[patient])
            runner.reset()
            try:
                values.append(np.array(watch.time(runner.simulate, 0, model.end, model.points)))
            except RuntimeError:  # CVODE gave up
                values.append(np.full((model.points, len(model.states)), np.nan))
        return Runs(np.array(values), watch.seconds / count(draws))
