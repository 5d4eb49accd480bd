from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from exotwin.errors import ReportError
from exotwin.report import write_simulation

Z = 1.959963984540054


@pytest.fixture(scope="module")
def written(folders):
    return json.loads((folders["small"] / "fit.json").read_text(encoding="utf-8"))


def test_the_document_counts_starts_by_how_they_ended(written):
    assert written["starts"] == {
        "n": 12, "converged": 8, "creeping": 0, "iteration_limit": 1, "failed": 3, "within_0.1_of_best": 5,
    }  # fmt: skip


def test_the_document_holds_the_best_value_and_its_criteria(written):
    best = written["best"]
    assert best["objective"] == -20
    assert best["start"] == 1
    assert best["log_likelihood"] == 21.5
    assert best["aic"] == pytest.approx(2 * 4 - 2 * 21.5)
    assert best["bic"] == pytest.approx(4 * math.log(14) - 2 * 21.5)
    assert (best["n_measurements"], best["n_parameters"]) == (14, 4)


def test_the_document_names_problem_settings_versions_and_remarks(written, small):
    assert written["problem"] == {"name": "small", "digest": small.problem.digest}
    assert written["settings"] == dict(small.settings)
    assert written["seconds"] == dict(small.seconds)
    assert written["versions"].keys() >= {"exotwin", "python", "numpy", "petab"}
    assert "One remark on this fit." in written["remarks"]
    assert written["samples"]["autocorrelation"] == {"k_on": 21, "k_off": 25, "offset": None, "sd_reporter": 30}


@pytest.mark.parametrize("name", ["small", "large", "hopeless"])
def test_no_document_holds_a_number_that_is_infinite_or_none(folders, name):
    text, unreadable = (folders[name] / "fit.json").read_text(encoding="utf-8"), []
    document = json.loads(text, parse_constant=unreadable.append)
    assert document["problem"]
    assert unreadable == []


def test_a_fit_without_a_value_has_null_for_it(folders):
    document = json.loads((folders["hopeless"] / "fit.json").read_text(encoding="utf-8"))
    assert document["best"]["objective"] is None
    assert document["best"]["aic"] is None
    assert document["starts"]["within_0.1_of_best"] == 0
    assert all(p["profile_low"] is None for p in document["parameters"])


def test_parameters_have_values_errors_and_limits_off_their_scale(folders):
    table = pd.read_csv(folders["small"] / "parameters.csv").set_index("parameter")
    on, off, offset, sd = (table.loc[name] for name in ("k_on", "k_off", "offset", "sd_reporter"))
    assert on["value"] == pytest.approx(0.3)
    assert on["value_on_scale"] == pytest.approx(math.log10(0.3))
    assert on["se"] == pytest.approx(0.05 * 0.3 * math.log(10))  # delta method
    assert on["curvature_low"] == pytest.approx(10 ** (math.log10(0.3) - Z * 0.05))
    assert on["profile_high"] == pytest.approx(10 ** (math.log10(0.3) + 1.86 * 0.05))
    assert off["value"] == pytest.approx(20)
    assert off["se"] == pytest.approx(0.4 * 20)
    assert off["curvature_high"] == pytest.approx(20 * math.exp(Z * 0.4))
    assert np.isnan(off["profile_low"])
    assert off["profile_high"] == pytest.approx(20 * math.exp(1.86 * 0.4))
    assert offset["value"] == 10
    assert list(table["at_bound"].fillna("")) == ["", "", "upper", ""]
    assert list(table["identifiability"]) == ["identifiable", "only an upper limit", "failed", "not profiled"]
    # along a direction that the data do not hold nothing is said, not even that the value is above zero
    assert sd[["se", "curvature_low", "curvature_high", "profile_low", "profile_high"]].isna().all()
    assert list(table["scale"]) == ["log10", "log", "lin", "log10"]
    assert list(table["lower"]) == [1e-4, 1e-3, -10, 1e-3]


def test_a_parameter_that_was_held_is_at_its_nearer_bound(folders):
    table = pd.read_csv(folders["large"] / "parameters.csv")
    held = table[table["at_bound"].notna()]
    assert list(held.index) == [3, 4]
    assert list(held["at_bound"]) == ["lower", "upper"]


def test_the_document_and_the_table_of_parameters_say_the_same(folders, written):
    table = pd.read_csv(folders["small"] / "parameters.csv", keep_default_na=False, float_precision="round_trip")
    for row, own in zip(table.to_dict("records"), written["parameters"], strict=True):
        assert row.keys() == own.keys()
        for key, value in own.items():
            assert row[key] == ("" if value is None else value) or float(row[key]) == value


def test_starts_keep_where_they_began_and_ended(folders, small):
    table = pd.read_parquet(folders["small"] / "starts.parquet")
    assert len(table) == 12
    for row, start in zip(table.to_dict("records"), small.starts, strict=True):
        assert row["number"] == start.number
        assert row["value"] == start.found.value
        assert row["outcome"] == start.found.outcome
        assert (row["evaluations"], row["failed"]) == (start.found.evaluations, start.found.failed)
        assert row["seconds"] == start.seconds
        np.testing.assert_array_equal([row[f"begin_{n}"] for n in small.problem.names], start.begin)
        np.testing.assert_array_equal([row[f"end_{n}"] for n in small.problem.names], start.found.point)


def test_profiles_and_samples_are_kept_whole(folders, small):
    table = pd.read_parquet(folders["small"] / "profiles.parquet")
    for profile in small.profiles:
        own = table[table["parameter"] == profile.parameter]
        np.testing.assert_array_equal(own["at"], profile.grid)
        np.testing.assert_array_equal(own["value"], profile.value)
        np.testing.assert_array_equal(own[[f"point_{n}" for n in small.problem.names]], profile.points)
    draws = pd.read_parquet(folders["small"] / "samples.parquet")
    np.testing.assert_array_equal(draws["value"], small.samples.value)
    np.testing.assert_array_equal(draws.iloc[:, 1:], small.samples.points)


def test_correlations_stand_under_their_names(folders, large):
    table = pd.read_csv(folders["large"] / "correlations.csv", index_col=0)
    assert list(table.index) == list(table.columns) == list(large.problem.names)
    np.testing.assert_allclose(table.to_numpy(), large.curvature.correlation, rtol=1e-12)


def test_the_simulation_is_the_measurement_table_with_another_column(folders, large):
    table = pd.read_csv(
        folders["large"] / "simulation.tsv", sep="\t", keep_default_na=False, float_precision="round_trip"
    )
    measured = large.problem.measurements.table
    assert list(table.columns) == ["simulation" if c == "measurement" else c for c in measured.columns]
    np.testing.assert_array_equal(table["simulation"], large.evaluation.simulation[0])
    np.testing.assert_array_equal(table["time"].astype(float), measured["time"])
    assert np.isinf(table["time"].astype(float)).any()
    assert list(table["preequilibrationConditionId"]) == list(measured["preequilibrationConditionId"].fillna(""))


def test_a_simulation_alone_is_the_same_table(folders, small, tmp_path):
    write_simulation(small.problem, small.evaluation, tmp_path / "s.tsv")
    assert (tmp_path / "s.tsv").read_bytes() == (folders["small"] / "simulation.tsv").read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["s.tsv"]


def test_a_simulation_without_a_value_is_an_empty_cell(small, tmp_path):
    simulated = small.evaluation.simulation.copy()
    simulated[0, 3] = np.inf
    write_simulation(small.problem, replace(small.evaluation, simulation=simulated), tmp_path / "s.tsv")
    table = pd.read_csv(tmp_path / "s.tsv", sep="\t")
    assert list(np.flatnonzero(table["simulation"].isna())) == [3]


def test_a_simulation_needs_a_folder(small, tmp_path):
    with pytest.raises(ReportError, match="no folder"):
        write_simulation(small.problem, small.evaluation, tmp_path / "none" / "s.tsv")
