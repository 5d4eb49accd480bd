"""A long list of expressions, cut into functions of bounded length: compile time grows no faster than they do."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence, Set
from dataclasses import dataclass

from exotwin.engine.emit import PTR, Code
from exotwin.engine.expressions import Expressions
from exotwin.engine.graph import Graph
from exotwin.engine.workspace import Block, Workspace

_LONGEST = 400


@dataclass(frozen=True)
class Chunk:
    """What one function does.

    steps : nodes in order, each with the numbers of the roots that it is, and its place among what functions leave for
    each other, -1 if no later one needs it. known : node -> place: what earlier functions left and this one needs.
    """

    steps: tuple[tuple[int, tuple[int, ...], int], ...]
    known: dict[int, int]


class Chunks:
    """Functions that compute the roots, one function after the other.

    stored : nodes that stand in memory. longest : nodes of a function.
    places : how long the workspace's "between" has to be, where functions leave values for each other.
    """

    def __init__(self, graph: Graph, roots: Sequence[int], *, stored: Set[int], longest: int = _LONGEST) -> None:
        self._graph, self._stored, self.places = graph, stored, 0
        numbers: dict[int, list[int]] = {}
        for number, root in enumerate(roots):
            numbers.setdefault(root, []).append(number)
        pieces = self._cut(numbers, longest)
        self.chunks = self._with_places(pieces, numbers)

    def _cut(self, roots: dict[int, list[int]], longest: int) -> list[list[int]]:
        """Nodes of each function; roots that need no computing are among them."""
        pieces: list[list[int]] = [[]]
        done: set[int] = set()
        for root in roots:
            if root not in done:
                for node in self._order(root, done):
                    done.add(node)
                    # a product is often fused into the sum behind it: cut elsewhere
                    if len(pieces[-1]) >= (2 * longest if pieces[-1] and self._is_product(pieces[-1][-1]) else longest):
                        pieces.append([])
                    pieces[-1].append(node)
        return pieces

    def _order(self, root: int, done: Container[int]) -> Iterator[int]:
        """The root and what it needs that is not there yet: arguments first, and just before what uses them."""
        seen, stack = set(), [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
            elif node == root or not (node in seen or node in done or self._is_there(node)):
                seen.add(node)
                stack.append((node, True))
                if not self._is_there(node):
                    # products last, and of these the first one, since that is the one that is fused
                    arguments = sorted(self._graph.arguments(node), key=lambda n: not self._is_product(n))
                    stack += [(argument, False) for argument in arguments]

    def _is_product(self, node: int) -> bool:
        return bool(self._graph.nodes[node][0] == "mul")

    def _is_there(self, node: int) -> bool:
        return node in self._stored or self._graph.nodes[node][0] == "const"

    def _with_places(self, pieces: list[list[int]], numbers: dict[int, list[int]]) -> list[Chunk]:
        where = {node: k for k, piece in enumerate(pieces) for node in piece if not self._is_there(node)}
        needs = [
            {a for n in piece if n in where for a in self._graph.arguments(n) if where.get(a, k) != k}
            for k, piece in enumerate(pieces)
        ]
        last = {node: k for k, nodes in enumerate(needs) for node in nodes}
        places: dict[int, int] = {}
        free: list[int] = []
        chunks = []
        for k, piece in enumerate(pieces):
            known = {node: places[node] for node in sorted(needs[k])}
            for node in piece:
                if node in last:
                    if not free:
                        free.append(self.places)
                        self.places += 1
                    places[node] = free.pop()
            free += [places[node] for node in known if last[node] == k]
            steps = [(node, tuple(numbers.get(node, ())), places.get(node, -1)) for node in piece]
            chunks.append(Chunk(tuple(step for step in steps if step[1] or step[2] >= 0), known))
        return chunks

    def write(
        self,
        code: Code,
        workspace: Workspace,
        name: str,
        *,
        load: Callable[[Block, int], str],
        hand_over: Callable[[Block, Block, int, str], None],
    ) -> None:
        """The function ``name(block, result)``, which calls the others.

        load : gives a stored node. hand_over : does what is to be done with the value of a root; is given the block, the
            block that begins at the address ``result``, the root's number and the value.
        """
        for k, chunk in enumerate(self.chunks):
            with code.function(f"{name}_{k}", "void", PTR, PTR) as (pointer, result):
                block, results = Block(code, workspace, pointer), Block(code, workspace, result)

                def value_of(node: int, block: Block = block, chunk: Chunk = chunk) -> str:
                    return block.get("between", chunk.known[node]) if node in chunk.known else load(block, node)

                roots = [node for node, _, _ in chunk.steps]
                stored = self._stored | chunk.known.keys()
                expressions = Expressions(code, self._graph, roots, stored=stored, load=value_of)
                for node, numbers, place in chunk.steps:
                    value = expressions.value(node)
                    if place >= 0:
                        block.put("between", place, value)
                    for number in numbers:
                        hand_over(block, results, number, value)
                code.leave()
        with code.function(name, "void", PTR, PTR) as (pointer, result):
            for k in range(len(self.chunks)):
                code.line(f"call void @{name}_{k}(ptr {pointer}, ptr {result})")
            code.leave()
