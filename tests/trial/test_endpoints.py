from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from exotwin.biology import EndpointRule
from exotwin.errors import StudyError
from exotwin.trial import COLUMNS, READINGS
from exotwin.trial.endpoints import Compared, TimedEndpoint, endpoint_rules, patient_value, table, timed_endpoints

N, ARMS = 120, ("untreated", "msc")
DRAW = np.arange(N) % 4


def rule(kind, *, observable="follicles", better="higher", threshold=None):
    return EndpointRule("e", observable, (365.0,), kind, better, "label", "标签", "unit", threshold)


def rows(model, endpoint, values, *, failed=None, said=None):
    """The table for one endpoint; ``values``: (reading, arm, patient)."""
    shape = values.shape
    compared = Compared(
        endpoint,
        values,
        np.zeros(shape, bool) if failed is None else failed,
        np.ones(shape[:2], bool) if said is None else said,
    )
    return table(
        [compared], DRAW, model=model, readings=READINGS, main="animal", arms=ARMS, comparator="untreated", rtol=1e-6
    )


def one(frame, reading, arm):
    found = frame[(frame["reading"] == reading) & (frame["arm"] == arm)]
    assert len(found) == 1
    return found.iloc[0]


def three_readings(untreated, msc):
    return np.array([[untreated, values] for values in msc])


def test_every_column_of_the_table_is_documented_and_there(tiny_model):
    values = np.ones((3, 2, N))
    frame = rows(tiny_model, TimedEndpoint(rule("value"), 365.0, "follicles", False), values)
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 6
    assert frame["main"].sum() == 2


def test_a_difference_of_means_is_the_paired_difference(tiny_model):
    rng = np.random.default_rng(1)
    untreated, gain = rng.normal(100, 20, N), rng.normal(5, 2, N)
    values = three_readings(untreated, [untreated + gain, untreated + 2 * gain, untreated + 0.1 * gain])
    frame = rows(tiny_model, TimedEndpoint(rule("value"), 365.0, "follicles", False), values)
    row = one(frame, "animal", "msc")
    assert row["effect"] == pytest.approx(gain.mean())
    assert (row["effect_kind"], row["effect_unit"], row["no_effect"]) == ("difference of means", "unit", 0)
    assert row["low"] <= row["low_patients"] < row["effect"] < row["high_patients"] <= row["high"]
    # Within draws, so 4 degrees of freedom fewer than all patients less one would give.
    within = np.sqrt(sum(((gain[d == DRAW] - gain[d == DRAW].mean()) ** 2).sum() for d in range(4)) / (N - 4))
    half = stats.t.ppf(0.975, N - 4) * within / math.sqrt(N)
    assert row["high_patients"] - row["effect"] == pytest.approx(half)
    assert row["p_better"] == 1
    assert row["ratio_to_copies"] == pytest.approx(10)
    assert one(frame, "copies", "msc")["ratio_to_copies"] == pytest.approx(1)
    assert row["nnt_text"] == ""
    assert math.isnan(row["share"])


def test_the_comparators_own_row_compares_nothing(tiny_model):
    frame = rows(tiny_model, TimedEndpoint(rule("value"), 365.0, "follicles", False), np.ones((3, 2, N)))
    row = one(frame, "animal", "untreated")
    assert row["comparator"] == row["effect_kind"] == ""
    assert math.isnan(row["effect"])
    assert row["median"] == 1


def test_an_observable_on_a_logarithmic_scale_is_compared_by_geometric_means(tiny_model):
    rng = np.random.default_rng(2)
    untreated, factor = rng.lognormal(3, 1, N), rng.lognormal(0.3, 0.1, N)
    values = three_readings(untreated, [untreated * factor, untreated, untreated / factor])
    frame = rows(tiny_model, TimedEndpoint(rule("value", better="lower"), 365.0, "fsh", True), values)
    row = one(frame, "animal", "msc")
    assert row["effect"] == pytest.approx(stats.gmean(factor))
    assert (row["effect_kind"], row["effect_unit"], row["no_effect"]) == (
        "ratio of geometric means",
        "dimensionless",
        1,
    )
    assert row["p_better"] == pytest.approx(0, abs=1e-9)
    assert row["ratio_to_copies"] == pytest.approx(-1)
    assert one(frame, "copies", "msc")["p_better"] == pytest.approx(1)


def test_values_without_logarithm_are_counted_and_left_out(tiny_model):
    untreated = np.full(N, 2.0)
    treated = np.full(N, 4.0)
    treated[:5] = 0.0
    values = three_readings(untreated, [treated] * 3)
    row = one(rows(tiny_model, TimedEndpoint(rule("value"), 365.0, "fsh", True), values), "animal", "msc")
    assert (row["n"], row["n_undefined"], row["n_failed"]) == (N - 5, 5, 0)
    assert row["effect"] == pytest.approx(2)


def test_failed_patients_are_counted_and_left_out_of_both_arms(tiny_model):
    values = three_readings(np.full(N, 1.0), [np.full(N, 3.0)] * 3)
    failed = np.zeros(values.shape, bool)
    failed[0, 0, :2] = failed[0, 1, 1:4] = True
    values[failed] = np.nan
    frame = rows(tiny_model, TimedEndpoint(rule("value"), 365.0, "follicles", False), values, failed=failed)
    row = one(frame, "animal", "msc")
    assert (row["n"], row["n_failed"], row["n_undefined"]) == (N - 4, 4, 0)
    own = one(frame, "animal", "untreated")
    assert (own["n"], own["n_failed"]) == (N - 2, 2)


def test_a_reading_that_says_nothing_is_neither_failure_nor_zero(tiny_model):
    values = three_readings(np.full(N, 1.0), [np.full(N, 3.0), np.full(N, 3.0), np.full(N, np.nan)])
    said = np.array([[True, True], [True, True], [True, False]])
    frame = rows(tiny_model, TimedEndpoint(rule("value"), 365.0, "follicles", False), values, said=said)
    row = one(frame, "copies", "msc")
    assert (row["n"], row["n_failed"], row["n_undefined"]) == (0, 0, 0)
    assert math.isnan(row["effect"])
    assert math.isnan(one(frame, "animal", "msc")["ratio_to_copies"])


def test_a_share_gives_a_risk_difference_and_a_number_needed(tiny_model):
    untreated = (np.arange(N) < 30).astype(float)
    treated = (np.arange(N) < 60).astype(float)
    endpoint = TimedEndpoint(rule("share", threshold=500.0), 365.0, "follicles", False)
    frame = rows(tiny_model, endpoint, three_readings(untreated, [treated, treated, untreated]))
    row = one(frame, "animal", "msc")
    assert (row["share"], row["effect"], row["nnt"]) == (0.5, 0.25, 4)
    assert row["effect_kind"] == "risk difference"
    assert row["nnt_low"] == pytest.approx(1 / row["high"])
    assert row["nnt_text"].startswith("benefit 4 (benefit ")
    expected = stats.binomtest(60, N).proportion_ci(0.95, "wilson")
    assert (row["share_low"], row["share_high"]) == pytest.approx((expected.low, expected.high))
    assert math.isinf(row["ratio_to_copies"])
    nothing = one(frame, "copies", "msc")
    assert nothing["p_better"] == 0
    assert "∞" in nothing["nnt_text"]


def test_more_of_what_is_better_when_lower_counts_as_harm(tiny_model):
    untreated, treated = (np.arange(N) < 30).astype(float), (np.arange(N) < 60).astype(float)
    endpoint = TimedEndpoint(rule("share", better="lower", threshold=1.0), 365.0, "follicles", False)
    row = one(rows(tiny_model, endpoint, three_readings(untreated, [treated] * 3)), "animal", "msc")
    assert row["nnt"] == -4
    assert row["p_better"] < 1e-6
    assert row["nnt_text"].startswith("harm 4 (harm ")


def test_the_solvers_noise_is_no_effect(tiny_model):
    rng = np.random.default_rng(3)
    untreated = rng.normal(100, 5, N)
    noisy = untreated * (1 + 1e-6 * rng.random(N))
    values = three_readings(untreated, [untreated + 1.0, noisy, noisy])
    frame = rows(tiny_model, TimedEndpoint(rule("value"), 365.0, "follicles", False), values)
    assert one(frame, "copies", "msc")["p_better"] == 0
    assert one(frame, "animal", "msc")["ratio_to_copies"] == math.inf
    assert math.isnan(one(frame, "copies", "msc")["ratio_to_copies"])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("value", [4, 0, np.nan]), ("change", [2, -1, np.nan]), ("ratio", [2, 0, np.nan]), ("share", [1, 0, np.nan])],
)
def test_a_patients_value_follows_the_kind_of_endpoint(kind, expected):
    endpoint = TimedEndpoint(rule(kind, threshold=3.0), 365.0, "follicles", kind == "ratio")
    found = patient_value(endpoint, np.array([4.0, 0.0, np.nan]), np.array([2.0, 1.0, 1.0]))
    np.testing.assert_array_equal(found, expected)


def test_a_ratio_to_nothing_does_not_exist():
    endpoint = TimedEndpoint(rule("ratio"), 365.0, "follicles", True)
    assert np.isnan(patient_value(endpoint, np.array([1.0]), np.array([0.0]))).all()


def test_standard_endpoints_stop_at_the_horizon(study_of, tiny_model):
    study = study_of(('"2 years"', '"200 days"'))
    rules = endpoint_rules(study, tiny_model)
    assert [(r.id, r.days) for r in rules] == [("fsh", (180.0,))]
    points = timed_endpoints(rules, tiny_model)
    assert [(p.name, p.symbol, p.log) for p in points] == [("fsh day 180", "fsh", True)]


def test_a_horizon_before_every_endpoint_is_refused(study_of, tiny_model):
    with pytest.raises(StudyError, match="at least day 180"):
        endpoint_rules(study_of(('"2 years"', '"100 days"')), tiny_model)


def test_endpoints_of_the_study_stand_in_place_of_the_standard_ones(study_of, tiny_model):
    more = (
        '\n[endpoints.kept]\nobservable = "follicles"\nat = ["1 year", "6 months"]\nkind = "share"\n'
        'better = "higher"\nthreshold = 300\n'
    )
    (own,) = endpoint_rules(study_of(more=more), tiny_model)
    assert (own.id, own.days, own.threshold, own.unit) == ("kept", (182.625, 365.25), 300, "dimensionless")


def test_an_endpoint_on_an_unknown_observable_names_the_nearest(study_of, tiny_model):
    more = '\n[endpoints.own]\nobservable = "folicles"\nat = "1 year"\nbetter = "higher"\n'
    with pytest.raises(StudyError, match='nearest   "follicles"') as caught:
        endpoint_rules(study_of(more=more), tiny_model)
    assert "endpoints.own.observable" in caught.value.where
