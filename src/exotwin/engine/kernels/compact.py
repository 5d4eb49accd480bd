"""The Rosenbrock step for large models: right-hand side, Jacobian, factors and triangular solves are each written once.

What `rosenbrock` writes out for every stage is here a function that all stages call; whatever goes state by state is a
loop. Beyond some dozen states that is no slower, since eight copies of a stage no longer fit the caches of a processor,
and the code is a fifth as long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from exotwin.engine.kernels.chunks import Access, Chunks
from exotwin.engine.kernels.emit import F64, I64, PTR, Code
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.factors import Factors
from exotwin.engine.kernels.rosenbrock import ROUNDING, RosenbrockStepper
from exotwin.engine.kernels.tableaux import Rosenbrock
from exotwin.engine.kernels.workspace import Block, Workspace


class CompactStepper(RosenbrockStepper):
    """The same method as `RosenbrockStepper`, and the same results but for rounding."""

    def __init__(self, equations: Equations, method: Rosenbrock) -> None:
        super().__init__(equations, method)
        self._entries = sorted(equations.jacobian)
        n = equations.moving
        known = {  # see _uncertain
            (i, j): j + n * (0 if i == j else 2 if (i, j) in self._downstream else 1) for i, j in self._entries
        }
        self._factors = Factors(equations, self._pattern, method.gamma, known)
        self._roots = [equations.jacobian[entry] for entry in self._entries]
        self._roots += [equations.time_derivative[i] for i in self._slope]
        self._derivatives = Chunks(equations.graph, self._roots, stored=self.row_of.keys() | self.leaves.keys())

    def sizes(self) -> dict[str, int]:
        """As the unrolled step, and what functions leave for each other."""
        n = self.equations.moving
        return (
            super().sizes()
            | self._factors.sizes()
            | {
                "between": max(self._right.places, self._derivatives.places),
                "jacobian": len(self._entries),
                "uncertain": 3 * n,  # see _uncertain
            }
        )

    def unrolled_length(self) -> int:
        """Operations that `RosenbrockStepper` would write out."""
        graph, lower, upper = self.equations.graph, self._pattern.lower, self._pattern.upper
        stage, derivatives = (
            sum(graph.varies[node] for node in graph.needed(roots))
            for roots in (self.equations.rates, self.equations.driving)
        )
        stage += sum(map(len, (*lower, *upper))) + 2 * len(lower)
        return self.method.stages * stage + derivatives + sum(len(upper[k]) for row in lower for k in row)

    def write(self, code: Code, workspace: Workspace) -> None:
        """``attempt``, which calls a function for each of its parts; ``first_width``."""
        self._write_derivatives(code, workspace)
        self._factors.write(code, workspace)
        parts: dict[str, Callable[[Block, str, str], None]] = {"start": self._start}
        for stage in range(self.method.stages):
            parts[f"stage_{stage + 1}"] = partial(self._one_stage, stage)
        parts["error"] = self._sum_error
        for name, write in parts.items():
            with code.function(name, "void", PTR, F64, F64) as (pointer, rtol, fade):
                write(Block(code, workspace, pointer), code.broadcast(F64, rtol), code.broadcast(F64, fade))
                code.leave()
        with code.function("attempt", "void", PTR, F64, F64) as (pointer, rtol, fade):
            for name in parts:
                code.line(f"call void @{name}(ptr {pointer}, double {rtol}, double {fade})")
            code.leave()
        self._write_first_width(code, workspace)

    def _write_derivatives(self, code: Code, workspace: Workspace) -> None:
        """``derivatives(block)``: at "new_state" and "moment", into "jacobian" and "slope"."""

        def begin(block: Block, _: list[str]) -> Access:
            def hand_over(number: int, value: str) -> None:
                slope = number - len(self._entries)
                value = self._finite(code, self._roots[number], lambda _: value)
                block.put(*(("slope", slope) if slope >= 0 else ("jacobian", number)), value)

            return partial(self._at_moment, block), hand_over

        self._derivatives.write(code, workspace, "derivatives", [], begin)

    def _start(self, block: Block, rtol: str, fade: str) -> None:
        """Derivatives at the start of the step."""
        code, width = block.code, block.get("used")
        block.put("inverse_width", 0, code.op("fdiv", code.splat(1.0), width))
        with code.loop(0, str(self.equations.moving)) as i:
            mine = block.at_index(i)
            mine.put("new_state", 0, mine.get("state"))
        block.put("moment", 0, block.get("time"))
        code.line(f"call void @derivatives(ptr {block.pointer})")
        with code.loop(0, str(len(self._slope))) as k:
            mine = block.at_index(k)
            mine.put("slope", 0, code.op("fmul", mine.get("slope"), width))
        self._uncertain(block, rtol, fade)
        code.line(f"call void @factorise(ptr {block.pointer})")

    def _one_stage(self, stage: int, block: Block, rtol: str, fade: str) -> None:
        code, method, n = block.code, self._tableau, self.equations.moving
        if stage:
            self._combine(block, stage, n)
            block.put("moment", 0, self._time(block, stage))
        place = code.at(block.pointer, block.workspace.place("stage", stage * n))
        code.line(f"call void @rates(ptr {block.pointer}, ptr {place})")
        if stage:
            inverse = block.get("inverse_width")
            with self._over_differential(block) as mine:
                mine.put("stage", stage * n, code.muladd(mine.get("combined"), inverse, mine.get("stage", stage * n)))
        if method.d[stage] and self._slope:
            sloping = code.table("sloping", self._slope)
            with code.loop(0, str(len(self._slope))) as k:
                mine, slope = (
                    block.at_index(code.load(I64, code.at(sloping, k, unit=8))),
                    block.at_index(k).get("slope"),
                )
                value = code.muladd(slope, code.splat(method.d[stage]), mine.get("stage", stage * n))
                mine.put("stage", stage * n, value)
        code.line(f"call void @solve(ptr {block.pointer}, ptr {place})")

    def _uncertain(self, block: Block, rtol: str, fade: str) -> None:
        """How exactly each state is known, as `RosenbrockStepper` has it, in three vectors for each state.

        By rounding alone; with its own allowed error; with what it inherited, which follows row by row.
        """
        code, n = block.code, self.equations.moving
        by_size = code.op("fmul", rtol, fade)
        with code.loop(0, str(n)) as j:
            mine = block.at_index(j)
            size = code.intrinsic("fabs", mine.get("state"))
            rounding = code.op("fmul", size, code.splat(ROUNDING))
            own = code.muladd(by_size, code.larger(size, code.op("fmul", fade, mine.get("peak"))), rounding)
            mine.put("uncertain", 0, rounding)
            mine.put("uncertain", n, own)
            mine.put("uncertain", 2 * n, code.op("fadd", own, mine.get("inherited")))

    def _sum_error(self, block: Block, rtol: str, fade: str) -> None:
        """New states, and the error of the step, as `RosenbrockStepper` has it."""
        code, n, last = block.code, self.equations.moving, self.method.stages - 1
        total = [code.splat(0.0)]
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            mine.put("new_state", 0, code.op("fadd", mine.get("new_state"), mine.get("stage", last * n)))
        self._look_between(block)
        with code.loop(0, str(n), total) as i:
            mine = block.at_index(i)
            error, new = mine.get("stage", last * n), mine.get("new_state")
            if self.equations.algebraic:  # zero for the others
                error = self._with_residual(mine, error)
            size = code.larger(code.intrinsic("fabs", mine.get("state")), code.intrinsic("fabs", new))
            scale = code.op("fadd", self.scale(mine, 0, size, rtol, fade), mine.get("inherited"))
            term = code.op("fdiv", error, scale)
            total[0] = code.muladd(term, term, total[0])
        block.put("error", 0, self._root_of_mean(code, total[0], n))

    def _solve_residual(self, block: Block, place: str) -> None:
        block.code.line(f"call void @solve(ptr {block.pointer}, ptr {place})")
        with self._over_differential(block) as mine:
            mine.put("residual", 0, block.code.splat(0.0))

    def singular(self, block: Block) -> str:
        """Lanes with a pivot that was zero."""
        code, largest = block.code, [block.code.splat(0.0)]
        with code.loop(0, str(self.equations.moving), largest) as i:
            largest[0] = code.larger(code.intrinsic("fabs", block.at_index(i).get("pivot")), largest[0])
        return code.compare("oeq", largest[0], code.splat(float("inf")))
