"""Write checks and bases of the numbers into the modules' pages: `python tools/module_checks.py [--check] [PAGE …]`.

Between ``<!-- checks -->`` and ``<!-- end checks -->`` of biology/modules/NAME.md and biology/conditions/NAME.md: the
checks of checks/NAME.yaml (of files without such a page: on the page of their module; on the page of a condition also
those that read what it defines), the misses with their likeliest reason, counts and coverage. Between
``<!-- parameters -->`` and ``<!-- end parameters -->``: how many numbers of the tables are measured, derived, fitted or
assumed, and each assumed one with its reason.

--check : write nothing; say which pages are stale and exit with 1. Numbers may differ in what rounding does to them.
--parameters : only the numbers of the tables, which needs no simulation.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exotwin.biology import SHIPPED
from exotwin.errors import InputError
from exotwin.report.numbers import NOTHING, tick
from exotwin.report.scoreboard.rows import numbers, pair, points, told_deviation
from exotwin.tables import read_text
from exotwin.validation import Scoreboard, Scored, read_checks, validate

FOLDERS = ("modules", "conditions", "species")
BASES = ("measured", "derived", "fitted", "assumed")
EXTRA_TABLES = {"cells": ("sources.csv",), "label": ("labels.csv",)}
ROUNDING = 0.02  # two runs on different machines may end on different sides of a last digit
_DEFINED = re.compile(r"^\s*(\w+)(?:'\s*=|\s*:=)", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.]\d+)?")


def pages() -> dict[str, Path]:
    """The pages by name."""
    return {path.stem: path for folder in FOLDERS for path in sorted((SHIPPED / folder).glob("*.md"))}


def shown_on(known: Mapping[str, Path]) -> dict[str, frozenset[str]]:
    """Page -> ids of its checks: those of its file, and on the page of a condition those that read what is its own."""
    found: dict[str, set[str]] = {name: set() for name in known}
    for file in read_checks():
        page = file.name if file.name in known else file.module
        for check in file.checks:
            found[page].add(check.id)
            condition = file.studies[check.study].condition if check.study else ""
            if condition in known and {r.output for r in check.readings} & _own(known[condition]):
                found[condition].add(check.id)
    return {name: frozenset(ids) for name, ids in found.items()}


def _own(page: Path) -> frozenset[str]:
    """Symbols that the model file beside a page defines; inputs, which are only given a number there, left out."""
    text = read_text(page.with_suffix(".ant"), error=InputError)
    return frozenset(_DEFINED.findall(text))


def checks_text(board: Scoreboard, mine: Sequence[Scored], page: str) -> str:
    """The block of checks of one page."""
    tested = [s for s in mine if s.verdict != "not testable"]
    if not tested:
        return "No check reads this module alone.\n"
    lines = [
        "| | observable | simulated (95 % of individuals) | published (within) | deviation | basis, sort | record |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_line(s) for s in tested]
    lines += ["", _counts(tested)]
    missed = [s for s in tested if s.verdict == "outside"]
    if missed:
        lines += ["", "Outside, with the likeliest reason:", ""]
        lines += [
            f"- *{_cell(s.check.observable)}* (`{s.check.id}`): {_cell(s.check.miss or s.why or 'not known')}"
            for s in missed
        ]
    covered = board.coverage.get(page)
    if covered is not None:
        lines += [
            "",
            f"Coverage of the {covered.n} records of natural history, drug response, therapy response and safety in "
            f"the dossiers {', '.join(covered.dossiers)}: {len(covered.checked)} checked, "
            f"{len(covered.parameter)} used as numbers of the model, {len(covered.not_testable)} not testable (each "
            f"with its reason on the scoreboard), {len(covered.unaccounted)} unaccounted for.",
        ]
    return "\n".join(lines) + "\n"


def _line(s: Scored) -> str:
    unit, mark = s.check.unit, {"within": "✓", "outside": "✗"}[s.verdict]
    simulated = numbers(s.simulated, unit)
    if s.interval is not None and len(points(s.simulated)) == 1 and _differ(*s.interval):
        simulated += f" ({pair(s.interval, '')})"
    published = numbers(s.published, unit)
    if s.published_interval is not None and len(points(s.simulated)) == 1:
        limits = pair(s.published_interval, "")
        published = f"{published} ({limits})" if published != NOTHING else f"none ({limits})"
    cells = (
        mark,
        f"{s.check.observable}; {s.species} (`{s.check.id}`)",
        simulated,
        published,
        told_deviation(s),
        f"{s.basis} {s.check.sort}",
        " ".join(s.records),
    )
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _differ(low: Any, high: Any) -> bool:
    """Whether an interval is wide enough to be told."""
    ends = (*points(low), *points(high))
    return max(ends) - min(ends) > max(1e-3 * max(map(abs, ends)), 1e-9)


def _counts(tested: Sequence[Scored]) -> str:
    said = []
    for sort in ("value", "direction", "null"):
        for basis in ("predicted", "calibrated"):
            own = [s for s in tested if (s.check.sort, s.basis) == (sort, basis)]
            if own:
                within = sum(s.verdict == "within" for s in own)
                said.append(f"{basis} {sort}s {within} of {len(own)}")
    return f"Within: {', '.join(said)}."


def parameters_text(path: Path) -> str:
    """The block of numbers of one page."""
    rows = [row for table in tables(path) for row in _rows(table)]
    counted = Counter(row["basis"] for row in rows)
    n = sum(counted[b] for b in BASES)
    if not n:
        return "No table of its own.\n"
    shares = ", ".join(f"{counted[b]} {b} ({100 * counted[b] / n:.0f} %)" for b in BASES if counted[b])
    lines = [f"{n} numbers, each species counted: {shares}."]
    if counted["input"]:
        lines[0] += f" Besides, {counted['input']} are set by study or product and claim nothing of nature."
    assumed = [row for row in rows if row["basis"] == "assumed"]
    if assumed:
        lines += ["", "| assumed | value | species | why |", "|---|---|---|---|"]
        lines += [
            f"| `{row['name']}`{_of_source(row)} | {_value(row)} | {row['species']} | {_cell(row['note'])} |"
            for row in assumed
        ]
    return "\n".join(lines) + "\n"


def tables(path: Path) -> list[Path]:
    """The tables whose numbers a page tells."""
    found = [path.with_suffix(".csv"), *(path.parent / extra for extra in EXTRA_TABLES.get(path.stem, ()))]
    return [table for table in found if table.exists()]


def _rows(table: Path) -> list[Mapping[str, str]]:
    text = read_text(table, error=InputError).splitlines()
    kept = [line for line in text if line.strip() and not line.lstrip().startswith("#")]
    return [{k: (v or "").strip() for k, v in row.items()} for row in csv.DictReader(kept, skipinitialspace=True)]


def _value(row: Mapping[str, str]) -> str:
    unit = "" if row["unit"] in ("", "dimensionless") else f" {row['unit']}"
    spread = f" ({row['spread']})" if row["spread"] else ""
    return f"{tick(float(row['value']))}{unit}{spread}"


def _of_source(row: Mapping[str, str]) -> str:
    whose = row.get("source") or row.get("label")
    return f", {whose}" if whose else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def filled(page: str, name: str, block: str) -> str:
    """The page with the block between its markers; unchanged where it has none."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    return marks.sub(lambda m: f"{m[1]}\n{block}\n{m[2]}", page)


def same(first: str, second: str) -> bool:
    """Whether two texts say the same but for rounding."""
    if _NUMBER.sub("#", first) != _NUMBER.sub("#", second):
        return False
    pairs = zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=True)
    return all(a == b or math.isclose(float(a), float(b), rel_tol=ROUNDING, abs_tol=0.02) for a, b in pairs)


def main(words: Sequence[str]) -> int:
    """Write, or check, the pages that are named, or all."""
    options, named = {w for w in words if w.startswith("-")}, [w for w in words if not w.startswith("-")]
    known = pages()
    chosen = {name: path for name, path in known.items() if not named or name in named}
    made = dict.fromkeys(chosen, "")
    for name, path in chosen.items():
        made[name] = filled(path.read_text(encoding="utf-8"), "parameters", parameters_text(path))
    if "--parameters" not in options:
        home, board = shown_on(known), validate()
        for name in chosen:
            mine = [s for s in board.checks if s.check.id in home[name]]
            made[name] = filled(made[name], "checks", checks_text(board, mine, name))
    stale = [name for name, path in chosen.items() if not same(path.read_text(encoding="utf-8"), made[name])]
    for name in stale:
        print(f"{'stale' if '--check' in options else 'written'}: {chosen[name]}")
        if "--check" not in options:
            chosen[name].write_text(made[name], encoding="utf-8")
    return int("--check" in options and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
