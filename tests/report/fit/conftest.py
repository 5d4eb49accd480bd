"""Made-up fits, and the folders and pages written of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from exotwin.calibration.fit import Fit
from exotwin.report import write_fit

_spec = importlib.util.spec_from_file_location("synthetic_fits", Path(__file__).with_name("synthetic.py"))
assert _spec is not None
assert _spec.loader is not None
synthetic = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(synthetic)

HOSTILE = synthetic.HOSTILE


@pytest.fixture(scope="session")
def small() -> Fit:
    return synthetic.small_fit()


@pytest.fixture(scope="session")
def large() -> Fit:
    return synthetic.large_fit(n_parameters=50, n_starts=150)


@pytest.fixture(scope="session")
def hopeless() -> Fit:
    return synthetic.hopeless_fit()


@pytest.fixture(scope="session")
def hostile() -> Fit:
    return synthetic.small_fit(name=HOSTILE, label=HOSTILE)


@pytest.fixture(scope="session")
def folders(
    tmp_path_factory: pytest.TempPathFactory, small: Fit, large: Fit, hopeless: Fit, hostile: Fit
) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("fits")
    for name, fit in (("small", small), ("large", large), ("hopeless", hopeless), ("hostile", hostile)):
        write_fit(fit, root / name)
    return {p.name: p for p in root.iterdir()}
