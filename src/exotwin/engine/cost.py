"""What a function of generated code costs, counted in its text: the same on every machine and in every run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

_DEFINITION = re.compile(r"^define [^@]*@(\w+)\(.*?\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_OPERATION = re.compile(r"(?:%\w+ = )?(\w+)")
_CALLED = re.compile(r"@([\w.]+)\(")
_TURNS = re.compile(r"icmp slt i64 %\w+, (\d+)$")
_BEHIND = re.compile(r"br i1 .* label %(\w+)$")

# in additions of a whole vector; most of reading and writing goes on beside them
_WEIGHTS = {"fdiv": 8.0, "load": 0.5, "store": 0.5}
_FREE = ("getelementptr", "bitcast", "br", "phi", "ret")
_SQUARE_ROOT, _C_LIBRARY = 8.0, 100.0


def operations(text: str, function: str) -> float:
    """Vector operations of one call of a function of the module, with all that it calls.

    Additions and the like count one, divisions and roots eight, calls of the C library (lane by lane) a hundred. Loops
    whose turns are written in the code count all their turns; others, and both sides of a branch, count once.
    """
    bodies = {match[1]: match[2].splitlines() for match in _DEFINITION.finditer(text)}

    @cache
    def of(name: str) -> float:
        if name in bodies:
            return _count(bodies[name], of)
        if name.startswith("llvm."):
            return _SQUARE_ROOT if name.startswith("llvm.sqrt") else 1.0
        return _C_LIBRARY

    return of(function)


def _count(lines: Iterable[str], of: Callable[[str], float]) -> float:
    total, turns, around = 0.0, 1, dict[str, int]()
    pending = 0
    for line in lines:
        if line.endswith(":"):
            turns = around.pop(line[:-1], turns)
        elif found := _TURNS.search(line):
            pending = int(found[1])
        elif pending and (behind := _BEHIND.search(line)):
            # the body of a loop follows, up to the label behind it
            around[behind[1]] = turns
            turns, pending = turns * pending, 0
        else:
            total += turns * _weight(line, of)
    return total


def _weight(line: str, of: Callable[[str], float]) -> float:
    found = _OPERATION.match(line)
    operation = found[1] if found else ""
    if operation == "call":
        called = _CALLED.search(line)
        return of(called[1]) if called else _C_LIBRARY
    return 0.0 if operation in _FREE else _WEIGHTS.get(operation, 1.0)
