"""The loop that carries a chunk of virtual patients through time, and the functions before and after it.

All of it is machine code: nothing is asked of Python between the start of a chunk and its end. Lanes go their own ways;
whoever is done makes room for the next patient. What a lane does depends on its own patient alone, so results are the
same bit for bit whoever sits beside it.
"""

from __future__ import annotations

from exotwin.engine.emit import F64, I64, PTR, Code, number
from exotwin.engine.expressions import Expressions
from exotwin.engine.kernels import Block, Equations, StepWriter, Workspace, block_sizes
from exotwin.engine.tableaux import Rosenbrock
from exotwin.engine.vectormath import define

TASK = (
    # arrays of the chunk, patients side by side, each row `stride` numbers long
    "stride",  # patients of the chunk, filled up to whole vectors
    "patients",  # of these, how many are there
    "parameters",  # (parameter, stride) in: given or NaN; out: all known
    "initial",  # (state, stride)
    "rows",  # (row, stride), what each patient's equations need beside states and time
    "amounts",  # (dose entry, stride)
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

OUTCOMES = ("ok", "step limit", "step too small", "not finite")
OK, STEP_LIMIT, STEP_TOO_SMALL, NOT_FINITE = range(4)

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 6.0
_RESOLVED = 1e-14  # of the present time: the shortest step
_FORCED = 10  # so many shortest steps in a row with too large an error, and the patient is given up


def write_module(equations: Equations, method: Rosenbrock, *, width: int, fma: bool) -> tuple[str, int]:
    """The whole module of a model, with functions ``setup``, ``integrate`` and ``observe``.

    Returns
    -------
    (IR text, bytes of workspace that ``integrate`` needs).
    """
    code = Code(width, fma=fma)
    workspace = Workspace(width, block_sizes(equations, method))
    define(code)
    StepWriter(code, equations, method, workspace).write()
    driver = Driver(code, equations, method, workspace)
    driver.write()
    return code.text(), workspace.size


class Driver:
    """Writes ``setup``, ``integrate``, ``observe`` and what they share."""

    def __init__(self, code: Code, equations: Equations, method: Rosenbrock, workspace: Workspace) -> None:
        self.code, self.equations, self.method, self.workspace = code, equations, method, workspace

    def write(self) -> None:
        """All functions."""
        self._write_setup()
        self._write_observe()
        self._write_record()
        self._write_interpolate()
        self._write_arrive()
        self._write_admit()
        self._write_dismiss()
        self._write_attend()
        self._write_integrate()

    # small helpers

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

    # before and after

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

    # one lane

    def _write_record(self) -> None:
        """``record(task, lane)``: the present states are those of the lane's next time of output."""
        code = self.code
        with code.function("record", "void", PTR, I64) as (task, lane):
            workspace, kept, stride, target = self._recording(task, lane)
            with code.loop(0, self._field(task, "n_kept", I64)) as j:
                state = self._entry(kept, I64, j)
                value = code.load(F64, self._lane(workspace, "state", lane, state))
                code.store(F64, value, self._place(target, j, stride, "0"))
            self._count_output(task, workspace, lane)
            code.leave()

    def _recording(self, task: str, lane: str) -> tuple[str, str, str, str]:
        """Workspace, list of states, stride, and where the first state of the lane's next output goes."""
        code = self.code
        workspace, stride = self._field(task, "workspace", PTR), self._field(task, "stride", I64)
        k = code.load(I64, self._lane(workspace, "output_index", lane))
        patient = code.load(I64, self._lane(workspace, "patient", lane))
        row = code.emit(f"mul i64 {k}, {self._field(task, 'n_kept', I64)}")
        return (
            workspace,
            self._field(task, "kept", PTR),
            stride,
            self._place(self._field(task, "trajectory", PTR), row, stride, patient),
        )

    def _count_output(self, task: str, workspace: str, lane: str) -> None:
        code, place = self.code, self._lane(workspace, "output_index", lane)
        following = code.emit(f"add i64 {code.load(I64, place)}, 1")
        code.store(I64, following, place)
        self._set_next_output(task, workspace, lane, following)

    def _set_next_output(self, task: str, workspace: str, lane: str, index: str) -> None:
        # Behind the last time of output stands infinity, so that no step ever reaches it.
        time = self._entry(self._field(task, "times", PTR), F64, index)
        self.code.store(F64, time, self._lane(workspace, "next_output", lane))

    def _write_interpolate(self) -> None:
        """``interpolate(task, lane)``: record the times of output that lie within the step just made."""
        code, n = self.code, self.equations.moving

        def multiply(a: str, b: str, c: str) -> str:
            return code.muladd(a, b, c, kind=F64)

        with code.function("interpolate", "void", PTR, I64) as (task, lane):
            outer = self._field(task, "workspace", PTR)
            begin, end, width, stop = (
                code.load(F64, self._lane(outer, name, lane)) for name in ("time", "new_time", "used", "stop")
            )
            lands = code.compare("oeq", end, stop, kind=F64)
            with code.forever() as done:
                now = code.load(F64, self._lane(outer, "next_output", lane))
                code.leave_if(code.compare("ogt", now, end, kind=F64), done)
                # what is asked for at a stop is recorded after its doses
                at_stop = code.emit(f"and i1 {lands}, {code.compare('oeq', now, stop, kind=F64)}")
                code.leave_if(at_stop, done)
                theta = code.op("fdiv", code.op("fsub", now, begin, kind=F64), width, kind=F64)
                rest = code.op("fsub", number(1.0), theta, kind=F64)
                workspace, kept, stride, target = self._recording(task, lane)
                moving = self._field(task, "n_kept_moving", I64)
                with code.loop(0, moving) as j:
                    state = self._entry(kept, I64, j)
                    old, new, *dense = (
                        code.load(
                            F64,
                            self._lane(code.at(workspace, skip, unit=self.workspace.vector_bytes), name, lane, state),
                        )
                        for name, skip in (("state", 0), ("new_state", 0), ("dense", 0), ("dense", n), ("dense", 2 * n))
                    )
                    bend = multiply(theta, multiply(theta, dense[2], dense[1]), dense[0])
                    value = multiply(theta, multiply(rest, bend, new), code.op("fmul", rest, old, kind=F64))
                    code.store(F64, value, self._place(target, j, stride, "0"))
                with code.loop(moving, self._field(task, "n_kept", I64)) as j:
                    state = self._entry(kept, I64, j)
                    value = code.load(F64, self._lane(workspace, "state", lane, state))
                    code.store(F64, value, self._place(target, j, stride, "0"))
                self._count_output(task, workspace, lane)
            code.leave()

    def _write_arrive(self) -> None:
        """``arrive(task, lane)``: the lane stands at a stop; give its doses, record, and aim at the next stop."""
        code = self.code
        with code.function("arrive", "void", PTR, I64) as (task, lane):
            workspace, stride = self._field(task, "workspace", PTR), self._field(task, "stride", I64)
            stop = code.load(I64, self._lane(workspace, "stop_index", lane))
            patient = code.load(I64, self._lane(workspace, "patient", lane))
            first = self._field(task, "first_entry", PTR)
            following = code.emit(f"add i64 {stop}, 1")
            states, sets = self._field(task, "entry_state", PTR), self._field(task, "entry_sets_inflow", PTR)
            amounts = self._field(task, "amounts", PTR)
            with code.loop(self._entry(first, I64, stop), self._entry(first, I64, following)) as entry:
                state = self._entry(states, I64, entry)
                amount = code.load(F64, self._place(amounts, entry, stride, patient))
                infusion = code.compare("ne", self._entry(sets, I64, entry), "0", kind=I64)
                place = self._lane(workspace, "state", lane, state)
                before = code.load(F64, place)
                after = code.op("fadd", before, amount, kind=F64)
                code.store(F64, code.select(infusion, before, after, kind=F64), place)
                with code.when(infusion):
                    code.store(F64, amount, self._lane(workspace, "inflow", lane, state))
            with code.loop(0, str(self.equations.moving)) as state:
                size = code.intrinsic("fabs", code.load(F64, self._lane(workspace, "state", lane, state)), kind=F64)
                place = self._lane(workspace, "peak", lane, state)
                peak = code.load(F64, place)
                code.store(F64, code.select(code.compare("ogt", size, peak, kind=F64), size, peak, kind=F64), place)
            now = code.load(F64, self._lane(workspace, "time", lane))
            with code.forever() as done:
                due = code.load(F64, self._lane(workspace, "next_output", lane))
                code.leave_if(code.compare("une", due, now, kind=F64), done)
                code.line(f"call void @record(ptr {task}, i64 {lane})")
            code.store(I64, following, self._lane(workspace, "stop_index", lane))
            # behind the last stop stands infinity, read but never used
            code.store(
                F64, self._entry(self._field(task, "stops", PTR), F64, following), self._lane(workspace, "stop", lane)
            )
            code.store(I64, "1", self._lane(workspace, "fresh", lane))
            code.leave()

    def _write_admit(self) -> None:
        """``admit(task, lane, patient)``: put a patient into a lane, at the start."""
        code, equations = self.code, self.equations
        _, step_rows = equations.rows()
        with code.function("admit", "void", PTR, I64, I64) as (task, lane, patient):
            workspace, stride = self._field(task, "workspace", PTR), self._field(task, "stride", I64)
            for name, source, count in (
                ("state", self._field(task, "initial", PTR), equations.n_states),
                ("row", self._field(task, "rows", PTR), step_rows),
            ):
                with code.loop(0, str(count)) as i:
                    value = code.load(F64, self._place(source, i, stride, patient))
                    code.store(F64, value, self._lane(workspace, name, lane, i))
            with code.loop(0, str(equations.moving)) as i:
                for name in ("inflow", "peak", "inherited"):
                    code.store(F64, number(0.0), self._lane(workspace, name, lane, i))
            for name in ("stop_index", "output_index", "steps", "rejected", "again", "forced"):
                code.store(I64, "0", self._lane(workspace, name, lane))
            code.store(I64, patient, self._lane(workspace, "patient", lane))
            code.store(I64, "1", self._lane(workspace, "attend", lane))
            start = self._entry(self._field(task, "stops", PTR), F64, "0")
            code.store(F64, start, self._lane(workspace, "time", lane))
            self._set_next_output(task, workspace, lane, "0")
            code.leave()

    def _write_dismiss(self) -> None:
        """``dismiss(task, lane, outcome)``: write what became of a lane's patient, and empty the lane."""
        code = self.code
        with code.function("dismiss", "void", PTR, I64, I64) as (task, lane, outcome):
            workspace = self._field(task, "workspace", PTR)
            patient = code.load(I64, self._lane(workspace, "patient", lane))
            code.store(I64, outcome, code.at(self._field(task, "outcome", PTR), patient, unit=8))
            for name in ("steps", "rejected"):
                count = code.load(I64, self._lane(workspace, name, lane))
                code.store(I64, count, code.at(self._field(task, name, PTR), patient, unit=8))
            with code.when(code.compare("ne", outcome, str(OK), kind=I64)):
                time = code.load(F64, self._lane(workspace, "time", lane))
                code.store(F64, time, code.at(self._field(task, "failed_at", PTR), patient, unit=8))
                first = code.load(I64, self._lane(workspace, "output_index", lane))
                with code.loop(0, self._field(task, "n_kept", I64)) as j:
                    state = self._entry(self._field(task, "kept", PTR), I64, j)
                    code.store(F64, number(float("nan")), self._lane(workspace, "state", lane, state))
                with code.loop(first, self._field(task, "n_times", I64)):
                    code.line(f"call void @record(ptr {task}, i64 {lane})")
            code.store(I64, "-1", self._lane(workspace, "patient", lane))
            code.leave()

    def _write_attend(self) -> None:
        """``attend(task, lane)``: the lane has reached a stop, has failed or is empty; see that it has work again.

        The lane's ``attend`` holds 1 + outcome; OK if the patient stands at a stop.
        """
        code = self.code
        with code.function("attend", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            queue = code.at(workspace, self.workspace.place("queue"))
            with code.forever() as done:
                patient = code.load(I64, self._lane(workspace, "patient", lane))
                with code.when(code.compare("sge", patient, "0", kind=I64)):
                    outcome = code.emit(f"sub i64 {code.load(I64, self._lane(workspace, 'attend', lane))}, 1")
                    with code.when(code.compare("eq", outcome, str(OK), kind=I64)):
                        code.line(f"call void @arrive(ptr {task}, i64 {lane})")
                        stop = code.load(I64, self._lane(workspace, "stop_index", lane))
                        code.leave_if(code.compare("slt", stop, self._field(task, "n_stops", I64), kind=I64), done)
                    code.line(f"call void @dismiss(ptr {task}, i64 {lane}, i64 {outcome})")
                following = code.load(I64, queue)
                code.leave_if(code.compare("sge", following, self._field(task, "patients", I64), kind=I64), done)
                code.store(I64, code.emit(f"add i64 {following}, 1"), queue)
                code.line(f"call void @admit(ptr {task}, i64 {lane}, i64 {following})")
            code.leave()

    # all lanes

    def _write_integrate(self) -> None:
        """All patients of a chunk from the first time to the last."""
        code = self.code
        with code.function("integrate", "void", PTR, local=False) as (task,):
            workspace = self._field(task, "workspace", PTR)
            block = Block(code, self.workspace, workspace)
            rtol, fade = self._field(task, "rtol", F64), self._field(task, "fade", F64)
            with code.loop(0, str(self.equations.moving)) as i:
                tolerance = self._entry(self._field(task, "tolerance", PTR), F64, i)
                place = code.at(workspace, self.workspace.place("tolerance"))
                code.store(
                    code.vector, code.broadcast(F64, tolerance), code.at(place, i, unit=self.workspace.vector_bytes)
                )
            block.put_integers("queue", "zeroinitializer")
            block.put_integers("patient", "splat (i64 -1)")
            block.put_integers("attend", "splat (i64 1)")
            with code.forever() as done:
                waiting = code.compare("ne", block.get_integers("attend"), "zeroinitializer", kind=code.integers)
                with code.when(code.any(waiting)):
                    self._attend_all(task, block, rtol, fade)
                active = code.compare("sge", block.get_integers("patient"), "zeroinitializer", kind=code.integers)
                code.leave_if(code.emit(f"xor i1 {code.any(active)}, true"), done)
                self._attempt(task, block, active, rtol, fade)
            code.leave()

    def _attend_all(self, task: str, block: Block, rtol: str, fade: str) -> None:
        code = self.code
        with code.loop(0, str(code.width)) as lane:
            waiting = code.load(I64, self._lane(block.pointer, "attend", lane))
            with code.when(code.compare("ne", waiting, "0", kind=I64)):
                code.line(f"call void @attend(ptr {task}, i64 {lane})")
        code.line(f"call void @first_width(ptr {block.pointer}, double {rtol}, double {fade})")
        fresh = code.compare("ne", block.get_integers("fresh"), "zeroinitializer", kind=code.integers)
        block.put("width", 0, code.select(fresh, block.get("used"), block.get("width")))
        block.put_integers("fresh", "zeroinitializer")
        block.put_integers("attend", "zeroinitializer")

    def _attempt(self, task: str, block: Block, active: str, rtol: str, fade: str) -> None:
        """One step of all lanes, taken where its error allows, and the width of the next."""
        code = self.code
        time, stop, width = block.get("time"), block.get("stop"), block.get("width")
        left = code.op("fsub", stop, time)
        # a step that would end just short of a stop is stretched to it
        lands = code.compare("oge", code.op("fmul", width, code.splat(1.01)), left)
        used = code.select(lands, left, width)
        block.put("used", 0, used)
        new_time = code.select(lands, stop, code.op("fadd", time, used))
        block.put("new_time", 0, new_time)
        for stage in range(self.method.stages):
            code.line(f"call void @stage_{stage + 1}(ptr {block.pointer}, double {rtol}, double {fade})")
        code.line(f"call void @error(ptr {block.pointer}, double {rtol}, double {fade})")

        error = block.get("error")
        finite = code.compare("olt", error, code.splat(float("inf")))
        good = code.compare("ole", error, code.splat(1.0))
        # A rate that jumps defies every estimate. Once the step is as short as time resolves, it is taken all the same:
        # the error is then no more than the jump times that step.
        shortest = code.larger(code.op("fmul", code.intrinsic("fabs", time), code.splat(_RESOLVED)), code.splat(1e-100))
        at_least = code.compare("ole", used, shortest)
        forced = code.emit(f"and {code.mask} {finite}, {at_least}")
        forced = code.select(good, code.emit(f"xor {code.mask} {good}, {good}"), forced, kind=code.mask)
        accepted = code.emit(f"and {code.mask} {active}, {code.emit(f'or {code.mask} {good}, {forced}')}")
        missed = code.emit(f"xor {code.mask} {accepted}, splat (i1 true)")
        self._interpolate_all(task, block, accepted)
        self._advance(block, accepted)
        block.put("time", 0, code.select(accepted, new_time, time))

        power = code.splat(-1.0 / (self.method.error_order + 1))
        factor = code.call("vector_pow", code.vector, (code.vector, error), (code.vector, power))
        factor = code.op("fmul", factor, code.splat(_SAFETY))
        factor = code.larger(code.smaller(factor, code.splat(_GROW)), code.splat(_SHRINK))
        again = code.compare("ne", block.get_integers("again"), "zeroinitializer", kind=code.integers)
        # right after a rejection the estimate is little to go by: do not grow at once
        factor = code.select(again, code.smaller(factor, code.splat(1.0)), factor)
        proposal = code.op("fmul", used, code.select(finite, factor, code.splat(_SHRINK)))
        proposal = code.larger(proposal, shortest)
        block.put("width", 0, proposal)
        block.put_integers("again", code.emit(f"zext {code.mask} {missed} to {code.integers}"))

        failed = code.emit(f"and {code.mask} {active}, {missed}")
        steps, rejected = self._count(block, "steps", accepted), self._count(block, "rejected", failed)
        in_a_row = code.emit(f"add {code.integers} {block.get_integers('forced')}, splat (i64 1)")
        in_a_row = code.select(forced, in_a_row, "zeroinitializer", kind=code.integers)
        block.put_integers("forced", in_a_row)
        stuck = code.compare("sgt", in_a_row, f"splat (i64 {_FORCED})", kind=code.integers)
        small = code.emit(f"or {code.mask} {stuck}, {code.emit(f'and {code.mask} {failed}, {at_least}')}")
        limit = code.broadcast(I64, self._field(task, "max_steps", I64))
        attempts = code.emit(f"add {code.integers} {steps}, {rejected}")
        many = code.compare("sge", attempts, limit, kind=code.integers)
        arrived = code.emit(f"and {code.mask} {accepted}, {lands}")

        def integers(value: int) -> str:
            return f"splat (i64 {value})"

        why = code.select(finite, integers(1 + STEP_TOO_SMALL), integers(1 + NOT_FINITE), kind=code.integers)
        attend = code.select(many, integers(1 + STEP_LIMIT), integers(0), kind=code.integers)
        attend = code.select(small, why, attend, kind=code.integers)
        attend = code.select(arrived, integers(1 + OK), attend, kind=code.integers)
        block.put_integers("attend", code.select(active, attend, integers(0), kind=code.integers))

    def _count(self, block: Block, name: str, mask: str) -> str:
        code = self.code
        one = code.emit(f"zext {code.mask} {mask} to {code.integers}")
        total = code.emit(f"add {code.integers} {block.get_integers(name)}, {one}")
        block.put_integers(name, total)
        return total

    def _interpolate_all(self, task: str, block: Block, accepted: str) -> None:
        code, n, stages = self.code, self.equations.moving, self.method.stages
        reached = code.compare("ole", block.get("next_output"), block.get("new_time"))
        due = code.emit(f"and {code.mask} {accepted}, {reached}")
        with code.when(code.any(due)):
            kept, unit = self._field(task, "kept", PTR), self.workspace.vector_bytes
            with code.loop(0, self._field(task, "n_kept_moving", I64)) as j:
                state = self._entry(kept, I64, j)
                first = code.at(code.at(block.pointer, self.workspace.place("stage")), state, unit=unit)
                target = code.at(code.at(block.pointer, self.workspace.place("dense")), state, unit=unit)
                values = [code.load(code.vector, code.at(first, s * n * unit)) for s in range(stages)]
                for r, weights in enumerate(self.method.dense):
                    total = code.op("fmul", code.splat(weights[0]), values[0])
                    for weight, value in zip(weights[1:], values[1:], strict=True):
                        total = code.muladd(code.splat(weight), value, total)
                    code.store(code.vector, total, code.at(target, r * n * unit))
            bits = code.emit(f"bitcast {code.mask} {due} to i{code.width}")
            wide = code.emit(f"zext i{code.width} {bits} to i64")
            with code.loop(0, str(code.width)) as lane:
                bit = code.emit(f"and i64 {code.emit(f'lshr i64 {wide}, {lane}')}, 1")
                with code.when(code.compare("ne", bit, "0", kind=I64)):
                    code.line(f"call void @interpolate(ptr {task}, i64 {lane})")

    def _advance(self, block: Block, accepted: str) -> None:
        """The new states, where the step was taken, and their largest size so far."""
        code, unit = self.code, self.workspace.vector_bytes
        with code.loop(0, str(self.equations.moving)) as i:
            place, new, peak = (
                code.at(code.at(block.pointer, self.workspace.place(name)), i, unit=unit)
                for name in ("state", "new_state", "peak")
            )
            value = code.select(accepted, code.load(code.vector, new), code.load(code.vector, place))
            code.store(code.vector, value, place)
            size = code.intrinsic("fabs", value)
            code.store(code.vector, code.larger(size, code.load(code.vector, peak)), peak)
