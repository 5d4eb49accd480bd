"""What the engine's tests share: a cache of their own, and models written in Antimony."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine_tools import sbml

from exotwin.engine import CompiledModel, load


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Compiled models of this session go to a folder of its own, so that no old one is ever tested."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXOTWIN_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def compiled() -> Callable[..., CompiledModel]:
    """Compiles an Antimony model."""
    return lambda text, **options: load(sbml(text), **options)
