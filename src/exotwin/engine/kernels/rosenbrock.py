"""A Rosenbrock step of a block of lanes as straight-line vector code.

Each stage is written out: linear combination of earlier stages (a short loop over states), right-hand side, the two
triangular solves. Everything that outlives a stage stands in the block's workspace; so each stage is a function of its
own, small enough for LLVM to compile fast.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from exotwin.engine.kernels.emit import PTR, Code
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.expressions import Expressions
from exotwin.engine.kernels.sparse import factor_pattern, one_way_entries
from exotwin.engine.kernels.steps import Stepper
from exotwin.engine.kernels.tableaux import Rosenbrock
from exotwin.engine.kernels.workspace import Block, Workspace


class RosenbrockStepper(Stepper):
    """A Rosenbrock method with unrolled sparse LU; the rows of algebraic states have no 1/(hγ) on the diagonal."""

    memory: tuple[str, ...] = ("inherited",)

    def __init__(self, equations: Equations, method: Rosenbrock) -> None:
        super().__init__(equations, method)
        self._tableau = method
        self._pattern = factor_pattern(len(equations.rates), equations.jacobian)
        self._downstream = one_way_entries(len(equations.rates), equations.jacobian)
        self._slope = _with_slope(equations)
        self._steep = _perhaps_infinite(equations)
        self._lower_place = _numbering(self._pattern.lower)
        self._upper_place = _numbering(self._pattern.upper)

    def sizes(self) -> dict[str, int]:
        """Stages, factors and what they need."""
        n = self.equations.moving
        return super().sizes() | {
            "inverse_width": 1,
            "stage": n * self.method.stages,
            "combined": n,
            "lower": len(self._lower_place),
            "upper": len(self._upper_place),
            "pivot": n,
            "inherited": n,  # error from the states that move it
            "known": len(self.equations.rates),  # how exactly states are known where they move others
            "slope": len(self._slope),
            "residual": n if self.equations.algebraic else 0,
        }

    def write(self, code: Code, workspace: Workspace) -> None:
        """``attempt``, which calls ``stage_1`` … ``stage_s`` and ``error``; ``first_width``."""
        for stage in range(self.method.stages):
            with code.function(f"stage_{stage + 1}", "void", PTR, "double", "double") as (pointer, rtol, fade):
                self._stage(Block(code, workspace, pointer), stage, rtol, fade)
                code.leave()
        with code.function("error", "void", PTR, "double", "double") as (pointer, rtol, fade):
            self._error(Block(code, workspace, pointer), rtol, fade)
            code.leave()
        with code.function("attempt", "void", PTR, "double", "double") as (pointer, rtol, fade):
            for stage in range(self.method.stages):
                code.line(f"call void @stage_{stage + 1}(ptr {pointer}, double {rtol}, double {fade})")
            code.line(f"call void @error(ptr {pointer}, double {rtol}, double {fade})")
            code.leave()
        self._write_first_width(code, workspace)

    def singular(self, block: Block) -> str:
        """Lanes with a pivot that was zero."""
        code, infinite, found = block.code, block.code.splat(float("inf")), "zeroinitializer"
        for i in range(len(self.equations.rates)):
            zero = code.compare("oeq", code.intrinsic("fabs", block.get("pivot", i)), infinite)
            found = code.emit(f"or {code.mask} {found}, {zero}")
        return found

    def _stage(self, block: Block, stage: int, rtol: str, fade: str) -> None:
        code, method, equations = block.code, self._tableau, self.equations
        n = equations.moving
        if stage:
            self._combine(block, stage, n)
        width = block.get("used")
        if stage == 0:
            inverse = code.op("fdiv", code.splat(1.0), width)
            block.put("inverse_width", 0, inverse)
        else:
            inverse = block.get("inverse_width")
        time = self._time(block, stage)
        roots = equations.driving if stage == 0 else equations.rates
        expressions = self._expressions(block, roots, place="new_state" if stage else "state", time=time)
        if stage == 0:
            self._factorise(block, expressions, inverse, rtol, fade)
        right: list[str] = []
        for i in range(n):
            value = expressions.value(equations.rates[i])
            if i not in equations.algebraic:
                value = code.op("fadd", value, block.get("inflow", i))
                if stage:
                    value = code.muladd(block.get("combined", i), inverse, value)
            if i in self._slope:
                if stage == 0:
                    # of all stages: the derivative at the start of the step
                    slope = self._finite(code, equations.time_derivative[i], expressions.value)
                    block.put("slope", self._slope[i], code.op("fmul", slope, width))
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

    def _time(self, block: Block, stage: int) -> str:
        """When the stage is evaluated."""
        code, part = block.code, self._tableau.c[stage]
        # the end of the step to the last bit: a moment later a rate may have jumped
        if part == 1.0:
            return block.get("new_time")
        return code.muladd(code.splat(part), block.get("used"), block.get("time"))

    def _combine(self, block: Block, stage: int, count: int) -> None:
        """Where the stage is evaluated, and what earlier stages add to its right-hand side: of the first states."""
        code, method, n = block.code, self._tableau, self.equations.moving
        a, weights = method.a[stage], method.C[stage]
        # the last stages start where the one before them did, one stage further: one addition instead of a sum
        further = stage >= 2 and a == (*method.a[stage - 1], 1.0)
        with code.loop(0, str(count)) as i:
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
        code, equations, gamma = block.code, self.equations, self._tableau.gamma
        diagonal = code.op("fmul", inverse_width, code.splat(1 / gamma))
        longest = code.op("fmul", block.get("used"), code.splat(gamma))
        uncertain = self._uncertainties(block, rtol, fade)
        for i in range(len(equations.rates)):
            row: dict[int, str] = {}
            inherited = code.op("fmul", code.splat(0.0), longest)
            for j in (*self._pattern.lower[i], i, *self._pattern.upper[i]):
                node = equations.jacobian.get((i, j))
                if node is not None:
                    value = self._finite(code, node, expressions.value)
                    differential = i == j and i not in equations.algebraic
                    row[j] = code.op("fsub", diagonal, value) if differential else code.neg(value)
                    inherited = code.muladd(code.intrinsic("fabs", value), uncertain(j, i), inherited)
            row.setdefault(i, code.splat(0.0) if i in equations.algebraic else diagonal)
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
            reach = code.intrinsic("fabs", pivot)
            if i not in equations.algebraic:
                reach = code.smaller(reach, longest)
            block.put("inherited", i, code.op("fmul", inherited, reach))

    def _finite(self, code: Code, node: int, value: Callable[[int], str]) -> str:
        """A derivative, zero where it is no number: x^0.5 has none at 0, where many a reaction starts.

        The step is of lower order there, and its error tells.
        """
        found = value(node)
        if node not in self._steep:
            return found
        finite = code.compare("olt", code.intrinsic("fabs", found), code.splat(float("inf")))
        return code.select(finite, found, code.splat(0.0))

    def _uncertainties(self, block: Block, rtol: str, fade: str) -> Callable[[int, int], str]:
        """How exactly state j is known where it moves state i.

        No state can be more exact than what flows into it, however short the steps. Rounding limits every flow. Where
        the tolerance goes by size alone, the share ``fade`` of the error allowed upstream counts as well, or a state
        that is zero because large flows cancel would be asked for digits that nobody has. What was inherited (in this
        step, or the last one for states whose turn is still to come) is handed on, but never around a loop, where it
        would grow without end.
        """
        code = block.code
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        by_size = code.op("fmul", rtol, fade)
        with code.loop(0, str(len(self.equations.rates))) as index:
            mine = block.at_index(index)
            size = code.intrinsic("fabs", mine.get("state"))
            rounding = code.op("fmul", size, code.splat(ROUNDING))
            extent = code.larger(size, code.op("fmul", fade, mine.get("peak")))
            mine.put("known", 0, code.muladd(by_size, extent, rounding))

        def uncertain(j: int, i: int) -> str:
            if j == i:
                return code.op("fmul", code.intrinsic("fabs", block.get("state", j)), code.splat(ROUNDING))
            own = block.get("known", j)
            return code.op("fadd", own, block.get("inherited", j)) if (i, j) in self._downstream else own

        return uncertain

    def _error(self, block: Block, rtol: str, fade: str) -> None:
        """New states, and the error of the step: root mean square over states of error / allowed error."""
        code, n, last = block.code, self.equations.moving, self.method.stages - 1
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        with code.loop(0, str(n)) as index:
            mine = block.at_index(index)
            mine.put("new_state", 0, code.op("fadd", mine.get("new_state"), mine.get("stage", last * n)))
        self._look_between(block)
        terms = []
        for i in range(n):
            error, new = block.get("stage", last * n + i), block.get("new_state", i)
            if i in self.equations.algebraic:
                error = self._with_residual(block.at_index(str(i)), error)
            size = code.larger(code.intrinsic("fabs", block.get("state", i)), code.intrinsic("fabs", new))
            scale = code.op("fadd", self.scale(block, i, size, rtol, fade), block.get("inherited", i))
            terms.append(code.op("fdiv", error, scale))
        block.put("error", 0, self._mean_square(code, terms))

    def _look_between(self, block: Block) -> None:
        """How far algebraic states of dense output are from their rules in the middle of the step, in "residual".

        At its ends they satisfy them whatever its width, so that the embedded method may find no error at all.
        """
        code, n = block.code, self.equations.moving
        if not self.equations.algebraic:
            return
        half = code.splat(0.5)
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            new, total = mine.get("new_state"), code.splat(0.0)
            for stage in range(self.method.stages):
                # of D_1 + θ (D_2 + θ D_3) at θ = 1/2
                weight = sum(row[stage] * 0.5**k for k, row in enumerate(self.method.dense))
                total = code.muladd(code.splat(weight), mine.get("stage", stage * n), total)
            mine.put("combined", 0, new)
            mean = code.op("fmul", half, code.op("fadd", mine.get("state"), new))
            mine.put("new_state", 0, code.muladd(code.splat(0.25), total, mean))
        block.put("moment", 0, code.muladd(half, block.get("used"), block.get("time")))
        place = code.at(block.pointer, block.workspace.place("residual"))
        code.line(f"call void @rates(ptr {block.pointer}, ptr {place})")
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            mine.put("new_state", 0, mine.get("combined"))
        with self._over_differential(block) as mine:
            mine.put("residual", 0, code.splat(0.0))
        self._solve_residual(block, place)

    def _solve_residual(self, block: Block, _: str) -> None:
        """The linear system with "residual" as its right-hand side, and its solution there."""
        values = [block.get("residual", i) for i in range(self.equations.moving)]
        self._substitute(block, values, partial(block.put, "residual"))

    def _substitute(self, block: Block, right: list[str], put: Callable[[int, str], None]) -> None:
        """Forward and backward through L and U; each result is handed to ``put`` with its number."""
        code = block.code
        for i in range(len(right)):
            for j in self._pattern.lower[i]:
                factor = code.neg(block.get("lower", self._lower_place[i, j]))
                right[i] = code.muladd(factor, right[j], right[i])
        for i in reversed(range(len(right))):
            for j in self._pattern.upper[i]:
                factor = code.neg(block.get("upper", self._upper_place[i, j]))
                right[i] = code.muladd(factor, right[j], right[i])
            right[i] = code.op("fmul", right[i], block.get("pivot", i))
            put(i, right[i])

    def _with_residual(self, mine: Block, error: str) -> str:
        """The larger of the error that the embedded method finds and of that in the middle of the step."""
        code = mine.code
        return code.larger(code.intrinsic("fabs", error), code.intrinsic("fabs", mine.get("residual")))


ROUNDING = 1e-13  # relative; some hundred roundings meet in a step, with weights up to a hundred


def _with_slope(equations: Equations) -> dict[int, int]:
    """States in whose rates time shows -> their place among these."""
    found = [i for i, node in enumerate(equations.time_derivative) if not equations.graph.is_zero(node)]
    return {i: k for k, i in enumerate(found)}


def _perhaps_infinite(equations: Equations) -> frozenset[int]:
    """Derivatives in which there are roots, or powers that may be of zero."""
    nodes, varies, steep = equations.graph.nodes, equations.graph.varies, set[int]()
    for n in equations.graph.needed(equations.driving):
        operation, *arguments = nodes[n]
        root = operation in ("sqrt", "pow", "constpow") and varies[arguments[0]]
        whole = root and arguments[1:] and nodes[arguments[1]][0] == "const" and nodes[arguments[1]][1] in range(100)
        if (root and not whole) or any(a in steep for a in equations.graph.arguments(n)):
            steep.add(n)
    return frozenset(steep)


def _numbering(rows: tuple[tuple[int, ...], ...]) -> dict[tuple[int, int], int]:
    places = [(i, j) for i, row in enumerate(rows) for j in row]
    return {place: k for k, place in enumerate(places)}
