"""Which method an ensemble is simulated with: a few of its patients try both, and the cheaper one is taken.

The cost of a method is the number of steps that it tries, times the operations of one step, counted in its code: no
clock is looked at, so that the same inputs always give the same choice and the same numbers, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.kernels import METHODS, OK
from exotwin.engine.running.program import Program
from exotwin.engine.running.run import Results, Run
from exotwin.errors import ModelError, nearest
from exotwin.progress import Progress, Silent

_STIFF, _PLAIN = METHODS

_ENOUGH = 4096
"""Patients of an ensemble that has a pilot. A pilot takes one or two milliseconds, and once for each model up to half a
second, to make the code of the plain method: below, there is not that much to gain."""
_PATIENTS = 16  # two vectors of the widest kind
_CLEARLY = 0.7
"""The plain method is taken if its cost is below this share: steps cost 20 % more or less than counted, and where
stability holds steps short, the plain method's error is the larger one."""
_PATIENCE = 4
"""A patient with whom the plain method costs so many times the dearest one of the pilot is given to the other."""


@dataclass(frozen=True)
class Choice:
    """What patients are simulated with.

    methods : each is given the patients with whom those before it failed. limit : steps that the first may try.
    figures : of the pilot; empty if there was none.
    """

    methods: tuple[str, ...]
    limit: int
    figures: Mapping[str, Any]

    @property
    def attributes(self) -> dict[str, Any]:
        """For the result."""
        return {"method": self.methods[0], **{f"pilot_{name}": figure for name, figure in self.figures.items()}}


class Simulate(Protocol):
    """Simulates all patients of a run with a method."""

    def __call__(self, method: str, run: Run, *, progress: Progress) -> Results: ...  # noqa: D102


def choose(
    method: str, run: Run, program: Callable[[str], Program], simulate: Simulate, *, may_be_plain: bool
) -> Choice:
    """What patients are simulated with, where ``method`` may leave it open ("auto").

    program : gives the machine code of a method; asked for the plain one only if there is a pilot.

    Raises
    ------
    ModelError : an unknown method; names the nearest.
    """
    if method in METHODS:
        return Choice((method,), run.max_steps, {})
    if method != "auto":
        expected = f"auto, {' or '.join(METHODS)}"
        raise ModelError("method", found=f'"{method}"', expected=expected, nearest=nearest(str(method), METHODS))
    if may_be_plain and run.n_patients >= _ENOUGH:
        return _pilot(run, program, simulate)
    return Choice((_STIFF,), run.max_steps, {})


def _pilot(run: Run, program: Callable[[str], Program], simulate: Simulate) -> Choice:
    """Both methods on patients that are evenly spread. Where the plain one fails, the other's cost counts as well."""
    patients = (np.arange(_PATIENTS) * run.n_patients + run.n_patients // 2) // _PATIENTS
    tried = replace(run.chosen(patients), recorded={}, needed_states=())
    steps = _attempts(simulate(_STIFF, tried, progress=Silent()))
    stiff, plain = program(_STIFF).operations, program(_PLAIN).operations
    # more than the dearest patient costs with the other method is not worth waiting for
    limit = 1 + int(steps.max() * stiff / plain)
    other = simulate(_PLAIN, replace(tried, max_steps=min(limit, run.max_steps)), progress=Silent())
    other_steps, failed = _attempts(other), other.outcome != OK
    cost = float(steps.sum()) * stiff
    other_cost = float(other_steps.sum()) * plain + float(steps[failed].sum()) * stiff
    figures = {
        "patients": _PATIENTS,
        f"steps_{_STIFF}": float(steps.mean()),
        f"steps_{_PLAIN}": float(other_steps.mean()),
        f"failed_{_PLAIN}": int(failed.sum()),
        "cost_ratio": other_cost / cost if cost else 1.0,
    }
    if figures["cost_ratio"] < _CLEARLY:
        return Choice((_PLAIN, _STIFF), min(_PATIENCE * limit, run.max_steps), figures)
    return Choice((_STIFF,), run.max_steps, figures)


def compute(choice: Choice, run: Run, simulate: Simulate, progress: Progress) -> Results:
    """All patients with the first method; those with whom it fails with the next one."""
    first, *others = choice.methods
    results = simulate(first, replace(run, max_steps=choice.limit), progress=progress)
    results.method[:] = METHODS.index(first)
    for method in others:
        failed = np.flatnonzero(results.outcome != OK)
        if len(failed):
            _replace(results, failed, simulate(method, run.chosen(failed), progress=Silent()))
            results.method[failed] = METHODS.index(method)
    return results


def _replace(results: Results, patients: NDArray[np.int64], by: Results) -> None:
    for name, values in results.values.items():
        values[patients] = by.values[name]
    for name in ("outcome", "failed_at", "steps", "rejected"):
        getattr(results, name)[patients] = getattr(by, name)


def _attempts(results: Results) -> NDArray[np.int64]:
    return results.steps + results.rejected
