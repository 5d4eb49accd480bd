"""What every condition in every species must pass, whatever it models."""

from __future__ import annotations

import re
from functools import cache

import libsbml
import numpy as np
import pytest

from exotwin import evidence
from exotwin.biology import Model, assemble, conditions, species_of
from exotwin.biology.assemble import SHIPPED
from exotwin.units import registry
from exotwin.validation import read_checks

ALL = [(condition, species) for condition in conditions() for species in species_of(condition)]
DOSES = {"cells": 1e6, "vesicles": 1e10}
YEAR = 365.25


@cache
def _assembled(condition: str, species: str) -> Model:
    return assemble(condition, species)


@pytest.fixture(params=ALL, ids=lambda pair: "-".join(pair))
def model(request) -> Model:
    return _assembled(*request.param)


def _course(model, run, *, outputs, dose=None, **parameters):
    """Outputs from the injury to two years after enrolment, with a dose into one state at time 0 if wanted."""
    before = run(model, np.linspace(-model.run_in, 0, 50), [*model.states, *outputs], **parameters)
    start = {state: before[state][-1] for state in model.states}
    for state, amount in (dose or {}).items():
        start[state] += amount
    days = np.concatenate([[0], np.geomspace(1e-4, 2 * YEAR, 150)])
    after = run(model, days, [*model.states, *outputs], start=start, **parameters)
    return {name: (before[name], after[name]) for name in after}


def test_libsbml_finds_nothing_to_complain_of_units_included(model):
    document = libsbml.readSBMLFromString(model.sbml)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    assert document.checkConsistency() == 0, document.getErrorLog().toString()


def test_another_tool_runs_it_and_every_state_and_observable_stays_finite_and_not_negative(model, run):
    names = [o.symbol for o in (*model.observables.values(), *model.exposures.values())]
    for found in _course(model, run, outputs=names).values():
        for part in found:
            assert np.all(np.isfinite(part))
            # an integrator with absolute tolerance 1e-9 may end that far below zero
            assert part.min() >= -1e-6 * max(1.0, np.abs(part).max())


@pytest.mark.parametrize("reading", [{}, {"reading_animal": 1.0}, {"reading_copies": 1.0}], ids=str)
def test_without_therapy_every_multiplier_is_exactly_one(model, run, reading):
    course = _course(model, run, outputs=model.processes, **reading)
    for process in model.processes:
        for part in course[process]:
            assert np.all(part == 1.0)


def test_a_product_without_effect_leaves_the_untreated_course(model, run):
    names = [o.symbol for o in model.observables.values()]
    untreated = _course(model, run, outputs=names)
    everything = {dose.state: DOSES[product] for (product, _), dose in model.dosing.items()}
    neutral = _course(model, run, outputs=names, dose=everything, reading_copies=1.0)
    for name in names:
        # the doses change the steps, so the two agree within the integrator's tolerance (1e-9) times thousands of steps
        scale = np.abs(untreated[name][1]).max()
        np.testing.assert_allclose(neutral[name][1], untreated[name][1], rtol=1e-5, atol=1e-6 * scale)


@pytest.mark.parametrize("product", ["cells", "vesicles"])
def test_what_is_given_is_found_again_somewhere_and_no_state_falls_below_zero(model, run, product):
    doses = {dose.state: DOSES[product] for (given, _), dose in model.dosing.items() if given == product}
    course = _course(model, run, outputs=[], dose=doses, reading_animal=1.0)
    parts = (f"{product}_", "debris_") if product == "cells" else (f"{product}_",)
    counted = [s for s in model.states if s.startswith(parts) and s != "cells_clustered"]  # those are in the lung too
    total = sum(course[s][1] for s in counted)
    np.testing.assert_allclose(total, sum(doses.values()), rtol=1e-6)
    for before, after in course.values():
        scale = max(1.0, np.abs(np.concatenate([before, after])).max())
        assert min(before.min(), after.min()) >= -1e-6 * scale


def test_every_number_names_records_that_exist_and_were_read(model):
    known = evidence.records()
    for parameter in model.parameters.values():
        for name in parameter.records:
            assert name in known, f"{parameter.where}: {name}"
            assert known[name].seen, f"{parameter.where}: {name} was not seen"
    named = [r for o in (*model.observables.values(), *model.exposures.values()) for r in o.record.split()]
    named += [r for c in (*model.inclusion, *model.endpoints) for r in c.record.split()]
    assert not [name for name in named if name not in known or not known[name].seen]


def test_every_spread_is_centred_where_the_table_says(model):
    for parameter in model.parameters.values():
        middle = float(parameter.spread.quantile(0.5))
        if parameter.spread.distribution in ("lognormal", "normal", "fixed"):
            continue
        # ranges: the value used without sampling should be what half of the draws lie below, within a fifth
        low, high = (float(parameter.spread.quantile(u)) for u in (0.3, 0.7))
        assert low <= parameter.value <= high, f"{parameter.name}: {parameter.value} against a median of {middle}"


def test_every_unit_is_one_of_the_package(model):
    ureg = registry()
    units = {p.unit for p in model.parameters.values()}
    units |= {o.unit for o in (*model.observables.values(), *model.exposures.values())}
    units |= {d.unit for d in model.dosing.values()} | {e.unit for e in model.endpoints}
    for unit in units:
        assert ureg.Quantity(1.0, unit).magnitude == 1.0


def test_everything_that_is_shown_has_a_name_in_both_languages(model):
    shown = [*model.observables.values(), *model.exposures.values(), *model.endpoints]
    assert model.title
    assert model.title_zh
    assert all(s.label and s.label_zh for s in shown)


def test_every_record_that_a_module_cites_exists_and_was_read():
    known = evidence.records()
    checks = {check.id for file in read_checks() for check in file.checks}
    for path in [*SHIPPED.glob("*/*.ant"), *SHIPPED.glob("*/*.md")]:
        words = re.findall(r"(?<![\w/.:-])[a-z][a-z0-9]*(?:-[A-Za-z0-9]+)+(?![\w/])", path.read_text(encoding="utf-8"))
        # a name with a digit or with two hyphens is meant as a record; miRNAs and plain compounds are not
        cited = {w for w in words if (re.search(r"\d", w) or w.count("-") > 1) and not w.startswith(("mi", "let-"))}
        missing = {w for w in cited - checks if w not in known or not known[w].seen}
        assert not missing, f"{path.name}: {sorted(missing)}"
