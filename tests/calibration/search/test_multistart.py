"""Local searches from many points, and the file that keeps them."""

import json
import time
from importlib import import_module

import numpy as np
import pytest

from exotwin.calibration.search.found import Found
from exotwin.calibration.search.multistart import multistart
from exotwin.errors import InputError

POINTS = np.random.default_rng(4).uniform(-4.5, 4.5, (9, 2))


def told(starts):
    """All of some starts but the time they took, so that == compares every bit."""
    return [(s.number, s.begin.tolist(), s.begin_value, _told_of(s.found)) for s in starts]


def _told_of(found):
    return (
        found.point.tolist(),
        found.value,
        found.gradient.tolist(),
        found.evaluations,
        found.failed,
        found.outcome,
    )


class Reporter:
    """Remembers what it is told; stops the work after some starts."""

    def __init__(self, stop_after=None):
        self.total, self.done, self.stop_after = [], 0, stop_after

    def start(self, task, total):
        self.total.append((task, total))

    def advance(self, n=1):
        self.done += n
        if self.stop_after is not None and self.done >= self.stop_after:
            raise KeyboardInterrupt

    def note(self, text):
        pass


def test_starts_come_back_in_their_order_with_where_they_began(toys):
    toy = toys.waves()
    found = multistart(toy, POINTS, at_once=4)
    assert [start.number for start in found] == list(range(9))
    np.testing.assert_array_equal([start.begin for start in found], POINTS)
    assert [start.begin_value for start in found] == [toy.one(point)[0] for point in POINTS]
    assert {start.found.outcome for start in found} == {"converged"}
    assert all(start.found.value <= start.begin_value and start.seconds >= 0 for start in found)


def test_the_deepest_of_several_minima_is_among_those_found(toys):
    toy = toys.waves()
    grid = np.linspace(-5, 5, 20001)
    deepest = min(toy.value(np.array([x, 1.0])) for x in grid)
    # a grid point lies within 2.5e-4 of the minimum, whose curvature is 16
    assert min(start.found.value for start in multistart(toy, POINTS)) == pytest.approx(deepest, abs=1e-6)


def test_starts_do_not_depend_on_how_many_run_at_once(toys):
    assert told(multistart(toys.valley(), POINTS / 2, at_once=1)) == told(multistart(toys.valley(), POINTS / 2))


def test_a_start_without_a_value_is_counted_and_does_not_stop_the_others(toys):
    found = multistart(toys.waves(fails=lambda x: x[0] > 2.0), POINTS)
    without = [start for start in found if start.begin[0] > 2.0]
    assert 0 < len(without) < 9
    assert {start.found.outcome for start in without} == {"failed: no value at the start"}
    assert all(np.isfinite(start.found.value) for start in found if start.begin[0] <= 2.0)


def test_progress_and_the_best_value_are_told(toys):
    reporter, best = Reporter(), []
    found = multistart(toys.waves(), POINTS, progress=reporter, best=best.append)
    assert (reporter.total, reporter.done) == ([("fitting", 9)], 9)
    assert best == sorted(best, reverse=True)
    assert best[-1] == min(start.found.value for start in found)


def test_without_points_there_are_no_starts(toys):
    assert multistart(toys.waves(), np.empty((0, 2))) == ()


@pytest.mark.parametrize("stop_after", [1, 4, 8])
def test_an_interrupted_fit_goes_on_to_the_same_starts_bit_for_bit(toys, tmp_path, stop_after):
    whole = told(multistart(toys.valley(), POINTS / 2))
    with pytest.raises(KeyboardInterrupt):
        multistart(toys.valley(), POINTS / 2, store=tmp_path / "starts", at_once=3, progress=Reporter(stop_after))
    kept = len((tmp_path / "starts").read_text().splitlines()) - 1
    reporter, best = Reporter(), []
    again = multistart(
        toys.valley(), POINTS / 2, store=tmp_path / "starts", at_once=2, progress=reporter, best=best.append
    )
    assert kept == stop_after
    assert told(again) == whole
    assert reporter.done == 9


def test_what_is_finished_is_not_evaluated_again(toys, tmp_path):
    first = multistart(toys.valley(), POINTS / 2, store=tmp_path / "starts")
    toy, best = toys.valley(), []
    second = multistart(toy, POINTS / 2, store=tmp_path / "starts", best=best.append)
    assert toy.batches == []
    assert told(second) == told(first)
    assert best == [min(start.found.value for start in first)]


def test_numbers_without_a_finite_value_are_kept_too(toys, tmp_path):
    def run():
        return multistart(toys.waves(fails=lambda x: x[0] > 2.0), POINTS, store=tmp_path / "starts")

    first, second = run(), run()
    assert [json.loads(line) for line in (tmp_path / "starts").read_text().splitlines()]
    assert repr(told(second)) == repr(told(first))  # NaN differs from itself


def test_a_line_that_was_torn_is_searched_again(toys, tmp_path):
    store = tmp_path / "starts"
    whole = told(multistart(toys.valley(), POINTS / 2, store=store))
    lines = store.read_bytes().splitlines(keepends=True)
    store.write_bytes(b"".join(lines[:4]) + lines[4][:-30])
    assert told(multistart(toys.valley(), POINTS / 2, store=store)) == whole
    assert sorted(store.read_bytes().splitlines()[:4]) == sorted(line.rstrip() for line in lines[:4])
    assert len(store.read_bytes().splitlines()) == 10


def test_a_first_line_that_was_torn_is_no_obstacle(toys, tmp_path):
    store = tmp_path / "starts"
    whole = told(multistart(toys.valley(), POINTS / 2, store=store))
    store.write_bytes(store.read_bytes()[:20])
    assert told(multistart(toys.valley(), POINTS / 2, store=store)) == whole


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"points": POINTS / 3}, "points"),
        ({"points": POINTS[:5]}, "starts"),
        ({"settings": {"rtol": 1e-6}}, "rtol"),
        ({"max_iterations": 7}, "max_iterations"),
        ({"digest": "another problem"}, "problem"),
    ],
)
def test_a_store_of_other_inputs_is_refused_by_what_differs_and_left_as_it_is(toys, tmp_path, change, name):
    store, toy = tmp_path / "starts", toys.waves()
    multistart(toy, POINTS, store=store, settings={"rtol": 1e-8}, max_iterations=5)
    before = store.read_bytes()
    toy.problem.digest = change.pop("digest", toy.problem.digest)
    asked = {"points": POINTS, "settings": {"rtol": 1e-8}, "max_iterations": 5} | change
    with pytest.raises(InputError) as caught:
        multistart(toy, asked.pop("points"), store=store, **asked)
    assert caught.value.where == str(store)
    assert name in caught.value.found
    assert store.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["something else\n", "name,value\na,1\n", '{"a": 1}\n', "[1]\n", "no end of line", "\n"]
)
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(toys, tmp_path, content):
    store = tmp_path / "starts"
    store.write_text(content)
    with pytest.raises(InputError):
        multistart(toys.waves(), POINTS, store=store)
    assert store.read_text() == content


@pytest.mark.parametrize("damage", ['{"start": 3}', "{", '{"start": 99, "value": 1}'])
def test_a_damaged_line_is_named(toys, tmp_path, damage):
    store = tmp_path / "starts"
    multistart(toys.valley(), POINTS / 2, store=store)
    lines = store.read_text().splitlines()
    store.write_text("\n".join([*lines[:3], damage, *lines[4:]]) + "\n")
    with pytest.raises(InputError, match="line 4"):
        multistart(toys.valley(), POINTS / 2, store=store)


def test_a_search_that_converged_is_begun_again_until_that_gains_nothing(toys, monkeypatch):
    ends = [
        Found(np.array([x, 0.0]), value, np.zeros(2), 10, 1, outcome)
        for x, value, outcome in [
            (1.0, 5.0, "converged"),
            (2.0, 3.0, "converged"),
            (3.0, 2.9999, "creeping"),
            (4.0, 0.0, "never reached"),
        ]
    ]
    begins = []

    def search(evaluate, begin, **options):
        evaluate(begin)
        begins.append(begin[0])
        return ends[len(begins) - 1]

    # the door has a function of the module's name, which hides it from monkeypatch
    monkeypatch.setattr(import_module("exotwin.calibration.search.multistart"), "minimise", search)
    (start,) = multistart(toys.waves(), np.zeros((1, 2)))
    assert begins == [0.0, 1.0, 2.0]
    assert (start.found.value, start.found.point[0], start.found.outcome) == (2.9999, 3.0, "converged")
    assert (start.found.evaluations, start.found.failed) == (30, 3)


def test_confirmations_have_what_is_left_of_the_iterations_and_no_more(toys, monkeypatch):
    left = []

    def search(evaluate, begin, *, max_iterations, **options):
        evaluate(begin)
        left.append(max_iterations)
        return Found(np.zeros(2), -float(len(left)), np.zeros(2), 10, 0, "converged")

    monkeypatch.setattr(import_module("exotwin.calibration.search.multistart"), "minimise", search)
    (start,) = multistart(toys.waves(), np.zeros((1, 2)), max_iterations=25)
    assert left == [25, 15, 5]
    assert start.found.evaluations == 30


def test_a_minimum_at_a_bound_is_found_on_the_bound_itself(toys):
    toy = toys.valley()
    toy.upper[1] = toy.problem.upper[1] = 0.5
    found = [start.found for start in multistart(toy, np.array([[-1.2, 0.1], [0.5, -2.0], [2.0, 0.4]]))]
    assert {f.outcome for f in found} == {"converged"}
    assert [f.point[1] for f in found] == [0.5] * 3
    assert all(f.value == toy.one(f.point)[0] for f in found)


def test_seconds_are_between_the_first_and_the_last_evaluation(toys):
    toy = toys.valley()
    as_ever = toy.evaluate

    def slow(points, *, slopes=False):
        time.sleep(0.01)
        return as_ever(points, slopes=slopes)

    toy.evaluate = slow
    (start,) = multistart(toy, np.array([[-1.2, 1.0]]))
    assert start.seconds >= 0.01 * start.found.evaluations
