"""Sequential searches side by side: all that wait for a value are served by one call of the objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from exotwin.calibration.objective import Objective
from exotwin.calibration.search.found import Evaluate

Floats = NDArray[np.float64]
Answer = tuple[float, Floats, Floats]
T = TypeVar("T")


class Stopped(BaseException):
    """Raised inside a search when all searches are to end; no Exception, so that no search takes it for a failure."""


def together(
    objective: Objective,
    searches: Sequence[Callable[[Evaluate], T]],
    *,
    at_once: int = 128,
    done: Callable[[int, T], None] | None = None,
) -> list[T]:
    """What each of ``searches`` finds, in their order.

    A search is a function of an `Evaluate`, which makes it wait. When all of ``at_once`` searches wait (those that end
    make room for the next ones), ``objective`` is evaluated once at all their points, in the order of the searches'
    numbers. Only one search computes at a time, in the same order: libraries need not be safe in threads, batches do
    not depend on timing, and as Python runs one thread at a time anyhow, nothing is lost (measured: 5 to 40 % won).
    ``done(number, result)`` is called in the calling thread as searches end.

    Raises
    ------
    Whatever a search, the objective or ``done`` raises, and KeyboardInterrupt. All searches have ended by then, those
    that waited by an exception inside their evaluate.
    """
    if at_once < 1:
        raise ValueError(f"at_once = {at_once}: at least one search has to run")
    ahead = iter(enumerate(searches))
    running: dict[int, _Searcher[T]] = {}
    results: dict[int, T] = {}

    def hear(number: int, told: _Asked | _Ended[T] | _Raised) -> None:
        if isinstance(told, _Raised):
            raise told.error
        if isinstance(told, _Ended):
            del running[number]
            results[number] = told.result
            if done is not None:
                done(number, told.result)

    try:
        # For matrices of some hundred rows, threads of BLAS wait for each other longer than they work (20 times slower
        # at 100 rows on 2 busy cores), and the last bits of a search would depend on how many there are.
        with threadpool_limits(1, user_api="blas"):
            while True:
                while len(running) < at_once and (coming := next(ahead, None)) is not None:
                    number, search = coming
                    running[number] = _Searcher(number, search)
                    hear(number, running[number].begin())
                if not running:
                    return [results[number] for number in range(len(searches))]
                for number, answer in _answers(objective, running):
                    hear(number, running[number].go_on(answer))
    finally:
        for searcher in running.values():
            searcher.stop()


def _answers(objective: Objective, running: dict[int, _Searcher[T]]) -> list[tuple[int, Answer]]:
    """One evaluation at the points for which searches wait; to each its own."""
    numbers = sorted(running)
    found = objective.evaluate(np.array([running[number].point for number in numbers]), slopes=True)
    assert found.gradient is not None
    assert found.information is not None
    # Copies: a row of the batch would keep the whole of it alive as long as one search keeps its best point.
    return [
        (number, (float(found.value[i]), found.gradient[i].copy(), found.information[i].copy()))
        for i, number in enumerate(numbers)
    ]


@dataclass(frozen=True)
class _Asked:
    point: Floats


@dataclass(frozen=True)
class _Ended(Generic[T]):
    result: T


@dataclass(frozen=True)
class _Raised:
    error: BaseException


_Told = _Asked | _Ended[T] | _Raised


class _Searcher(Generic[T]):
    """One search in a thread of its own, which runs only while the calling thread waits for it."""

    def __init__(self, number: int, search: Callable[[Evaluate], T]) -> None:
        self.point = np.empty(0)
        self._search = search
        self._told: SimpleQueue[_Told[T]] = SimpleQueue()
        self._answers: SimpleQueue[Answer | None] = SimpleQueue()
        self._stopped = False
        # A daemon, so that not even a search which never asks again keeps the program from ending.
        self._thread = Thread(target=self._run, name=f"search {number}", daemon=True)

    def begin(self) -> _Told[T]:
        """Until the search waits for its first value, or has ended."""
        self._thread.start()
        return self._listen()

    def go_on(self, answer: Answer) -> _Told[T]:
        """With the value it waits for, until it waits for the next one, or has ended."""
        self._answers.put(answer)
        return self._listen()

    def stop(self) -> None:
        """Ends the search, at its present or next question."""
        self._answers.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def _listen(self) -> _Told[T]:
        told = self._told.get()
        if isinstance(told, _Asked):
            self.point = told.point
        return told

    def _run(self) -> None:
        told: _Told[T]
        try:
            told = _Ended(self._search(self._evaluate))
        except BaseException as error:  # whatever it is: the calling thread would wait for ever
            told = _Raised(error)
        self._told.put(told)

    def _evaluate(self, point: Floats) -> Answer:
        if not self._stopped:
            self._told.put(_Asked(np.array(point, float)))
            answer = self._answers.get()
            if answer is not None:
                return answer
            self._stopped = True
        raise Stopped
