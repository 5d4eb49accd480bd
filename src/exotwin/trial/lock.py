"""What a result rests on: versions, hashes, seed, tolerances, counts. Written beside it as ``study.lock.toml``."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from exotwin import __version__
from exotwin.trial.result import Screening
from exotwin.trial.setup import Setup, file_digest

if TYPE_CHECKING:
    from exotwin.trial.result import TrialResult

# Those whose version may move a number.
_LIBRARIES = ("antimony", "casadi", "llvmlite", "numpy", "python-libsbml", "scipy", "xarray", "zarr")


def run_key(setup: Setup, chunk: int) -> dict[str, str]:
    """All that the numbers of a chunk rest on, as text; chunks with unlike keys never meet in one folder."""
    key = {"study": setup.study_digest, "model": setup.model.digest, "numbers": _numbers(setup), "exotwin": __version__}
    key |= {library: version(library) for library in _LIBRARIES}
    return key | {"processor": _processor(), "patients a chunk": str(chunk)}


def _numbers(setup: Setup) -> str:
    """sha256 of what the tables say beside the document: spreads, sources of cells, noise, comparators as held."""
    model = setup.model
    spread = [(p.name, p.level, p.spread) for p in model.parameters.values()]
    sources = [(tissue, [*own.values()]) for tissue, own in model.sources.items()]
    added = [(arm, [*one.steps()]) for arm, held in setup.added.items() for one in held]
    return hashlib.sha256(repr([spread, sources, model.noises, added]).encode()).hexdigest()


def lock_of(setup: Setup, screening: Screening, outcome: npt.NDArray[np.str_]) -> dict[str, Any]:
    """The lock of a run; ``outcome``: (reading, arm, patient)."""
    study, model = setup.study, setup.model
    names, counts = np.unique(outcome, return_counts=True)
    return {
        "exotwin": __version__,
        "study": {
            "title": study.title,
            "file": study.path.name,
            "sha256": setup.study_digest,
            "seed": study.seed,
            "potency": study.potency,
            "combination": study.combination,
            "rtol": study.solver.rtol,
            "atol": study.solver.atol if study.solver.atol is not None else "rule of the engine",
        },
        "model": {"condition": model.condition, "species": model.species, "sbml_sha256": model.digest},
        "products": {
            key: {
                "name": product.name,
                "synthetic": product.synthetic,
                "product_file_sha256": file_digest(study, key),
                "files": {file.path: file.sha256 for file in product.files},
            }
            for key, product in setup.products.items()
        },
        "counts": {
            "screened": screening.n_screened,
            "left_out": screening.n_screened - screening.n_enrolled - screening.n_failed,
            "failed_before_enrolment": screening.n_failed,
            "enrolled": screening.n_enrolled,
            "draws_of_knowledge": study.population.n_draws,
            "outcomes": {str(k): int(n) for k, n in zip(names, counts, strict=True)},
        },
        "overridden": {
            name: {
                "value": setup.drawn.fixed[name],
                "model": model.parameters[name].value,
                "unit": model.parameters[name].unit,
            }
            for name in study.parameters
        },
        "libraries": {library: version(library) for library in _LIBRARIES},
        "machine": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "processor": _processor(),
            "processors": os.cpu_count() or 0,
        },
    }


def lock_text(result: TrialResult) -> str:
    """The lock of a result as TOML."""
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment("What this result rests on; the same study, files and versions give it again."))
    for key, value in result.lock.items():
        document.add(key, tomlkit.item(value))
    return tomlkit.dumps(document)


@lru_cache(maxsize=1)
def _processor() -> str:
    """The processor's name and a digest of its abilities, which decide how many patients share an instruction."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    about = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    fields = {k.strip(): v.strip() for k, v in about.items()}
    flags = hashlib.sha256(fields.get("flags", fields.get("Features", "")).encode()).hexdigest()[:8]
    return f"{fields.get('model name', platform.machine())} ({platform.machine()}, {flags})"
