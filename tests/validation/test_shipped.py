"""The checks that are shipped: whole, resolved, covering; and, where that takes long, judged."""

from __future__ import annotations

import pytest

from exotwin.evidence import record
from exotwin.validation import read_checks, validate
from exotwin.validation.coverage import coverage
from exotwin.validation.score import values_of
from exotwin.validation.scoreboard import modules_of
from exotwin.validation.verdict import published

FILES = read_checks()
CHECKS = [check for file in FILES for check in file.checks]
MODULES = modules_of(FILES)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_what_is_published_comes_out_of_records_that_were_seen(check):
    for name in check.records:
        assert record(name).seen, name
    assert published(check, values_of(check)).words


@pytest.mark.parametrize("module", MODULES)
def test_every_record_of_a_dossier_is_accounted_for(module):
    mine = [file for file in FILES if file.module == module]
    assert not coverage(FILES, {module: mine})[module].unaccounted


def test_what_cannot_be_tested_was_seen_and_says_why():
    entries = [entry for file in FILES for entry in file.not_testable]
    assert entries
    for entry in entries:
        assert len(entry.why) > 10
        assert all(record(name).seen for name in entry.records)


def test_every_study_is_read_by_a_check_and_says_what_it_is_about():
    for file in FILES:
        used = {check.study for check in file.checks}
        assert used == set(file.studies), file.name
        assert all(study.about for study in file.studies.values()), file.name


# The studies of whole lives with noise take a minute; make validate runs them.
@pytest.mark.parametrize("module", [pytest.param(m, marks=pytest.mark.slow if m == "ageing" else ()) for m in MODULES])
def test_every_check_runs_and_every_miss_has_a_reason(module):
    board = validate([module])
    assert not board.faults
    assert not board.unexplained
    assert board.count().n == len([check for check in CHECKS if check.module == module])
    for one in board.tested:
        assert one.failed == 0, f"{one.check.id}: {one.why}"
        assert one.simulated is not None, one.check.id
