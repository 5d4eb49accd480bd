"""What a function of generated code costs, counted in its text: the same on every machine and in every run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

_DEFINITION = re.compile(r"^define [^@]*@(\w+)\(.*?\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_CALLED = re.compile(r"@([\w.]+)\(")
_TURNS = re.compile(r"icmp slt i64 %\w+, (?:%\w+ ; )?([\d.]+)$")
_LANES = re.compile(r"<(\d+) x double>")
_BEHIND = re.compile(r"br i1 .* label %(\w+)$")

# in additions of a whole vector; most of reading and writing goes on beside them
_FREE = ("getelementptr", "bitcast", "phi", "ret", "extractelement", "insertelement")
_WEIGHTS = {"fdiv": 8.0, "load": 0.5, "store": 0.5, **dict.fromkeys(_FREE, 0.0)}
_SQUARE_ROOT = 8.0
_C_LIBRARY = 100.0  # of all lanes, one after the other
_DRIVER = 500.0  # step control, taking the new state: for any model and method about the same


def attempted_step(text: str) -> float:
    """Vector operations of an attempted step, counted in the text of the module.

    Times measured are within 20 % of proportional to it, from 4 to 33 states and for both methods. The count does not
    depend on the width of vectors.
    """
    return _DRIVER + operations(text, "attempt")


def operations(text: str, function: str) -> float:
    """Vector operations of one call of a function of the module, with all that it calls.

    Additions and the like count one, divisions and roots eight, functions of the C library (lane by lane) a hundred.
    Loops count all their turns where the code tells how many there are, or usually are (`Code.loop`), otherwise one;
    both sides of a branch count.
    """
    lanes = int(found[1]) if (found := _LANES.search(text)) else 1
    bodies = {match[1]: match[2].splitlines() for match in _DEFINITION.finditer(text)}

    @cache
    def of(name: str) -> float:
        if name in bodies:
            return _count(bodies[name], of)
        if name.startswith("llvm."):
            return _SQUARE_ROOT if name.startswith("llvm.sqrt") else 1.0
        return _C_LIBRARY / lanes

    return of(function)


def _count(lines: Iterable[str], of: Callable[[str], float]) -> float:
    total, turns, pending, around = 0.0, 1.0, 0.0, dict[str, float]()
    for line in lines:
        words = line.split(" ", 3)
        operation = words[2] if line.startswith("%") else words[0]
        if operation == "call":
            called = _CALLED.search(line)
            total += turns * of(called[1]) if called else 0.0
        elif operation == "icmp" and (found := _TURNS.search(line)):
            pending = float(found[1])
        elif operation == "br":
            if pending and (behind := _BEHIND.search(line)):
                # the body of a loop follows, up to the label behind it
                around[behind[1]] = turns
                turns, pending = turns * pending, 0.0
        elif line.endswith(":"):
            turns = around.pop(line[:-1], turns)
        else:
            total += turns * _WEIGHTS.get(operation, 1.0)
    return total
