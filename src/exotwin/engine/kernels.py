"""One Rosenbrock step of a block of lanes as straight-line vector code, and the functions around it.

A block holds `width` virtual patients, one a lane. Each stage is written out: linear combination of earlier stages (a
short loop over states), right-hand side, the two triangular solves. Everything that outlives a stage stands in the
block's workspace, at offsets known when the code is written; so each stage is a function of its own, small enough for
LLVM to compile fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from exotwin.engine.emit import Code
from exotwin.engine.equations import Equations
from exotwin.engine.expressions import Expressions
from exotwin.engine.sparse import factor_pattern, one_way_entries
from exotwin.engine.tableaux import Rosenbrock


class Workspace:
    """Places in the memory of a block, in bytes from its start; every place holds whole vectors of 8-byte numbers."""

    def __init__(self, width: int, sizes: Mapping[str, int]) -> None:
        self.vector_bytes, self.size, self._start = 8 * width, 0, {}
        for name, count in sizes.items():
            self._start[name] = self.size
            self.size += count * self.vector_bytes

    def place(self, name: str, index: int = 0) -> int:
        """Where the vector stands."""
        return self._start[name] + index * self.vector_bytes


def block_sizes(equations: Equations, method: Rosenbrock) -> dict[str, int]:
    """What a block holds: name -> number of vectors."""
    n, (_, step_rows) = equations.moving, equations.rows()
    pattern = factor_pattern(n, equations.jacobian)
    return {
        # of each lane: times, step widths (proposed, used, to its stop), error, bookkeeping of the driver
        **dict.fromkeys(("time", "width", "used", "stop", "new_time", "next_output", "error", "inverse_width"), 1),
        "queue": 1,  # the next patient that waits for a lane
        **dict.fromkeys(
            ("patient", "stop_index", "output_index", "steps", "rejected", "fresh", "attend", "again", "forced"), 1
        ),
        "state": equations.n_states,
        "new_state": n,
        "inflow": n,  # infusions under way
        "peak": n,  # largest size that the state has had
        "tolerance": n,  # absolute
        "row": step_rows,
        "stage": n * method.stages,
        "combined": n,
        "lower": sum(len(row) for row in pattern.lower),
        "upper": sum(len(row) for row in pattern.upper),
        "pivot": n,
        "inherited": n,  # error from the states that move it
        "slope": len(_with_slope(equations)),
        "dense": 3 * n,
    }


class Block:
    """Reads and writes the workspace from within one function."""

    def __init__(self, code: Code, workspace: Workspace, pointer: str) -> None:
        self.code, self.workspace, self.pointer = code, workspace, pointer

    def get(self, name: str, index: int = 0) -> str:
        """The vector at a place."""
        return self.code.load(self.code.vector, self.code.at(self.pointer, self.workspace.place(name, index)))

    def put(self, name: str, index: int, value: str) -> None:
        """Write the vector at a place."""
        self.code.store(self.code.vector, value, self.code.at(self.pointer, self.workspace.place(name, index)))

    def at_index(self, index: str) -> Block:
        """The same places, ``index`` vectors further on."""
        moved = self.code.at(self.pointer, index, unit=self.workspace.vector_bytes)
        return Block(self.code, self.workspace, moved)

    def get_integers(self, name: str) -> str:
        """The vector of integers at a place."""
        return self.code.load(self.code.integers, self.code.at(self.pointer, self.workspace.place(name)))

    def put_integers(self, name: str, value: str) -> None:
        """Write the vector of integers at a place."""
        self.code.store(self.code.integers, value, self.code.at(self.pointer, self.workspace.place(name)))


class StepWriter:
    """Writes the functions of one step: ``stage_1`` … ``stage_s``, ``error`` and ``first_width``."""

    def __init__(self, code: Code, equations: Equations, method: Rosenbrock, workspace: Workspace) -> None:
        self.code, self.equations, self.method, self.workspace = code, equations, method, workspace
        self._pattern = factor_pattern(equations.moving, equations.jacobian)
        rows, step_rows = equations.rows()
        self._row = {node: i for i, node in enumerate(rows[:step_rows])}
        self._leaf = {n: node for n, node in enumerate(equations.graph.nodes) if node[0] in ("state", "time")}
        self._downstream = one_way_entries(equations.moving, equations.jacobian)
        self._slope = _with_slope(equations)
        self._lower_place = _numbering(self._pattern.lower)
        self._upper_place = _numbering(self._pattern.upper)

    def write(self) -> None:
        """All functions of a step."""
        for stage in range(self.method.stages):
            with self.code.function(f"stage_{stage + 1}", "void", "ptr", "double", "double") as (pointer, rtol, fade):
                self._stage(Block(self.code, self.workspace, pointer), stage, rtol, fade)
                self.code.leave()
        with self.code.function("error", "void", "ptr", "double", "double") as (pointer, rtol, fade):
            self._error(Block(self.code, self.workspace, pointer), rtol, fade)
            self.code.leave()
        with self.code.function("first_width", "void", "ptr", "double", "double") as (pointer, rtol, fade):
            self._first_width(Block(self.code, self.workspace, pointer), rtol, fade)
            self.code.leave()

    def _expressions(self, block: Block, roots: Iterable[int], *, place: str, time: str) -> Expressions:
        """Expressions whose moving states stand at ``place``, evaluated at ``time``."""
        moving = self.equations.moving

        def load(node: int) -> str:
            if node in self._row:
                return block.get("row", self._row[node])
            kind, *index = self._leaf[node]
            if kind == "time":
                return time
            return block.get(place if index[0] < moving else "state", index[0])

        return Expressions(
            self.code, self.equations.graph, roots, stored=self._row.keys() | self._leaf.keys(), load=load
        )

    def _stage(self, block: Block, stage: int, rtol: str, fade: str) -> None:
        code, method, equations = self.code, self.method, self.equations
        n = equations.moving
        if stage:
            self._combine(block, stage)
        width = block.get("used")
        if stage == 0:
            inverse = code.op("fdiv", code.splat(1.0), width)
            block.put("inverse_width", 0, inverse)
        else:
            inverse = block.get("inverse_width")
        time = code.muladd(code.splat(method.c[stage]), width, block.get("time"))
        roots = equations.driving if stage == 0 else equations.rates
        expressions = self._expressions(block, roots, place="new_state" if stage else "state", time=time)
        if stage == 0:
            self._factorise(block, expressions, inverse, rtol, fade)
        right: list[str] = []
        for i in range(n):
            value = code.op("fadd", expressions.value(equations.rates[i]), block.get("inflow", i))
            if stage:
                value = code.muladd(block.get("combined", i), inverse, value)
            if i in self._slope:
                if stage == 0:
                    # of all stages: the derivative at the start of the step
                    block.put(
                        "slope", self._slope[i], code.op("fmul", expressions.value(equations.time_derivative[i]), width)
                    )
                if method.d[stage]:
                    value = code.muladd(block.get("slope", self._slope[i]), code.splat(method.d[stage]), value)
            for j in self._pattern.lower[i]:
                value = code.muladd(code.neg(block.get("lower", self._lower_place[i, j])), right[j], value)
            right.append(value)
        result: dict[int, str] = {}
        for i in reversed(range(n)):
            value = right[i]
            for j in self._pattern.upper[i]:
                value = code.muladd(code.neg(block.get("upper", self._upper_place[i, j])), result[j], value)
            result[i] = code.op("fmul", value, block.get("pivot", i))
            block.put("stage", stage * n + i, result[i])

    def _combine(self, block: Block, stage: int) -> None:
        """Where the stage is evaluated, and what earlier stages add to its right-hand side."""
        code, n = self.code, self.equations.moving
        a, weights = self.method.a[stage], self.method.C[stage]
        # the last stages start where the one before them did, one stage further: one addition instead of a sum
        further = stage >= 2 and a == (*self.method.a[stage - 1], 1.0)
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            point = mine.get("new_state" if further else "state")
            total = ""
            for j in range(stage):
                earlier = mine.get("stage", j * n)
                if not further:
                    point = code.muladd(code.splat(a[j]), earlier, point)
                elif j == stage - 1:
                    point = code.op("fadd", point, earlier)
                weight = code.splat(weights[j])
                total = code.muladd(weight, earlier, total) if total else code.op("fmul", weight, earlier)
            mine.put("new_state", 0, point)
            mine.put("combined", 0, total)

    def _factorise(self, block: Block, expressions: Expressions, inverse_width: str, rtol: str, fade: str) -> None:
        """L and U of I/(hγ) − J, row by row; pivots are kept inverted. Beside them the error that states inherit."""
        code, equations = self.code, self.equations
        diagonal = code.op("fmul", inverse_width, code.splat(1 / self.method.gamma))
        longest = code.op("fmul", block.get("used"), code.splat(self.method.gamma))
        uncertain = self._uncertainties(block, rtol, fade)
        for i in range(equations.moving):
            row: dict[int, str] = {}
            inherited = code.op("fmul", code.splat(0.0), longest)
            for j in (*self._pattern.lower[i], i, *self._pattern.upper[i]):
                node = equations.jacobian.get((i, j))
                if node is not None:
                    value = expressions.value(node)
                    row[j] = code.op("fsub", diagonal, value) if i == j else code.neg(value)
                    inherited = code.muladd(code.intrinsic("fabs", value), uncertain(j, i), inherited)
            row.setdefault(i, diagonal)
            for k in self._pattern.lower[i]:
                factor = code.op("fmul", row[k], block.get("pivot", k))
                block.put("lower", self._lower_place[i, k], factor)
                for j in self._pattern.upper[k]:
                    above = block.get("upper", self._upper_place[k, j])
                    minus = code.neg(factor)
                    row[j] = code.muladd(minus, above, row[j]) if j in row else code.op("fmul", minus, above)
            for j in self._pattern.upper[i]:
                block.put("upper", self._upper_place[i, j], row[j])
            pivot = code.op("fdiv", code.splat(1.0), row[i])
            block.put("pivot", i, pivot)
            reach = code.smaller(code.intrinsic("fabs", pivot), longest)
            block.put("inherited", i, code.op("fmul", inherited, reach))

    def _uncertainties(self, block: Block, rtol: str, fade: str) -> Callable[[int, int], str]:
        """How exactly state j is known where it moves state i.

        No state can be more exact than what flows into it, however short the steps. Rounding limits every flow. Where
        the tolerance goes by size alone, the share ``fade`` of the error allowed upstream counts as well, or a state
        that is zero because large flows cancel would be asked for digits that nobody has. What was inherited (in this
        step, or the last one for states whose turn is still to come) is handed on, but never around a loop, where it
        would grow without end.
        """
        code = self.code
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        by_size = code.op("fmul", rtol, fade)

        def uncertain(j: int, i: int) -> str:
            size = code.intrinsic("fabs", block.get("state", j))
            rounding = code.op("fmul", size, code.splat(_ROUNDING))
            if j == i:
                return rounding
            own = code.muladd(by_size, code.larger(size, code.op("fmul", fade, block.get("peak", j))), rounding)
            return code.op("fadd", own, block.get("inherited", j)) if (i, j) in self._downstream else own

        return uncertain

    def _scale(self, block: Block, i: int, size: str, rtol: str, fade: str) -> str:
        """Error that one step may make in a state: rtol · max(|y|, fade · peak) + absolute tolerance."""
        size = self.code.larger(size, self.code.op("fmul", fade, block.get("peak", i)))
        return self.code.muladd(rtol, size, block.get("tolerance", i))

    def _mean_square(self, terms: list[str]) -> str:
        code, total = self.code, self.code.splat(0.0)
        for term in terms:
            total = code.muladd(term, term, total)
        return code.intrinsic("sqrt", code.op("fmul", total, code.splat(1 / max(len(terms), 1))))

    def _error(self, block: Block, rtol: str, fade: str) -> None:
        """New states, and the error of the step: root mean square over states of error / allowed error."""
        code, n, last = self.code, self.equations.moving, self.method.stages - 1
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        terms = []
        for i in range(n):
            error = block.get("stage", last * n + i)
            new = code.op("fadd", block.get("new_state", i), error)
            block.put("new_state", i, new)
            size = code.larger(code.intrinsic("fabs", block.get("state", i)), code.intrinsic("fabs", new))
            scale = code.op("fadd", self._scale(block, i, size, rtol, fade), block.get("inherited", i))
            terms.append(code.op("fdiv", error, scale))
        block.put("error", 0, self._mean_square(terms))

    def _first_width(self, block: Block, rtol: str, fade: str) -> None:
        """A first step width for lanes that start anew (Hairer, Nørsett, Wanner, Solving ODEs I, II.4), in ``used``.

        States that are zero have no size to compare their rate with where the tolerance goes by size; they are left
        to the error control of the first step.
        """
        code, n, equations = self.code, self.equations.moving, self.equations
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        time, zero = block.get("time"), code.splat(0.0)
        expressions = self._expressions(block, equations.rates, place="state", time=time)
        sizes, slopes, weights, rates = [], [], [], []
        for i in range(n):
            rate = code.op("fadd", expressions.value(equations.rates[i]), block.get("inflow", i))
            size = code.intrinsic("fabs", block.get("state", i))
            scale = self._scale(block, i, size, rtol, fade)
            weight = code.op("fdiv", code.splat(1.0), scale)
            weight = code.select(code.compare("ogt", scale, code.splat(NO_SIZE * 1e3)), weight, zero)
            rates.append(rate)
            weights.append(weight)
            sizes.append(code.op("fmul", size, weight))
            slopes.append(code.op("fmul", rate, weight))
        size, slope = self._mean_square(sizes), self._mean_square(slopes)
        span = code.op("fsub", block.get("stop"), time)
        fallback = code.op("fmul", span, code.splat(1e-6))
        width = code.op("fdiv", code.op("fmul", size, code.splat(0.01)), slope)
        has_size, has_slope = (code.compare("ogt", value, code.splat(1e-5)) for value in (size, slope))
        usable = code.emit(f"and {code.mask} {has_size}, {has_slope}")
        width = code.select(usable, width, fallback)
        for i in range(n):
            block.put("new_state", i, code.muladd(width, rates[i], block.get("state", i)))
        later = self._expressions(block, equations.rates, place="new_state", time=code.op("fadd", time, width))
        bends = []
        for i in range(n):
            rate = code.op("fadd", later.value(equations.rates[i]), block.get("inflow", i))
            bends.append(code.op("fmul", code.op("fsub", rate, rates[i]), weights[i]))
        bend = code.larger(slope, code.op("fdiv", self._mean_square(bends), width))
        power = code.splat(-1.0 / (self.method.error_order + 1))
        longer = code.call(
            "vector_pow", code.vector, (code.vector, code.op("fmul", bend, code.splat(100.0))), (code.vector, power)
        )
        longer = code.select(
            code.compare("ogt", bend, code.splat(1e-15)), longer, code.op("fmul", span, code.splat(1e-3))
        )
        width = code.smaller(longer, code.op("fmul", width, code.splat(100.0)))
        # a rate that is not finite leaves no width to choose: the first step fails and tells why
        width = code.select(code.compare("ogt", width, zero), width, fallback)
        block.put("used", 0, code.smaller(width, span))


_ROUNDING = 1e-13  # relative; some hundred roundings meet in a step, with weights up to a hundred

NO_SIZE = 1e-30
"""Absolute tolerance of a state whose tolerance goes by its size alone. Not zero: what has just begun to rise along a
chain of states grows like a power of time, and no step is short enough to follow that from nothing."""


def _with_slope(equations: Equations) -> dict[int, int]:
    """States in whose rates time shows -> their place among these."""
    found = [i for i, node in enumerate(equations.time_derivative) if not equations.graph.is_zero(node)]
    return {i: k for k, i in enumerate(found)}


def _numbering(rows: tuple[tuple[int, ...], ...]) -> dict[tuple[int, int], int]:
    places = [(i, j) for i, row in enumerate(rows) for j in row]
    return {place: k for k, place in enumerate(places)}
