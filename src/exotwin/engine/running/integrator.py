"""Shares an ensemble out among threads, chunk by chunk, and gathers what comes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from exotwin.engine.running.program import Program
from exotwin.engine.running.run import Results, Run
from exotwin.engine.running.worker import Worker
from exotwin.errors import ExotwinError
from exotwin.progress import Progress

Floats = NDArray[np.float64]

_CHUNK = 256  # patients: enough to keep lanes busy, few enough to share out among threads
_CHUNK_BYTES = 2_000_000  # of recorded values, so that they stay near the processor


def integrate(program: Program, defaults: Floats, run: Run, n_threads: int, progress: Progress) -> Results:
    """All patients. Results are the same bit for bit for any number of threads.

    defaults : (parameter,), NaN where the model computes it. progress : told of patients done, not of the start.

    Raises
    ------
    ExotwinError : results that no memory holds.
    """
    n = run.n_patients
    size = _chunk_size(program.shape.width, run, n_threads)
    chunks = [(first, min(first + size, n)) for first in range(0, n, size)]
    n_threads = max(1, min(n_threads, len(chunks)))
    stop = np.zeros(1, np.int64)
    # each thread takes a worker for a chunk and gives it back: memory is used again while it is near the processor
    workers: SimpleQueue[Worker] = SimpleQueue()
    try:
        results = _results(run)
        for _ in range(n_threads):
            workers.put(Worker(program, defaults, run, size, stop))
    except MemoryError as error:
        raise ExotwinError(
            "memory",
            found=f"{n} patients, {len(run.recorded)} outputs, {len(run.times)} times",
            expected="fewer times or outputs; for many patients, `store`",
        ) from error

    def do(first: int, last: int) -> int:
        worker = workers.get()
        try:
            worker.work(first, last, results)
        finally:
            workers.put(worker)
        return last - first

    # A thread also for one alone: Ctrl-C reaches the main thread only while that is in Python, not in machine code.
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for done in as_completed([pool.submit(do, *chunk) for chunk in chunks]):
                progress.advance(done.result())
        except BaseException:
            stop[0] = 1  # which the machine code looks at before every step
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _results(run: Run) -> Results:
    """Room for the results of all patients."""
    n = run.n_patients
    values = np.empty((len(run.recorded), n, len(run.times)))  # one block: the system hands it out in large pages
    return Results(
        dict(zip(run.recorded, values, strict=True)),
        np.empty(n, np.int64),
        np.full(n, np.nan),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.zeros(n, np.int64),
    )


def _chunk_size(width: int, run: Run, n_threads: int) -> int:
    """Patients of a chunk, whole vectors of them: many keep the lanes busy, few can be shared out among threads."""
    size = min(_CHUNK, _CHUNK_BYTES // run.bytes_of_a_patient, -(-run.n_patients // (4 * n_threads)))
    size = max(1, min(max(size, 8 * width), run.n_patients))
    return -(-size // width) * width
