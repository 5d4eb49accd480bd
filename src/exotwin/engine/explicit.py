"""An explicit Runge-Kutta step of a block of lanes as straight-line vector code.

For models that are not stiff: no Jacobian and no linear system, so that a step costs a fraction of a Rosenbrock step.
Each stage is a function of its own: linear combination of earlier stages (a short loop over states), right-hand side.
"""

from __future__ import annotations

from exotwin.engine.emit import PTR, Code
from exotwin.engine.equations import Equations
from exotwin.engine.steps import Stepper
from exotwin.engine.tableaux import Explicit
from exotwin.engine.workspace import Block, Workspace
from exotwin.errors import NotBuiltYet


class ExplicitStepper(Stepper):
    """An explicit Runge-Kutta method whose last stage stands at the end of the step and is the first of the next.

    The rates at both ends outlive the step: "rate" at its start, which a step that is not taken leaves as it is, and
    "next_rate" at its end, "end". A lane that starts anew (new patient, dose, event) has them evaluated together with
    its first width.

    Raises
    ------
    NotBuiltYet : algebraic states, which have no rate.
    """

    memory = ("rate", "next_rate")

    def __init__(self, equations: Equations, method: Explicit) -> None:
        if equations.algebraic:
            raise NotBuiltYet(
                f"method {method.name}", found="states that follow from algebraic rules", expected="rates of all states"
            )
        super().__init__(equations, method)
        self._tableau = method

    def sizes(self) -> dict[str, int]:
        """Increments of all stages, and the rates at both ends."""
        n = self.equations.moving
        return super().sizes() | {"stage": n * self.method.stages, "rate": n, "next_rate": n, "end": 1}

    def write(self, code: Code, workspace: Workspace) -> None:
        """``attempt``, which calls ``stage_1`` … ``stage_s`` and ``error``; ``first_width``."""
        last = self.method.stages - 1
        for stage in range(self.method.stages):
            with code.function(f"stage_{stage + 1}", "void", PTR) as (pointer,):
                block = Block(code, workspace, pointer)
                if stage == 0:
                    self._start(block)
                else:
                    self._combine(block, self._tableau.a[stage])
                    self._evaluate(block, stage, last=stage == last)
                code.leave()
        with code.function("error", "void", PTR, "double", "double") as (pointer, rtol, fade):
            self._error(Block(code, workspace, pointer), rtol, fade)
            code.leave()
        with code.function("attempt", "void", PTR, "double", "double") as (pointer, rtol, fade):
            for stage in range(self.method.stages):
                code.line(f"call void @stage_{stage + 1}(ptr {pointer})")
            code.line(f"call void @error(ptr {pointer}, double {rtol}, double {fade})")
            code.leave()
        self._write_first_width(code, workspace)

    def _start(self, block: Block) -> None:
        """The first stage: the last one of the step before, if that was taken and not made again or cut."""
        code, width = block.code, block.get("used")
        taken = code.compare("oeq", block.get("time"), block.get("end"))
        block.put("end", 0, block.get("new_time"))
        with code.loop(0, str(self.equations.moving)) as i:
            mine = block.at_index(i)
            rate = code.select(taken, mine.get("next_rate"), mine.get("rate"))
            mine.put("rate", 0, rate)
            mine.put("stage", 0, code.op("fmul", rate, width))

    def _combine(self, block: Block, weights: tuple[float, ...]) -> None:
        """Where the stage is evaluated."""
        code, n = block.code, self.equations.moving
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            point = mine.get("state")
            for j, weight in enumerate(weights):
                if weight:
                    point = code.muladd(code.splat(weight), mine.get("stage", j * n), point)
            mine.put("new_state", 0, point)

    def _evaluate(self, block: Block, stage: int, *, last: bool) -> None:
        """The increment of the stage."""
        code, width = block.code, block.get("used")
        # the end of the step to the last bit, as the next step sees it
        time = (
            block.get("new_time") if last else code.muladd(code.splat(self._tableau.c[stage]), width, block.get("time"))
        )
        expressions = self._expressions(block, self.equations.rates, place="new_state", time=time)
        for i, node in enumerate(self.equations.rates):
            rate = code.op("fadd", expressions.value(node), block.get("inflow", i))
            if last:
                block.put("next_rate", i, rate)
            block.put("stage", stage * self.equations.moving + i, code.op("fmul", rate, width))

    def _error(self, block: Block, rtol: str, fade: str) -> None:
        """Error of the step: root mean square over states of error / allowed error."""
        code, n = block.code, self.equations.moving
        rtol, fade = code.broadcast("double", rtol), code.broadcast("double", fade)
        terms = []
        for i in range(n):
            error = ""
            for j, weight in enumerate(self._tableau.error):
                if weight:
                    increment, factor = block.get("stage", j * n + i), code.splat(weight)
                    error = code.muladd(factor, increment, error) if error else code.op("fmul", factor, increment)
            size = code.larger(
                code.intrinsic("fabs", block.get("state", i)), code.intrinsic("fabs", block.get("new_state", i))
            )
            terms.append(code.op("fdiv", error, self.scale(block, i, size, rtol, fade)))
        block.put("error", 0, self._mean_square(code, terms))

    def _first_width(self, block: Block, rtol: str, fade: str) -> None:
        super()._first_width(block, rtol, fade)
        code, n = block.code, self.equations.moving
        fresh = code.compare("ne", block.get_integers("fresh"), "zeroinitializer", kind=code.integers)
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            for name in ("rate", "next_rate"):
                mine.put(name, 0, code.select(fresh, mine.get("stage", n), mine.get(name)))
