"""COPASI: LSODA on its own compiled expressions."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np

from cases import Model
from peers.peer import MAX_STEPS, LeftOut, Runs, Watch, count


class Copasi:
    title = "COPASI"
    settings = "LSODA; one task for all patients, through COPASI's own objects"

    def prepare(self, model: Model) -> float:
        try:
            import basico
            import COPASI
        except ImportError as fault:
            raise LeftOut(f"not installed: {fault}") from fault
        start = perf_counter()
        data = self._data = basico.load_model_from_string(model.document)
        self._model, self._copasi, self._task = model, data.getModel(), data.getTask("Time-Course")
        self._copasi.compileIfNecessary()
        self._task.setMethodType(COPASI.CTaskEnum.Method_deterministic)
        problem = self._task.getProblem()
        problem.setDuration(model.end)
        problem.setStepNumber(model.points - 1)
        problem.setTimeSeriesRequested(True)
        problem.setAutomaticStepSize(False)
        seconds = perf_counter() - start
        values = self._copasi.getModelValues()
        self._values = {value.getSBMLId(): value for value in (values.get(i) for i in range(values.size()))}
        self._output = COPASI.CCopasiTask.ONLY_TIME_SERIES
        self._changes = COPASI.ObjectStdVector
        return seconds

    def simulate(self, draws: Mapping[str, np.ndarray], rtol: float, atol: float) -> Runs:
        method = self._task.getMethod()
        method.getParameter("Relative Tolerance").setDblValue(rtol)
        method.getParameter("Absolute Tolerance").setDblValue(atol)
        method.getParameter("Max Internal Steps").setIntValue(MAX_STEPS)
        free = [name for name in draws if not self._values[name].getInitialExpression()]
        watch, values = Watch(), []
        for patient in range(count(draws)):
            changed = self._changes()
            for name in free:
                value = self._values[name]
                value.setInitialValue(float(draws[name][patient]))
                changed.append(value.getInitialValueReference())
            self._copasi.updateInitialValues(changed)
            self._task.initializeRaw(self._output)
            done = watch.time(self._task.processRaw, True)
            values.append(self._recorded() if done else np.full((self._model.points, len(self._model.states)), np.nan))
        return Runs(np.array(values), watch.seconds / count(draws))

    def _recorded(self) -> np.ndarray:
        """(time, state), as the names mean it."""
        series: Any = self._task.getTimeSeries()
        columns = {series.getSBMLId(i, self._data): i for i in range(series.getNumVariables())}
        equations, steps = self._model.equations, range(series.getRecordedSteps())
        amounts = {name: size for name, size in equations.volumes.items() if name not in equations.concentrations}
        return np.array(
            [
                [series.getConcentrationData(k, columns[name]) * amounts.get(name, 1.0) for name in equations.states]
                for k in steps
            ]
        )
