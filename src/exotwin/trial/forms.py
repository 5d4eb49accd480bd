"""One lot given both as cells and as vesicles: which arms show it, and what is followed beside usual exposures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from exotwin.biology import Model, Observable

if TYPE_CHECKING:
    from exotwin.trial.study import Study

_IN_TISSUE = {"cells": "cell", "vesicle_uptake": "particle/day"}
_IN_BODY = {
    "cells_alive": "cell",
    "vesicles_blood": "particle",
    "vesicles_liver": "particle",
    "vesicles_spleen": "particle",
    "vesicles_degraded": "particle",
    "obstruction_index": "dimensionless",
    "clot_index": "dimensionless",
    "embolism_risk": "dimensionless",
    "antibody_risk": "dimensionless",
}


def both_forms(study: Study) -> Mapping[str, tuple[str, str]]:
    """Product -> (arm that gives its cells, arm that gives its vesicles), the first of each without comparators."""
    found: dict[str, dict[str, str]] = {}
    for name, arm in study.arms.items():
        if arm.product is not None and arm.give is not None and not arm.comparators:
            found.setdefault(arm.product, {}).setdefault(arm.give, name)
    return {key: (forms["cells"], forms["vesicles"]) for key, forms in found.items() if len(forms) == 2}


def followed(study: Study, model: Model) -> Mapping[str, Observable]:
    """The condition's exposures; for a lot in both forms also cells and uptake of vesicles in every tissue."""
    if not both_forms(study):
        return model.exposures
    wanted = {f"{what}_{tissue}": unit for tissue in model.tissues for what, unit in _IN_TISSUE.items()} | _IN_BODY
    seen = {observable.symbol for observable in model.exposures.values()}
    added = {
        symbol: Observable(symbol, symbol, symbol, symbol, unit)
        for symbol, unit in wanted.items()
        if symbol not in seen and _has(model, symbol)
    }
    return {**model.exposures, **added}


def _has(model: Model, symbol: str) -> bool:
    return symbol in model.states or re.search(rf"^\s*{symbol}\s*:=", model.antimony, re.MULTILINE) is not None
