"""SBML text → machine code, and all that has to be kept of the model beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from exotwin.engine.kernels import METHODS, Place, Processor, attempted_step, machine_code, stepper_for, write_module
from exotwin.engine.running.derivatives import Derivatives
from exotwin.engine.running.run import Recorded
from exotwin.errors import ModelError, nearest

_ASKED = re.compile(r"(amount|concentration)\((\w+)\)")


@dataclass(frozen=True)
class Shape:
    """Sizes that the machine code of a model was written for."""

    width: int
    n_states: int
    moving: int
    n_parameters: int
    n_rows: int
    n_outputs: int
    workspace: int  # bytes


@dataclass(frozen=True)
class Description:
    """All that is kept of a model beside its machine code. What is not said here is said by `system.System`.

    species : id -> its compartment, and whether formulas mean its concentration.
    needs : (output,) the states from which each is computed. algebraic : whether some states follow from residuals.
    operations : of an attempted step. derivatives : where they stand, if sensitivities were asked for.
    """

    title: str
    states: list[str]
    parameters: list[str]
    values: list[float]
    open: list[str]
    outputs: dict[str, Place]
    reactions: list[str]
    volumes: dict[int, str]
    species: dict[str, tuple[str, bool]]
    needs: list[list[int]]
    units: dict[str, str]
    time_unit: str
    remarks: list[str]
    algebraic: bool
    operations: float
    shape: Shape
    derivatives: Derivatives | None = None

    def to_json(self) -> bytes:
        """For the cache."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Description:
        """The same from the cache."""
        fields: dict[str, Any] = json.loads(text)
        fields["outputs"] = {name: (str(kind), int(index)) for name, (kind, index) in fields["outputs"].items()}
        fields["volumes"] = {int(state): name for state, name in fields["volumes"].items()}
        fields["species"] = {name: (str(where), bool(meant)) for name, (where, meant) in fields["species"].items()}
        fields["shape"] = Shape(**fields["shape"])
        if fields["derivatives"] is not None:
            fields["derivatives"] = Derivatives.from_fields(fields["derivatives"])
        return cls(**fields)

    def recorded(self, name: str) -> tuple[Recorded, str]:
        """How to record what an output names, and its unit: an id, "amount(id)" or "concentration(id)" of a species.

        Raises
        ------
        ModelError : no such name in the model; names the nearest.
        """
        if name in self.outputs:
            return Recorded(self.outputs[name]), self.units.get(name, "")
        asked = _ASKED.fullmatch(name)
        known: Mapping[str, Any] = self.species if asked else self.outputs
        what, own = asked.groups() if asked else ("", name)
        if own not in known:
            raise ModelError(
                f'{self.title}, outputs "{name}"',
                found="no such species in the model" if asked else "no such name in the model",
                expected="a species" if asked else "a name among its states, observables and parameters",
                nearest=nearest(own, known),
            )
        compartment, is_concentration = self.species[own]
        place, size = self.outputs[own], self.outputs[compartment]
        unit, unit_of_size = self.units.get(own, ""), self.units.get(compartment, "")
        if what == "amount" and is_concentration:
            integrated = self.states.index(own) if own in self.states else -1
            amount = Recorded(("state", integrated)) if integrated in self.volumes else Recorded(place, size, 1)
            return amount, unit.removesuffix(f"/{unit_of_size}")
        if what == "concentration" and not is_concentration:
            return Recorded(place, size, -1), f"{unit}/{unit_of_size}" if unit and unit_of_size else ""
        return Recorded(place), unit

    def states_for(self, recorded: Recorded) -> set[int]:
        """Indices of the states that have to be recorded for an output."""
        found = {index for kind, index in recorded.places if kind == "state"}
        return found.union(*(self.needs[index] for kind, index in recorded.places if kind == "output"))


def compiled(
    name: str, text: str, target: Processor, method: str = METHODS[0], sensitivities: Sequence[str] = ()
) -> tuple[bytes, bytes]:
    """Description (as JSON) and machine code of an SBML document.

    Whatever the method, all that code and caller have to agree upon (the order of names, of what is known for each
    patient) is the same.
    """
    from exotwin.engine.reading import build, parse, with_sensitivities

    document = parse(name, text)
    system, derivatives = build(document.getModel(), name), None
    if sensitivities:
        system, table, computed = with_sensitivities(system, sensitivities)
        derivatives = Derivatives(tuple(sensitivities), table, computed)
    equations = system.equations
    ir, workspace = write_module(stepper_for(equations, method), width=target.width, fma=target.fma)
    description = Description(
        title=system.title,
        states=list(system.states),
        parameters=list(system.parameters),
        values=list(system.values),
        open=list(system.open),
        outputs=dict(system.outputs),
        reactions=list(system.reactions),
        volumes=dict(system.volumes),
        species=dict(system.species),
        needs=[sorted(equations.graph.leaves([node], "state")) for node in equations.outputs],
        units=dict(system.units),
        time_unit=system.time_unit,
        remarks=list(system.remarks),
        algebraic=bool(equations.algebraic),
        operations=attempted_step(ir),
        shape=Shape(
            width=target.width,
            n_states=equations.n_states,
            moving=equations.moving,
            n_parameters=equations.n_parameters,
            n_rows=len(equations.rows()[0]),
            n_outputs=len(equations.outputs),
            workspace=workspace,
        ),
        derivatives=derivatives,
    )
    return description.to_json(), machine_code(ir, target)
