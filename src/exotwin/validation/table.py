"""The scoreboard as rows of text, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from exotwin.validation.check import SORTS
from exotwin.validation.score import plain, shown
from exotwin.validation.scored import BASES, NOT_TESTABLE, OUTSIDE, Count, Number, Scoreboard, Scored

COLUMNS = ("", "check", "kind", "observable", "simulated (patients)", "published (within)", "deviation", "basis")
COUNTS = ("sort", *BASES, "all")

_MARKS = {"within": "+", OUTSIDE: "-"}


def check_rows(board: Scoreboard, module: str) -> list[tuple[str, ...]]:
    """A row for each check of a module that has a verdict; + within, - outside."""
    return [
        (
            _MARKS[s.verdict],
            s.check.id,
            s.check.kind,
            f"{s.check.observable}, {s.species}",
            f"{shown(s.simulated)}{_limits(s.interval)} {_unit(s)}".strip(),
            _published(s),
            _deviation(s),
            s.basis,
        )
        for s in board.of(module)
        if s.verdict != NOT_TESTABLE
    ]


def count_rows(board: Scoreboard, module: str = "") -> list[tuple[str, ...]]:
    """Within of all, by sort and basis; of one module or of all."""
    rows = []
    for sort in SORTS:
        cells = [_count(board.count(module=module, sort=sort, basis=basis)) for basis in BASES]
        rows.append((sort, *cells, _count(board.count(module=module, sort=sort))))
    cells = [_count(board.count(module=module, basis=basis)) for basis in BASES]
    return [*rows, ("all", *cells, _count(board.count(module=module)))]


def remarks(board: Scoreboard, module: str) -> Iterator[str]:
    """What a module misses and why, and which records are accounted for how."""
    for s in board.of(module):
        if s.verdict == OUTSIDE:
            yield f"- {s.check.id}: {s.check.miss or 'no reason given: the file of checks must say one (miss)'}"
        if s.why and s.verdict != NOT_TESTABLE:
            yield f"! {s.check.id}: {s.why}"
    covered = board.coverage[module]
    left = len(covered.unaccounted)
    yield (
        f"Records of {', '.join(covered.dossiers)} on natural history, responses and safety: {covered.n}, of which "
        f"{len(covered.checked)} checked, {len(covered.parameter)} parameters, {len(covered.not_testable)} not testable"
        + (f", {left} unaccounted: {', '.join(covered.unaccounted)}" if left else ", none unaccounted")
    )


def details(s: Scored) -> list[tuple[str, str]]:
    """Everything of one check, as key and text."""
    check = s.check
    known = [
        ("records", ", ".join(check.records)),
        ("study", f"{check.study} ({s.condition}, {s.species}), {s.patients} patients, {s.failed} without a value"),
        ("observable", f"{check.observable} ({check.unit})"),
        ("readings", plain(s.readings)),
        ("value", f"{check.value}, {check.statistic}" if check.value else ""),
        ("simulated", f"{shown(s.simulated)}{_limits(s.interval)}"),
        ("by knowledge", _limits(s.knowledge)),
        ("published", f"{shown(s.published)}  {check.published}" if check.published else ""),
        ("within", f"{_limits(s.published_interval)}  {s.tolerance}"),
        ("deviation", _deviation(s)),
        ("verdict", s.verdict),
        ("basis", f"{s.basis}: {', '.join(s.fits)}" if s.fits else s.basis),
        ("note", check.note),
        ("miss", check.miss),
        ("why", s.why),
    ]
    return [(key, text.strip()) for key, text in known if text.strip()]


def _published(s: Scored) -> str:
    if s.check.sort == "direction":
        told = s.tolerance.split(" by ")[0]
        return told if s.published is None else f"{told}, {shown(s.published)}"
    if s.check.sort == "null":
        return f"no effect{_limits(s.published_interval)}"
    return f"{shown(s.published)}{_limits(s.published_interval)}"


def _deviation(s: Scored) -> str:
    if s.deviation is None:
        return "-"
    tenths = s.check.spread is not None and s.check.spread.none
    return f"{s.deviation:+.1f} {'tenths' if tenths else 'SE'}"


def _limits(limits: tuple[Number, Number] | None) -> str:
    if limits is None or isinstance(limits[0], tuple):
        return ""
    return f" ({shown(limits[0])} to {shown(limits[1])})"


def _unit(s: Scored) -> str:
    return "" if s.check.unit == "dimensionless" else s.check.unit


def _count(count: Count) -> str:
    return f"{count.within} of {count.n} ({count.share:.0%})" if count.n else "-"
