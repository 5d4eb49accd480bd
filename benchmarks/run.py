"""All benchmarks; writes results/*.csv and results/engine.md beside this file.

Numbers are ratios to a peer in the same run: a time alone says more about the machine than about the code.
"""

from __future__ import annotations

import csv
import platform
from pathlib import Path

import startup
from cases import models
from ensemble import TOLERANCES, Ensemble
from exotwin.engine.compile import processor

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, write, show."""
    RESULTS.mkdir(exist_ok=True)
    speed, start = [], []
    for model in models():
        start.append(startup.row(model))
        print(_line(start[-1]))
        for rtol in TOLERANCES:
            speed.append(Ensemble(model, rtol).row())
            print(_line(speed[-1]))
    _write_csv("ensemble", speed)
    _write_csv("startup", start)
    target = processor()
    text = [
        "# Engine: measured",
        "",
        f"One core of {target.name} ({target.width} lanes), Python {platform.python_version()}. "
        "Ratios to libRoadRunner (CVODE) at the same tolerances in the same run; made by `benchmarks/run.py`.",
        "",
        "## Ensembles",
        "",
        *_table(speed),
        "",
        "`default_atol`: with the engine's own rule for absolute tolerances instead of rtol/1000 for all states.",
        "",
        "## From a document to the first trajectory, in a new process",
        "",
        *_table(start),
        "",
    ]
    (RESULTS / "engine.md").write_text("\n".join(text), "utf-8")


def _line(row: dict[str, float | str]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in row.items())


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _write_csv(name: str, rows: list[dict[str, float | str]]) -> None:
    with (RESULTS / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def _table(rows: list[dict[str, float | str]]) -> list[str]:
    names = list(rows[0])
    lines = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |", "|" + "---|" * len(names)]
    return lines + ["| " + " | ".join(_shown(value) for value in row.values()) + " |" for row in rows]


if __name__ == "__main__":
    main()
