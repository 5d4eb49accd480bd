"""The package petab, which comes with the extra `fit`."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from exotwin.errors import InputError


class Petab(NamedTuple):
    """What is used of it: checks of tables, formula → sympy, SBML model."""

    lint: Any
    formula: Any
    model: Any


@cache
def petab() -> Petab:
    """Load the package.

    Raises
    ------
    InputError : the extra is not installed.
    """
    try:
        from petab.v1 import lint
        from petab.v1.math import sympify_petab
        from petab.v1.models.sbml_model import SbmlModel
    except ImportError as missing:
        expected = "the extra: pip install 'exotwin[fit]'"
        raise InputError("PEtab problems", found=f"no package {missing.name}", expected=expected) from missing
    return Petab(lint, sympify_petab, SbmlModel)
