"""L and U as functions that all stages call: rows with few operations written out, others in loops over tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain

from exotwin.engine.kernels.emit import I1, I64, PTR, Code
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.sparse import Pattern
from exotwin.engine.kernels.workspace import Block, Workspace

_PIECE = 120  # operations of a function
_WRITTEN_ROW, _WRITTEN_ROWS = 400, 30_000
_WRITTEN_SUM = 32
"""Operations of the elimination of a row and of all rows together, and entries of a row of a triangular solve, that are
still written out. Loops take about twice as long in short rows; in long ones the written form is slow to compile and no
faster. A thousand operations take LLVM 0.03 s."""


class Factors:
    """Writes ``factorise(block)`` and ``solve(block, x)``.

    The first takes "jacobian" (entries row by row), "inverse_width", "used" and "uncertain"; it leaves −L in "lower",
    −U in "upper" and the inverse pivots in "pivot", and beside them what states inherit (see `RosenbrockStepper`).
    The second turns the vectors at x into the solution y of L U y = x.

    known : for each entry (i, j) of the Jacobian which of "uncertain" tells how exactly state j is known to state i.
    """

    def __init__(self, equations: Equations, pattern: Pattern, gamma: float, known: dict[tuple[int, int], int]) -> None:
        self._algebraic, self._pattern, self._gamma, self._known = equations.algebraic, pattern, gamma, known
        self._n = len(pattern.lower)
        self._entries = {entry: e for e, entry in enumerate(sorted(equations.jacobian))}
        self._places = {
            name: {(i, j): e for e, (i, j) in enumerate((i, j) for i, row in enumerate(rows) for j in row)}
            for name, rows in (("lower", pattern.lower), ("upper", pattern.upper))
        }

    def sizes(self) -> dict[str, int]:
        """What a block holds for elimination in loops: the row at work, zero between rows."""
        return {"row_at_work": self._n}

    def write(self, code: Code, workspace: Workspace) -> None:
        """Both functions."""
        self._write_factorise(code, workspace)
        self._write_solve(code, workspace)

    # factors

    def _write_factorise(self, code: Code, workspace: Workspace) -> None:
        upper = self._pattern.upper
        costs = [
            4 * (1 + len(row) + len(upper[i])) + sum(len(upper[k]) for k in row)
            for i, row in enumerate(self._pattern.lower)
        ]
        # rows that cost least first, as long as all together are not too long
        totals = zip(accumulate(sorted(costs)), sorted(costs), strict=True)
        longest = max((cost for total, cost in totals if cost <= _WRITTEN_ROW and total <= _WRITTEN_ROWS), default=0)
        self._write_row_in_loops(code, workspace)
        pieces = list(_pieces([cost if cost <= longest else 1 for cost in costs]))
        for k, rows in enumerate(pieces):
            with code.function(f"factorise_{k}", "void", PTR) as (pointer,):
                block = Block(code, workspace, pointer)
                for i in rows:
                    if costs[i] <= longest:
                        self._write_row(block, i)
                    else:
                        code.line(f"call void @factorise_row(ptr {pointer}, i64 {i})")
                code.leave()
        with code.function("factorise", "void", PTR) as (pointer,):
            if any(cost > longest for cost in costs):
                row = _Vectors(code, code.at(pointer, workspace.place("row_at_work")))
                with code.loop(0, str(self._n)) as column:
                    row.put(column, code.splat(0.0))
            for k in range(len(pieces)):
                code.line(f"call void @factorise_{k}(ptr {pointer})")
            code.leave()

    def _diagonal(self, block: Block) -> str:
        return block.code.op("fmul", block.get("inverse_width"), block.code.splat(1 / self._gamma))

    def _longest(self, block: Block) -> str:
        """hγ: how long a step looks back at most."""
        return block.code.op("fmul", block.get("used"), block.code.splat(self._gamma))

    def _write_row(self, block: Block, i: int) -> None:
        code, lower, upper = block.code, self._pattern.lower[i], self._pattern.upper
        row = {} if i in self._algebraic else {i: self._diagonal(block)}
        inherited, longest = code.splat(0.0), self._longest(block)
        for j in (*lower, i, *upper[i]):
            if (i, j) in self._entries:
                value = block.get("jacobian", self._entries[i, j])
                row[j] = code.op("fsub", row[j], value) if j in row else code.neg(value)
                uncertain = block.get("uncertain", self._known[i, j])
                inherited = code.muladd(code.intrinsic("fabs", value), uncertain, inherited)
        for k in lower:
            factor = code.op("fmul", row[k], block.get("pivot", k))
            block.put("lower", self._places["lower"][i, k], code.neg(factor))
            for j in upper[k]:
                above = block.get("upper", self._places["upper"][k, j])
                row[j] = code.muladd(factor, above, row[j]) if j in row else code.op("fmul", factor, above)
        for j in upper[i]:
            block.put("upper", self._places["upper"][i, j], code.neg(row[j]))
        self._finish_row(
            block.at_index(str(i)), row.get(i, code.splat(0.0)), inherited, "" if i in self._algebraic else longest
        )

    def _finish_row(self, mine: Block, pivot: str, inherited: str, longest: str) -> None:
        """The pivot, inverted, and what the state inherits; an algebraic one whatever the width of the step."""
        code, n = mine.code, self._n
        pivot = code.op("fdiv", code.splat(1.0), pivot)
        mine.put("pivot", 0, pivot)
        reach = code.intrinsic("fabs", pivot)
        inherited = code.op("fmul", inherited, code.smaller(reach, longest) if longest else reach)
        mine.put("inherited", 0, inherited)
        mine.put("uncertain", 2 * n, code.op("fadd", mine.get("uncertain", n), inherited))

    def _write_row_in_loops(self, code: Code, workspace: Workspace) -> None:
        """``factorise_row(block, i)``: any row."""
        by_row: list[list[int]] = [[] for _ in range(self._n)]
        for line, column in self._entries:
            by_row[line].append(column)
        entries, known = _Rows(code, "entry", by_row), code.table("known", (self._known[e] for e in self._entries))
        lower, upper = _Rows(code, "lower", self._pattern.lower), _Rows(code, "upper", self._pattern.upper)
        with code.function("factorise_row", "void", PTR, I64) as (pointer, i):
            block = Block(code, workspace, pointer)
            row = _Vectors(code, code.at(pointer, workspace.place("row_at_work")))
            zero = code.splat(0.0)
            row.put(i, self._of_row(code, i, self._diagonal(block), zero))
            inherited = [zero]
            with code.loop(*entries.range(i), inherited, usual=entries.mean) as e:
                value, j = block.at_index(e).get("jacobian"), entries.column(e)
                row.put(j, code.op("fsub", row.get(j), value))
                uncertain = block.at_index(_entry(code, known, e)).get("uncertain")
                inherited[0] = code.muladd(code.intrinsic("fabs", value), uncertain, inherited[0])
            with code.loop(*lower.range(i), usual=lower.mean) as e:
                k = lower.column(e)
                factor = code.op("fmul", row.take(k), block.at_index(k).get("pivot"))
                block.at_index(e).put("lower", 0, code.neg(factor))
                with code.loop(*upper.range(k), usual=upper.mean) as u:
                    j = upper.column(u)
                    row.put(j, code.muladd(factor, block.at_index(u).get("upper"), row.get(j)))
            with code.loop(*upper.range(i), usual=upper.mean) as u:
                block.at_index(u).put("upper", 0, code.neg(row.take(upper.column(u))))
            longest = self._of_row(code, i, self._longest(block), code.splat(float("inf")))
            self._finish_row(block.at_index(i), row.take(i), inherited[0], longest)
            code.leave()

    def _of_row(self, code: Code, i: str, differential: str, algebraic: str) -> str:
        if not self._algebraic:
            return differential
        table = code.table("is_differential", (int(k not in self._algebraic) for k in range(self._n)))
        chosen = code.compare("ne", _entry(code, table, i), "0", kind=I64)
        return code.select(code.broadcast(I1, chosen), differential, algebraic)

    # solutions

    def _write_solve(self, code: Code, workspace: Workspace) -> None:
        names = []
        for name, pattern in (("lower", self._pattern.lower), ("upper", self._pattern.upper)):
            order = range(self._n) if name == "lower" else range(self._n)[::-1]
            for rows in _pieces([2 + min(len(pattern[i]), _WRITTEN_SUM) for i in order]):
                names.append(f"solve_{name}_{rows.start}")
                with code.function(names[-1], "void", PTR, PTR) as (pointer, x):
                    self._write_rows_of_solve(Block(code, workspace, pointer), x, name, order[rows.start : rows.stop])
                    code.leave()
        with code.function("solve", "void", PTR, PTR) as (pointer, x):
            for name in names:
                code.line(f"call void @{name}(ptr {pointer}, ptr {x})")
            code.leave()

    def _write_rows_of_solve(self, block: Block, x: str, name: str, rows: range) -> None:
        code, pattern, places = block.code, getattr(self._pattern, name), self._places[name]
        vectors, values = _Vectors(code, x), dict[int, str]()
        for i in rows:
            value, columns = vectors.get(i), pattern[i]
            if len(columns) > _WRITTEN_SUM:
                value = self._sum_in_loop(block, vectors, value, name, i)
            else:
                for j in columns:
                    other = values[j] if j in values else vectors.get(j)
                    value = code.muladd(block.get(name, places[i, j]), other, value)
            values[i] = code.op("fmul", value, block.get("pivot", i)) if name == "upper" else value
            vectors.put(i, values[i])

    def _sum_in_loop(self, block: Block, vectors: _Vectors, value: str, name: str, i: int) -> str:
        code, columns = block.code, getattr(self._pattern, name)[i]
        first, total = self._places[name][i, columns[0]], [value]
        with code.loop(first, str(first + len(columns)), total) as e:
            column = _entry(code, f"@{name}_column", e)
            total[0] = code.muladd(block.at_index(e).get(name), vectors.get(column), total[0])
        return total[0]


def _pieces(costs: Sequence[int]) -> Iterator[range]:
    """Rows divided so that what is written for each piece is of bounded length."""
    first, length = 0, 0
    for i, cost in enumerate(costs):
        length += cost
        if length >= _PIECE or i == len(costs) - 1:
            yield range(first, i + 1)
            first, length = i + 1, 0


class _Rows:
    """For each row a list of columns, all of them side by side in one constant table; ``mean`` columns in a row."""

    def __init__(self, code: Code, name: str, rows: Sequence[Sequence[int]]) -> None:
        self._code, self.mean = code, sum(map(len, rows)) / max(len(rows), 1)
        self._first = code.table(f"{name}_first", accumulate(map(len, rows), initial=0))
        self._column = code.table(f"{name}_column", chain.from_iterable(rows))

    def range(self, i: str) -> tuple[str, str]:
        """Numbers of the first entry of row i and of the next row."""
        return _entry(self._code, self._first, i), _entry(self._code, self._first, self._code.emit(f"add i64 {i}, 1"))

    def column(self, e: str) -> str:
        """Column of an entry."""
        return _entry(self._code, self._column, e)


class _Vectors:
    """Vectors side by side from an address on."""

    def __init__(self, code: Code, pointer: str) -> None:
        self._code, self._pointer = code, pointer

    def _at(self, i: int | str) -> str:
        return self._code.at(self._pointer, i, unit=8 * self._code.width)

    def get(self, i: int | str) -> str:
        """Read one."""
        return self._code.load(self._code.vector, self._at(i))

    def put(self, i: int | str, value: str) -> None:
        """Write one."""
        self._code.store(self._code.vector, value, self._at(i))

    def take(self, i: int | str) -> str:
        """Read one and leave zero."""
        value = self.get(i)
        self.put(i, self._code.splat(0.0))
        return value


def _entry(code: Code, table: str, index: str) -> str:
    return code.load(I64, code.at(table, index, unit=8))
