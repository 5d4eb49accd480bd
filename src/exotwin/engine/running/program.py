"""A model's machine code for one method, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from exotwin.engine.kernels import Loaded
from exotwin.engine.running.description import Description, Shape


@dataclass(frozen=True)
class Kernels:
    """The three functions of a model; each takes the address of a task."""

    setup: Callable[[int], None]
    integrate: Callable[[int], None]
    observe: Callable[[int], None]


@dataclass(frozen=True)
class Program:
    """What runs, the sizes that it was written for, operations of an attempted step, digest of the code."""

    kernels: Kernels
    shape: Shape
    operations: float
    digest: str


def program(description: bytes, code: bytes) -> Program:
    """From what `description.compiled` gives."""
    told, loaded = Description.from_json(description), Loaded(code)
    kernels = Kernels(*(loaded.function(name) for name in ("setup", "integrate", "observe")))
    return Program(kernels, told.shape, told.operations, hashlib.sha256(description + code).hexdigest())
