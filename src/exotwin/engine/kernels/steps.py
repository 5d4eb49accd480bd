"""What all one-step methods share as code: where states stand, what error is allowed, how wide the first step is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from exotwin.engine.kernels.chunks import Access, Chunks
from exotwin.engine.kernels.emit import I64, PTR, Code
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.expressions import Expressions
from exotwin.engine.kernels.workspace import Block, Workspace

NO_SIZE = 1e-30
"""Absolute tolerance of a state whose tolerance goes by its size alone. Not zero: what has just begun to rise along a
chain of states grows like a power of time, and no step is short enough to follow that from nothing."""


class Method(Protocol):
    """What the driver knows of a method.

    dense : (3, stage), weights of the stages' increments k_j in the solution between the ends of the step,
        y(t + θh) = (1−θ) y + θ (y_new + (1−θ)(D_1 + θ (D_2 + θ D_3))) with D_r = Σ_j dense[r][j] k_j, 0 <= θ <= 1.
    error_order : of the embedded solution; the error of a step goes like its width to this power plus one.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def stages(self) -> int: ...  # noqa: D102

    @property
    def dense(self) -> tuple[tuple[float, ...], ...]: ...  # noqa: D102

    @property
    def error_order(self) -> int: ...  # noqa: D102


def lane_sizes(equations: Equations) -> dict[str, int]:
    """What a block holds whatever the method: name -> number of vectors."""
    n, (_, step_rows) = equations.moving, equations.rows()
    return {
        # of each lane: times, step widths (proposed, used), the next stop, error, bookkeeping
        **dict.fromkeys(("time", "width", "used", "stop", "new_time", "next_output", "error"), 1),
        "queue": 1,  # the next patient that waits for a lane
        **dict.fromkeys(
            (
                "patient",
                "stop_index",
                "output_index",
                "steps",
                "rejected",
                "fresh",
                "attend",
                "held",
                "again",
                "forced",
            ),
            1,
        ),
        "state": equations.n_states,
        "new_state": n,
        "inflow": n,  # infusions under way
        "peak": n,  # largest size that the state has had
        "tolerance": n,  # absolute
        "row": step_rows,
        "dense": 3 * n,
    }


class Stepper(ABC):
    """A method as code for one system of equations.

    It writes two functions, ``attempt(block, rtol, fade)`` and ``first_width(block, rtol, fade)``. An attempt starts
    from "state" and "time" with the step width "used"; it leaves the new moving states in "new_state", the increments
    that dense output is made of in "stage" (stage after stage, a vector for each moving state), and error / allowed
    error of the step in "error".

    row_of, leaves : nodes that stand in memory: those known for each patient, with their row, and states and time.
    memory : names of vectors for each moving state that a step leaves for the next; zero for a new patient.
    """

    memory: tuple[str, ...] = ()

    def __init__(self, equations: Equations, method: Method) -> None:
        self.equations, self.method = equations, method
        rows, step_rows = equations.rows()
        self.row_of = {node: i for i, node in enumerate(rows[:step_rows])}
        self.leaves = {n: node for n, node in enumerate(equations.graph.nodes) if node[0] in ("state", "time")}
        stored = self.row_of.keys() | self.leaves.keys()
        self._right = Chunks(equations.graph, equations.rates, stored=stored)

    def sizes(self) -> dict[str, int]:
        """What a block holds for the method beside `lane_sizes`: name -> number of vectors."""
        return {"moment": 1, "between": self._right.places}  # of the function `rates`

    @abstractmethod
    def write(self, code: Code, workspace: Workspace) -> None:
        """Write the functions."""

    def singular(self, block: Block) -> str:
        """Mask of lanes whose linear system had no solution in the last attempt; none, for methods without one."""
        return "zeroinitializer"

    def _expressions(self, block: Block, roots: Iterable[int], *, place: str, time: str) -> Expressions:
        """Expressions whose moving states stand at ``place``, evaluated at ``time``."""
        moving = self.equations.moving

        def load(node: int) -> str:
            if node in self.row_of:
                return block.get("row", self.row_of[node])
            kind, *index = self.leaves[node]
            if kind == "time":
                return time
            return block.get(place if index[0] < moving else "state", index[0])

        stored = self.row_of.keys() | self.leaves.keys()
        return Expressions(block.code, self.equations.graph, roots, stored=stored, load=load)

    def _write_rates(self, code: Code, workspace: Workspace) -> None:
        """``rates(block, result)``: of all moving states, at "new_state" and the time "moment", infusions included."""

        def begin(block: Block, arguments: list[str]) -> Access:
            (result,) = arguments

            def hand_over(i: int, value: str) -> None:
                if i not in self.equations.algebraic:
                    value = code.op("fadd", value, block.get("inflow", i))
                code.store(code.vector, value, code.at(result, i * workspace.vector_bytes))

            return partial(self._at_moment, block), hand_over

        self._right.write(code, workspace, "rates", [PTR], begin)

    def _at_moment(self, block: Block, node: int) -> str:
        """A node that stands in memory, of moving states "new_state", of the time "moment"."""
        if node in self.row_of:
            return block.get("row", self.row_of[node])
        kind, *index = self.leaves[node]
        if kind == "time":
            return block.get("moment")
        return block.get("new_state" if index[0] < self.equations.moving else "state", index[0])

    def scale(self, block: Block, i: int, size: str, rtol: str, fade: str) -> str:
        """Error that one step may make in a state: rtol · max(|y|, fade · peak) + absolute tolerance."""
        size = block.code.larger(size, block.code.op("fmul", fade, block.get("peak", i)))
        return block.code.muladd(rtol, size, block.get("tolerance", i))

    def _mean_square(self, code: Code, terms: list[str]) -> str:
        total = code.splat(0.0)
        for term in terms:
            total = code.muladd(term, term, total)
        return self._root_of_mean(code, total, len(terms))

    def _root_of_mean(self, code: Code, total: str, count: int) -> str:
        return code.intrinsic("sqrt", code.op("fmul", total, code.splat(1 / max(count, 1))))

    @contextmanager
    def _over_differential(self, block: Block, carried: list[str] | None = None) -> Iterator[Block]:
        """A loop over the states that have rates, `carried` as in `Code.loop`; gives the block of the state's index."""
        code, equations = block.code, self.equations
        states = [i for i in range(len(equations.rates)) if i not in equations.algebraic]
        with code.loop(0, str(len(states)), carried) as k:
            i = code.load(I64, code.at(code.table("differential", states), k, unit=8)) if equations.algebraic else k
            yield block.at_index(i)

    def _write_first_width(self, code: Code, workspace: Workspace) -> None:
        """A first step width for lanes that start anew (Hairer, Nørsett, Wanner, Solving ODEs I, II.4), in ``used``.

        States that are zero have no size to compare their rate with where the tolerance goes by size; they are left
        to the error control of the first step, as are algebraic states, which have no rate.
        """
        self._write_rates(code, workspace)
        with code.function("first_width", "void", PTR, "double", "double") as (pointer, rtol, fade):
            block = Block(code, workspace, pointer)
            self._first_width(block, code.broadcast("double", rtol), code.broadcast("double", fade))
            code.leave()

    def _first_width(self, block: Block, rtol: str, fade: str) -> None:
        # "stage" is free here: weights of states, rates at the start, rates a little later
        code, n = block.code, len(self.equations.rates)
        count = n - len(self.equations.algebraic)
        time, zero = block.get("time"), code.splat(0.0)
        starts, later = (code.at(block.pointer, block.workspace.place("stage", k * n)) for k in (1, 2))
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            mine.put("new_state", 0, mine.get("state"))
        block.put("moment", 0, time)
        code.line(f"call void @rates(ptr {block.pointer}, ptr {starts})")
        sums = [zero, zero]
        with self._over_differential(block, sums) as mine:
            size = code.intrinsic("fabs", mine.get("state"))
            scale = self.scale(mine, 0, size, rtol, fade)
            weight = code.op("fdiv", code.splat(1.0), scale)
            weight = code.select(code.compare("ogt", scale, code.splat(NO_SIZE * 1e3)), weight, zero)
            mine.put("stage", 0, weight)
            terms = code.op("fmul", size, weight), code.op("fmul", mine.get("stage", n), weight)
            sums[:] = (code.muladd(term, term, total) for term, total in zip(terms, sums, strict=True))
        size, slope = (self._root_of_mean(code, total, count) for total in sums)
        span = code.op("fsub", block.get("stop"), time)
        fallback = code.op("fmul", span, code.splat(1e-6))
        width = code.op("fdiv", code.op("fmul", size, code.splat(0.01)), slope)
        has_size, has_slope = (code.compare("ogt", value, code.splat(1e-5)) for value in (size, slope))
        usable = code.emit(f"and {code.mask} {has_size}, {has_slope}")
        width = code.select(usable, width, fallback)
        with self._over_differential(block) as mine:
            mine.put("new_state", 0, code.muladd(width, mine.get("stage", n), mine.get("state")))
        block.put("moment", 0, code.op("fadd", time, width))
        code.line(f"call void @rates(ptr {block.pointer}, ptr {later})")
        sums = [zero]
        with self._over_differential(block, sums) as mine:
            bend = code.op("fsub", mine.get("stage", 2 * n), mine.get("stage", n))
            bend = code.op("fmul", bend, mine.get("stage"))
            sums[0] = code.muladd(bend, bend, sums[0])
        bend = code.larger(slope, code.op("fdiv", self._root_of_mean(code, sums[0], count), width))
        power = code.splat(-1.0 / (self.method.error_order + 1))
        steep = code.op("fmul", bend, code.splat(100.0))
        longer = code.call("vector_pow", code.vector, (code.vector, steep), (code.vector, power))
        curved = code.compare("ogt", bend, code.splat(1e-15))
        longer = code.select(curved, longer, code.op("fmul", span, code.splat(1e-3)))
        width = code.smaller(longer, code.op("fmul", width, code.splat(100.0)))
        # rates beyond all numbers leave no width to choose: the first step is next to nothing, and tells what follows
        width = code.select(code.compare("ogt", width, zero), width, code.op("fmul", span, code.splat(1e-300)))
        block.put("used", 0, code.smaller(width, span))
