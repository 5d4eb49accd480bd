"""Graph nodes → instructions on vectors, each node once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable

from exotwin.engine.kernels.emit import C_LIBRARY, Code
from exotwin.engine.kernels.graph import Graph

_PLAIN = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_INTRINSICS = frozenset({"sqrt", "fabs", "floor", "ceil", "copysign"})
_COMPARISONS = {"lt": "olt", "le": "ole", "eq": "oeq", "ne": "une"}
_LOGICAL = frozenset({*_COMPARISONS, "not", "and", "or"})
_LONGEST_PRODUCT = 16  # x^16 is five multiplications; beyond, the general power is as cheap


class Expressions:
    """The values of graph nodes at one place of the code.

    Parameters
    ----------
    roots : the nodes that will be asked for. A product that only one sum uses is fused into it.
    stored : nodes that stand in memory. ``load`` gives such a value and is called at every use, so that it is read
        where it is needed instead of filling a register.
    """

    def __init__(
        self, code: Code, graph: Graph, roots: Iterable[int], *, stored: Container[int], load: Callable[[int], str]
    ) -> None:
        self._code, self._graph, self._stored, self._load = code, graph, stored, load
        self._values: dict[int, str] = {}
        self._masks: dict[int, str] = {}
        self._fused = self._find_fused(list(roots))

    def _find_fused(self, roots: list[int]) -> set[int]:
        nodes, uses, sums = self._graph.nodes, Counter(roots), []
        seen, stack = set(), list(roots)
        while stack:
            n = stack.pop()
            if n in seen or n in self._stored:
                continue
            seen.add(n)
            arguments = self._graph.arguments(n)
            uses.update(arguments)
            stack.extend(arguments)
            if nodes[n][0] in ("add", "sub"):
                sums.append(n)
        fused = set()
        for n in sums:
            for argument in nodes[n][1:]:
                if nodes[argument][0] == "mul" and uses[argument] == 1 and argument not in self._stored:
                    fused.add(argument)
                    break
        return fused

    def value(self, root: int) -> str:
        """The value of a node, with everything that it needs computed before it."""
        todo, seen, stack = [], set(), [root]
        while stack:
            n = stack.pop()
            if n not in seen and not self._known(n):
                seen.add(n)
                todo.append(n)
                stack.extend(self._graph.arguments(n))
        for n in sorted(todo):
            operation = self._graph.nodes[n][0]
            if operation in _LOGICAL:
                self._masks[n] = self._logical(*self._graph.nodes[n])
            elif n not in self._fused:
                self._values[n] = self._numeric(*self._graph.nodes[n])
        return self._get(root)

    def _known(self, n: int) -> bool:
        return n in self._values or n in self._masks or n in self._stored or self._graph.nodes[n][0] == "const"

    def _get(self, n: int) -> str:
        if n in self._values:
            return self._values[n]
        if n in self._masks:
            self._values[n] = self._code.select(self._masks[n], self._code.splat(1.0), self._code.splat(0.0))
            return self._values[n]
        if n in self._stored:
            return self._load(n)
        return self._code.splat(self._graph.nodes[n][1])

    def _mask(self, n: int) -> str:
        return self._masks[n] if n in self._masks else self._code.compare("une", self._get(n), self._code.splat(0.0))

    def _logical(self, operation: str, a: int, b: int = -1) -> str:
        code = self._code
        if operation in _COMPARISONS:
            return code.compare(_COMPARISONS[operation], self._get(a), self._get(b))
        if operation == "not":
            return code.emit(f"xor {code.mask} {self._mask(a)}, splat (i1 true)")
        return code.emit(f"{operation} {code.mask} {self._mask(a)}, {self._mask(b)}")

    def _numeric(self, operation: str, a: int, b: int = -1, c: int = -1) -> str:
        code, get = self._code, self._get
        if operation in ("add", "sub") and (a in self._fused or b in self._fused):
            return self._fused_sum(operation, a, b)
        if operation in _PLAIN:
            return code.op(_PLAIN[operation], get(a), get(b))
        if operation == "select":
            return code.select(self._mask(a), get(b), get(c))
        if operation == "if_else_zero":
            return code.select(self._mask(a), get(b), code.splat(0.0))
        if operation in ("pow", "constpow"):
            return self._power(get(a), b)
        if operation in _INTRINSICS:
            return code.intrinsic(operation, *(get(n) for n in (a, b) if n >= 0))
        if operation in ("exp", "log"):
            return code.call(f"vector_{operation}", code.vector, (code.vector, get(a)))
        if operation in C_LIBRARY:
            return code.lane_by_lane(operation, *(get(n) for n in (a, b) if n >= 0))
        x = get(a)
        if operation in ("fmin", "fmax"):
            return code.select(code.compare("olt" if operation == "fmin" else "ogt", x, get(b)), x, get(b))
        if operation == "sign":
            down = code.select(code.compare("olt", x, code.splat(0.0)), code.splat(-1.0), x)
            return code.select(code.compare("ogt", x, code.splat(0.0)), code.splat(1.0), down)
        if operation == "inv":
            return code.op("fdiv", code.splat(1.0), x)
        if operation == "neg":
            return code.neg(x)
        return code.op({"sq": "fmul", "twice": "fadd"}[operation], x, x)

    def _fused_sum(self, operation: str, a: int, b: int) -> str:
        code = self._code
        first, other = (a, b) if a in self._fused else (b, a)
        _, x, y = self._graph.nodes[first]
        left, right, rest = self._get(x), self._get(y), self._get(other)
        if operation == "sub":
            if first == a:
                rest = code.neg(rest)
            else:
                left = code.neg(left)
        return code.muladd(left, right, rest)

    def _power(self, base: str, exponent: int) -> str:
        code, node = self._code, self._graph.nodes[exponent]
        if node[0] == "const":
            value = node[1]
            if value in (0.5, -0.5):
                root = code.intrinsic("sqrt", base)
                return root if value > 0 else code.op("fdiv", code.splat(1.0), root)
            if value == int(value) and 0 < abs(value) <= _LONGEST_PRODUCT:
                product = self._product(base, int(abs(value)))
                return product if value > 0 else code.op("fdiv", code.splat(1.0), product)
        return code.call("vector_pow", code.vector, (code.vector, base), (code.vector, self._get(exponent)))

    def _product(self, base: str, count: int) -> str:
        if count == 1:
            return base
        half = self._product(base, count // 2)
        square = self._code.op("fmul", half, half)
        return self._code.op("fmul", square, base) if count % 2 else square
