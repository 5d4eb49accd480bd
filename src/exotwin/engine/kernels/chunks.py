"""A long list of expressions, cut into functions of bounded length: compile time grows no faster than they do."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence, Set
from dataclasses import dataclass

from exotwin.engine.kernels.emit import PTR, Code
from exotwin.engine.kernels.expressions import Expressions
from exotwin.engine.kernels.graph import Graph
from exotwin.engine.kernels.workspace import Block, Workspace

_LONGEST = 100  # nodes of a function: LLVM takes longer than in proportion for several hundred

Step = tuple[int, tuple[int, ...]]
"""A node to compute, and the numbers of the roots that it is."""

Access = tuple[Callable[[int], str], Callable[[int, str], None]]
"""Ways to load a node and to hand over the value of a root, given its number."""


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

    stored : nodes that stand in memory. between : of the workspace, where functions leave values for each other.
    longest : nodes of a function, about. places : how many values functions leave for each other.
    """

    def __init__(
        self,
        graph: Graph,
        roots: Sequence[int],
        *,
        stored: Set[int],
        between: str = "between",
        longest: int | None = None,
    ) -> None:
        self._graph, self._stored, self._between, self.places = graph, stored, between, 0
        self._longest = longest or _LONGEST
        numbers: dict[int, list[int]] = {}
        for number, root in enumerate(roots):
            numbers.setdefault(root, []).append(number)
        self.chunks = self._with_places(self._cut(numbers))

    def _cut(self, roots: dict[int, list[int]]) -> list[list[Step]]:
        """What each function does; roots that need no computing are among it."""
        pieces: list[list[Step]] = [[]]
        done: set[int] = set()
        length = 0
        for root in roots:
            for node in self._order(root, done) if root not in done else ():
                done.add(node)
                numbers = roots.get(node, [])
                # what stands in memory may be handed over in several functions
                size = self._longest if self._is_there(node) else max(len(numbers), 1)
                for first in range(0, max(len(numbers), 1), size):
                    # a product is often fused into the sum behind it: cut elsewhere
                    full = length >= self._longest and not self._is_product(pieces[-1][-1][0])
                    if full or length >= 2 * self._longest:
                        pieces.append([])
                        length = 0
                    pieces[-1].append((node, tuple(numbers[first : first + size])))
                    length += max(1, len(pieces[-1][-1][1]))
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

    def _with_places(self, pieces: list[list[Step]]) -> list[Chunk]:
        where = {node: k for k, piece in enumerate(pieces) for node, _ in piece if not self._is_there(node)}
        needs = [
            {a for n, _ in piece if n in where for a in self._graph.arguments(n) if where.get(a, k) != k}
            for k, piece in enumerate(pieces)
        ]
        last = {node: k for k, nodes in enumerate(needs) for node in nodes}
        places: dict[int, int] = {}
        free: list[int] = []
        chunks = []
        for k, piece in enumerate(pieces):
            known = {node: places[node] for node in sorted(needs[k])}
            for node, _ in piece:
                if node in last:
                    if not free:
                        free.append(self.places)
                        self.places += 1
                    places[node] = free.pop()
            free += [places[node] for node in known if last[node] == k]
            steps = [(node, numbers, places.get(node, -1)) for node, numbers in piece]
            chunks.append(Chunk(tuple(step for step in steps if step[1] or step[2] >= 0), known))
        return chunks

    def write(
        self,
        code: Code,
        workspace: Workspace,
        name: str,
        kinds: Sequence[str],
        begin: Callable[[Block, list[str]], Access],
    ) -> None:
        """The function ``name(block, …)``, which calls those of `write_pieces`."""
        self.write_pieces(code, workspace, name, kinds, begin)
        with code.function(name, "void", PTR, *kinds) as names:
            given = ", ".join(f"{kind} {argument}" for kind, argument in zip((PTR, *kinds), names, strict=True))
            for k in range(len(self.chunks)):
                code.line(f"call void @{name}_{k}({given})")
            code.leave()

    def write_pieces(
        self,
        code: Code,
        workspace: Workspace,
        name: str,
        kinds: Sequence[str],
        begin: Callable[[Block, list[str]], Access],
    ) -> None:
        """The functions ``name_0(block, …)``, ``name_1``, …; ``kinds`` are those of their further arguments.

        begin : called at the start of each function with the block and the names of the further arguments; gives how
            to load a node that stands in memory, and what to do with (number of a root, its value).
        """
        for k, chunk in enumerate(self.chunks):
            with code.function(f"{name}_{k}", "void", PTR, *kinds) as (pointer, *arguments):
                block = Block(code, workspace, pointer)
                load, hand_over = begin(block, arguments)
                self._write_chunk(block, chunk, load, hand_over)
                code.leave()

    def used_by(self) -> list[list[int]]:
        """For each function, the numbers of the roots for which it has to be called: its own and those that need it."""
        made_by = {node: k for k, chunk in enumerate(self.chunks) for node, _, place in chunk.steps if place >= 0}
        found = [{number for _, numbers, _ in chunk.steps for number in numbers} for chunk in self.chunks]
        for k, chunk in reversed(list(enumerate(self.chunks))):
            for node in chunk.known:
                found[made_by[node]] |= found[k]
        return [sorted(roots) for roots in found]

    def _write_chunk(
        self, block: Block, chunk: Chunk, load: Callable[[int], str], hand_over: Callable[[int, str], None]
    ) -> None:
        def value_of(node: int) -> str:
            return block.get(self._between, chunk.known[node]) if node in chunk.known else load(node)

        roots = [node for node, _, _ in chunk.steps]
        there = _Union(self._stored, chunk.known)
        expressions = Expressions(block.code, self._graph, roots, stored=there, load=value_of)
        for node, numbers, place in chunk.steps:
            value = expressions.value(node)
            if place >= 0:
                block.put(self._between, place, value)
            for number in numbers:
                hand_over(number, value)


class _Union:
    """What is in either of two collections, without copying them."""

    def __init__(self, first: Container[int], second: Container[int]) -> None:
        self._first, self._second = first, second

    def __contains__(self, node: object) -> bool:
        return node in self._first or node in self._second
