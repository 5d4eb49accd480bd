"""The folders of exotwin's own calibrations: sources, tables, and models that are what the biology gives."""

from __future__ import annotations

import csv

import pytest

from exotwin.biology import SHIPPED, read_rows
from exotwin.calibration import calibrations, read
from exotwin.calibration.own import read_definition, stale
from exotwin.errors import InputError
from exotwin.evidence.record import shipped as library

TABLES = sorted(
    path
    for folder in ("modules", "conditions", "species")
    for path in (SHIPPED / folder).glob("*.csv")
    if path.stem != "sources"  # numbers by source of cells, with a column more
)


def rows_in(path):
    return read_rows(path, first="label" if path.stem == "labels" else "")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def measured(name):
    folder = read_definition(name).folder
    return [
        row
        for file in ("measurements.tsv", "checks.tsv")
        if (folder / file).is_file()
        for row in rows_of(folder / file)
    ]


def fits_of(row):
    """(column, calibration) of what fits a row, value and spread."""
    for column, cell in (("value", "record"), ("spread", "spread_record")):
        for word in row[cell].split():
            if word.startswith("calibration:"):
                yield column, word.removeprefix("calibration:")


def test_no_number_by_source_of_cells_is_fitted():
    rows = (SHIPPED / "modules" / "sources.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) > 20
    assert not [row for row in rows if "calibration:" in row or ", fitted," in row]


def test_every_number_called_fitted_names_one_calibration_and_is_what_that_calibration_found():
    seen = 0
    for path in TABLES:
        for row in rows_in(path):
            named = dict(fits_of(row))
            assert (row["basis"] == "fitted") == ("value" in named), (path.name, row["name"])
            for column, name in named.items():
                definition = read_definition(name)
                table = str(path.relative_to(SHIPPED))
                targets = [
                    t
                    for t in definition.targets
                    if t.table == table and t.holds(row.cells) and (t.column == column or t.error_is_spread)
                ]
                assert len(targets) == 1, (row["name"], column)
                nominal = {p["parameterId"]: p["nominalValue"] for p in rows_of(definition.folder / "parameters.tsv")}
                if column == "value":
                    assert float(row["value"]) == float(nominal[targets[0].parameter])
                seen += 1
    assert seen > 20


def test_every_target_of_a_calibration_is_a_row_that_names_it():
    for name in calibrations():
        for target in read_definition(name).targets:
            row = next(r for r in rows_in(SHIPPED / target.table) if target.holds(r.cells))
            assert (target.column, name) in fits_of(row), target


@pytest.mark.parametrize("name", calibrations())
def test_every_measurement_names_records_that_were_read_and_says_what_it_is(name):
    records = library()
    for row in measured(name):
        assert row["record"], row
        assert row["note"], row
        for record in row["record"].split():
            assert records.get(record).seen, record


@pytest.mark.parametrize("name", calibrations())
def test_the_records_of_a_fitted_row_are_among_those_of_its_calibration(name):
    used = {record for row in measured(name) for record in row["record"].split()}
    for target in read_definition(name).targets:
        row = next(r for r in rows_in(SHIPPED / target.table) if target.holds(r.cells))
        cell = "record" if target.column == "value" else "spread_record"
        named = {word for word in row[cell].split() if not word.startswith("calibration:")}
        assert named <= used | {"phys-flow-allometric"}, target  # flows turn extractions into clearances


@pytest.mark.parametrize("name", calibrations())
def test_the_committed_model_is_what_the_biology_gives(name):
    assert stale(read_definition(name)) == ()


@pytest.mark.parametrize("name", calibrations())
def test_the_problem_is_valid_petab(name):
    petab = pytest.importorskip("petab.v1", reason="fits need the extra packages named 'fit'")
    definition = read_definition(name)
    for path in (definition.problem, definition.checks):
        if path is None:
            continue
        assert read(path).names  # by our own reader
        if definition.population is None:
            assert not petab.lint_problem(petab.Problem.from_yaml(path)), path


def test_numbers_that_checks_and_fits_share_come_from_one_place():
    """A check is never fitted as well: no row of the measurement table is repeated among the checks."""
    for name in calibrations():
        folder = read_definition(name).folder
        if (folder / "checks.tsv").is_file():
            keys = [
                {
                    (r["observableId"], r["simulationConditionId"], r["time"], r["measurement"])
                    for r in rows_of(folder / f)
                }
                for f in ("measurements.tsv", "checks.tsv")
            ]
            assert not keys[0] & keys[1], name


@pytest.mark.parametrize("given", ["0", "0.1", "true", '"1e-6"'])
def test_a_tolerance_that_no_search_can_follow_is_refused(root, given):
    page = root / "calibrations" / "mouse-pool" / "calibration.toml"
    page.write_text(f"rtol = {given}\n" + page.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(InputError, match=r"at most 0\.0001"):
        read_definition("mouse-pool", root=root)
