"""A fit as one JSON document, and as one paragraph."""

from __future__ import annotations

import math
import platform
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from exotwin import __version__
from exotwin.report.fit import facts, tables
from exotwin.report.numbers import number

if TYPE_CHECKING:
    from exotwin.calibration.fit import Fit

# Those whose version may move a number; those of the extra that a fit did without are left out.
_LIBRARIES = ("casadi", "emcee", "fides", "llvmlite", "numpy", "petab", "python-libsbml", "scipy", "sympy")


def document(fit: Fit) -> dict[str, Any]:
    """What ``fit.json`` holds; no number is infinite or none, null stands for those."""
    counted, best, n_parameters = facts.starts(fit), fit.best, len(fit.problem.parameters)
    n, log_likelihood = len(fit.problem.measurements), float(fit.evaluation.log_likelihood[0])
    made: dict[str, Any] = {
        "problem": {"name": fit.problem.name, "digest": fit.problem.digest},
        "settings": dict(fit.settings),
        "best": {
            "start": best.number,
            "outcome": best.found.outcome,
            "objective": best.found.value,
            "log_likelihood": log_likelihood,
            "aic": 2 * n_parameters - 2 * log_likelihood,
            "bic": n_parameters * math.log(n) - 2 * log_likelihood if n else math.nan,
            "n_measurements": n,
            "n_parameters": n_parameters,
        },
        "starts": {
            "n": counted.n,
            "converged": counted.converged,
            "creeping": counted.creeping,
            "iteration_limit": counted.limited,
            "failed": counted.failed,
            f"within_{facts.NEAR}_of_best": counted.near,
        },
        "parameters": tables.parameters(fit).to_dict("records"),
        "eigenvalues": [] if fit.curvature is None else fit.curvature.eigenvalues,
        "samples": _samples(fit),
        "seconds": dict(fit.seconds),
        "remarks": list(facts.remarks(fit)),
        "versions": versions(),
    }
    plain: dict[str, Any] = _plain(made)
    return plain


def versions() -> dict[str, str]:
    """Of exotwin, Python and the libraries that a fit rests on."""
    found = {"exotwin": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def paragraph(fit: Fit) -> str:
    """The answer: whether the search found an optimum, again and again, and what of it the data hold."""
    return " ".join(said for said in (_search(fit), _agreement(fit), _held(fit)) if said)


def _search(fit: Fit) -> str:
    s, best = facts.starts(fit), fit.best.found
    ends = [f"{number(s.converged)} converged"]
    ends += [f"{number(s.creeping)} crept (ended as the objective hardly fell any more)"] if s.creeping else []
    ends += [f"{number(s.limited)} stopped at the iteration limit"] if s.limited else []
    ends += [f"{number(s.failed)} failed"] if s.failed else []
    said = f"Of {number(s.n)} {_plural(s.n, 'start')}, {_listed(ends)}."
    if not math.isfinite(best.value):
        return f"{said} No start found a point where the model could be simulated, so nothing was fitted."
    said += f" The best objective is {number(best.value, digits=6)}"
    ended = facts.kind(fit.best)
    said += "" if ended == "converged" else f" (by a start that ended: {ended})"
    if s.n == 1:
        return f"{said}; with one start, nothing tells whether there is a better optimum."
    if s.near == 1:
        return f"{said}; only the best start reached it (within {facts.NEAR}), so a better optimum may exist."
    return f"{said}; {number(s.near)} starts reached it (within {facts.NEAR})."


def _agreement(fit: Fit) -> str:
    rms = facts.comparison(fit.problem, fit.evaluation).rms()
    if math.isnan(rms):
        return ""
    n = len(fit.problem.measurements)
    measurements = f"{number(n)} measurements lie" if n != 1 else "one measurement lies"
    return (
        f"The {measurements} {number(rms, digits=2)} SD of the noise from the simulation (root mean square; about 1 if "
        "model and noise are right, and also where the noise is fitted)."
    )


def _held(fit: Fit) -> str:
    if not math.isfinite(fit.best.found.value):
        return ""
    found = facts.estimates(fit)
    at_bound = [e for e in found if e.at_bound]
    bound = f" {_start(len(at_bound))} at a bound of the search." if at_bound else ""
    profiled = [e for e in found if e.verdict != facts.NOT_PROFILED]
    if not profiled:
        of = f"each of the {number(len(found))} parameters"
        return f"No profile was computed, so how well the data hold {of} is not known.{bound}"
    n = Counter(e.verdict for e in profiled)
    parts = [f"{number(n['identifiable'])} {_is(n['identifiable'])} identifiable (95 % limits on both sides)"]
    for verdict in ("only an upper limit", "only a lower limit"):
        parts += [f"{number(n[verdict])} {_has(n[verdict])} {verdict}"] if n[verdict] else []
    none = n["not identifiable"]
    parts += [f"{number(none)} {_is(none)} not identifiable"] if none else []
    parts += [f"for {number(n['failed'])} the profile failed"] if n["failed"] else []
    of = f"{number(len(found))} {_plural(len(found), 'parameter')}"
    if len(profiled) < len(found):
        of = f"the {number(len(profiled))} of {of} that were profiled"
    return f"Of {of}, {_listed(parts)}.{bound}"


def _start(n: int) -> str:
    return "One parameter stands" if n == 1 else f"{number(n)} parameters stand"


def _samples(fit: Fit) -> dict[str, Any] | None:
    if fit.samples is None:
        return None
    return {
        "n": len(fit.samples.value),
        "acceptance": fit.samples.acceptance,
        "autocorrelation": dict(zip(fit.problem.names, fit.samples.autocorrelation, strict=True)),
        "remarks": list(fit.samples.remarks),
    }


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's, what is infinite or no number as None."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plural(n: int, word: str) -> str:
    return word if n == 1 else f"{word}s"


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _has(n: int) -> str:
    return "has" if n == 1 else "have"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
