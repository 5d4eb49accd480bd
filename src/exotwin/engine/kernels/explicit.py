"""An explicit Runge-Kutta step of a block of lanes: short loops over states around one function for the rates.

For models that are not stiff: no Jacobian and no linear system, so that a step costs a fraction of a Rosenbrock step.
"""

from __future__ import annotations

from exotwin.engine.kernels.emit import F64, PTR, Code
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.steps import Stepper
from exotwin.engine.kernels.tableaux import Explicit
from exotwin.engine.kernels.workspace import Block, Workspace
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
        """``attempt``; ``first_width``; ``rates``, which both call."""
        method, n = self._tableau, self.equations.moving
        last = method.stages - 1
        self._write_first_width(code, workspace)
        with code.function("attempt", "void", PTR, F64, F64) as (pointer, rtol, fade):
            block = Block(code, workspace, pointer)
            width, end = block.get("used"), block.get("new_time")
            self._start(block, width, end)
            for stage in range(1, method.stages):
                self._combine(block, stage, width)
                time = code.muladd(code.splat(method.c[stage]), width, block.get("time"))
                # the end of the step to the last bit, as the next step sees it: a moment later a rate may have jumped
                block.put("moment", 0, end if method.c[stage] == 1.0 else time)
                place = workspace.place("next_rate") if stage == last else workspace.place("stage", stage * n)
                code.line(f"call void @rates(ptr {pointer}, ptr {code.at(pointer, place)})")
            self._error(block, width, code.broadcast(F64, rtol), code.broadcast(F64, fade))
            code.leave()

    def _start(self, block: Block, width: str, end: str) -> None:
        """The first stage: the last one of the step before, if that was taken and not made again or cut."""
        code = block.code
        taken = code.compare("oeq", block.get("time"), block.get("end"))
        block.put("end", 0, end)
        with code.loop(0, str(self.equations.moving)) as i:
            mine = block.at_index(i)
            rate = code.select(taken, mine.get("next_rate"), mine.get("rate"))
            mine.put("rate", 0, rate)
            mine.put("stage", 0, code.op("fmul", rate, width))

    def _combine(self, block: Block, stage: int, width: str) -> None:
        """Where the stage is evaluated. The stage before it, till now a rate, becomes an increment."""
        code, n = block.code, self.equations.moving
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            point = mine.get("state")
            for j, weight in enumerate(self._tableau.a[stage]):
                increment = mine.get("stage", j * n)
                if j and j == stage - 1:
                    increment = code.op("fmul", increment, width)
                    mine.put("stage", j * n, increment)
                point = code.muladd(code.splat(weight), increment, point)
            mine.put("new_state", 0, point)

    def _error(self, block: Block, width: str, rtol: str, fade: str) -> None:
        """Error of the step: root mean square over states of error / allowed error."""
        code, n = block.code, self.equations.moving
        *before, last = enumerate(self._tableau.error)
        total = [code.splat(0.0)]
        with code.loop(0, str(n), total) as i:
            mine = block.at_index(i)
            increment = code.op("fmul", mine.get("next_rate"), width)
            mine.put("stage", last[0] * n, increment)
            error = code.op("fmul", code.splat(last[1]), increment)
            for j, weight in before:
                error = code.muladd(code.splat(weight), mine.get("stage", j * n), error)
            sizes = (code.intrinsic("fabs", mine.get(name)) for name in ("state", "new_state"))
            term = code.op("fdiv", error, self.scale(mine, 0, code.larger(*sizes), rtol, fade))
            total[0] = code.muladd(term, term, total[0])
        block.put("error", 0, self._root_of_mean(code, total[0], n))

    def _first_width(self, block: Block, rtol: str, fade: str) -> None:
        super()._first_width(block, rtol, fade)
        code, n = block.code, self.equations.moving
        fresh = code.compare("ne", block.get_integers("fresh"), "zeroinitializer", kind=code.integers)
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            at_start = mine.get("stage", n)  # where the choice of the first width leaves it
            for name in self.memory:
                mine.put(name, 0, code.select(fresh, at_start, mine.get(name)))
