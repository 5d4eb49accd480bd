"""The Rosenbrock step for large models: code whose length grows with right-hand side and Jacobian, each written once.

What `rosenbrock` writes out for every stage is here a function that all stages call (right-hand side) or a loop over
constant tables (factors, triangular solves, whatever goes state by state).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, chain

from exotwin.engine.chunks import Access, Chunks
from exotwin.engine.emit import F64, I1, I64, PTR, Code
from exotwin.engine.equations import Equations
from exotwin.engine.rosenbrock import ROUNDING, RosenbrockStepper
from exotwin.engine.tableaux import Rosenbrock
from exotwin.engine.workspace import Block, Workspace


class CompactStepper(RosenbrockStepper):
    """The same method as `RosenbrockStepper`, and the same results but for rounding."""

    def __init__(self, equations: Equations, method: Rosenbrock) -> None:
        super().__init__(equations, method)
        self._entries = sorted(equations.jacobian)
        derivatives = [equations.jacobian[entry] for entry in self._entries]
        derivatives += [equations.time_derivative[i] for i in self._slope]
        self._derivatives = Chunks(equations.graph, derivatives, stored=self.row_of.keys() | self.leaves.keys())

    def sizes(self) -> dict[str, int]:
        """As the unrolled step, and what functions leave for each other."""
        n = self.equations.moving
        return super().sizes() | {
            "between": max(self._right.places, self._derivatives.places),
            "jacobian": len(self._entries),
            "row_at_work": n,  # the row that is being eliminated, zero between rows
            "uncertain": 3 * n,  # see _uncertain
        }

    def write(self, code: Code, workspace: Workspace) -> None:
        """``attempt``, which calls a function for each of its parts; ``first_width``."""
        self._write_derivatives(code, workspace)
        self._write_solve(code, workspace)
        parts: dict[str, Callable[[Block, str, str], None]] = {"start": self._start}
        parts |= {"uncertain": self._uncertain, "factorise": self._factorise_rows}
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

    def _one_stage(self, stage: int, block: Block, rtol: str, fade: str) -> None:
        code, method, n = block.code, self._tableau, self.equations.moving
        if stage:
            self._combine(block, stage, n)
            block.put("moment", 0, code.muladd(code.splat(method.c[stage]), block.get("used"), block.get("time")))
        place = code.at(block.pointer, block.workspace.place("stage", stage * n))
        code.line(f"call void @rates(ptr {block.pointer}, ptr {place})")
        if stage:
            inverse = block.get("inverse_width")
            with self._over_differential(block) as mine:
                mine.put("stage", stage * n, code.muladd(mine.get("combined"), inverse, mine.get("stage", stage * n)))
        if method.d[stage] and self._slope:
            sloping = code.table("sloping", self._slope)
            with code.loop(0, str(len(self._slope))) as k:
                mine, slope = block.at_index(_entry(code, sloping, k)), block.at_index(k).get("slope")
                value = code.muladd(slope, code.splat(method.d[stage]), mine.get("stage", stage * n))
                mine.put("stage", stage * n, value)
        code.line(f"call void @solve(ptr {block.pointer}, ptr {place})")

    def _write_solve(self, code: Code, workspace: Workspace) -> None:
        """``solve(block, x)``: what stands at x becomes the solution y of L U y = x."""
        n = self.equations.moving
        with code.function("solve", "void", PTR, PTR) as (pointer, x):
            block, vector = Block(code, workspace, pointer), _Vector(code, x)
            for name, pattern in (("lower", self._pattern.lower), ("upper", self._pattern.upper)):
                rows = _Rows(code, name, pattern)
                with code.loop(0, str(n)) as turn:
                    i = turn if name == "lower" else code.emit(f"sub i64 {n - 1}, {turn}")
                    total = [vector.get(i)]
                    with code.loop(*rows.range(i), total) as e:
                        factor = code.neg(block.at_index(e).get(name))
                        total[0] = code.muladd(factor, vector.get(rows.column(e)), total[0])
                    value = total[0]
                    if name == "upper":
                        value = code.op("fmul", value, block.at_index(i).get("pivot"))
                    vector.put(i, value)
            code.leave()

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
            mine.put("row_at_work", 0, code.splat(0.0))

    def _factorise_rows(self, block: Block, rtol: str, fade: str) -> None:
        """L and U of I/(hγ) − J, row by row, and the error that states inherit: see `RosenbrockStepper`."""
        code, n, gamma = block.code, self.equations.moving, self._tableau.gamma
        diagonal = code.op("fmul", block.get("inverse_width"), code.splat(1 / gamma))
        longest = code.op("fmul", block.get("used"), code.splat(gamma))
        entries, known = self._entry_tables(code)
        lower, upper = _Rows(code, "lower", self._pattern.lower), _Rows(code, "upper", self._pattern.upper)
        row = _Vector(code, code.at(block.pointer, block.workspace.place("row_at_work")))
        with code.loop(0, str(n)) as i:
            mine = block.at_index(i)
            row.put(i, self._if_differential(code, i, diagonal, code.splat(0.0)))
            inherited = [code.op("fmul", code.splat(0.0), longest)]
            with code.loop(*entries.range(i), inherited) as e:
                value, column = block.at_index(e).get("jacobian"), entries.column(e)
                row.put(column, code.op("fsub", row.get(column), value))
                uncertain = block.at_index(_entry(code, known, e)).get("uncertain")
                inherited[0] = code.muladd(code.intrinsic("fabs", value), uncertain, inherited[0])
            with code.loop(*lower.range(i)) as e:
                k = lower.column(e)
                factor = code.op("fmul", row.take(k), block.at_index(k).get("pivot"))
                block.at_index(e).put("lower", 0, factor)
                minus = code.neg(factor)
                with code.loop(*upper.range(k)) as u:
                    column = upper.column(u)
                    row.put(column, code.muladd(minus, block.at_index(u).get("upper"), row.get(column)))
            with code.loop(*upper.range(i)) as u:
                block.at_index(u).put("upper", 0, row.take(upper.column(u)))
            pivot = code.op("fdiv", code.splat(1.0), row.take(i))
            mine.put("pivot", 0, pivot)
            reach = code.intrinsic("fabs", pivot)
            reach = self._if_differential(code, i, code.smaller(reach, longest), reach)
            total = code.op("fmul", inherited[0], reach)
            mine.put("inherited", 0, total)
            mine.put("uncertain", 2 * n, code.op("fadd", mine.get("uncertain", n), total))

    def _entry_tables(self, code: Code) -> tuple[_Rows, str]:
        """Where the Jacobian has entries, and for each which vector of ``uncertain`` counts."""
        n = self.equations.moving
        by_row: list[list[int]] = [[] for _ in range(n)]
        for i, j in self._entries:
            by_row[i].append(j)
        kinds = (0 if i == j else 2 if (i, j) in self._downstream else 1 for i, j in self._entries)
        known = (kind * n + j for kind, (_, j) in zip(kinds, self._entries, strict=True))
        return _Rows(code, "entry", by_row), code.table("entry_known", known)

    def _if_differential(self, code: Code, i: str, yes: str, no: str) -> str:
        """One of two vectors, as row i belongs to a differential or an algebraic state."""
        algebraic = self.equations.algebraic
        if not algebraic:
            return yes
        table = code.table("is_differential", (int(k not in algebraic) for k in range(self.equations.moving)))
        differential = code.compare("ne", _entry(code, table, i), "0", kind=I64)
        return code.select(code.broadcast(I1, differential), yes, no)

    def _sum_error(self, block: Block, rtol: str, fade: str) -> None:
        """New states, and the error of the step, as `RosenbrockStepper` has it."""
        code, n, last = block.code, self.equations.moving, self.method.stages - 1
        total = [code.splat(0.0)]
        with code.loop(0, str(n), total) as i:
            mine = block.at_index(i)
            error = mine.get("stage", last * n)
            new = code.op("fadd", mine.get("new_state"), error)
            mine.put("new_state", 0, new)
            size = code.larger(code.intrinsic("fabs", mine.get("state")), code.intrinsic("fabs", new))
            scale = code.op("fadd", self.scale(mine, 0, size, rtol, fade), mine.get("inherited"))
            term = code.op("fdiv", error, scale)
            total[0] = code.muladd(term, term, total[0])
        block.put("error", 0, self._root_of_mean(code, total[0], n))

    def singular(self, block: Block) -> str:
        """Lanes with a pivot that was zero."""
        code, largest = block.code, [block.code.splat(0.0)]
        with code.loop(0, str(self.equations.moving), largest) as i:
            largest[0] = code.larger(code.intrinsic("fabs", block.at_index(i).get("pivot")), largest[0])
        return code.compare("oeq", largest[0], code.splat(float("inf")))


class _Rows:
    """For each row a list of columns, all of them side by side in one constant table."""

    def __init__(self, code: Code, name: str, rows: Sequence[Sequence[int]]) -> None:
        self._code = code
        self._first = code.table(f"{name}_first", accumulate(map(len, rows), initial=0))
        self._column = code.table(f"{name}_column", chain.from_iterable(rows))

    def range(self, i: str) -> tuple[str, str]:
        """Numbers of the first entry of row i and of the next row."""
        return _entry(self._code, self._first, i), _entry(self._code, self._first, self._code.emit(f"add i64 {i}, 1"))

    def column(self, e: str) -> str:
        """Column of an entry."""
        return _entry(self._code, self._column, e)


class _Vector:
    """Vectors side by side from an address on."""

    def __init__(self, code: Code, pointer: str) -> None:
        self._code, self._pointer = code, pointer

    def _at(self, i: str) -> str:
        return self._code.at(self._pointer, i, unit=8 * self._code.width)

    def get(self, i: str) -> str:
        """Read one."""
        return self._code.load(self._code.vector, self._at(i))

    def put(self, i: str, value: str) -> None:
        """Write one."""
        self._code.store(self._code.vector, value, self._at(i))

    def take(self, i: str) -> str:
        """Read one and leave zero."""
        value = self.get(i)
        self.put(i, self._code.splat(0.0))
        return value


def _entry(code: Code, table: str, index: str) -> str:
    return code.load(I64, code.at(table, index, unit=8))
