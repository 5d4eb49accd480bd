"""Results as labelled arrays: what variables are called, their units, and how many patients came to which outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.integrator import Results
from exotwin.engine.task import METHODS, OUTCOMES

if TYPE_CHECKING:
    import xarray as xr

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
class Labels:
    """What stands at the results.

    attributes : of the whole, such as the model's title; texts, numbers and mappings of these. times : (time,).
    units : output -> unit.
    """

    attributes: Mapping[str, Any]
    times: NDArray[np.float64]
    time_unit: str
    units: Mapping[str, str]

    def variables(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Output -> name and attributes of its variable.

        An output that is called as something of the Dataset's own, such as "time", gets a "_" behind its name, and its
        attribute ``id`` tells what the model calls it.
        """
        found: dict[str, tuple[str, dict[str, str]]] = {}
        for name, unit in self.units.items():
            own, attributes = name, {"units": unit}
            while own in ("patient", "time", *BY_PATIENT) or (own != name and own in self.units):
                own, attributes = f"{own}_", {"units": unit, "id": name}
            found[name] = own, attributes
        return found


def dataset(labels: Labels, results: Results) -> xr.Dataset:
    """Results in memory, with dimensions (patient, time)."""
    import xarray as xr

    return xr.Dataset(
        {
            variable: (("patient", "time"), results.values[name], attributes)
            for name, (variable, attributes) in labels.variables().items()
        },
        coords={
            "time": ("time", labels.times, {"units": labels.time_unit}),
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


def counted(numbers: NDArray[np.int64]) -> dict[str, int]:
    """Patients by outcome, "ok" always, the others where there are any."""
    return {name: int(n) for name, n in zip(OUTCOMES, numbers, strict=True) if n or name == OUTCOMES[0]}
