"""Comparisons that decide about events and jumps: where one of them changes, there a step ends.

A trigger changes only where a comparison in it does, and so does a rate that is switched by time. The comparisons are
kept as bits of words for each lane, with counts of the rounds of what is periodic in them. Those of time alone are
looked at before a step: it ends right before the change, so that no step crosses a jump or leaps over a pulse. Those of
states in triggers are looked at after it, by its dense output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sized

from exotwin.engine.kernels.emit import I64, PTR
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.task import TaskWriter
from exotwin.engine.kernels.workspace import Block

_LOOKS = (0.25, 0.5, 0.75)  # where a step is looked at beside its end, since a comparison may change and change back
_FINEST = 2.0**-60  # of a step: no change is located more finely, nor more finely than numbers resolve
_BITS = 63  # comparisons in a word
_JUMPING = frozenset({"floor", "ceil", "fmod"})
# between two multiples of π, moved by so many times π, these rise or fall only
_ROUNDS = {"sin": 0.5, "cos": 0.0, "tan": 0.5}
_INFINITY = float("inf")


class Watch:
    """What is watched.

    clock : comparisons of time (and of states that only doses and events change), in triggers and rates.
        states : those in triggers that moving states take part in. Each is (LLVM's comparison, left node, right node).
        Equality is true at single moments that no look would hit, so it is watched as "less" and "more".
    counters : "clock" or "states" -> functions in these comparisons that come back to the same values, and of time also
        those that jump anywhere in rates: (operation, its arguments). Their rounds are counted, and a step ends with
        each; or a step of many rounds would begin and end alike, and what happened between would never be seen.
    probed : moving states behind ``states``.

    Where states switch rates, the error control finds the jump: a rate may keep a state right on its switch, and a step
    that ended at every change would never end.
    """

    def __init__(self, equations: Equations) -> None:
        graph, triggers = equations.graph, [event.trigger for event in equations.events]
        moves = _moving_nodes(equations)
        self.clock: list[tuple[str, int, int]] = []
        self.states: list[tuple[str, int, int]] = []
        self.counters: dict[str, list[tuple[str, tuple[int, ...]]]] = {"clock": [], "states": []}
        in_triggers = set(graph.needed(triggers))
        needed = [n for n in graph.needed([*triggers, *equations.driving]) if graph.varies[n]]
        for n in needed:
            operation, *arguments = graph.nodes[n]
            if operation in ("lt", "le", "eq", "ne") and (n not in moves or n in in_triggers):
                for how in {"lt": ("olt",), "le": ("ole",)}.get(operation, ("olt", "ogt")):
                    (self.states if n in moves else self.clock).append((how, arguments[0], arguments[1]))
        compared = set(graph.needed(n for _, *pair in (*self.clock, *self.states) for n in pair))
        for n in needed:
            operation, *arguments = graph.nodes[n]
            comes_back = operation in _JUMPING or operation in _ROUNDS
            name = "states" if n in moves else "clock"
            if (comes_back and n in compared) or (operation in _JUMPING and n not in moves):
                self.counters[name].append((operation, tuple(arguments)))
        behind = graph.leaves([n for _, *pair in self.states for n in pair], "state")
        self.probed = sorted(i for i in behind if i < equations.moving)

    @property
    def words(self) -> dict[str, int]:
        """What is watched, as the number of words that a lane keeps of it; without what there is none of."""
        words = {
            name: _words(comparisons) + len(self.counters[name])
            for name, comparisons in (("clock", self.clock), ("states", self.states))
        }
        return {name: count for name, count in words.items() if count}


def _moving_nodes(equations: Equations) -> set[int]:
    """Nodes that depend on moving states."""
    graph, found = equations.graph, set[int]()
    for n, node in enumerate(graph.nodes):
        if (node[0] == "state" and node[1] < equations.moving) or any(a in found for a in graph.arguments(n)):
            found.add(n)
    return found


def watch_sizes(equations: Equations) -> dict[str, int]:
    """What a block holds for watching: name -> number of vectors."""
    watch = Watch(equations)
    sizes = {name: 1 for name in ("low", "high", "look") if watch.words}
    for name, words in watch.words.items():
        # as it is at the start of the step, and where it is looked at
        sizes |= {f"{name}_before": words, f"{name}_seen": words}
    return {**sizes, "probe": len(watch.probed), "probe_dense": 3 * len(watch.probed)}


def _words(comparisons: Sized) -> int:
    return -(-len(comparisons) // _BITS)


class WatchWriter(TaskWriter):
    """Writes ``foresee``, ``locate``, ``end_at_change`` and ``remember``, as far as there is something to watch."""

    def write(self) -> None:
        """All of them."""
        self._watch = Watch(self.equations)
        if "clock" in self._watch.words:
            self._write_look("clock", self._watch.clock)
            self._write_foresee()
        if "states" in self._watch.words:
            self._write_look("states", self._watch.states)
            self._write_locate()
            self._write_end_at_change()
        if self._watch.words:
            self._write_remember()

    def _write_look(self, name: str, atoms: list[tuple[str, int, int]]) -> None:
        """``look_at_…(block)``: words of the comparisons, and of rounds, for "probe" at the time "look"."""
        code, moving, counters = self.code, self.equations.moving, self._watch.counters[name]
        slot = {state: r for r, state in enumerate(self._watch.probed)}
        with code.function(f"look_at_{name}", "void", PTR) as (pointer,):
            block = Block(code, self.workspace, pointer)

            def state(i: int) -> str:
                return block.get("probe", slot[i]) if i < moving else block.get("state", i)

            roots = [*(n for _, *pair in atoms for n in pair), *(n for _, arguments in counters for n in arguments)]
            values = self._expressions(block, roots, state, block.get("look"))
            for word in range(_words(atoms)):
                bits = "zeroinitializer"
                for bit, (how, a, b) in enumerate(atoms[word * _BITS : (word + 1) * _BITS]):
                    truth = code.compare(how, values.value(a), values.value(b))
                    wide = code.emit(f"zext {code.mask} {truth} to {code.integers}")
                    moved = code.emit(f"shl {code.integers} {wide}, splat (i64 {bit})")
                    bits = code.emit(f"or {code.integers} {bits}, {moved}")
                block.put_integers(f"{name}_seen", bits, word)
            for word, (operation, arguments) in enumerate(counters, _words(atoms)):
                block.put(f"{name}_seen", word, self._rounds(operation, *map(values.value, arguments)))
            code.leave()

    def _rounds(self, operation: str, x: str, divisor: str = "") -> str:
        """How many rounds a function has made: a whole number, and never the zero below zero."""
        code = self.code
        if operation == "fmod":
            rest = code.lane_by_lane("fmod", x, divisor)
            x, operation = code.op("fdiv", code.op("fsub", x, rest), divisor), "round"
        elif operation in _ROUNDS:
            x, operation = code.muladd(x, code.splat(1 / math.pi), code.splat(_ROUNDS[operation])), "floor"
        return code.op("fadd", code.intrinsic(operation, x), code.splat(0.0))

    def _write_foresee(self) -> None:
        """``foresee(block)``: where in the step that is planned a comparison of time changes.

        In "high" the first time after the change, infinity where there is none; in "low" the last time before.
        """
        code = self.code

        def changed(block: Block, time: str) -> str:
            return self._changed(block, "clock", time)

        with code.function("foresee", "void", PTR) as (pointer,):
            block = Block(code, self.workspace, pointer)
            self._search(block, changed, changed)
            code.leave()

    def _write_locate(self) -> None:
        """``locate(block)``: the same for comparisons of states, in the step just made, whose dense output it takes."""
        code = self.code

        def changed(block: Block, time: str) -> str:
            theta = self._share(block, time)
            for r, i in enumerate(self._watch.probed):
                dense = [block.get("probe_dense", 3 * r + row) for row in range(3)]
                block.put("probe", r, self._within(theta, block.get("state", i), block.get("new_state", i), dense))
            return self._changed(block, "states", time)

        def changed_at_end(block: Block, time: str) -> str:
            for r, i in enumerate(self._watch.probed):
                block.put("probe", r, block.get("new_state", i))
            return self._changed(block, "states", time)

        with code.function("locate", "void", PTR) as (pointer,):
            block, n = Block(code, self.workspace, pointer), self.equations.moving
            for r, i in enumerate(self._watch.probed):
                increments = [block.get("stage", s * n + i) for s in range(self.method.stages)]
                for row, total in enumerate(self._dense(increments)):
                    block.put("probe_dense", 3 * r + row, total)
            self._search(block, changed, changed_at_end)
            code.leave()

    def _changed(self, block: Block, name: str, time: str) -> str:
        """Mask of lanes in which what is watched differs at that time from the start of the step."""
        code, different = self.code, "zeroinitializer"
        block.put("look", 0, time)
        code.line(f"call void @look_at_{name}(ptr {block.pointer})")
        for word in range(self._watch.words[name]):
            before, after = block.get_integers(f"{name}_before", word), block.get_integers(f"{name}_seen", word)
            changed = code.emit(f"xor {code.integers} {before}, {after}")
            different = code.emit(f"or {code.integers} {different}, {changed}")
        return code.compare("ne", different, "zeroinitializer", kind=code.integers)

    def _search(
        self, block: Block, changed: Callable[[Block, str], str], changed_at_end: Callable[[Block, str], str]
    ) -> None:
        """Find low and high between "time" and "new_time": a few looks in the order of time, then halving."""
        code, begin, end = self.code, block.get("time"), block.get("new_time")
        width = code.op("fsub", end, begin)
        block.put("low", 0, begin)
        block.put("high", 0, code.splat(_INFINITY))
        for share in _LOOKS:
            time = code.muladd(code.splat(share), width, begin)
            self._narrow(block, time, changed(block, time))
        self._narrow(block, end, changed_at_end(block, end))
        least, zero = code.op("fmul", width, code.splat(_FINEST)), code.splat(0.0)
        with code.forever() as done:
            low, high = block.get("low"), block.get("high")
            gap = code.op("fsub", high, low)
            middle = code.muladd(code.splat(0.5), gap, low)
            # numbers lie so close together around zero that halving would end before it
            around = code.emit(f"and {code.mask} {code.compare('olt', low, zero)}, {code.compare('ogt', high, zero)}")
            middle = code.select(around, zero, middle)
            above, below = code.compare("ogt", middle, low), code.compare("olt", middle, high)
            found = code.compare("olt", high, code.splat(_INFINITY))
            wide = code.emit(f"and {code.mask} {code.compare('ogt', gap, least)}, {found}")
            active = code.emit(f"and {code.mask} {wide}, {code.emit(f'and {code.mask} {above}, {below}')}")
            code.leave_if(code.emit(f"xor i1 {code.any(active)}, true"), done)
            different = changed(block, middle)
            earlier = code.emit(f"and {code.mask} {active}, {different}")
            later = code.select(different, "zeroinitializer", active, kind=code.mask)
            block.put("high", 0, code.select(earlier, middle, high))
            block.put("low", 0, code.select(later, middle, low))

    def _narrow(self, block: Block, time: str, changed: str) -> None:
        code, low, high = self.code, block.get("low"), block.get("high")
        searching = code.compare("oeq", high, code.splat(_INFINITY))
        found = code.emit(f"and {code.mask} {searching}, {changed}")
        passed = code.select(changed, "zeroinitializer", searching, kind=code.mask)
        block.put("high", 0, code.select(found, time, high))
        block.put("low", 0, code.select(passed, time, low))

    def _write_end_at_change(self) -> None:
        """``end_at_change(block)``: "new_state" becomes the state at "high", in lanes where that lies in the step.

        It is that of dense output, at which the comparisons were seen to have changed. A step of that width would be a
        little more exact, but end on either side of the change, and be one attempt more.
        """
        code, n = self.code, self.equations.moving
        with code.function("end_at_change", "void", PTR) as (pointer,):
            block = Block(code, self.workspace, pointer)
            theta = self._share(block, block.get("high"))
            inside = code.compare("olt", theta, code.splat(1.0))
            with code.loop(0, str(n)) as i:
                mine = block.at_index(i)
                new = mine.get("new_state")
                dense = self._dense([mine.get("stage", s * n) for s in range(self.method.stages)])
                value = self._within(theta, mine.get("state"), new, dense)
                mine.put("new_state", 0, code.select(inside, value, new))
            code.leave()

    def _dense(self, increments: list[str]) -> list[str]:
        code, totals = self.code, []
        for weights in self.method.dense:
            total = code.splat(0.0)
            for weight, increment in zip(weights, increments, strict=True):
                total = code.muladd(code.splat(weight), increment, total)
            totals.append(total)
        return totals

    def _share(self, block: Block, time: str) -> str:
        code = self.code
        return code.op("fdiv", code.op("fsub", time, block.get("time")), block.get("used"))

    def _within(self, theta: str, old: str, new: str, dense: list[str]) -> str:
        """Dense output; the same operations wherever it is asked for, so that a change that was seen is there."""
        code, rest = self.code, self.code.op("fsub", self.code.splat(1.0), theta)
        bend = code.muladd(theta, code.muladd(theta, dense[2], dense[1]), dense[0])
        return code.muladd(theta, code.muladd(rest, bend, new), code.op("fmul", rest, old))

    def _write_remember(self) -> None:
        """``remember(task, lane)``: the comparisons as they stand now, at the start of the next step."""
        code, watch = self.code, self._watch
        with code.function("remember", "void", PTR, I64) as (task, lane):
            workspace = self._field(task, "workspace", PTR)
            block = Block(code, self.workspace, workspace)
            for r, i in enumerate(watch.probed):
                block.put("probe", r, block.get("state", i))
            block.put("look", 0, block.get("time"))
            for name, words in watch.words.items():
                code.line(f"call void @look_at_{name}(ptr {workspace})")
                for word in range(words):
                    seen = code.load(I64, self._lane(workspace, f"{name}_seen", lane, str(word)))
                    code.store(I64, seen, self._lane(workspace, f"{name}_before", lane, str(word)))
            code.leave()
