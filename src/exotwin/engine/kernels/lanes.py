"""What one lane does between steps: record, take a dose, leave, let the next patient in."""

from __future__ import annotations

from exotwin.engine.kernels.emit import F64, I64, PTR, number
from exotwin.engine.kernels.task import INCONSISTENT, OK, TaskWriter
from exotwin.engine.kernels.watch import Watch


class LaneWriter(TaskWriter):
    """Writes the functions of a single lane. Each is given the task and the lane's number."""

    def write(self) -> None:
        """All of them."""
        self._write_record()
        self._write_interpolate()
        self._write_arrive()
        self._write_pause()
        self._write_admit()
        self._write_dismiss()
        self._write_attend()

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
            begin, end, width = (code.load(F64, self._lane(outer, name, lane)) for name in ("time", "new_time", "used"))
            held = code.compare("ne", code.load(I64, self._lane(outer, "held", lane)), "0", kind=I64)
            with code.forever() as done:
                now = code.load(F64, self._lane(outer, "next_output", lane))
                code.leave_if(code.compare("ogt", now, end, kind=F64), done)
                # what is asked for at the end of the step is recorded after the doses and events there
                at_end = code.emit(f"and i1 {held}, {code.compare('oeq', now, end, kind=F64)}")
                code.leave_if(at_end, done)
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
        """``arrive(task, lane)``: the lane stands at a stop; give its doses, and aim at the next stop."""
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
            code.store(I64, following, self._lane(workspace, "stop_index", lane))
            # behind the last stop stands infinity, read but never used
            stop, until = self._entry(self._field(task, "stops", PTR), F64, following), self._until(task, patient)
            earlier = code.select(code.compare("olt", until, stop, kind=F64), until, stop, kind=F64)
            code.store(F64, earlier, self._lane(workspace, "stop", lane))
            code.leave()

    def _until(self, task: str, patient: str) -> str:
        """When a patient's run ends, if not with the last stop."""
        return self._entry(self._field(task, "until", PTR), F64, patient)

    def _write_pause(self) -> None:
        """``pause(task, lane)``: the lane stands at a stop or event; do what is due and record. Gives the outcome."""
        code = self.code
        with code.function("pause", I64, PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            now = code.load(F64, self._lane(workspace, "time", lane))
            following = code.load(I64, self._lane(workspace, "stop_index", lane))
            stop = self._entry(self._field(task, "stops", PTR), F64, following)
            code.store(I64, "1", self._lane(workspace, "fresh", lane))
            with code.when(code.compare("oeq", now, stop, kind=F64)):
                code.line(f"call void @arrive(ptr {task}, i64 {lane})")
            if self.equations.algebraic:
                found = code.call("consistent", "i1", (PTR, task), (I64, lane))
                with code.when(code.emit(f"xor i1 {found}, true")):
                    code.leave(I64, str(INCONSISTENT))
                    code.begin(code.label())
            if self.equations.events:
                code.line(f"call void @settle(ptr {task}, i64 {lane})")
                trouble = code.load(I64, self._lane(workspace, "trouble", lane))
                with code.when(code.compare("ne", trouble, "0", kind=I64)):
                    code.leave(I64, trouble)
                    code.begin(code.label())
            if Watch(self.equations).words:
                code.line(f"call void @remember(ptr {task}, i64 {lane})")
            with code.loop(0, str(self.equations.moving)) as state:
                size = code.intrinsic("fabs", code.load(F64, self._lane(workspace, "state", lane, state)), kind=F64)
                place = self._lane(workspace, "peak", lane, state)
                peak = code.load(F64, place)
                code.store(F64, code.select(code.compare("ogt", size, peak, kind=F64), size, peak, kind=F64), place)
            with code.forever() as done:
                due = code.load(F64, self._lane(workspace, "next_output", lane))
                code.leave_if(code.compare("une", due, now, kind=F64), done)
                code.line(f"call void @record(ptr {task}, i64 {lane})")
            code.leave(I64, str(OK))

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
                for name in ("inflow", "peak", *self.stepper.memory):
                    code.store(F64, number(0.0), self._lane(workspace, name, lane, i))
            for name in ("stop_index", "output_index", "steps", "rejected", "again", "forced"):
                code.store(I64, "0", self._lane(workspace, name, lane))
            code.store(I64, patient, self._lane(workspace, "patient", lane))
            code.store(I64, "1", self._lane(workspace, "attend", lane))
            start = self._entry(self._field(task, "stops", PTR), F64, "0")
            code.store(F64, start, self._lane(workspace, "time", lane))
            code.store(F64, start, self._lane(workspace, "stop", lane))
            self._set_next_output(task, workspace, lane, "0")
            if equations.events:
                code.line(f"call void @prepare_events(ptr {task}, i64 {lane})")
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
            with code.when(code.compare("slt", first, self._field(task, "n_times", I64), kind=I64)):
                with code.loop(0, self._field(task, "n_kept", I64)) as j:
                    state = self._entry(self._field(task, "kept", PTR), I64, j)
                    code.store(F64, number(float("nan")), self._lane(workspace, "state", lane, state))
                with code.loop(first, self._field(task, "n_times", I64)):
                    code.line(f"call void @record(ptr {task}, i64 {lane})")
            code.store(I64, "-1", self._lane(workspace, "patient", lane))
            code.leave()

    def _write_attend(self) -> None:
        """``attend(task, lane)``: the lane has reached a stop, has failed or is empty; see that it has work again.

        The lane's ``attend`` holds 1 + outcome; OK if the patient stands at a stop or an event.
        """
        code = self.code
        with code.function("attend", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            queue = code.at(workspace, self.workspace.place("queue"))
            attend = self._lane(workspace, "attend", lane)
            with code.forever() as done:
                patient = code.load(I64, self._lane(workspace, "patient", lane))
                with code.when(code.compare("sge", patient, "0", kind=I64)):
                    with code.when(code.compare("eq", code.load(I64, attend), str(1 + OK), kind=I64)):
                        paused = code.call("pause", I64, (PTR, task), (I64, lane))
                        code.store(I64, code.emit(f"add i64 {paused}, 1"), attend)
                    outcome = code.emit(f"sub i64 {code.load(I64, attend)}, 1")
                    fine = code.compare("eq", outcome, str(OK), kind=I64)
                    stop = code.load(I64, self._lane(workspace, "stop_index", lane))
                    goes_on = code.compare("slt", stop, self._field(task, "n_stops", I64), kind=I64)
                    now = code.load(F64, self._lane(workspace, "time", lane))
                    early = code.compare("olt", now, self._until(task, patient), kind=F64)
                    goes_on = code.emit(f"and i1 {goes_on}, {early}")
                    code.leave_if(code.emit(f"and i1 {fine}, {goes_on}"), done)
                    code.line(f"call void @dismiss(ptr {task}, i64 {lane}, i64 {outcome})")
                following = code.load(I64, queue)
                code.leave_if(code.compare("sge", following, self._field(task, "patients", I64), kind=I64), done)
                code.store(I64, code.emit(f"add i64 {following}, 1"), queue)
                code.line(f"call void @admit(ptr {task}, i64 {lane}, i64 {following})")
            code.leave()
