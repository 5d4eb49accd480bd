"""One trajectory as a table whose columns are called as the user named them: what `exotwin simulate` writes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.engine.running.model import CompiledModel
from exotwin.errors import ModelError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """One trajectory.

    columns : name of each, without time. times : (time,). values : (time, column), NaN behind a failure.
    outcome : "ok" or the reason of the failure. failed_at : its time, or NaN. steps, rejected : taken and repeated.
    """

    columns: tuple[str, ...]
    times: Floats
    values: Floats
    outcome: str
    failed_at: float
    steps: int
    rejected: int

    def csv(self) -> Iterator[str]:
        """Lines of a table with the column ``time`` before the others; numbers are written so that none is rounded."""
        yield ",".join(("time", *self.columns)) + "\n"
        for time, row in zip(self.times.tolist(), self.values.tolist(), strict=True):
            yield ",".join(map(repr, (time, *row))) + "\n"


def course(
    model: CompiledModel,
    times: Floats,
    *,
    outputs: Sequence[str] = (),
    amounts: Sequence[str] = (),
    concentrations: Sequence[str] = (),
    given: Mapping[str, float] | None = None,
    rtol: float = 1e-6,
    atol: float | None = None,
    max_steps: int = 1_000_000,
) -> Course:
    """Simulate one patient.

    Parameters
    ----------
    outputs : names as the model means them, first columns. Empty: all names, behind those of the next two.
    amounts, concentrations : species whose amount or concentration is wanted whatever the model means; those not among
        ``outputs`` are further columns. What is no species has neither and is taken as the model means it, as the SBML
        Test Suite has it.
    given : parameter or state -> value instead of the model's own.
    times, rtol, atol, max_steps : see `CompiledModel.simulate`.

    Raises
    ------
    ModelError : unknown names, a species wanted as amount and as concentration, and what `CompiledModel.simulate`
        raises.
    """
    for name in amounts:
        if name in concentrations:
            raise ModelError(f'"{name}"', found="wanted as amount and as concentration", expected="one of them")
    # a name with a dot is a parameter of one reaction
    others = () if outputs else (*model.states, *model.observables, *(name for name in model.names if "." not in name))
    asked = {name: name for name in (*outputs, *amounts, *concentrations, *others)}
    for kind, wanted in (("amount", amounts), ("concentration", concentrations)):
        asked |= {name: f"{kind}({name})" for name in wanted if name in model.species or name not in model.names}
    values: dict[Hashable, ArrayLike] = {}
    start: dict[Hashable, ArrayLike] = {}
    for name, value in (given or {}).items():
        (start if name in model.states and name not in model.parameters else values)[name] = value
    result = model.simulate(
        times,
        parameters=values,
        initial=start,
        outputs=list(asked.values()),
        rtol=rtol,
        atol=atol,
        n_threads=1,
        max_steps=max_steps,
    ).isel(patient=0)
    found = {variable.attrs.get("id", name): variable.values for name, variable in result.data_vars.items()}
    return Course(
        columns=tuple(asked),
        times=result["time"].values,
        values=np.column_stack([np.empty((len(times), 0)), *(found[name] for name in asked.values())]),
        outcome=str(result["outcome"].values),
        failed_at=float(result["failed_at"]),
        steps=int(result["steps"]),
        rejected=int(result["rejected"]),
    )
