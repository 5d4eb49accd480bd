"""A Rosenbrock step of states together with their derivatives by parameters and initial values.

The same method, applied exactly to the larger system, whose Jacobian is block lower triangular: for each p

    (I/(hγ) − J) k_S = J(stage) S + F_p(stage) + Σ_j (C_ij/h) k_S,j + (A S_0 + b_p),
    A = Σ_k ∂J/∂y_k k_k + d_i h ∂J/∂t,   b_p = Σ_k ∂F_p/∂y_k k_k + d_i h ∂F_p/∂t,

k without index being the stage of the states, S_0 and the derivatives in A and b those at the start of the step. So all
p share L and U, the Jacobian at the stage and A: what is done for each is two products with sparse matrices and the
triangular solves, in one loop that is written once. Leaving A and b away would be cheaper and cost the order.

A sensitivity takes part in the choice of the step like a state: see `_error`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from exotwin.engine.kernels.emit import I64, PTR, Code, number
from exotwin.engine.kernels.equations import SensitivityEquations
from exotwin.engine.kernels.rosenbrock import RosenbrockStepper
from exotwin.engine.kernels.tableaux import Rosenbrock
from exotwin.engine.kernels.workspace import Block, Workspace


class SensitivityStepper(RosenbrockStepper):
    """States as in `RosenbrockStepper`, then derivatives in a loop over p."""

    equations: SensitivityEquations
    memory = (*RosenbrockStepper.memory, "drive")  # zero where nothing drives a derivative

    def __init__(self, equations: SensitivityEquations, method: Rosenbrock) -> None:
        super().__init__(equations, method)
        self._n = len(equations.rates)
        self._jacobian = self._slots(equations.jacobian.values())
        self._forcing = self._slots(equations.forcing.values())
        self._second = self._slots([*equations.curvature.values(), *equations.forcing_slope.values()])
        self._curvature, self._forcing_slope = _by_entry(equations.curvature), _by_entry(equations.forcing_slope)
        self._bend = {entry: slot for slot, entry in enumerate(self._curvature)}

    def _slots(self, nodes: Iterable[int]) -> dict[int, int]:
        """Where nodes that change during a run are kept."""
        varies = self.equations.graph.varies
        return {node: slot for slot, node in enumerate(dict.fromkeys(n for n in nodes if varies[n]))}

    def sizes(self) -> dict[str, int]:
        """Beside the stages of all and the factors: what the loop over p reads."""
        return {
            **super().sizes(),
            "rate": self._n,
            "drive": self.equations.moving,
            "known": self.equations.moving,
            "jacobian": len(self._jacobian),
            "forcing": len(self._forcing),
            "second": len(self._second),
            "bend": len(self._bend),
            "relative": self.equations.directions,  # 1/|p|
            "allowed": self._n,  # error of a state that its size does not account for
        }

    def write(self, code: Code, workspace: Workspace) -> None:
        """``attempt``: ``begin``, then for each stage ``evaluate``, ``solve``, and by p ``solve_derivative``."""
        vector, total = code.vector, self.equations.moving
        with code.function("begin", "void", PTR, "double", "double") as (pointer, rtol, fade):
            self._begin(Block(code, workspace, pointer), rtol, fade)
            code.leave()
        with code.function("evaluate", "void", PTR, vector) as (pointer, time):
            self._evaluate(Block(code, workspace, pointer), time)
            code.leave()
        with code.function("solve", "void", PTR, I64, "double") as (pointer, place, weight):
            self._solve(Block(code, workspace, pointer), place, code.broadcast("double", weight))
            code.leave()
        with code.function("solve_derivative", "void", PTR, PTR, PTR) as places:
            self._solve_derivative(*(Block(code, workspace, place) for place in places))
            code.leave()
        with code.function("inherit", "void", PTR, PTR, "double", "double") as (pointer, place, rtol, fade):
            self._inherit(Block(code, workspace, pointer), Block(code, workspace, place), rtol, fade)
            code.leave()
        with code.function("error", "void", PTR, "double", "double") as (pointer, rtol, fade):
            self._error(Block(code, workspace, pointer), rtol, fade)
            code.leave()
        with code.function("attempt", "void", PTR, "double", "double") as (pointer, rtol, fade):
            block = Block(code, workspace, pointer)
            code.line(f"call void @begin(ptr {pointer}, double {rtol}, double {fade})")
            for stage in range(self.method.stages):
                self._begin_stage(block, stage)
                time = self._time(block, stage)
                weight = number(self._tableau.d[stage])
                code.line(f"call void @evaluate(ptr {pointer}, {vector} {time})")
                code.line(f"call void @solve(ptr {pointer}, i64 {stage * total}, double {weight})")
                # one p after the other, so that what stands in memory of it is used while it is near the processor
                with code.loop(0, str(self.equations.directions)) as p:
                    own = self._part(block, p)
                    if stage == 0:
                        code.line(f"call void @inherit(ptr {pointer}, ptr {own.pointer}, double {rtol}, double {fade})")
                    self._begin_stage(own, stage)
                    target = own.at_index(str(stage * total))
                    code.line(f"call void @solve_derivative(ptr {pointer}, ptr {own.pointer}, ptr {target.pointer})")
            code.line(f"call void @error(ptr {pointer}, double {rtol}, double {fade})")
            code.leave()
        self._write_first_width(code, workspace)

    def _value(self, block: Block, node: int, name: str, slots: Mapping[int, int]) -> str:
        """A node that `_begin` or `_evaluate` has computed, or that stays the same."""
        if node in slots:
            return block.get(name, slots[node])
        kind, *value = self.equations.graph.nodes[node]
        return block.code.splat(value[0]) if kind == "const" else block.get("row", self.row_of[node])

    def _begin(self, block: Block, rtol: str, fade: str) -> None:
        """What holds for the whole step: L, U, second derivatives and allowed errors."""
        code, equations, width = block.code, self.equations, block.get("used")
        inverse = code.op("fdiv", code.splat(1.0), width)
        block.put("inverse_width", 0, inverse)
        roots = [*equations.jacobian.values(), *equations.time_derivative, *self._second]
        expressions = self._expressions(block, roots, place="state", time=block.get("time"))
        self._factorise(block, expressions, inverse, rtol, fade)
        for i, slot in self._slope.items():
            value = self._finite(code, equations.time_derivative[i], expressions.value)
            block.put("slope", slot, code.op("fmul", value, width))
        for node, slot in self._second.items():
            # x^1.5 has no second derivative at 0: without it the step is of lower order there, and its error tells
            value = expressions.value(node)
            finite = code.compare("oeq", code.op("fsub", value, value), code.splat(0.0))
            block.put("second", slot, code.select(finite, value, code.splat(0.0)))
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        least = code.op("fmul", rtol, fade)
        for i in range(self._n):
            known = code.op("fadd", block.get("tolerance", i), block.get("inherited", i))
            block.put("allowed", i, code.muladd(least, block.get("peak", i), known))
        for p in range(equations.directions):
            block.put("relative", p, self._relative(block, p))

    def _relative(self, block: Block, p: int) -> str:
        """1/|p|. An initial value is compared with what its state has become, and its derivative with 1."""
        code, equations = block.code, self.equations
        if p in equations.inverse_size:
            return self._value(block, equations.inverse_size[p], "", {})
        kind = "peak" if equations.starts[p][0] < equations.moving else "state"
        state, derivative = (code.intrinsic("fabs", block.get(kind, i)) for i in equations.starts[p])
        has_size = code.compare("ogt", state, code.splat(0.0))
        return code.select(has_size, code.op("fdiv", derivative, state), code.splat(0.0))

    def _evaluate(self, block: Block, time: str) -> None:
        """Rates, Jacobian and F where the stage stands."""
        code, equations = block.code, self.equations
        roots = [*equations.rates, *self._jacobian, *self._forcing]
        expressions = self._expressions(block, roots, place="new_state", time=time)
        for i, rate in enumerate(equations.rates):
            block.put("rate", i, code.op("fadd", expressions.value(rate), block.get("inflow", i)))
        for name, slots in (("jacobian", self._jacobian), ("forcing", self._forcing)):
            for node, slot in slots.items():
                block.put(name, slot, self._finite(code, node, expressions.value))

    def _solve(self, block: Block, place: str, weight: str) -> None:
        """The stage of the states, and what it adds to the right-hand sides of derivatives: A and F + b."""
        code, equations, width = block.code, self.equations, block.get("used")
        mine, inverse = block.at_index(place), block.get("inverse_width")
        right = [code.muladd(block.get("combined", i), inverse, block.get("rate", i)) for i in range(self._n)]
        for i, slot in self._slope.items():
            right[i] = code.muladd(block.get("slope", slot), weight, right[i])
        self._substitute(block, right, partial(mine.put, "stage"))
        step_of_time = code.op("fmul", weight, width)

        def along(value: str, slopes: list[tuple[int, int]]) -> str:
            for k, node in slopes:
                step = mine.get("stage", k) if k < self._n else step_of_time
                value = code.muladd(self._value(block, node, "second", self._second), step, value)
            return value

        for (i, j), slot in self._bend.items():
            block.put("bend", slot, along(code.splat(0.0), self._curvature[i, j]))
        for (i, p), node in equations.forcing.items():
            value = self._value(block, node, "forcing", self._forcing)
            value = along(value, self._forcing_slope.get((i, p), []))
            block.put("drive", self._n * (1 + p) + i, value)

    def _part(self, block: Block, p: str) -> Block:
        """The workspace, seen from the derivatives with respect to p: they stand where the states do."""
        return block.at_index(block.code.emit(f"add i64 {block.code.emit(f'mul i64 {p}, {self._n}')}, {self._n}"))

    def _begin_stage(self, own: Block, stage: int) -> None:
        """Where the stage of a part is evaluated, and what earlier stages add."""
        if stage:
            self._combine(own, stage, self._n)
            return
        with own.code.loop(0, str(self._n)) as i:
            own.at_index(i).put("new_state", 0, own.at_index(i).get("state"))
            own.at_index(i).put("combined", 0, own.code.splat(0.0))

    def _solve_derivative(self, block: Block, own: Block, target: Block) -> None:
        """The stage of the derivatives with respect to one p."""
        code, equations = block.code, self.equations
        inverse = block.get("inverse_width")
        right = [code.muladd(own.get("combined", i), inverse, own.get("drive", i)) for i in range(self._n)]
        for (i, j), node in equations.jacobian.items():
            value = self._value(block, node, "jacobian", self._jacobian)
            right[i] = code.muladd(value, own.get("new_state", j), right[i])
        for (i, j), slot in self._bend.items():
            right[i] = code.muladd(block.get("bend", slot), own.get("state", j), right[i])
        self._substitute(block, right, partial(target.put, "stage"))

    def _inherit(self, block: Block, own: Block, rtol: str, fade: str) -> None:
        """The error that derivatives have from those that move them: what `_factorise` finds for states.

        Where p is zero, nothing else tells how small is small; and where p ∂y/∂p is much larger than y, rounding is.
        """
        code, equations = block.code, self.equations
        longest = code.op("fmul", block.get("used"), code.splat(self._tableau.gamma))
        uncertain = self._uncertainties(own, rtol, fade)
        totals = [code.splat(0.0)] * self._n
        rows: list[list[int]] = [[] for _ in range(self._n)]
        for i, j in equations.jacobian:
            rows[i].append(j)
        for i, row in enumerate(rows):
            for j in row:
                value = self._value(block, equations.jacobian[i, j], "jacobian", self._jacobian)
                totals[i] = code.muladd(code.intrinsic("fabs", value), uncertain(j, i), totals[i])
            reach = code.smaller(code.intrinsic("fabs", block.get("pivot", i)), longest)
            own.put("inherited", i, code.op("fmul", totals[i], reach))

    def _error(self, block: Block, rtol: str, fade: str) -> None:
        """New states and derivatives, and the error of the step: the largest of what the parts find.

        A part is the states, or the derivatives by one p: root mean square of error / allowed error. So a further p
        never makes a step longer, nor does one that nothing depends on. Allowed in S_p is rtol · max(|S_p|, fade · its
        peak), what it inherits, and what the state is allowed beside its size, divided by |p|: so much error in p S_p,
        which has the state's unit, as in the state.
        """
        code, n = block.code, self._n
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        terms = [self._finish(block, i, block.get("inherited", i), rtol, fade) for i in range(n)]
        block.put("error", 0, self._mean_square(code, terms))
        with code.loop(0, str(self.equations.directions)) as p:
            mine = self._part(block, p)
            relative = block.at_index(p).get("relative")
            terms = []
            for i in range(n):
                more = code.muladd(relative, block.get("allowed", i), mine.get("inherited", i))
                terms.append(self._finish(mine, i, more, rtol, fade))
            error, before = self._mean_square(code, terms), block.get("error")
            known = code.compare("ord", before, before)
            larger = code.emit(f"and {code.mask} {known}, {code.compare('ugt', error, before)}")
            block.put("error", 0, code.select(larger, error, before))

    def _finish(self, mine: Block, i: int, more: str, rtol: str, fade: str) -> str:
        """The new value at a place, and its error / allowed error."""
        code = mine.code
        error = mine.get("stage", (self.method.stages - 1) * self.equations.moving + i)
        new = code.op("fadd", mine.get("new_state", i), error)
        mine.put("new_state", i, new)
        size = code.larger(code.intrinsic("fabs", mine.get("state", i)), code.intrinsic("fabs", new))
        return code.op("fdiv", error, code.op("fadd", self.scale(mine, i, size, rtol, fade), more))


def _by_entry(slopes: Mapping[tuple[int, int, int], int]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """(i, j) -> all (k, node)."""
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (i, j, k), node in slopes.items():
        found.setdefault((i, j), []).append((k, node))
    return found
