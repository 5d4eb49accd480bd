"""The sections of the scoreboard's page: counts that do not weigh the same, coverage, strips, rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from exotwin.quantities import wilson
from exotwin.report.numbers import NOTHING, THIN, number
from exotwin.report.scoreboard import rows, strip
from exotwin.report.scoreboard.rows import Fact, Row

if TYPE_CHECKING:
    from exotwin.validation import Count, Coverage, Scoreboard

SORTS = {
    "value": "inside the published 95 % interval or ± 2 SE; without a published spread, ± 20 % of the effect",
    "direction": "right sign and at least a tenth of the untreated value",
    "null": "the effect stays under the stated bound where none was found",
}
BASES = ("predicted", "calibrated")
FACETS = ("module", "sort", "basis", "verdict", "kind", "species")


@dataclass(frozen=True)
class CountCell:
    """How many checks, how many within, the share with its 95 % interval (Wilson)."""

    n: str
    within: str
    share: str
    interval: str
    fraction: float


@dataclass(frozen=True)
class Split:
    """Within of all for one module or kind, by sort and basis in the order of `SORTS` and `BASES`."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class ModuleView:
    """One module: its strip, rows, what is not testable, and counts."""

    name: str
    title: str
    strip: Markup
    rows: tuple[Row, ...]
    untested: tuple[tuple[tuple[Fact, ...], str], ...]
    said: str
    coverage: Coverage | None


@dataclass(frozen=True)
class View:
    """All that the template needs."""

    lead: str
    counts: tuple[tuple[str, str, tuple[tuple[str, CountCell], ...]], ...]
    splits: tuple[tuple[str, tuple[Split, ...]], ...]
    modules: tuple[ModuleView, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    digest: str
    n_tested: int
    unexplained: tuple[str, ...]
    apart: tuple[tuple[str, tuple[str, ...]], ...]
    failed: int
    faults: tuple[str, ...]
    unaccounted: tuple[tuple[str, tuple[Fact, ...]], ...]


def view(board: Scoreboard) -> View:
    """The page's content."""
    modules = tuple(_module(board, name) for name in board.modules)
    counts = tuple(
        (
            sort,
            rule,
            tuple((basis, cell(board.count(sort=sort, basis=basis))) for basis in BASES),
        )
        for sort, rule in SORTS.items()
    )
    kinds = tuple(dict.fromkeys(s.check.kind for s in board.tested))
    shown = [row for m in modules for row in m.rows]
    filters = tuple((facet, tuple(dict.fromkeys(row.facets[facet] for row in shown))) for facet in FACETS)
    return View(
        lead=_lead(board),
        counts=counts,
        splits=(
            ("module", tuple(_split(board, m.title, module=m.name) for m in modules)),
            ("kind of fact", tuple(_split(board, kind, kind=kind) for kind in kinds)),
        ),
        modules=modules,
        filters=filters,
        digest=board.digest,
        n_tested=len(shown),
        unexplained=board.unexplained,
        apart=board.apart,
        failed=sum(s.failed for s in board.tested),
        faults=board.faults,
        unaccounted=tuple(
            (name, tuple(rows.fact(r) for r in one.unaccounted))
            for name, one in board.coverage.items()
            if one.unaccounted
        ),
    )


def cell(count: Count) -> CountCell:
    """A count as text."""
    if not count.n:
        return CountCell("0", NOTHING, NOTHING, "", 0.0)
    low, high = wilson(count.within, count.n)
    interval = f"{100 * low:.0f} to {100 * high:.0f}{THIN}%"
    return CountCell(number(count.n), number(count.within), percent(count.share), interval, count.share)


def percent(share: float) -> str:
    """A share as whole per cent."""
    return f"{100 * share:.0f}{THIN}%"


def _lead(board: Scoreboard) -> str:
    text = f"{number(board.count().n)} checks hold the models against published facts."
    for sort in ("value", "direction"):
        count = board.count(sort=sort, basis="predicted")
        if count.n:
            text += (
                f" Of {number(count.n)} predicted {sort}s, {number(count.within)} are within ({percent(count.share)})."
            )
    missed = sum(s.verdict == "outside" for s in board.tested)
    silent = len(board.unexplained)
    if missed:
        reasons = (
            "each with its likeliest reason" if not silent else f"{number(silent)} of them without a stated reason"
        )
        text += f" In all, {number(missed)} are outside, {reasons}."
    return text


def _split(board: Scoreboard, name: str, **chosen: str) -> Split:
    cells = []
    for sort in SORTS:
        for basis in BASES:
            count = board.count(sort=sort, basis=basis, **chosen)
            cells.append(f"{number(count.within)} of {number(count.n)}" if count.n else NOTHING)
    return Split(name, tuple(cells))


def _module(board: Scoreboard, name: str) -> ModuleView:
    checks = board.of(name)
    made = [(s, rows.row(s)) for s in checks]
    tested = tuple(r for _, r in made if r.verdict != "not testable" or r.mark.sort)
    untested = tuple((r.facts, r.why or r.note) for _, r in made if r.verdict == "not testable" and not r.mark.sort)
    title = name[:1].upper() + name[1:]
    return ModuleView(
        name=name,
        title=title,
        strip=strip.draw([r.mark for r in tested], name=f"strip-{name}", title=f"Checks of the module {name}"),
        rows=_ordered(tested),
        untested=untested,
        said=_said(board, name),
        coverage=board.coverage.get(name),
    )


def _ordered(found: Sequence[Row]) -> tuple[Row, ...]:
    """Values, directions, nulls; within each as in the files."""
    rank = {sort: k for k, sort in enumerate(SORTS)}
    return tuple(sorted(found, key=lambda r: rank.get(r.mark.sort, len(rank))))


def _said(board: Scoreboard, name: str) -> str:
    parts = []
    for sort in SORTS:
        count = board.count(module=name, sort=sort)
        if count.n:
            plural = f"{sort}s" if count.n > 1 else sort
            parts.append(f"{number(count.within)} of {number(count.n)} {plural}")
    return f"{', '.join(parts)} within" if parts else "no check could be simulated"
