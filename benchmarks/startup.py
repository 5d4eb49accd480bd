"""From an SBML document to the first trajectory in a new process, compiled anew and from the cache.

The model is loaded long before the first trajectory is shown: the rest is spent on importing the library of labelled
arrays in which results come.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import Model

_OURS = """
import sys
from time import perf_counter
start = perf_counter()
from exotwin.engine import load
model = load(sys.argv[1])
loaded = perf_counter()
model.simulate([0.0, 1.0])
print(loaded - start, perf_counter() - start)
"""
_PEER = """
import sys
from time import perf_counter
start = perf_counter()
import roadrunner
model = roadrunner.RoadRunner(sys.argv[1])
model.simulate(0, 1, 2)
print(perf_counter() - start)
"""


def _run(code: str, path: Path, cache: str) -> list[float]:
    """What the process printed."""
    # Python's own cache of compiled modules is on, as on any machine where packages are installed to be used
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "EXOTWIN_CACHE": cache, "PYTHONPYCACHEPREFIX": str(path.parent / "bytecode")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    return [*map(float, done.stdout.split())]


def row(model: Model) -> dict[str, float | str]:
    """One line of the table; the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        path.write_text(model.document, "utf-8")
        cold = [_run(_OURS, path, str(Path(folder) / f"cache{i}")) for i in range(3)]
        warm = [_run(_OURS, path, str(Path(folder) / "cache0")) for _ in range(3)]
        peer = [_run(_PEER, path, folder) for _ in range(3)]
    best = {
        name: [min(column) for column in zip(*runs, strict=True)] for name, runs in (("cold", cold), ("warm", warm))
    }
    return {
        "model": model.name,
        "loaded_anew_s": best["cold"][0],
        "loaded_from_cache_s": best["warm"][0],
        "first_trajectory_anew_s": best["cold"][1],
        "first_trajectory_from_cache_s": best["warm"][1],
        "first_trajectory_roadrunner_s": min(peer)[0],
    }
