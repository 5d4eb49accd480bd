from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from exotwin.report import facts, write_tables
from exotwin.report.tables import MAKERS, Tables

LIMITS = ["effect", "low", "high", "low_patients", "high_patients"]


@pytest.fixture(scope="module")
def tables(result):
    return Tables(result)


def rows_at(result, table, endpoint, day):
    """Rows of a table of courses at the stored time next to the day of an endpoint."""
    days = table["day"].unique()
    nearest = days[np.abs(days - day).argmin()]
    return table[(table["observable"] == endpoint) & (table["day"] == nearest)].set_index("arm")


def test_a_course_of_differences_meets_the_endpoints_at_their_days(result, tables):
    main = result.endpoints[(result.endpoints["reading"] == "animal") & (result.endpoints["comparator"] != "")]
    for row in facts.dicts(main):
        there = rows_at(result, tables["differences"], row["endpoint"], row["day"]).loc[row["arm"]]
        # the same estimate of the same numbers; the trajectories were rounded to 32 bits
        np.testing.assert_allclose([there[k] for k in LIMITS], [row[k] for k in LIMITS], rtol=1e-5, atol=1e-7)
        assert there["effect_kind"] == row["effect_kind"]


def test_a_band_meets_the_endpoints_at_their_days(result, tables):
    main = result.endpoints[(result.endpoints["reading"] == "animal")]
    for row in facts.dicts(main):
        there = rows_at(result, tables["curves"], row["endpoint"], row["day"]).loc[row["arm"]]
        names = ("share", "share_low", "share_high") if row["kind"] == "share" else ("median", "p5", "p95")
        np.testing.assert_allclose([there[k] for k in ("middle", "low", "high")], [row[k] for k in names], rtol=1e-5)


def test_the_draws_average_to_the_effect_on_the_scale_on_which_effects_add_up(result, tables):
    rows = facts.last_rows(result).set_index(["reading", "endpoint", "arm"])
    for key, group in tables["draws"].groupby(["reading", "endpoint", "arm"]):
        row, shown = rows.loc[key], group["effect"].to_numpy()
        if row["effect_kind"].startswith("ratio"):
            shown, effect = np.log(shown), math.log(row["effect"])
        else:
            effect = row["effect"]
        # draws are drawn towards their mean, each by its own noise, which leaves the mean nearly where it was
        spread = max(shown.std(), 1e-12)
        assert abs(shown.mean() - effect) < 0.2 * spread
        assert len(shown) == row["n_draws"]


def test_per_cent_of_dose_undoes_the_dose(result, tables):
    table = tables["exposure"]
    blood = table[(table["exposure"] == "vesicles_blood") & (table["arm"] == "exosomes")]
    measured = result.exposure["vesicles_blood"].sel(arm="exosomes").values.astype(float)
    # every patient of the made-up trial gets 1e11 particles on days 0 and 7
    given = np.where(result.exposure["time"].values >= 7, 2e11, 1e11)
    at = np.searchsorted(result.exposure["time"].values, blood["day"].to_numpy())
    draw = result.dataset["draw"].values
    shares = 100 * measured / given
    expected = np.mean([np.median(shares[draw == d], axis=0) for d in np.unique(draw)], axis=0)[at]
    np.testing.assert_allclose(blood["median"], expected, rtol=1e-9)
    assert set(blood["unit"]) == {"% of dose"}


def test_an_arm_causes_no_exposure_that_is_zero_throughout(tables):
    assert set(tables["exposure"]["arm"]) == {"exosomes", "cells"}
    cells = tables["exposure"][tables["exposure"]["arm"] == "cells"]
    assert set(cells["exposure"]) == {"obstruction_index"}


def test_baseline_is_what_the_untreated_show_at_enrolment(result, tables):
    table = tables["baseline"].set_index("quantity")
    first = result.dataset.sel(arm="untreated", reading="animal").isel(time=0)
    np.testing.assert_allclose(table.loc["amh", "median"], np.median(first["amh"]), rtol=1e-6)
    np.testing.assert_allclose(table.loc["cycling", "median"], (first["cycling"] >= 0.5).mean(), rtol=1e-6)
    assert (table.loc["amh", "normal_low"], table.loc["amh", "normal_high"]) == (1.0, 4.0)


def test_screening_adds_up(result, tables):
    steps = tables["screening"].groupby("step")["n"].sum()
    assert steps["screened"] == steps["enrolled"] + steps["left out"] + steps["not computed"]
    ended = tables["screening"].set_index("what")["n"]
    assert (ended["exosomes"], ended["untreated"]) == (239, 240)


def test_a_number_that_the_effect_follows_is_found_and_another_is_not(result):
    table = Tables(result)["draws"]
    own = table[(table["endpoint"] == "amh") & (table["arm"] == "exosomes") & (table["reading"] == "animal")]
    population = result.population.copy()
    population.loc[{"quantity": "translation"}] = -own["effect"].to_numpy()[result.dataset["draw"].values]
    changed = dataclasses.replace(result, population=population)
    found = Tables(changed)["influence"]
    found = found[(found["endpoint"] == "amh") & (found["arm"] == "exosomes")].set_index("parameter")
    assert found.loc["translation", "correlation"] == pytest.approx(-1.0)
    assert abs(found.loc["escape", "correlation"]) < 0.9
    assert found.loc["escape", "noise"] == pytest.approx(1.959964 / math.sqrt(24 - 1))
    assert "umbilical:viability" not in found.index  # the same in every draw


def test_numbers_of_counted_copies_do_not_move_a_reading_from_animals(result):
    population = result.population.assign_coords(
        quantity=["age_start", "umbilical:gain:miR-21-5p:angiogenesis", "escape", "umbilical:viability", "body_weight"]
    )
    found = Tables(dataclasses.replace(result, population=population))["influence"]
    assert set(found["parameter"]) == {"escape"}


def test_a_process_at_full_response_is_the_exponential_of_scale_and_split(tables):
    table = tables["processes"].set_index(["process", "reading"])
    animal = table.loc[("granulosa_apoptosis", "animal")]
    assert animal["factor"] == pytest.approx(math.exp(-1.0 * 1.2))
    copies = table.loc[("granulosa_apoptosis", "copies: umbilical")]
    assert copies["factor"] == pytest.approx(math.exp(-0.134))
    assert copies["low"] == pytest.approx(math.exp(-0.134 - 1.959964 * 0.12))


def test_what_a_module_misses_is_read_from_its_opening_comment(tables):
    assert tables["misses"].to_dict("records") == [{"module": "Ovary", "misses": "the cycle itself."}]


def test_failures_are_counted_and_the_unsaid_is_not_among_them(result, tables):
    assert tables["failures"]["n"].sum() == 3
    assert set(tables["failures"]["reason"]) == {"step limit"}


def test_every_table_is_written_as_it_is(result, tables, tmp_path):
    import pandas as pd

    paths = write_tables(result, tmp_path / "tables")
    assert [p.stem for p in paths] == list(MAKERS)
    for path in paths:
        back = pd.read_csv(path, float_precision="round_trip")
        table = tables[path.stem]
        assert list(back.columns) == list(table.columns)
        assert len(back) == len(table)
        for name in table.select_dtypes("number"):
            # the shortest text that gives the same double back
            np.testing.assert_array_equal(back[name].to_numpy(float), table[name].to_numpy(float))
