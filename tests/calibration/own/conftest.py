from __future__ import annotations

import shutil

import pytest

from exotwin.biology import SHIPPED


@pytest.fixture
def root(tmp_path):
    """A copy of the biology that may be written to."""
    folder = tmp_path / "biology"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return folder
