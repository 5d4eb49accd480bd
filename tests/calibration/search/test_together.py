"""Searches that run side by side."""

import random
import signal
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from exotwin.calibration.search.together import together


def steps(number, n):
    """A search that asks n times, at points that tell who asked, and returns what it was given."""

    def search(evaluate):
        return [evaluate(np.array([number, k], float))[0] for k in range(n)]

    return search


def dawdling(search, seed):
    """The same search, which takes its time at random between two questions."""
    dice = random.Random(seed)

    def slow(evaluate):
        def later(point):
            time.sleep(dice.random() * 2e-3)
            found = evaluate(point)
            time.sleep(dice.random() * 2e-3)
            return found

        return search(later)

    return slow


def none_left():
    """Whether no thread of a search is alive."""
    return not any(thread.name.startswith("search ") for thread in threading.enumerate())


def test_each_search_gets_the_values_at_its_own_points(toys):
    objective = toys.valley()
    found = together(objective, [steps(number, 1 + number % 4) for number in range(11)], at_once=4)
    assert found == [[objective.value(np.array([number, k])) for k in range(1 + number % 4)] for number in range(11)]


def test_gradient_and_information_come_with_the_value(toys):
    objective, point = toys.decay(), np.array([0.2, -0.4])
    ((value, gradient, information),) = together(objective, [lambda evaluate: evaluate(point)])
    expected = objective.one(point)
    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])
    np.testing.assert_array_equal(information, expected[2])


def test_all_that_wait_are_served_by_one_call_in_the_order_of_their_numbers(toys):
    objective = toys.valley()
    together(objective, [steps(number, 3) for number in range(7)])
    assert [batch[:, 0].tolist() for batch in objective.batches] == [[0, 1, 2, 3, 4, 5, 6]] * 3


def test_the_next_search_takes_the_place_of_one_that_ends(toys):
    objective = toys.valley()
    together(objective, [steps(0, 3), steps(1, 1), steps(2, 2), steps(3, 1)], at_once=2)
    assert [batch[:, 0].tolist() for batch in objective.batches] == [[0, 1], [0, 2], [0, 2], [3]]


def test_searches_that_ask_for_nothing_need_no_evaluation(toys):
    objective = toys.valley()
    assert together(objective, [lambda evaluate, k=k: k for k in range(5)], at_once=2) == [0, 1, 2, 3, 4]
    assert together(objective, []) == []
    assert objective.batches == []


def test_batches_and_the_order_of_endings_do_not_depend_on_timing(toys):
    def run(seed):
        objective, ended = toys.valley(), []
        searches = [dawdling(steps(number, 1 + (7 * number) % 5), f"{seed} {number}") for number in range(20)]
        found = together(objective, searches, at_once=6, done=lambda number, result: ended.append((number, result)))
        return [batch.tolist() for batch in objective.batches], ended, found

    assert run(1) == run(2)


def test_one_search_computes_at_a_time(toys):
    inside, most = [0], [0]

    def search(evaluate):
        for k in range(5):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(1e-3)
            inside[0] -= 1
            evaluate(np.array([0.0, k]))

    together(toys.valley(), [search] * 6)
    assert most == [1]


def test_what_ends_is_told_in_the_calling_thread(toys):
    threads = []
    together(
        toys.valley(), [steps(0, 2), steps(1, 1)], done=lambda number, result: threads.append(threading.get_ident())
    )
    assert threads == [threading.get_ident()] * 2


def broken_search(evaluate):
    evaluate(np.zeros(2))
    raise ZeroDivisionError("in a search")


def broken_objective(points, *, slopes=False):
    raise ZeroDivisionError("in the objective")


def broken_done(number, result):
    raise ZeroDivisionError("in done")


@pytest.mark.parametrize("place", ["in a search", "in the objective", "in done"])
def test_an_exception_ends_all_searches_and_is_raised(toys, place):
    objective = toys.valley()
    if place == "in the objective":
        objective.evaluate = broken_objective
    searches = [steps(0, 5), steps(1, 5), broken_search if place == "in a search" else steps(2, 1), steps(3, 5)]
    with pytest.raises(ZeroDivisionError, match=place):
        together(objective, searches, done=broken_done if place == "in done" else None)
    assert none_left()


def test_of_two_that_fail_in_one_round_the_first_is_told(toys):
    def failing(number):
        def search(evaluate):
            evaluate(np.zeros(2))
            raise ValueError(f"search {number}")

        return dawdling(search, 5 - number)

    with pytest.raises(ValueError, match="search 0"):
        together(toys.valley(), [failing(number) for number in range(4)])


def test_searches_that_wait_are_released_by_an_exception_that_they_do_not_take_for_a_failure(toys):
    released, mistaken = [], []

    def waiting(evaluate):
        try:
            evaluate(np.zeros(2))
            evaluate(np.zeros(2))
        except Exception as error:
            mistaken.append(error)
        except BaseException:
            released.append(1)
            raise

    with pytest.raises(ZeroDivisionError):
        together(toys.valley(), [waiting, waiting, broken_search])
    assert (len(released), mistaken) == (2, [])
    assert none_left()


def test_a_search_that_does_not_want_to_end_is_told_again(toys):
    refused = [0]

    def stubborn(evaluate):
        while refused[0] < 3:
            try:
                evaluate(np.zeros(2))
            except BaseException:
                refused[0] += 1

    with pytest.raises(ZeroDivisionError):
        together(toys.valley(), [stubborn, broken_search])
    assert refused == [3]
    assert none_left()


@pytest.mark.parametrize("where", ["while a search computes", "in the objective"])
def test_an_interruption_from_the_keyboard_ends_everything(toys, where):
    objective, main = toys.valley(), threading.main_thread().ident
    evaluate_as_ever = objective.evaluate

    def interrupt():
        signal.pthread_kill(main, signal.SIGINT)
        time.sleep(0.05)  # until it has arrived

    def evaluate(points, *, slopes=False):
        if where == "in the objective" and len(objective.batches) == 2:
            interrupt()
        return evaluate_as_ever(points, slopes=slopes)

    def search(evaluate):
        for k in range(100):
            if where == "while a search computes" and k == 2:
                interrupt()
            evaluate(np.array([0.0, k]))

    objective.evaluate = evaluate
    with pytest.raises(KeyboardInterrupt):
        together(objective, [search] * 5)
    assert len(objective.batches) == 2
    assert none_left()


def test_linear_algebra_has_one_thread_inside_and_as_many_as_before_outside(toys):
    def threads():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    seen, before = [], threads()
    together(toys.valley(), [lambda evaluate: seen.extend(threads())])
    assert before
    assert seen == [1] * len(before)
    assert threads() == before


def test_at_least_one_search_runs_at_once(toys):
    with pytest.raises(ValueError, match="at_once = 0"):
        together(toys.valley(), [steps(0, 1)], at_once=0)


def test_a_batch_is_not_kept_alive_by_one_of_its_points(toys):
    kept = SimpleNamespace()

    def search(evaluate):
        _, kept.gradient, kept.information = evaluate(np.zeros(2))

    together(toys.valley(), [search, steps(1, 1)])
    assert kept.gradient.base is None
    assert kept.information.base is None
