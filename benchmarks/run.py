"""The engine's benchmarks in one run; writes results/*.csv, results/engine.md and the figure of the engine's page.

    python benchmarks/run.py [--models NAME …] [--peers NAME …]
    python benchmarks/run.py --fits NAME … [--starts N]

The second form measures fits instead, of problems by name or of `all`, and writes results/fit.md and fit.json: see
fit/README.md.

Numbers are ratios to a peer in the same run: a time alone says more about the machine than about the code. With fewer
models, peers or problems than all, results are printed and written beside the complete ones, to results/part/.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import _one_core  # noqa: F401, before numpy
import cases
import figure
import report
import startup
from fit.problems import PROBLEMS
from fit.run import run as run_fits
from measure import Bench, Row
from peers import PEERS

RESULTS = Path(__file__).parent / "results"
_ALL = "all"


def main() -> None:
    """Measure, write, show."""
    choice = _choice()
    if choice.fits:
        run_fits(RESULTS, _fits(choice.fits), starts=choice.starts)
        return
    complete = choice.models == cases.names() and choice.peers == list(PEERS)
    folder = RESULTS if complete else RESULTS / "part"
    folder.mkdir(parents=True, exist_ok=True)
    begin, rows, missing = perf_counter(), [], []
    agreement, threads, start = [], [], []
    for name in choice.models:
        try:
            model = cases.read(name)
        except FileNotFoundError:
            missing.append(f"{name}: its document is not in the folder of shared data")
            print(missing[-1])
            continue
        print(f"\n{name}, after {perf_counter() - begin:.0f} s", flush=True)
        bench = Bench(model)
        if bench.without_end:
            passed = f"{bench.without_end} of {bench.without_end + cases.PATIENTS} drawn patients"
            missing.append(f"{name}: {passed}, who have no solution up to the last time")
            print(missing[-1])
        agreement.append(bench.agreement())
        threads.append(bench.threads())
        start.append(startup.row(model))
        for row in _all(bench, choice.peers):
            rows.append(row)
            print(report.line(row), flush=True)
    tables = {"agreement": agreement, "threads": threads, "startup": start}
    report.write(folder, rows, tables, missing, seconds=perf_counter() - begin)
    figure.draw(rows, figure.TARGET if complete else folder / "work-precision")
    print((folder / "engine.md").read_text("utf-8").split("## Every run")[0])


def _all(bench: Bench, peers: list[str]) -> Iterator[Row]:
    yield from bench.ours()
    yield from bench.ours(own_scale=True)
    for name in peers:
        yield from bench.peer(PEERS[name]())


def _choice() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", metavar="NAME", choices=cases.names(), default=cases.names())
    parser.add_argument("--peers", nargs="+", metavar="NAME", choices=list(PEERS), default=list(PEERS))
    fits = parser.add_argument_group("fits, instead of the engine")
    fits.add_argument("--fits", nargs="+", metavar="NAME", choices=[_ALL, *PROBLEMS])
    fits.add_argument("--starts", type=int, metavar="N", help="of each problem, instead of its own number")
    return parser.parse_args()


def _fits(names: list[str]) -> list[str]:
    return list(PROBLEMS) if _ALL in names else [name for name in PROBLEMS if name in names]


if __name__ == "__main__":
    main()
