"""Results as labelled arrays: what variables are called, their units, and how many patients came to which outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.kernels import METHODS, OUTCOMES
from exotwin.engine.running.derivatives import derivative
from exotwin.engine.running.run import Results

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

NAMES_OF_OUTCOMES, _NAMES_OF_METHODS = np.array(OUTCOMES), np.array(METHODS)
BY_PATIENT = {
    "outcome": NAMES_OF_OUTCOMES.dtype,
    "failed_at": np.dtype(float),
    "steps": np.dtype(np.int64),
    "rejected": np.dtype(np.int64),
    "method": _NAMES_OF_METHODS.dtype,
}
"""What is told of each patient beside the results."""


@dataclass(frozen=True)
class Variable:
    """One array of the Dataset: one of the results, or derivatives side by side."""

    parts: tuple[str, ...]
    dims: tuple[str, ...]
    attributes: Mapping[str, Any]

    def values(self, results: Results) -> Floats:
        """The numbers, shaped as ``dims`` say."""
        values = [results.values[name] for name in self.parts]
        return np.stack(values, axis=-1) if "wrt" in self.dims else values[0]


@dataclass(frozen=True)
class Labels:
    """What stands at the results.

    attributes : of the whole, such as the model's title; texts and numbers, so that any format takes them.
    times : (time,).
    units : output -> unit. wrt : unit of what outputs are differentiated by.
    """

    attributes: Mapping[str, Any]
    times: Floats
    time_unit: str
    units: Mapping[str, str]
    wrt: Mapping[str, str]

    def variables(self) -> dict[str, Variable]:
        """Name -> variable.

        An output that is called as something of the Dataset's own, such as "time", gets a "_" behind its name, and its
        attribute ``id`` tells what the model calls it.
        """
        found: dict[str, Variable] = {}
        taken = ("patient", "time", *BY_PATIENT, *(("wrt", "wrt_units") if self.wrt else ()))
        for name, unit in self.units.items():
            own, attributes = name, {"units": unit}
            while own in taken or (own != name and own in self.units):
                own, attributes = f"{own}_", {"units": unit, "id": name}
            found[own] = Variable((name,), ("patient", "time"), attributes)
        for name, unit in self.units.items() if self.wrt else ():
            parts = tuple(derivative(name, by) for by in self.wrt)
            units = {f"{unit}/({by})" if unit and by else "" for by in self.wrt.values()}
            attributes = {"units": units.pop()} if len(units) == 1 else {}
            found[f"sensitivity({name})"] = Variable(parts, ("patient", "time", "wrt"), attributes)
        return found

    @property
    def by_wrt(self) -> dict[str, NDArray[np.str_]]:
        """Coordinates along what outputs are differentiated by: its names and its units."""
        return {"wrt": np.array(list(self.wrt)), "wrt_units": np.array(list(self.wrt.values()))} if self.wrt else {}

    @property
    def sizes(self) -> dict[str, int]:
        """Lengths of the dimensions that are the same for all patients."""
        return {"time": len(self.times), "wrt": len(self.wrt)}


def dataset(labels: Labels, results: Results) -> xr.Dataset:
    """Results in memory, with dimensions (patient, time), of sensitivities (patient, time, wrt)."""
    import xarray as xr

    return xr.Dataset(
        {
            name: (variable.dims, variable.values(results), dict(variable.attributes))
            for name, variable in labels.variables().items()
        },
        coords={
            "time": ("time", labels.times, {"units": labels.time_unit}),
            **{name: ("wrt", values) for name, values in labels.by_wrt.items()},
            **{name: ("patient", values) for name, values in by_patient(results).items()},
        },
        attrs={**labels.attributes, "outcomes": counted(np.bincount(results.outcome, minlength=len(OUTCOMES)))},
    )


def by_patient(results: Results) -> dict[str, NDArray[Any]]:
    """The coordinates `BY_PATIENT`."""
    return {
        "outcome": NAMES_OF_OUTCOMES[results.outcome],
        "failed_at": results.failed_at,
        "steps": results.steps,
        "rejected": results.rejected,
        "method": _NAMES_OF_METHODS[results.method],
    }


def counted(numbers: NDArray[np.int64]) -> str:
    """Patients by outcome as "999 ok, 1 step limit": "ok" always, the others where there are any."""
    told = [f"{n} {name}" for name, n in zip(OUTCOMES, numbers.tolist(), strict=True) if n or name == OUTCOMES[0]]
    return ", ".join(told)
