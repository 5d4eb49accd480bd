"""The loop that carries a chunk of virtual patients through time.

All of it is machine code: nothing is asked of Python between the start of a chunk and its end. Lanes go their own ways;
whoever is done makes room for the next patient. What a lane does depends on its own patient alone, so results are the
same bit for bit whoever sits beside it.
"""

from __future__ import annotations

from exotwin.engine.kernels.consistency import ConsistencyWriter, consistency_sizes
from exotwin.engine.kernels.emit import F64, I64, PTR, Code
from exotwin.engine.kernels.events import EventWriter, event_sizes
from exotwin.engine.kernels.lanes import LaneWriter
from exotwin.engine.kernels.passes import PassWriter, pass_sizes
from exotwin.engine.kernels.steps import Stepper, lane_sizes
from exotwin.engine.kernels.task import NOT_FINITE, OK, SINGULAR, STEP_LIMIT, STEP_TOO_SMALL, TaskWriter
from exotwin.engine.kernels.vectormath import define, rough_inverse_root
from exotwin.engine.kernels.watch import Watch, WatchWriter, watch_sizes
from exotwin.engine.kernels.workspace import Block, Workspace

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 6.0
_RESOLVED = 1e-14  # of the present time: the shortest step
_FORCED = 10  # so many steps in a row that are shorter than time resolves, and the patient is given up


def write_module(stepper: Stepper, *, width: int, fma: bool) -> tuple[str, int]:
    """The whole module of a model, with functions ``setup``, ``integrate`` and ``observe``.

    Returns
    -------
    (IR text, bytes of workspace that ``integrate`` needs).
    """
    code = Code(width, fma=fma)
    equations = stepper.equations
    sizes = (
        lane_sizes(equations)
        | watch_sizes(equations)
        | event_sizes(equations)
        | consistency_sizes(equations)
        | pass_sizes(equations)
        | stepper.sizes()
    )
    workspace = Workspace(width, sizes)
    define(code)
    stepper.write(code, workspace)
    for writer in (PassWriter, ConsistencyWriter, WatchWriter, EventWriter, LaneWriter, Driver):
        writer(code, stepper, workspace).write()
    return code.text(), workspace.size


class Driver(TaskWriter):
    """Writes ``integrate``."""

    def write(self) -> None:
        """The function."""
        code, self._watch = self.code, Watch(self.equations)
        with code.function("integrate", "void", PTR, local=False) as (task,):
            block = Block(code, self.workspace, self._field(task, "workspace", PTR))
            rtol, fade = self._field(task, "rtol", F64), self._field(task, "fade", F64)
            with code.loop(0, str(self.equations.moving)) as i:
                tolerance = self._entry(self._field(task, "tolerance", PTR), F64, i)
                block.at_index(i).put("tolerance", 0, code.broadcast(F64, tolerance))
            block.put_integers("queue", "zeroinitializer")
            block.put_integers("patient", "splat (i64 -1)")
            block.put_integers("attend", "splat (i64 1)")
            with code.forever() as done:
                waiting = code.compare("ne", block.get_integers("attend"), "zeroinitializer", kind=code.integers)
                with code.when(code.any(waiting)):
                    self._attend_all(task, block, rtol, fade)
                active = code.compare("sge", block.get_integers("patient"), "zeroinitializer", kind=code.integers)
                code.leave_if(code.emit(f"xor i1 {code.any(active)}, true"), done)
                asked = code.emit(f"load volatile i64, ptr {self._field(task, 'stop_requested', PTR)}, align 8")
                code.leave_if(code.compare("ne", asked, "0", kind=I64), done)
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
        time, width, until = block.get("time"), block.get("width"), self._until(block)
        left = code.op("fsub", until, time)
        # a step that would end just short of where it has to end is stretched to it
        lands = code.compare("oge", code.op("fmul", width, code.splat(1.01)), left)
        used = code.select(lands, left, width)
        new_time = code.select(lands, until, code.op("fadd", time, used))
        ahead, new_time, next_time = self._foresee(block, time, new_time)
        lands = code.select(ahead, "zeroinitializer", lands, kind=code.mask)
        used = code.select(ahead, code.op("fsub", new_time, time), used)
        block.put("used", 0, used)
        block.put("new_time", 0, new_time)
        code.line(f"call void @attempt(ptr {block.pointer}, double {rtol}, double {fade})")

        error = block.get("error")
        finite = code.compare("olt", error, code.splat(float("inf")))
        good = code.compare("ole", error, code.splat(1.0))
        # A rate that jumps defies every estimate. Once the step is as short as time resolves, it is taken all the same:
        # the error is then no more than the jump times that step.
        shortest = code.larger(code.op("fmul", code.intrinsic("fabs", time), code.splat(_RESOLVED)), code.splat(1e-100))
        at_least = code.compare("ole", used, shortest)
        forced = code.emit(f"and {code.mask} {finite}, {at_least}")
        forced = code.select(good, "zeroinitializer", forced, kind=code.mask)
        accepted = code.emit(f"and {code.mask} {active}, {code.emit(f'or {code.mask} {good}, {forced}')}")
        changes = self._find_changes(block, accepted)
        ends = code.emit(f"or {code.mask} {lands}, {code.emit(f'or {code.mask} {ahead}, {changes}')}")
        arrived = code.emit(f"and {code.mask} {accepted}, {ends}")
        reached = code.compare("oeq", block.get("new_time"), code.select(changes, block.get("new_time"), next_time))
        held = code.emit(f"and {code.mask} {arrived}, {reached}")
        block.put_integers("held", code.emit(f"zext {code.mask} {held} to {code.integers}"))
        self._interpolate_all(task, block, accepted)
        if self._watch.states:
            with code.when(code.any(changes)):
                code.line(f"call void @end_at_change(ptr {block.pointer})")
        self._advance(block, accepted)
        next_time = code.select(changes, block.get("new_time"), next_time)
        block.put("time", 0, code.select(accepted, next_time, time))

        missed = code.emit(f"xor {code.mask} {accepted}, splat (i1 true)")
        proposal = self._next_width(block, used, finite)
        # Where steps are right only if far shorter than time resolves, longer ones would go on with what is unchecked.
        short = code.compare("olt", proposal, code.op("fmul", shortest, code.splat(0.1)))
        free = code.select(ends, "zeroinitializer", accepted, kind=code.mask)
        crawls = code.emit(f"and {code.mask} {free}, {short}")
        block.put("width", 0, code.select(crawls, proposal, code.larger(proposal, shortest)))
        block.put_integers("again", code.emit(f"zext {code.mask} {missed} to {code.integers}"))
        steps = self._count(block, "steps", accepted)
        failed = code.emit(f"and {code.mask} {active}, {missed}")
        rejected = self._count(block, "rejected", failed)
        in_a_row = code.emit(f"add {code.integers} {block.get_integers('forced')}, splat (i64 1)")
        defies = code.emit(f"or {code.mask} {forced}, {crawls}")
        in_a_row = code.select(defies, in_a_row, "zeroinitializer", kind=code.integers)
        block.put_integers("forced", in_a_row)
        stuck = code.compare("sgt", in_a_row, self._integers(_FORCED), kind=code.integers)
        small = code.emit(f"or {code.mask} {stuck}, {code.emit(f'and {code.mask} {failed}, {at_least}')}")
        limit = code.broadcast(I64, self._field(task, "max_steps", I64))
        attempts = code.emit(f"add {code.integers} {steps}, {rejected}")
        many = code.compare("sge", attempts, limit, kind=code.integers)
        attend = code.select(many, self._integers(1 + STEP_LIMIT), self._integers(0), kind=code.integers)
        attend = code.select(small, self._why(block, finite, small), attend, kind=code.integers)
        # whoever arrives with the last step allowed may be done
        over = code.compare("sgt", attempts, limit, kind=code.integers)
        done = code.select(over, "zeroinitializer", arrived, kind=code.mask)
        attend = code.select(done, self._integers(1 + OK), attend, kind=code.integers)
        block.put_integers("attend", code.select(active, attend, self._integers(0), kind=code.integers))

    def _integers(self, value: int) -> str:
        return f"splat (i64 {value})"

    def _until(self, block: Block) -> str:
        """Where the step has to end at the latest: at a stop or a delayed event."""
        code, stop = self.code, block.get("stop")
        return code.smaller(block.get("due"), stop) if self.equations.events else stop

    def _foresee(self, block: Block, time: str, new_time: str) -> tuple[str, str, str]:
        """Lanes in whose step a comparison of time would change, the end of the step, and the time that it is then.

        The step ends at the last moment before the change, and the next one begins at the first moment after it.
        """
        code = self.code
        if "clock" not in self._watch.words:
            return "zeroinitializer", new_time, new_time
        block.put("new_time", 0, new_time)
        code.line(f"call void @foresee(ptr {block.pointer})")
        low, high = block.get("low"), block.get("high")
        ahead = code.compare("ole", high, new_time)
        # from the very last moment on there is no step but to the other side
        end = code.select(code.compare("ogt", low, time), low, high)
        return ahead, code.select(ahead, end, new_time), code.select(ahead, high, new_time)

    def _find_changes(self, block: Block, accepted: str) -> str:
        """Lanes in whose step a comparison of states changes; the step ends there ("new_time")."""
        code = self.code
        if not self._watch.states:
            return "zeroinitializer"
        with code.when(code.any(accepted)):
            code.line(f"call void @locate(ptr {block.pointer})")
        high, end = block.get("high"), block.get("new_time")
        changes = code.emit(f"and {code.mask} {accepted}, {code.compare('ole', high, end)}")
        block.put("new_time", 0, code.select(changes, high, end))
        return changes

    def _next_width(self, block: Block, used: str, finite: str) -> str:
        code = self.code
        factor = rough_inverse_root(code, block.get("error"), self.method.error_order + 1)
        factor = code.op("fmul", factor, code.splat(_SAFETY))
        factor = code.larger(code.smaller(factor, code.splat(_GROW)), code.splat(_SHRINK))
        again = code.compare("ne", block.get_integers("again"), "zeroinitializer", kind=code.integers)
        # right after a rejection the estimate is little to go by: do not grow at once
        factor = code.select(again, code.smaller(factor, code.splat(1.0)), factor)
        return code.op("fmul", used, code.select(finite, factor, code.splat(_SHRINK)))

    def _why(self, block: Block, finite: str, small: str) -> str:
        """Why steps cannot be short enough, as outcome + 1."""
        code = self.code
        singular = self.stepper.singular(block)
        broken = code.select(singular, self._integers(1 + SINGULAR), self._integers(1 + NOT_FINITE), kind=code.integers)
        return code.select(finite, self._integers(1 + STEP_TOO_SMALL), broken, kind=code.integers)

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
            kept = self._field(task, "kept", PTR)
            with code.loop(0, self._field(task, "n_kept_moving", I64)) as j:
                mine = block.at_index(self._entry(kept, I64, j))
                values = [mine.get("stage", s * n) for s in range(stages)]
                for r, weights in enumerate(self.method.dense):
                    total = code.op("fmul", code.splat(weights[0]), values[0])
                    for weight, value in zip(weights[1:], values[1:], strict=True):
                        total = code.muladd(code.splat(weight), value, total)
                    mine.put("dense", r * n, total)
            bits = code.emit(f"bitcast {code.mask} {due} to i{code.width}")
            wide = code.emit(f"zext i{code.width} {bits} to i64")
            with code.loop(0, str(code.width)) as lane:
                bit = code.emit(f"and i64 {code.emit(f'lshr i64 {wide}, {lane}')}, 1")
                with code.when(code.compare("ne", bit, "0", kind=I64)):
                    code.line(f"call void @interpolate(ptr {task}, i64 {lane})")

    def _advance(self, block: Block, accepted: str) -> None:
        """The new states, where the step was taken, and their largest size so far."""
        code = self.code
        with code.loop(0, str(self.equations.moving)) as i:
            mine = block.at_index(i)
            value = code.select(accepted, mine.get("new_state"), mine.get("state"))
            mine.put("state", 0, value)
            mine.put("peak", 0, code.larger(code.intrinsic("fabs", value), mine.get("peak")))
