"""Algebraic states: values that satisfy their equations, at the start and after all that changes other states."""

from __future__ import annotations

from exotwin.engine.kernels.emit import F64, I64, PTR
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.sparse import factor_pattern
from exotwin.engine.kernels.task import TaskWriter
from exotwin.engine.kernels.workspace import Block

_ITERATIONS = 50
_EXACT = 1e-14  # relative: what one rounding leaves


def consistency_sizes(equations: Equations) -> dict[str, int]:
    """What a block holds for the iteration: name -> number of vectors."""
    return {"iteration": 1} if equations.algebraic else {}


class ConsistencyWriter(TaskWriter):
    """Writes ``consistent``; nothing for a model without algebraic states."""

    def write(self) -> None:
        """The function ``consistent(task, lane)``: Newton's method from the present values, in one lane.

        Gives whether the last change was within the error allowed. All lanes are computed, since the code is for
        vectors, and one is written, since no lane may depend on when others need this.
        """
        if not self.equations.algebraic:
            return
        code = self.code
        with code.function("consistent", "i1", PTR, I64) as (task, lane):
            block = Block(code, self.workspace, self._field(task, "workspace", PTR))
            rtol, fade = (code.broadcast(F64, self._field(task, name, F64)) for name in ("rtol", "fade"))
            numbers = ", ".join(f"i64 {i}" for i in range(code.width))
            mine = code.compare("eq", code.broadcast(I64, lane), f"<{numbers}>", kind=code.integers)
            count_at = self._lane(block.pointer, "iteration", lane)
            code.store(I64, "0", count_at)
            with code.forever() as done:
                moving, wrong = self._iterate(block, mine, rtol, fade)
                count = code.emit(f"add i64 {code.load(I64, count_at)}, 1")
                code.store(I64, count, count_at)
                code.leave_if(code.emit(f"xor i1 {code.any(moving)}, true"), done)
                code.leave_if(code.compare("sge", count, str(_ITERATIONS), kind=I64), done)
            code.leave("i1", code.emit(f"xor i1 {code.any(wrong)}, true"))

    def _iterate(self, block: Block, mine: str, rtol: str, fade: str) -> tuple[str, str]:
        """One iteration; gives where the lane still changes at all, and where by more than the error allowed."""
        code, states = self.code, sorted(self.equations.algebraic)
        moving, wrong = "zeroinitializer", "zeroinitializer"
        for i, change in zip(states, self._changes(block, states), strict=True):
            old, size = block.get("state", i), code.intrinsic("fabs", change)
            new = code.op("fsub", old, change)
            block.put("state", i, code.select(mine, new, old))
            extent = code.larger(code.intrinsic("fabs", old), code.intrinsic("fabs", new))
            # written so that what is not a number counts as change
            still = code.compare("ugt", size, code.op("fmul", extent, code.splat(_EXACT)))
            far = code.compare("ugt", size, self.stepper.scale(block, i, extent, rtol, fade))
            lost = code.compare("uge", extent, code.splat(float("inf")))
            moving, wrong = (code.emit(f"or {code.mask} {a}, {b}") for a, b in ((moving, still), (wrong, far)))
            wrong = code.emit(f"or {code.mask} {wrong}, {lost}")
        moving, wrong = (code.emit(f"and {code.mask} {mine}, {m}") for m in (moving, wrong))
        return moving, wrong

    def _changes(self, block: Block, states: list[int]) -> list[str]:
        """Residuals divided by their Jacobian: LU in the order of the states, pivots on the diagonal."""
        code, equations = self.code, self.equations
        place = {state: r for r, state in enumerate(states)}
        entries = {(place[i], place[j]): n for (i, j), n in equations.jacobian.items() if i in place and j in place}
        pattern = factor_pattern(len(states), entries)
        roots = [*(equations.rates[i] for i in states), *entries.values()]
        values = self._here(block, roots)
        rows: list[dict[int, str]] = []
        inverse: list[str] = []
        right: list[str] = []
        for r, state in enumerate(states):
            row = {j: values.value(entries[r, j]) for j in range(len(states)) if (r, j) in entries}
            residual = values.value(equations.rates[state])
            for k in pattern.lower[r]:
                factor = code.neg(code.op("fmul", row[k], inverse[k]))
                residual = code.muladd(factor, right[k], residual)
                for j in pattern.upper[k]:
                    above = rows[k][j]
                    row[j] = code.muladd(factor, above, row[j]) if j in row else code.op("fmul", factor, above)
            rows.append(row)
            inverse.append(code.op("fdiv", code.splat(1.0), row.get(r, code.splat(0.0))))
            right.append(residual)
        found: dict[int, str] = {}
        for r in reversed(range(len(states))):
            value = right[r]
            for j in pattern.upper[r]:
                value = code.muladd(code.neg(rows[r][j]), found[j], value)
            found[r] = code.op("fmul", value, inverse[r])
        return [found[r] for r in range(len(states))]
