"""Linear algebra on one thread, while many small matrices are worked on."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, NumPy's and SciPy's OpenBLAS use one thread; other libraries are left as they are.

    For matrices of some hundred rows its threads wait for each other longer than they work (measured: 20 times slower
    at 100 rows, on 2 cores that others use too), and sums are split by the number of threads, so that the last bits of
    a search would depend on the machine's cores.
    """
    libraries = _libraries()
    before = [get() for get, _ in libraries]
    try:
        for _, set_to in libraries:
            set_to(1)
        yield
    finally:
        for (_, set_to), n in zip(libraries, before, strict=True):
            set_to(n)


@cache
def _libraries() -> tuple[tuple[Callable[[], int], Callable[[int], None]], ...]:
    """Getter and setter of the number of threads in each OpenBLAS that the wheels of NumPy and SciPy bring along."""
    found = []
    for package in ("numpy", "scipy"):
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        home = Path(spec.origin).parent
        for path in sorted([*home.parent.glob(f"{package}.libs/*openblas*"), *home.glob(".dylibs/*openblas*")]):
            library = ctypes.CDLL(str(path))
            for ending in ("64_", ""):
                name = f"scipy_openblas_set_num_threads{ending}"
                if hasattr(library, name):
                    found.append((getattr(library, name.replace("_set_", "_get_")), getattr(library, name)))
    return tuple(found)
