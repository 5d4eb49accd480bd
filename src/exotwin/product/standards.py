"""The standards of the folder ``criteria``: which criteria, which limits, which records."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any


@lru_cache
def load(name: str) -> Mapping[str, Any]:
    """The standard ``name`` ("isct" or "misev") as nested tables."""
    return tomllib.loads((files("exotwin.product") / "criteria" / f"{name}.toml").read_text(encoding="utf-8"))
