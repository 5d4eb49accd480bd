"""Events as code: what they evaluate, and what happens at a moment at which some are triggered or due."""

from __future__ import annotations

from exotwin.engine.kernels.emit import F64, I64, PTR, number
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.task import ENDLESS_EVENTS, INCONSISTENT, TOO_MANY_EVENTS, TaskWriter
from exotwin.engine.kernels.workspace import Block

_ENDLESS = 10_000  # executions at one moment
_INFINITY = float("inf")


def event_sizes(equations: Equations) -> dict[str, int]:
    """What a block holds for events: name -> number of vectors."""
    if not equations.events:
        return {}
    events = equations.events
    return {
        "due": 1,  # the next delayed event of a lane
        **dict.fromkeys(("random", "trouble", "executed", "slot", "best", "ties", "best_priority"), 1),
        "trigger": len(events),
        "triggered": len(events),  # the same before
        "event_delay": len(events),
        "event_priority": len(events),
        "event_value": sum(len(event.assignments) for event in events),
        "event_scale": sum(len(event.assignments) for event in events),
        "slot_due": _places(equations),
        "slot_event": _places(equations),
        "slot_value": _places(equations) * _longest(equations),
    }


def _places(equations: Equations) -> int:
    """How many events of a patient can be triggered and not yet executed: all at one moment, and many delayed ones."""
    return 32 + 2 * len(equations.events)


def _longest(equations: Equations) -> int:
    return max(len(event.assignments) for event in equations.events)


class EventWriter(TaskWriter):
    """Writes ``prepare_events`` and ``settle``, and what they call; nothing for a model without events."""

    def write(self) -> None:
        """All of them."""
        if not self.equations.events:
            return
        self._places = str(_places(self.equations))
        events = self.equations.events
        starts = [0]
        for event in events:
            starts.append(starts[-1] + len(event.assignments))
        self._first = self.code.table("event_first", starts)
        self._targets = self.code.table("event_targets", [i for event in events for i, *_ in event.assignments])
        self._persistent = self.code.table("event_persistent", [event.persistent for event in events])
        self._early = self.code.table("event_early", [event.values_of_trigger for event in events])
        self._initially = self.code.table("event_initially", [event.initially for event in events])
        self._write_triggers()
        self._write_values()
        self._write_prepare()
        self._write_trigger_all()
        self._write_choose()
        self._write_execute()
        self._write_settle()

    # what is evaluated, for all lanes

    def _write_triggers(self) -> None:
        """``triggers(block)``: truth of every trigger at the present states."""
        code, roots = self.code, [event.trigger for event in self.equations.events]
        with code.function("triggers", "void", PTR) as (pointer,):
            block = Block(code, self.workspace, pointer)
            values = self._here(block, roots)
            for e, node in enumerate(roots):
                truth = code.compare("une", values.value(node), code.splat(0.0))
                block.put_integers("trigger", code.emit(f"zext {code.mask} {truth} to {code.integers}"), e)
            code.leave()

    def _write_values(self) -> None:
        """``event_values(block)``: delays, priorities and assigned values of all events at the present states."""
        code, events = self.code, self.equations.events
        with code.function("event_values", "void", PTR) as (pointer,):
            block = Block(code, self.workspace, pointer)
            values, k = self._here(block, list(self.equations.happening)), 0
            for e, event in enumerate(events):
                delay = code.splat(0.0) if event.delay is None else values.value(event.delay)
                block.put("event_delay", e, delay)
                lowest = code.splat(-_INFINITY)
                block.put("event_priority", e, lowest if event.priority is None else values.value(event.priority))
                for _, value, scale in event.assignments:
                    block.put("event_value", k, values.value(value))
                    block.put("event_scale", k, code.splat(1.0) if scale is None else values.value(scale))
                    k += 1
            code.leave()

    # what happens, in one lane

    def _write_prepare(self) -> None:
        """``prepare_events(task, lane)``: nothing has been triggered yet."""
        code = self.code
        with code.function("prepare_events", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            for e in range(len(self.equations.events)):
                before = self._entry(self._initially, I64, e)
                code.store(I64, before, self._lane(workspace, "triggered", lane, str(e)))
            with code.loop(0, self._places) as slot:
                code.store(F64, number(_INFINITY), self._lane(workspace, "slot_due", lane, slot))
            code.store(F64, number(_INFINITY), self._lane(workspace, "due", lane))
            # a patient's random numbers depend on its place in the ensemble alone
            patient = code.load(I64, self._lane(workspace, "patient", lane))
            place = self._entry(self._field(task, "places", PTR), I64, patient)
            code.store(I64, place, self._lane(workspace, "random", lane))
            code.store(I64, "0", self._lane(workspace, "trouble", lane))
            code.leave()

    def _when(self, workspace: str, lane: str, name: str, index: str, how: str, other: str, kind: str) -> str:
        value = self.code.load(kind, self._lane(workspace, name, lane, index))
        return self.code.compare(how, value, other, kind=kind)

    def _write_trigger_all(self) -> None:
        """``trigger_all(task, lane)``: note what has been triggered, forget what is no longer wanted."""
        code = self.code
        with code.function("trigger_all", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            code.line(f"call void @triggers(ptr {workspace})")
            code.line(f"call void @event_values(ptr {workspace})")
            with code.loop(0, str(len(self.equations.events))) as e:
                now = code.load(I64, self._lane(workspace, "trigger", lane, e))
                before_at = self._lane(workspace, "triggered", lane, e)
                before = code.load(I64, before_at)
                code.store(I64, now, before_at)
                with code.when(code.compare("sgt", now, before, kind=I64)):
                    self._wait(workspace, lane, e)
                fickle = code.compare("eq", self._entry(self._persistent, I64, e), "0", kind=I64)
                over = code.compare("slt", now, before, kind=I64)
                with code.when(code.emit(f"and i1 {fickle}, {over}")), code.loop(0, self._places) as slot:
                    mine = self._when(workspace, lane, "slot_event", slot, "eq", e, I64)
                    with code.when(mine):
                        code.store(F64, number(_INFINITY), self._lane(workspace, "slot_due", lane, slot))
            code.leave()

    def _wait(self, workspace: str, lane: str, e: str) -> None:
        """Put an event that was just triggered into a free place, with the values of now if it wants these."""
        code = self.code
        free_at = self._lane(workspace, "slot", lane)
        code.store(I64, self._places, free_at)
        with code.loop(0, self._places) as slot:
            free = self._when(workspace, lane, "slot_due", slot, "oeq", number(_INFINITY), F64)
            found = code.load(I64, free_at)
            first = code.emit(f"and i1 {free}, {code.compare('eq', found, self._places, kind=I64)}")
            code.store(I64, code.select(first, slot, found, kind=I64), free_at)
        slot = code.load(I64, free_at)
        none = code.compare("eq", slot, self._places, kind=I64)
        with code.when(none):
            code.store(I64, str(TOO_MANY_EVENTS), self._lane(workspace, "trouble", lane))
        with code.when(code.emit(f"xor i1 {none}, true")):
            delay = code.load(F64, self._lane(workspace, "event_delay", lane, e))
            time = code.load(F64, self._lane(workspace, "time", lane))
            due = code.op("fadd", time, delay, kind=F64)
            code.store(F64, due, self._lane(workspace, "slot_due", lane, slot))
            code.store(I64, e, self._lane(workspace, "slot_event", lane, slot))
            first = self._entry(self._first, I64, e)
            count = code.emit(f"sub i64 {self._entry(self._first, I64, self._plus(e, 1))}, {first}")
            start = code.emit(f"mul i64 {slot}, {_longest(self.equations)}")
            with code.loop(0, count) as k:
                value = code.load(F64, self._lane(workspace, "event_value", lane, self._plus(first, k)))
                code.store(F64, value, self._lane(workspace, "slot_value", lane, self._plus(start, k)))

    def _plus(self, a: str, b: int | str) -> str:
        return self.code.emit(f"add i64 {a}, {b}")

    def _write_choose(self) -> None:
        """``choose(task, lane)``: in "best" the waiting event to execute now, or −1.

        The highest priority goes first; among equals chance decides, as the standard wants it. Where no priority is
        given, the order is free.
        """
        code = self.code
        with code.function("choose", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            best_at, ties_at, priority_at, random_at = (
                self._lane(workspace, name, lane) for name in ("best", "ties", "best_priority", "random")
            )
            code.store(I64, "-1", best_at)
            code.store(F64, number(-_INFINITY), priority_at)
            now = code.load(F64, self._lane(workspace, "time", lane))
            with (
                code.loop(0, self._places) as slot,
                code.when(self._when(workspace, lane, "slot_due", slot, "ole", now, F64)),
            ):
                event = code.load(I64, self._lane(workspace, "slot_event", lane, slot))
                priority = code.load(F64, self._lane(workspace, "event_priority", lane, event))
                best, highest = code.load(I64, best_at), code.load(F64, priority_at)
                higher = code.compare("ogt", priority, highest, kind=F64)
                better = code.emit(f"or i1 {higher}, {code.compare('slt', best, '0', kind=I64)}")
                given = code.compare("ogt", priority, number(-_INFINITY), kind=F64)
                even = code.emit(f"and i1 {given}, {code.compare('oeq', priority, highest, kind=F64)}")
                # the k-th of equals takes the place with chance 1/k, so that all have the same
                ties = code.select(better, "1", self._plus(code.load(I64, ties_at), 1), kind=I64)
                with code.when(code.emit(f"or i1 {better}, {even}")):
                    code.store(I64, ties, ties_at)
                    drawn = self._draw(random_at)
                    share = code.op("fmul", drawn, code.emit(f"sitofp i64 {ties} to double"), kind=F64)
                    lucky = code.compare("olt", share, number(1.0), kind=F64)
                    taken = code.emit(f"or i1 {better}, {lucky}")
                    code.store(I64, code.select(taken, slot, best, kind=I64), best_at)
                    code.store(F64, priority, priority_at)
            code.leave()

    def _draw(self, place: str) -> str:
        """An even random number in [0, 1): a step of a counter, well mixed (splitmix64; Steele, Lea, Flood 2014)."""
        code = self.code
        z = code.emit(f"add i64 {code.load(I64, place)}, {0x9E3779B97F4A7C15 - 2**64}")
        code.store(I64, z, place)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            z = code.emit(f"xor i64 {z}, {code.emit(f'lshr i64 {z}, {shift}')}")
            z = code.emit(f"mul i64 {z}, {factor - 2**64}")
        z = code.emit(f"xor i64 {z}, {code.emit(f'lshr i64 {z}, 31')}")
        fraction = code.emit(f"uitofp i64 {code.emit(f'lshr i64 {z}, 11')} to double")
        return code.op("fmul", fraction, number(2.0**-53), kind=F64)

    def _write_execute(self) -> None:
        """``execute(task, lane)``: do what the chosen event assigns, all at once."""
        code = self.code
        with code.function("execute", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            slot = code.load(I64, self._lane(workspace, "best", lane))
            e = code.load(I64, self._lane(workspace, "slot_event", lane, slot))
            code.store(F64, number(_INFINITY), self._lane(workspace, "slot_due", lane, slot))
            early = code.compare("ne", self._entry(self._early, I64, e), "0", kind=I64)
            first, last = self._entry(self._first, I64, e), self._entry(self._first, I64, self._plus(e, 1))
            start = code.emit(f"sub i64 {code.emit(f'mul i64 {slot}, {_longest(self.equations)}')}, {first}")
            with code.loop(first, last) as k:
                kept = code.load(F64, self._lane(workspace, "slot_value", lane, self._plus(start, k)))
                fresh = code.load(F64, self._lane(workspace, "event_value", lane, k))
                target = self._lane(workspace, "state", lane, self._entry(self._targets, I64, k))
                scale = code.load(F64, self._lane(workspace, "event_scale", lane, k))
                value = code.op("fmul", code.select(early, kept, fresh, kind=F64), scale, kind=F64)
                code.store(F64, value, target)
            code.leave()

    def _write_settle(self) -> None:
        """``settle(task, lane)``: let everything happen that is due at the present time of the lane.

        Every execution may trigger or revoke other events, so triggers are looked at anew after each.
        """
        code = self.code
        with code.function("settle", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            count_at, trouble_at = (self._lane(workspace, name, lane) for name in ("executed", "trouble"))
            code.store(I64, "0", count_at)
            with code.forever() as done:
                code.line(f"call void @trigger_all(ptr {task}, i64 {lane})")
                code.line(f"call void @choose(ptr {task}, i64 {lane})")
                chosen = code.load(I64, self._lane(workspace, "best", lane))
                code.leave_if(code.compare("slt", chosen, "0", kind=I64), done)
                code.line(f"call void @execute(ptr {task}, i64 {lane})")
                if self.equations.algebraic:
                    found = code.call("consistent", "i1", (PTR, task), (I64, lane))
                    with code.when(code.emit(f"xor i1 {found}, true")):
                        code.store(I64, str(INCONSISTENT), trouble_at)
                count = self._plus(code.load(I64, count_at), 1)
                code.store(I64, count, count_at)
                with code.when(code.compare("sgt", count, str(_ENDLESS), kind=I64)):
                    code.store(I64, str(ENDLESS_EVENTS), trouble_at)
                code.leave_if(code.compare("ne", code.load(I64, trouble_at), "0", kind=I64), done)
            self._look_ahead(workspace, lane)
            code.leave()

    def _look_ahead(self, workspace: str, lane: str) -> None:
        """The next delayed event."""
        code = self.code
        due_at = self._lane(workspace, "due", lane)
        code.store(F64, number(_INFINITY), due_at)
        with code.loop(0, self._places) as slot:
            due = code.load(F64, self._lane(workspace, "slot_due", lane, slot))
            earliest = code.load(F64, due_at)
            sooner = code.compare("olt", due, earliest, kind=F64)
            code.store(F64, code.select(sooner, due, earliest, kind=F64), due_at)
