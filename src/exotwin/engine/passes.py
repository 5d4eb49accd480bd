"""Before and after the integration: initial values and constants from parameters, outputs from recorded states."""

from __future__ import annotations

from exotwin.engine.emit import F64, I64, PTR
from exotwin.engine.expressions import Expressions
from exotwin.engine.task import TaskWriter


class PassWriter(TaskWriter):
    """Writes ``setup`` and ``observe``, which pass once over all patients of a chunk."""

    def write(self) -> None:
        """Both functions."""
        self._write_setup()
        self._write_observe()

    def _write_setup(self) -> None:
        """Parameters and initial values that follow from given ones, and what each patient's equations need of them."""
        code, equations = self.code, self.equations
        rows, _ = equations.rows()
        leaves = {n: node for n, node in enumerate(equations.graph.nodes) if node[0] in ("param", "state", "time")}
        with code.function("setup", "void", PTR, local=False) as (task,):
            stride = self._field(task, "stride", I64)
            arrays = {"param": self._field(task, "parameters", PTR), "state": self._field(task, "initial", PTR)}
            target = self._field(task, "rows", PTR)
            start = code.broadcast(F64, self._entry(self._field(task, "times", PTR), F64, "0"))
            with code.loop(0, code.emit(f"sdiv i64 {stride}, {code.width}")) as vector:
                column = code.emit(f"mul i64 {vector}, {code.width}")

                def load(node: int) -> str:
                    kind, *index = leaves[node]
                    if kind == "time":
                        return start
                    return code.load(code.vector, self._place(arrays[kind], index[0], stride, column))

                roots = [*(node for _, _, node in equations.setup), *rows]
                values = Expressions(code, equations.graph, roots, stored=leaves.keys(), load=load)
                for kind, index, node in equations.setup:
                    place = self._place(arrays[kind], index, stride, column)
                    value = values.value(node)
                    if kind == "param":
                        given = code.load(code.vector, place)
                        value = code.select(code.compare("uno", given, given), value, given)
                    code.store(code.vector, value, place)
                for i, node in enumerate(rows):
                    code.store(code.vector, values.value(node), self._place(target, i, stride, column))
            code.leave()

    def _write_observe(self) -> None:
        """Outputs at all times from the recorded states."""
        code, equations = self.code, self.equations
        rows, _ = equations.rows()
        row = {node: i for i, node in enumerate(rows)}
        leaves = {n: node for n, node in enumerate(equations.graph.nodes) if node[0] in ("state", "time")}
        with code.function("observe", "void", PTR, local=False) as (task,):
            stride = self._field(task, "stride", I64)
            source, steady = self._field(task, "trajectory", PTR), self._field(task, "rows", PTR)
            target, times = self._field(task, "outputs", PTR), self._field(task, "times", PTR)
            state_row, output_row = self._field(task, "state_row", PTR), self._field(task, "output_row", PTR)
            vectors = code.emit(f"sdiv i64 {stride}, {code.width}")
            with code.loop(0, self._field(task, "n_times", I64)) as k:
                now = code.broadcast(F64, self._entry(times, F64, k))
                states, outputs = (
                    self._place(array, code.emit(f"mul i64 {k}, {self._field(task, count, I64)}"), stride, "0")
                    for array, count in ((source, "n_kept"), (target, "n_output_rows"))
                )
                with code.loop(0, vectors) as vector:
                    column = code.emit(f"mul i64 {vector}, {code.width}")

                    def load(node: int) -> str:
                        if node in row:
                            return code.load(code.vector, self._place(steady, row[node], stride, column))
                        kind, *index = leaves[node]
                        if kind == "time":
                            return now
                        place = self._entry(state_row, I64, index[0])
                        return code.load(code.vector, self._place(states, place, stride, column))

                    stored = row.keys() | leaves.keys()
                    values = Expressions(code, equations.graph, equations.outputs, stored=stored, load=load)
                    for i, node in enumerate(equations.outputs):
                        place = self._entry(output_row, I64, i)
                        code.store(code.vector, values.value(node), self._place(outputs, place, stride, column))
            code.leave()
