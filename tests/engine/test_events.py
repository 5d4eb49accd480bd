"""Events: found where they happen, executed in the order of the standard, each patient by its own clock."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from engine_tools import roadrunner, sbml

from exotwin.engine import CompiledModel, Dose, load

Compile = Callable[..., CompiledModel]
LN2 = float(np.log(2))


def test_an_event_at_a_time_shows_in_the_value_of_that_time(compiled: Compile) -> None:
    model = compiled("model e\n x = 1; x' = 0*time; at time >= 5: x = 3\nend")
    result = model.simulate([0.0, 4.999999, 5.0, 6.0])
    assert list(result["x"][0].values) == [1, 1, 3, 3]


def test_a_threshold_is_found_far_more_exactly_than_the_step_is_wide(compiled: Compile) -> None:
    model = compiled("model e\n x = 1; x' = -x; n = 0; at x < 0.5: x = 1, n = n + 1\nend")
    result = model.simulate(np.linspace(0, 10, 101), rtol=1e-9)
    expected = np.exp(-np.mod(result["time"].values, LN2))
    # each of the 14 resets comes at most some tolerances late
    np.testing.assert_allclose(result["x"][0], expected, rtol=1e-6)
    assert result["n"][0, -1] == np.floor(10 / LN2)


def test_the_error_of_event_times_goes_with_the_tolerance(compiled: Compile) -> None:
    model = compiled("model e\n x = 0; v = 1; x' = v; v' = -x; n = 0; t1 = 0; at x > 0.9: n = n + 1, t1 = time\nend")
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8):
        found = float(model.simulate([0.0, 3.0], rtol=rtol)["t1"][0, -1])
        errors.append(abs(found - np.arcsin(0.9)))
    assert errors[0] < 1e-3
    assert errors[1] < 1e-5
    assert errors[2] < 1e-7


def test_a_ball_bounces_as_physics_wants_it(compiled: Compile) -> None:
    model = compiled("model b\n h = 1; v = 0; h' = v; v' = -9.81; n = 0; at h < 0: v = -0.8*v, n = n + 1\nend")
    result = model.simulate([0.0, 1.0, 2.0, 3.0], rtol=1e-10)
    first = np.sqrt(2 / 9.81)
    speed = 9.81 * first
    impacts = first + 2 * speed / 9.81 * np.concatenate([[0.0], np.cumsum(0.8 ** np.arange(1, 12))])
    counts = [np.sum(impacts < t) for t in result["time"].values]
    assert list(result["n"][0].values) == counts
    last = impacts[counts[2] - 1]
    since, up = 2.0 - last, speed * 0.8 ** counts[2]
    np.testing.assert_allclose(result["h"][0, 2], up * since - 9.81 / 2 * since**2, rtol=1e-6)


def test_conditions_that_hold_only_for_a_moment_within_a_step_are_seen(compiled: Compile) -> None:
    model = compiled("model p\n x = 0; x' = 1; n = 0; m = 0; at time > 5 && time < 5.001: n = 1; at x == 7: m = 1\nend")
    result = model.simulate([0.0, 10.0])
    assert result["steps"][0] < 30
    assert result["n"][0, -1] == 1
    assert result["m"][0, -1] in (0, 1)  # a state meets a number exactly only by chance of rounding


def test_time_that_equals_a_number_is_met_exactly(compiled: Compile) -> None:
    model = compiled("model p\n x = 0; x' = 1; n = 0; at time == 2.7: n = n + 1\nend")
    assert model.simulate([0.0, 10.0])["n"][0, -1] == 1


def test_delayed_events_take_values_of_the_trigger_or_of_the_execution(compiled: Compile) -> None:
    text = "model d\n x = 0; x' = 1; y = 0; z = 0\n at 2 after time >= 3, fromTrigger={}: y = x, z = time\nend"
    at_trigger = compiled(text.format("true")).simulate([0.0, 4.9, 5.0])
    at_execution = compiled(text.format("false")).simulate([0.0, 4.9, 5.0])
    np.testing.assert_allclose(at_trigger["y"][0], [0, 0, 3], rtol=1e-12)
    np.testing.assert_allclose(at_execution["y"][0], [0, 0, 5], rtol=1e-12)
    assert list(at_trigger["z"][0].values) == [0, 0, 3]


def test_a_delay_longer_than_the_period_of_the_trigger_keeps_all_that_wait(compiled: Compile) -> None:
    text = "model d\n n = 0; x = 0; x' = cos(2*pi*time)\n at 5.3 after x > 0.1, fromTrigger=false: n = n + 1\nend"
    model = compiled(text)
    result = model.simulate([0.0, 5.2, 10.2, 15.2])
    assert list(result["n"][0].values) == [0, 0, 5, 10]


@pytest.mark.parametrize(("persistent", "happens"), [("true", 1), ("false", 0)])
def test_only_persistent_events_survive_a_trigger_that_is_revoked(
    compiled: Compile, persistent: str, happens: int
) -> None:
    text = f"model r\n x = 0; x' = 1; n = 0; at 3 after (time > 1 && time < 2), persistent={persistent}: n = 1\nend"
    assert compiled(text).simulate([0.0, 10.0])["n"][0, -1] == happens


@pytest.mark.parametrize(("t0", "happens"), [("false", 1), ("true", 0)])
def test_a_trigger_that_is_true_at_the_start_fires_unless_it_was_true_before(
    compiled: Compile, t0: str, happens: int
) -> None:
    model = compiled(f"model t\n x = 2; x' = 0*x; n = 0; at x > 1, t0={t0}: n = n + 1\nend")
    assert list(model.simulate([0.0, 1.0])["n"][0].values) == [happens, happens]


def test_simultaneous_events_go_by_priority_and_see_what_went_before(compiled: Compile) -> None:
    model = compiled(
        "model s\n x = 1; x' = 0*x\n"
        "at time >= 1, priority=1, fromTrigger=false: x = x*10\n"
        "at time >= 1, priority=3, fromTrigger=false: x = x + 1\n"
        "at time >= 1, priority=2, fromTrigger=false: x = x^2\nend"
    )
    assert model.simulate([0.0, 1.0])["x"][0, -1] == 40


def test_an_event_can_trigger_another_at_the_same_moment(compiled: Compile) -> None:
    model = compiled("model c\n a = 0; b = 0; d = 0; at (time >= 1): a = 1; at (a > 0): b = 1; at (b > 0): d = 1\nend")
    result = model.simulate([0.0, 1.0])
    assert [float(result[n][0, -1]) for n in "abd"] == [1, 1, 1]


RIVALS = """model r
 x = 0; x' = 0*x; a = 0; b = 0
 at time >= 1, priority=1, persistent=false: x = 1, a = 1
 at time >= 1 && x < 1, priority=1, persistent=false: b = 1
end"""


def test_chance_decides_among_equal_priorities_and_is_the_same_every_time(compiled: Compile) -> None:
    model = compiled(RIVALS)
    many = {"initial": {"x": np.zeros(2000)}}
    first = model.simulate([0.0, 2.0], **many, n_threads=1)["b"][:, -1].values
    again = model.simulate([0.0, 2.0], **many, n_threads=2)["b"][:, -1].values
    other = compiled(RIVALS, width=1).simulate([0.0, 2.0], **many)["b"][:, -1].values
    assert np.array_equal(first, again)
    assert np.array_equal(first, other)
    # 2000 fair coins: three standard deviations are 67
    assert abs(first.sum() - 1000) < 100


def test_patients_have_events_of_their_own_and_the_same_bits_at_any_width(compiled: Compile) -> None:
    text = "model w\n x = 1; x' = -k*x; k = 1; low = 0.5; n = 0; at x < low: x = x + 1, n = n + 1\nend"
    rng = np.random.default_rng(3)
    draws = {"k": rng.lognormal(0, 0.5, 200), "low": rng.uniform(0.1, 0.9, 200)}
    times = np.linspace(0, 10, 21)
    results = [compiled(text, width=width).simulate(times, parameters=draws) for width in (1, 2, 4, 8)]
    for other in results[1:]:
        assert all(np.array_equal(results[0][name], other[name]) for name in ("x", "n", "steps"))
    alone = compiled(text).simulate(times, parameters={name: values[[17]] for name, values in draws.items()})
    assert np.array_equal(alone["x"][0], results[0]["x"][17])
    assert len(np.unique(results[0]["n"][:, -1])) > 5


def test_a_dose_can_trigger_an_event(compiled: Compile) -> None:
    model = compiled("model d\n x = 0; x' = -x; n = 0; at x > 3: n = n + 1, x = x/2\nend")
    result = model.simulate([0.0, 1.0, 2.0], doses=[Dose("x", 1.0, 4.0)])
    np.testing.assert_allclose(result["x"][0], [0, 2, 2 * np.exp(-1)], rtol=1e-6)
    assert list(result["n"][0].values) == [0, 1, 1]


def test_events_without_end_at_one_moment_end_the_patient(compiled: Compile) -> None:
    model = compiled(
        "model z\n a = 0; b = 0; on = 1; at time >= 1: a = 1\n"
        "at a > b && on > 0: b = b + 2; at b > a && on > 0: a = a + 2\nend"
    )
    result = model.simulate([0.0, 0.5, 2.0], parameters={"on": [1.0, 0.0]})
    assert list(result["outcome"].values) == ["endless events", "ok"]
    assert result["failed_at"][0] == 1
    assert np.isnan(result["a"][0, -1])


def test_events_that_wait_without_bound_end_the_patient(compiled: Compile) -> None:
    model = compiled("model q\n x = 0; v = 1; x' = v*50; v' = -x*50; n = 0; at 1000 after x > 0: n = n + 1\nend")
    result = model.simulate([0.0, 100.0])
    assert result["outcome"][0] == "too many events waiting"


def test_a_changed_compartment_keeps_amounts(compiled: Compile) -> None:
    text = "model v\n compartment c = 2; species S in c; S = 3; S -> ; 0.0*S; at time >= 1: c = 4\nend"
    model = compiled(text)
    np.testing.assert_allclose(model.simulate([0.0, 0.5, 1.0])["S"][0], [3, 3, 1.5])


def test_a_clock_and_a_switch_run_as_in_roadrunner() -> None:
    text = sbml(
        "model k\n $X -> S; k0*on; S -> ; k1*S; k0 = 5; k1 = 0.3; on = 1; S = 0; X = 1\n"
        "at S > 8: on = 0\n at S < 3: on = 1\n at time > 20: k1 = 0.6\n at 1.5 after time > 30: S = S + 10\nend"
    )
    expected = roadrunner(text, 50, 501, ["S", "on"])
    result = load(text).simulate(np.linspace(0, 50, 501), rtol=1e-9)
    np.testing.assert_allclose(result["S"][0], expected[:, 0], rtol=1e-5, atol=1e-6)


def test_a_pulse_of_a_rate_is_never_leapt_over(compiled: Compile) -> None:
    model = compiled("model p\n x = 0; x' = piecewise(1000, time >= 50 && time < 50.001, 0)\nend")
    result = model.simulate([0.0, 50.0, 50.0005, 51.0, 100.0])
    np.testing.assert_allclose(result["x"][0], [0, 0, 0.5, 1, 1], rtol=1e-9, atol=1e-12)
    assert result["steps"][0] < 40


def test_a_rate_that_is_switched_by_time_costs_no_rejected_steps(compiled: Compile) -> None:
    model = compiled("model j\n x = 1; r := piecewise(1, time >= 1 && time < 2, 3, time > 4, 0.2); x' = -x*r\nend")
    result = model.simulate([0.0, 1.0, 2.0, 4.0, 5.0], rtol=1e-8)
    np.testing.assert_allclose(result["x"][0], np.exp([-0.0, -0.2, -1.2, -1.6, -4.6]), rtol=1e-7)
    assert result["rejected"][0] < 5
