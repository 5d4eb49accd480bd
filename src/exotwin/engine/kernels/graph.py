"""Expressions as one graph in which equal subexpressions are one node: what symbolic work hands to the code writer.

A node is a tuple: ``("const", value)``, ``("time",)``, ``("state", i)``, ``("param", j)``, or
``(operation, arguments…)`` with the arguments given by node number. Arguments always precede their node, so rising
numbers are an order of evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from exotwin.engine.kernels.emit import C_LIBRARY

Node = tuple[Any, ...]

_COMMUTATIVE = frozenset({"add", "mul", "fmin", "fmax", "eq", "ne", "and", "or"})
_LEAVES = frozenset({"const", "time", "state", "param"})
_JUMPS = frozenset({"floor", "ceil", "fmod", "lt", "le", "eq", "ne", "sign"})
_SMOOTH = frozenset({"exp", "log", "pow", "constpow", "sqrt"}) | C_LIBRARY  # whose own rounding is as large


class Graph:
    """Nodes, and for each whether it changes during a run (depends on time or a state)."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.varies: list[bool] = []
        self._number: dict[Node, int] = {}

    def add(self, operation: str, *arguments: Any, exact: bool = False) -> int:
        """Number of the node; the same one for the same operation on the same arguments.

        exact : the last bit counts.
        """
        if operation in _COMMUTATIVE and arguments[0] > arguments[1]:
            arguments = arguments[::-1]
        if operation == "add":
            operation, arguments = self._joined_branches(*arguments)
        # A divisor that stays the same during a run is inverted once: division is the slowest vector operation. But
        # 49 · (1/49) is less than 1, and rounded down it is 0.
        if operation == "div" and not exact and self.varies[arguments[0]] and not self.varies[arguments[1]]:
            operation, arguments = "mul", (arguments[0], self.add("inv", arguments[1]))
        node = (operation, *arguments) if operation != "const" else ("const", arguments[0] + 0.0)  # −0 becomes 0
        found = self._number.get(node)
        if found is None:
            found = self._number[node] = len(self.nodes)
            self.nodes.append(node)
            leaf = operation in _LEAVES
            self.varies.append(
                operation in ("time", "state") if leaf else any(self.varies[argument] for argument in arguments)
            )
        return found

    def _joined_branches(self, a: int, b: int) -> tuple[str, tuple[int, ...]]:
        """casadi writes a choice as the sum of two branches, one of them zero; here it is one node again."""
        first, second = self.nodes[a], self.nodes[b]
        if first[0] == second[0] == "if_else_zero":
            if self.nodes[second[1]] == ("not", first[1]):
                return "select", (first[1], first[2], second[2])
            if self.nodes[first[1]] == ("not", second[1]):
                return "select", (second[1], second[2], first[2])
        return "add", (a, b)

    def arguments(self, number: int) -> tuple[int, ...]:
        """Nodes that this node is computed from."""
        node = self.nodes[number]
        return () if node[0] in _LEAVES else node[1:]

    def is_zero(self, number: int) -> bool:
        """Whether the node is the constant zero."""
        return self.nodes[number] == ("const", 0.0)

    def is_nan(self, number: int) -> bool:
        """Whether the node is a constant that is not a number."""
        node = self.nodes[number]
        return bool(node[0] == "const" and node[1] != node[1])

    def needed(self, roots: Iterable[int]) -> list[int]:
        """Nodes from which the roots follow, in order of evaluation."""
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            number = stack.pop()
            if number not in seen:
                seen.add(number)
                stack.extend(self.arguments(number))
        return sorted(seen)

    def leaves(self, roots: Iterable[int], kind: str) -> set[int]:
        """Indices of the states (``kind="state"``) or parameters (``"param"``) on which the roots depend."""
        return {self.nodes[n][1] for n in self.needed(roots) if self.nodes[n][0] == kind}

    def steady_part(self, roots: Iterable[int]) -> list[int]:
        """The nodes that stay the same during a run and that varying nodes (or the roots themselves) use.

        Computed once for each patient; constants are left out, since they cost nothing.
        """
        needed = self.needed(roots)
        used = set(roots).union(*(self.arguments(n) for n in needed if self.varies[n]))
        return [n for n in needed if n in used and not self.varies[n] and self.nodes[n][0] != "const"]

    def from_casadi(self, function: Any, inputs: Sequence[Sequence[int]]) -> list[list[int]]:
        """Take over a casadi Function of SX.

        Parameters
        ----------
        function : casadi.Function with dense inputs.
        inputs : for each input of the function the nodes that stand for its entries.

        Returns
        -------
        For each output of the function the nodes of its structural nonzeros, in casadi's order (column by column).
        """
        import casadi

        names, exact = _operations(), _exact_divisions(function)
        work: dict[int, int] = {}
        outputs = [[0] * function.nnz_out(i) for i in range(function.n_out())]
        for k in range(function.n_instructions()):
            operation = function.instruction_id(k)
            if operation == casadi.OP_OUTPUT:
                which, position = function.instruction_output(k)
                outputs[which][position] = work[function.instruction_input(k)[0]]
                continue
            (target,) = function.instruction_output(k)
            if operation == casadi.OP_INPUT:
                which, position = function.instruction_input(k)
                work[target] = inputs[which][position]
            elif operation == casadi.OP_CONST:
                work[target] = self.add("const", float(function.instruction_constant(k)))
            else:
                arguments = [work[slot] for slot in function.instruction_input(k)]
                if names[operation] in _UNARY:
                    arguments = arguments[:1]
                work[target] = self.add(names[operation], *arguments, exact=k in exact)
        return outputs


def _exact_divisions(function: Any) -> set[int]:
    """Instructions of a casadi Function whose results decide where something jumps."""
    import casadi

    names, written = _operations(), dict[int, int]()
    sources: list[list[int]] = []
    for k in range(function.n_instructions()):
        reads = function.instruction_id(k) not in (casadi.OP_INPUT, casadi.OP_CONST)
        sources.append([written[slot] for slot in function.instruction_input(k)] if reads else [])
        if function.instruction_id(k) != casadi.OP_OUTPUT:
            written[function.instruction_output(k)[0]] = k
    exact: set[int] = set()
    for k in reversed(range(len(sources))):
        name = names.get(function.instruction_id(k), "")
        if name in _JUMPS or (k in exact and name not in _SMOOTH):
            exact.update(sources[k])
    return exact


_UNARY = (C_LIBRARY - {"atan2", "fmod", "hypot"}) | frozenset(
    {"neg", "inv", "sq", "twice", "sqrt", "exp", "log", "not", "floor", "ceil", "fabs", "sign"}
)
_BINARY = frozenset(
    {"add", "sub", "mul", "div", "pow", "constpow", "lt", "le", "eq", "ne", "and", "or", "fmin", "fmax", "copysign"}
    | {"if_else_zero", "atan2", "fmod", "hypot"}
)


def _operations() -> dict[int, str]:
    import casadi

    return {getattr(casadi, f"OP_{name.upper()}"): name for name in sorted(_UNARY | _BINARY)}
