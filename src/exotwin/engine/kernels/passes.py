"""Before and after the integration: initial values and constants from parameters, outputs from recorded states."""

from __future__ import annotations

from itertools import accumulate

from exotwin.engine.kernels.chunks import Access, Chunks
from exotwin.engine.kernels.emit import F64, I64, PTR, Code
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.graph import Node
from exotwin.engine.kernels.steps import Stepper
from exotwin.engine.kernels.task import TaskWriter
from exotwin.engine.kernels.workspace import Block, Workspace

_PIECE, _PIECES = 4, 64
"""Operations of a function of ``observe``, and most functions, about. Those whose outputs nobody asked for are not
called: the shorter they are, the less is computed in vain. With two outputs of our own model at 400 times, that saves a
fifth of the whole time."""


def pass_sizes(equations: Equations) -> dict[str, int]:
    """What a block holds for both functions: name -> number of vectors."""
    return {"passing": max(_starting(equations).places, _observing(equations).places)}


def _leaves(equations: Equations, *kinds: str) -> dict[int, Node]:
    return {n: node for n, node in enumerate(equations.graph.nodes) if node[0] in kinds}


def _starting(equations: Equations) -> Chunks:
    roots = [*(node for _, _, node in equations.setup), *equations.rows()[0]]
    stored = _leaves(equations, "param", "state", "time").keys()
    return Chunks(equations.graph, roots, stored=stored, between="passing")


def _observing(equations: Equations) -> Chunks:
    stored = {*equations.rows()[0], *_leaves(equations, "state", "time")}
    longest = max(_PIECE, 2 * len(equations.outputs) // _PIECES)
    return Chunks(equations.graph, equations.outputs, stored=stored, between="passing", longest=longest)


class PassWriter(TaskWriter):
    """Writes ``setup`` and ``observe``, which pass once over all patients of a chunk, one vector after the other."""

    def __init__(self, code: Code, stepper: Stepper, workspace: Workspace) -> None:
        super().__init__(code, stepper, workspace)
        self._leaves = _leaves(self.equations, "param", "state", "time")
        self._row = {node: i for i, node in enumerate(self.equations.rows()[0])}

    def write(self) -> None:
        """Both functions, and what they call for each vector."""
        _starting(self.equations).write(self.code, self.workspace, "start_vector", [PTR, I64], self._start_vector)
        self._write_setup()
        self._write_observe()

    def _vectors(self, stride: str) -> str:
        return self.code.emit(f"sdiv i64 {stride}, {self.code.width}")

    def _row_at(self, array: str, row: int | str, stride: str) -> str:
        return self.code.at(array, self.code.emit(f"mul i64 {row}, {stride}"), unit=8)

    def _write_setup(self) -> None:
        """Parameters and initial values that follow from given ones, and what each patient's equations need of them."""
        code = self.code
        with code.function("setup", "void", PTR, local=False) as (task,):
            workspace = self._field(task, "workspace", PTR)
            with code.loop(0, self._vectors(self._field(task, "stride", I64))) as vector:
                column = code.emit(f"mul i64 {vector}, {code.width}")
                code.line(f"call void @start_vector(ptr {workspace}, ptr {task}, i64 {column})")
            code.leave()

    def _start_vector(self, block: Block, arguments: list[str]) -> Access:
        """Setup and rows of one vector of patients, from the task and their first column."""
        code, equations, (task, column) = self.code, self.equations, arguments
        stride = self._field(task, "stride", I64)
        fields = {"param": "parameters", "state": "initial", "row": "rows"}
        arrays = {kind: code.at(self._field(task, name, PTR), column, unit=8) for kind, name in fields.items()}
        start = code.broadcast(F64, self._entry(self._field(task, "times", PTR), F64, "0"))

        def load(node: int) -> str:
            kind, *index = self._leaves[node]
            return start if kind == "time" else code.load(code.vector, self._row_at(arrays[kind], index[0], stride))

        def hand_over(number: int, value: str) -> None:
            row = number - len(equations.setup)
            if row >= 0:
                code.store(code.vector, value, self._row_at(arrays["row"], row, stride))
                return
            kind, index, _ = equations.setup[number]
            place = self._row_at(arrays[kind], index, stride)
            if kind == "param":
                given = code.load(code.vector, place)
                value = code.select(code.compare("uno", given, given), value, given)
            code.store(code.vector, value, place)

        return load, hand_over

    def _write_observe(self) -> None:
        """Outputs at all times from the recorded states, as far as they are wanted: those not in the last row."""
        code, pieces = self.code, _observing(self.equations)
        pieces.write_pieces(code, self.workspace, "observe_vector", [PTR, PTR, PTR, I64, F64], self._observe_vector)
        with code.function("observe", "void", PTR, local=False) as (task,):
            stride, workspace = self._field(task, "stride", I64), self._field(task, "workspace", PTR)
            arrays = [self._field(task, name, PTR) for name in ("trajectory", "outputs")]
            counts = [self._field(task, name, I64) for name in ("n_kept", "n_output_rows")]
            called = self._called(pieces, self._field(task, "output_row", PTR), counts[1])
            with code.loop(0, self._field(task, "n_times", I64)) as k:
                now = self._entry(self._field(task, "times", PTR), F64, k)
                states, outputs = (
                    self._place(array, code.emit(f"mul i64 {k}, {count}"), stride, "0")
                    for array, count in zip(arrays, counts, strict=True)
                )
                with code.loop(0, self._vectors(stride)) as vector:
                    column = code.emit(f"mul i64 {vector}, {code.width}")
                    where = f"ptr {workspace}, ptr {task}, ptr {states}, ptr {outputs}, i64 {column}, double {now}"
                    for piece in range(len(pieces.chunks)):
                        flag = self._entry(called, I64, piece)
                        with code.when(code.compare("ne", flag, "0", kind=I64)):
                            code.line(f"call void @observe_vector_{piece}({where})")
            code.leave()

    def _called(self, pieces: Chunks, output_row: str, n_rows: str) -> str:
        """Address of numbers that are not 0 for functions that have to be called."""
        code, used_by = self.code, pieces.used_by()
        roots = code.table("observe_roots", [root for piece in used_by for root in piece])
        starts = code.table("observe_starts", accumulate((len(piece) for piece in used_by), initial=0))
        called = code.emit(f"alloca [{len(used_by)} x i64], align 8")
        unwanted = code.emit(f"sub i64 {n_rows}, 1")
        with code.loop(0, str(len(used_by))) as piece:
            flag, following = code.at(called, piece, unit=8), code.emit(f"add i64 {piece}, 1")
            code.store(I64, "0", flag)
            with code.loop(self._entry(starts, I64, piece), self._entry(starts, I64, following)) as i:
                row = self._entry(output_row, I64, self._entry(roots, I64, i))
                wanted = code.emit(f"zext i1 {code.compare('ne', row, unwanted, kind=I64)} to i64")
                code.store(I64, code.emit(f"or i64 {wanted}, {code.load(I64, flag)}"), flag)
        return called

    def _observe_vector(self, block: Block, arguments: list[str]) -> Access:
        """Outputs of one vector of patients at one time, from where states and outputs of that time begin."""
        code, (task, states, outputs, column, now) = self.code, arguments
        stride, rows = self._field(task, "stride", I64), self._field(task, "rows", PTR)
        steady, states, outputs = (code.at(array, column, unit=8) for array in (rows, states, outputs))
        state_row, output_row = self._field(task, "state_row", PTR), self._field(task, "output_row", PTR)
        time = code.broadcast(F64, now)

        def load(node: int) -> str:
            if node in self._row:
                return code.load(code.vector, self._row_at(steady, self._row[node], stride))
            kind, *index = self._leaves[node]
            if kind == "time":
                return time
            place = self._entry(state_row, I64, index[0])
            return code.load(code.vector, self._row_at(states, place, stride))

        def hand_over(number: int, value: str) -> None:
            place = self._entry(output_row, I64, number)
            code.store(code.vector, value, self._row_at(outputs, place, stride))

        return load, hand_over
