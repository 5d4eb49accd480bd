"""The scoreboard as words, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exotwin.validation.check import KINDS, SORTS
from exotwin.validation.score import plain, shown
from exotwin.validation.scored import BASES, NOT_TESTABLE, OUTSIDE, Count, Number, Scoreboard, Scored

COUNTS = ("", *BASES, "all")
NO_REASON = "no reason given: the file of checks must say one (miss)"


class Row(NamedTuple):
    """A check in words. simulated : with the limits of 95 % of the patients, where these differ. published : with what
    counts as within. deviation : "" where none is measured."""

    verdict: str
    sort: str
    basis: str
    observable: str
    simulated: str
    published: str
    unit: str
    deviation: str
    id: str


def kinds_of(board: Scoreboard, module: str) -> tuple[str, ...]:
    """Kinds of a module's checks that have a verdict."""
    found = {s.check.kind for s in board.of(module) if s.verdict != NOT_TESTABLE}
    return tuple(kind for kind in KINDS if kind in found)


def check_rows(board: Scoreboard, module: str, kind: str = "") -> list[Row]:
    """The checks of a module, or of one kind of it, that have a verdict: those outside first, else as in the file."""
    mine = [s for s in board.of(module) if s.verdict != NOT_TESTABLE and kind in ("", s.check.kind)]
    return [
        Row(
            verdict=s.verdict,
            sort=s.check.sort,
            basis=s.basis,
            observable=f"{s.check.observable}, {s.species}",
            simulated=_simulated(s),
            published=_published(s),
            unit="" if s.check.unit == "dimensionless" else s.check.unit,
            deviation=_deviation(s),
            id=s.check.id,
        )
        for s in sorted(mine, key=lambda s: s.verdict != OUTSIDE)
    ]


def count_rows(board: Scoreboard, module: str = "") -> list[tuple[str, ...]]:
    """Within of all, by sort and basis; of one module or of all."""
    rows = []
    for sort in SORTS:
        cells = [_count(board.count(module=module, sort=sort, basis=basis)) for basis in BASES]
        rows.append((sort, *cells, _count(board.count(module=module, sort=sort))))
    return [*rows, _sum(board, module, "all")]


def module_rows(board: Scoreboard) -> list[tuple[str, ...]]:
    """Within of all, by module and basis."""
    return [_sum(board, module, module) for module in board.modules]


def reasons(board: Scoreboard, module: str) -> dict[str, tuple[str, ...]]:
    """Why checks are outside, and what else went wrong with any -> ids of the checks that say so."""
    found: dict[str, tuple[str, ...]] = {}
    for s in board.of(module):
        told = [s.check.miss or NO_REASON] if s.verdict == OUTSIDE else []
        told += [s.why] if s.why and s.verdict != NOT_TESTABLE else []
        for words in told:
            found[words] = (*found.get(words, ()), s.check.id)
    return found


def covered(board: Scoreboard, module: str) -> Iterator[str]:
    """Which records of a module's dossiers are accounted for how, and the names of those that are not."""
    one = board.coverage[module]
    left = len(one.unaccounted)
    yield (
        f"Records of {', '.join(one.dossiers)} on natural history, responses and safety: {one.n}, of which "
        f"{len(one.checked)} checked, {len(one.parameter)} parameters, {len(one.not_testable)} not testable, "
        f"{left or 'none'} unaccounted{':' if left else '.'}"
    )
    if left:
        yield ", ".join(one.unaccounted)


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
        ("against", ", ".join(check.contradicts)),
        ("note", check.note),
        ("miss", check.miss),
        ("why", s.why),
    ]
    return [(key, text.strip()) for key, text in known if text.strip()]


def _simulated(s: Scored) -> str:
    value, limits = _short(s.simulated), _between(s.interval)
    return value if limits == f" ({value} to {value})" else f"{value}{limits}"


def _published(s: Scored) -> str:
    if s.check.sort == "direction":
        told = s.tolerance.split(" by ")[0]
        return told if s.published is None else f"{told}, {_short(s.published)}"
    if s.check.sort == "null":
        return f"no effect{_between(s.published_interval)}"
    return f"{_short(s.published)}{_between(s.published_interval)}"


def _deviation(s: Scored) -> str:
    if s.deviation is None:
        return ""
    tenths = s.check.spread is not None and s.check.spread.none
    return f"{s.deviation:+z.1f} {'tenths' if tenths else 'SE'}"


def _between(limits: tuple[Number, Number] | None) -> str:
    if limits is None or isinstance(limits[0], tuple):
        return ""
    return f" ({_short(limits[0])} to {_short(limits[1])})"


def _short(value: Number | None) -> str:
    if value is None or isinstance(value, tuple):
        return shown(value)
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e5 else f"{value:.3g}"


def _limits(limits: tuple[Number, Number] | None) -> str:
    if limits is None or isinstance(limits[0], tuple):
        return ""
    return f" ({shown(limits[0])} to {shown(limits[1])})"


def _sum(board: Scoreboard, module: str, name: str) -> tuple[str, ...]:
    return (name, *(_count(board.count(module=module, basis=b)) for b in BASES), _count(board.count(module=module)))


def _count(count: Count) -> str:
    return f"{count.within} of {count.n} ({count.share:.0%})" if count.n else "-"
