"""What machine code is told about a chunk of patients, and how it finds its way in there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from exotwin.engine.kernels.emit import Code
from exotwin.engine.kernels.expressions import Expressions
from exotwin.engine.kernels.steps import Stepper
from exotwin.engine.kernels.workspace import Block, Workspace

TASK = (
    # arrays of the chunk, patients side by side, each row `stride` numbers long
    "stride",  # patients of the chunk, filled up to whole vectors
    "patients",  # of these, how many are there
    "parameters",  # (parameter, stride) in: given or NaN; out: all known
    "initial",  # (state, stride)
    "rows",  # (row, stride), what each patient's equations need beside states and time
    "amounts",  # (dose entry, stride)
    "places",  # (stride,) of the patients in the whole ensemble
    "until",  # (stride,) when each patient's run ends, if not with the last stop
    # the same for all patients
    "times",  # (n_times + 1,) when to record; then infinity
    "n_times",
    "stops",  # (n_stops + 1,) when a step has to end: start, doses, end; then infinity
    "n_stops",
    "first_entry",  # (n_stops + 1,) the dose entries of stop s are first_entry[s] … first_entry[s + 1] − 1
    "entry_state",  # (dose entry,)
    "entry_sets_inflow",  # (dose entry,) 1: the amount is the infusion rate from now on; 0: it is added to the state
    "kept",  # (n_kept,) states to record, moving ones first
    "n_kept",
    "n_kept_moving",
    "state_row",  # (state,) which row of the trajectory holds it; any for those not recorded
    "output_row",  # (output,) the same of outputs; all that nobody asked for share the last row
    "n_output_rows",
    "tolerance",  # (moving,)
    "rtol",
    "fade",
    "max_steps",
    "stop_requested",  # (1,) nothing more is to be done as soon as it is not 0
    "workspace",
    # results
    "trajectory",  # (n_times, n_kept, stride)
    "outcome",  # (stride,) OK, …
    "failed_at",  # (stride,) time, or NaN
    "steps",  # (stride,) accepted
    "rejected",  # (stride,)
    "outputs",  # (n_times, n_output_rows, stride)
)
"""What stands in the task that every function is given, eight bytes each: addresses, integers, doubles."""

OUTCOMES = (
    "ok",
    "step limit",
    "step too small",
    "not finite",
    "singular matrix",
    "no consistent values",
    "endless events",
    "too many events waiting",
    "stopped",
)
OK, STEP_LIMIT, STEP_TOO_SMALL, NOT_FINITE, SINGULAR, INCONSISTENT, ENDLESS_EVENTS, TOO_MANY_EVENTS, STOPPED = range(9)


class TaskWriter:
    """Base of what writes functions that are given a task."""

    def __init__(self, code: Code, stepper: Stepper, workspace: Workspace) -> None:
        self.code, self.stepper, self.workspace = code, stepper, workspace
        self.equations, self.method = stepper.equations, stepper.method

    def _expressions(self, block: Block, roots: Iterable[int], state: Callable[[int], str], time: str) -> Expressions:
        """Expressions of what a block holds, its states given by ``state``."""
        leaves, rows = self.stepper.leaves, self.stepper.row_of

        def load(node: int) -> str:
            if node in rows:
                return block.get("row", rows[node])
            kind, *index = leaves[node]
            return time if kind == "time" else state(index[0])

        return Expressions(self.code, self.equations.graph, roots, stored=rows.keys() | leaves.keys(), load=load)

    def _here(self, block: Block, roots: Iterable[int]) -> Expressions:
        """Expressions at the present states and time."""
        return self._expressions(block, roots, lambda i: block.get("state", i), block.get("time"))

    def _field(self, task: str, name: str, kind: str) -> str:
        return self.code.load(kind, self.code.at(task, 8 * TASK.index(name)))

    def _entry(self, array: str, kind: str, index: int | str) -> str:
        """Entry of an array of eight-byte numbers."""
        return self.code.load(kind, self.code.at(array, index, unit=8))

    def _place(self, array: str, row: int | str, stride: str, column: str) -> str:
        """Address of (row, column) in rows of ``stride`` numbers."""
        start = self.code.emit(f"mul i64 {row}, {stride}")
        return self.code.at(array, self.code.emit(f"add i64 {start}, {column}"), unit=8)

    def _lane(self, workspace: str, name: str, lane: str, index: str | None = None) -> str:
        """Address of a lane's own number in the workspace."""
        start = self.code.at(workspace, self.workspace.place(name))
        if index is not None:
            start = self.code.at(start, index, unit=self.workspace.vector_bytes)
        return self.code.at(start, lane, unit=8)
