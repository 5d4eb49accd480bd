"""Derivatives of what a simulation gives: where they stand, how they are recorded and called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.kernels import Place
from exotwin.engine.running.run import Recorded
from exotwin.errors import ModelError, NotBuiltYet

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Derivatives:
    """Where derivatives stand, each time in the order of ``wrt``.

    wrt : names of parameters and states, with respect to which all is differentiated.
    table : where a number stands, and where its derivatives do; of all states, and of all that names mean.
    computed : parameter -> the parameters that hold its derivatives, all zero where its value is given.
    """

    wrt: tuple[str, ...]
    table: tuple[tuple[Place, tuple[Place, ...]], ...]
    computed: Mapping[int, tuple[int, ...]]

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Derivatives:
        """From what JSON makes of it."""

        def place(pair: Any) -> Place:
            return str(pair[0]), int(pair[1])

        table = tuple((place(key), tuple(place(pair) for pair in places)) for key, places in fields["table"])
        return cls(tuple(fields["wrt"]), table, {int(j): tuple(rows) for j, rows in fields["computed"].items()})

    @cached_property
    def _of(self) -> dict[Place, tuple[Place, ...]]:
        return dict(self.table)

    def recorded(self, name: str, item: Recorded) -> dict[str, Recorded]:
        """How the derivatives of an output are called among the results, and how they are recorded.

        Raises
        ------
        NotBuiltYet : the output is the rate of a reaction.
        """
        if item.place not in self._of:
            where, expected = f'outputs "{name}"', "states, observables and parameters"
            raise NotBuiltYet(where, found="sensitivities of the rate of a reaction", expected=expected)
        slopes = self._of[item.place]
        parts = [Recorded(slope) for slope in slopes]
        if item.size is not None:
            growths = self._of[item.size]
            parts = [
                Recorded(slope, item.size, item.power, (item.place, growth))
                for slope, growth in zip(slopes, growths, strict=True)
            ]
        return {derivative(name, by): part for by, part in zip(self.wrt, parts, strict=True)}

    def starts(
        self, name: str, state: int, size: Place | None, slopes: Floats | None
    ) -> list[tuple[int, Floats, Place | None]]:
        """As `run.Run.starts`, of a state whose initial value is given.

        size : where the size stands that turns it into an amount. slopes : (…, wrt) derivatives of that initial value;
        None: it depends on nothing but itself.

        Raises
        ------
        ModelError : a derivative that is not zero, of a state that never moves and depends on nothing.
        """
        growths = self._of[size] if size is not None else [None] * len(self.wrt)
        if slopes is None:
            slopes = np.array([by == name for by in self.wrt], float)
        for column, (by, (kind, _)) in enumerate(zip(self.wrt, self._of["state", state], strict=True)):
            if kind != "state" and np.any(slopes[..., column]):
                where, found = f'initial_slopes "{name}"', f'a derivative by "{by}" that is not zero'
                raise ModelError(where, found=found, expected="zero: in this model that state stays what it is")
        return [
            (index, slopes[..., column], growth)
            for column, ((kind, index), growth) in enumerate(zip(self._of["state", state], growths, strict=True))
            if kind == "state"
        ]


def derivative(name: str, by: str) -> str:
    """What the derivative of an output is called among the results."""
    return f"sensitivity({name})/{by}"
