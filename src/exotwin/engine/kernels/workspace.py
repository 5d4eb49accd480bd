"""The memory of a block of lanes: places known when the code is written, one vector of 8-byte numbers each."""

from __future__ import annotations

from collections.abc import Mapping

from exotwin.engine.kernels.emit import Code


class Workspace:
    """Places in the memory of a block, in bytes from its start; every place holds whole vectors of 8-byte numbers."""

    def __init__(self, width: int, sizes: Mapping[str, int]) -> None:
        self.vector_bytes, self.size, self._start = 8 * width, 0, {}
        for name, count in sizes.items():
            self._start[name] = self.size
            self.size += count * self.vector_bytes

    def place(self, name: str, index: int = 0) -> int:
        """Where the vector stands."""
        return self._start[name] + index * self.vector_bytes


class Block:
    """Reads and writes the workspace from within one function."""

    def __init__(self, code: Code, workspace: Workspace, pointer: str) -> None:
        self.code, self.workspace, self.pointer = code, workspace, pointer

    def get(self, name: str, index: int = 0) -> str:
        """The vector at a place."""
        return self.code.load(self.code.vector, self.code.at(self.pointer, self.workspace.place(name, index)))

    def put(self, name: str, index: int, value: str) -> None:
        """Write the vector at a place."""
        self.code.store(self.code.vector, value, self.code.at(self.pointer, self.workspace.place(name, index)))

    def at_index(self, index: str) -> Block:
        """The same places, ``index`` vectors further on."""
        moved = self.code.at(self.pointer, index, unit=self.workspace.vector_bytes)
        return Block(self.code, self.workspace, moved)

    def get_integers(self, name: str, index: int = 0) -> str:
        """The vector of integers at a place."""
        return self.code.load(self.code.integers, self.code.at(self.pointer, self.workspace.place(name, index)))

    def put_integers(self, name: str, value: str, index: int = 0) -> None:
        """Write the vector of integers at a place."""
        self.code.store(self.code.integers, value, self.code.at(self.pointer, self.workspace.place(name, index)))
