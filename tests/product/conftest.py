"""Readings of the real files, and a small product to spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from exotwin.product.example import write_example


@pytest.fixture(scope="session")
def readings(shared_data: Path) -> dict[str, Any]:
    """Reference figures of every real file, by path relative to the folder of real files."""
    found: dict[str, Any] = yaml.safe_load((shared_data / "readings.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    """A fresh copy of the example product; the path of its product file."""
    return write_example(tmp_path / "lot")[0]
