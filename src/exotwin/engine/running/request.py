"""What a caller asks for, by the model's names → a run, by the places of machine code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.kernels import NO_SIZE, Place
from exotwin.engine.running import inputs
from exotwin.engine.running.derivatives import Derivatives
from exotwin.engine.running.description import Description
from exotwin.engine.running.doses import checked, schedule
from exotwin.engine.running.run import Run
from exotwin.errors import ModelError, nearest

Floats = NDArray[np.float64]

_FADE = 1e-3


@dataclass(frozen=True)
class Request:
    """Arguments of `CompiledModel.simulate` that decide the numbers, unchecked; see there."""

    times: Any
    parameters: Any
    initial: Any
    doses: Any
    outputs: Any
    rtol: Any
    atol: Any
    max_steps: Any
    until: Any = None
    initial_slopes: Any = None


class Names:
    """The names of a model, and where what they mean stands."""

    def __init__(self, told: Description) -> None:
        self._told = told
        # derivatives stand among states and parameters, without a name
        self.states = {name: i for i, name in enumerate(told.states) if name}
        self.parameters = {name: j for j, name in enumerate(told.parameters) if name}

    def run(self, asked: Request, sizes: Mapping[str, float], slopes: Derivatives | None) -> tuple[Run, dict[str, str]]:
        """What is to be done, and the unit of each output.

        sizes : of compartments at the start. slopes : where derivatives stand, if they are wanted.

        Raises
        ------
        ModelError : anything that cannot be what is meant. NotBuiltYet : sensitivities of the rate of a reaction.
        """
        told, grid = self._told, inputs.grid(asked.times)
        parameters = self._given("parameters", asked.parameters, self.parameters)
        initial = self._given("initial", asked.initial, self.states)
        doses = checked(asked.doses, float(grid[0]), float(grid[-1]), self.states, told.shape.moving)
        outputs = {name: told.recorded(name) for name in inputs.names("outputs", asked.outputs)}
        recorded = {name: item for name, (item, _) in outputs.items()}
        volumes = {state: told.outputs[compartment] for state, compartment in told.volumes.items()}
        values = {self.parameters[name]: value for name, value in parameters.items()}
        starts: dict[int, list[tuple[int, Floats, Place | None]]] = {}
        given_slopes = self._slopes(asked.initial_slopes, initial, slopes)
        if slopes is not None:
            for name in outputs:
                recorded |= slopes.recorded(name, recorded[name])
            values |= {row: np.zeros(()) for j in list(values) for row in slopes.computed.get(j, ())}
            starts = self._starts(slopes, initial, volumes, given_slopes)
        until = np.array(np.inf) if asked.until is None else inputs.numbers("until", asked.until)
        if not np.all(np.asarray(until) >= grid[0]):
            found, expected = f"a time before {grid[0]:g}", f"{grid[0]:g}, the start of the run, or later"
            raise ModelError("until", found=found, expected=expected)
        run = Run(
            n_patients=inputs.count(
                [(f'parameters "{name}"', value) for name, value in parameters.items()]
                + [(f'initial "{name}"', value) for name, value in initial.items()]
                + [(f'initial_slopes "{name}"', slope) for name, slope in given_slopes.items() if slope.ndim == 2]
                + [("until", until)]
                + [(f'dose into "{dose.state}" at time {dose.time:g}', np.asarray(dose.amount)) for dose in doses]
            ),
            times=grid,
            schedule=schedule(doses, float(grid[0]), float(grid[-1]), self.states),
            parameters=values,
            initial={self.states[name]: value for name, value in initial.items()},
            volumes=volumes,
            starts=starts,
            until=until,
            recorded=recorded,
            needed_states=sorted(set[int]().union(*(told.states_for(item) for item in recorded.values()))),
            tolerance=self._tolerance(asked.atol, sizes),
            rtol=inputs.number("rtol", asked.rtol, "a number above zero and below one", lambda found: 0 < found < 1),
            fade=_FADE if asked.atol is None else 0.0,
            max_steps=inputs.whole("max_steps", asked.max_steps),
        )
        return run, {name: unit for name, (_, unit) in outputs.items()}

    def _given(self, what: str, asked: Any, valid: Mapping[str, int]) -> dict[str, Any]:
        """Values by name, each a number or (patient,)."""
        named = inputs.mapping(what, asked)
        for name in named:
            self._check_known(name, valid, what)
        return {str(name): inputs.numbers(f'{what} "{name}"', value) for name, value in named.items()}

    def _check_known(self, name: object, valid: Mapping[str, int], what: str) -> None:
        if name in valid:
            return
        kind = "parameter" if valid is self.parameters else "state"
        found, expected = "no such name in the model", f"a {kind} of the model"
        if name in self.states:
            found, expected = "a state", f"{expected}; the start of a state belongs into `initial`"
        elif name in self.parameters:
            found, expected = "a parameter", f"{expected}; the value of a parameter belongs into `parameters`"
        elif name in self._told.outputs:
            found = "what a rule or a reaction computes"
        where = f'{self._told.title}, {what} "{name}"'
        raise ModelError(where, found=found, expected=expected, nearest=nearest(str(name), valid))

    def _starts(
        self,
        slopes: Derivatives,
        initial: Mapping[str, Any],
        volumes: Mapping[int, Place],
        given: Mapping[str, Floats],
    ) -> dict[int, list[tuple[int, Floats, Place | None]]]:
        for name in (initial.keys() & self.parameters.keys() & set(slopes.wrt)) - given.keys():
            where, found = f'{self._told.title}, initial "{name}"', "a start whose sensitivity is that of the parameter"
            raise ModelError(where, found=found, expected="its value in `parameters`")
        states = {self.states[name]: name for name in initial}
        return {
            state: slopes.starts(name, state, volumes.get(state), given.get(name)) for state, name in states.items()
        }

    def _slopes(self, asked: Any, initial: Mapping[str, Any], slopes: Derivatives | None) -> dict[str, Floats]:
        """Derivatives of given initial values, (wrt,) or (patient, wrt)."""
        named = inputs.mapping("initial_slopes", asked)
        if named and slopes is None:
            raise ModelError("initial_slopes", found="a model without sensitivities", expected="`load` with some")
        found: dict[str, Floats] = {}
        for name, value in named.items():
            where = f'initial_slopes "{name}"'
            if name not in initial:
                expected, near = "a state that has a value in `initial`", nearest(str(name), initial)
                raise ModelError(where, found="no such state there", expected=expected, nearest=near)
            width = len(slopes.wrt) if slopes is not None else 0
            found[str(name)] = inputs.table(where, value, width)
        return found

    def _tolerance(self, atol: Any, sizes: Mapping[str, float]) -> Floats:
        """(moving,) in the unit of what is integrated."""
        told = self._told
        names = told.states[: told.shape.moving]
        if atol is None:
            return np.full(len(names), NO_SIZE)
        if hasattr(atol, "items"):
            for name in atol:
                self._check_known(name, self.states, "atol")
            allowed = {str(name): inputs.zero_or_more(f'atol of "{name}"', value) for name, value in atol.items()}
        else:
            allowed = dict.fromkeys(self.states, inputs.zero_or_more("atol", atol))
        # given for what formulas mean; integrated are amounts, in a compartment of the size that it has at the start
        scale = [sizes.get(told.volumes.get(i, ""), 1.0) for i in range(len(names))]
        scale = [size if 0 < size < np.inf else 1.0 for size in scale]
        return np.array([max(allowed.get(name, 0.0) * size, NO_SIZE) for name, size in zip(names, scale, strict=True)])

    def check_complete(self, run: Run) -> None:
        """Refuse to compute with numbers that neither the model nor the caller gives."""
        for name in self._told.open:
            if self.parameters.get(name) not in run.parameters and self.states.get(name) not in run.initial:
                how = "initial" if name in self.states else "parameters"
                where = f'{self._told.title}, "{name}"'
                raise ModelError(where, found="no value in the model", expected=f"one in `{how}`")
