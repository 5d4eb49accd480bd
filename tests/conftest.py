"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real instrument files and published models; it lies beside the project and is not part of it."""
    folder = Path(os.environ.get("EXOTWIN_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"the folder of real instrument files is not here ({folder})")
    return folder
