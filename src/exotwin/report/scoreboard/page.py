"""The sections of the scoreboard's page: counts that do not weigh the same, coverage, strips, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from exotwin.quantities import wilson
from exotwin.report.numbers import NOTHING, THIN, number
from exotwin.report.scoreboard import rows, strip
from exotwin.report.scoreboard.rows import Fact, Row
from exotwin.report.scoreboard.wording import BoardWords

if TYPE_CHECKING:
    from exotwin.validation import Contradiction, Count, Coverage, Scoreboard, Scored

SORTS = ("value", "direction", "null")
BASES = ("predicted", "calibrated")
FACETS = ("module", "sort", "basis", "verdict", "miss", "kind", "species")


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
class Side:
    """One record of a contradiction, with its checks: id, observable, verdict."""

    record: str
    checks: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Pair:
    """Two records that say the opposite, and with which of the two the model sides, in words."""

    one: Side
    other: Side
    said: str


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
    counts: tuple[tuple[str, tuple[tuple[str, CountCell], ...]], ...]
    splits: tuple[tuple[str, tuple[Split, ...]], ...]
    modules: tuple[ModuleView, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    digest: str
    n_tested: int
    unexplained: tuple[str, ...]
    apart: tuple[tuple[str, tuple[str, ...]], ...]
    pairs: tuple[Pair, ...]
    missed: tuple[Row, ...]
    parts: str
    failed: int
    faults: tuple[str, ...]
    unaccounted: tuple[tuple[str, tuple[Fact, ...]], ...]


def view(board: Scoreboard, words: BoardWords) -> View:
    """The page's content."""
    contradictions = board.contradictions
    opponents: dict[str, dict[str, Scored]] = {}
    for each in contradictions:
        for other in each.others:
            opponents.setdefault(each.one.check.id, {})[other.check.id] = other
            opponents.setdefault(other.check.id, {})[each.one.check.id] = each.one
    modules = tuple(_module(board, name, opponents, words) for name in board.modules)
    counts = tuple(
        (sort, tuple((basis, cell(board.count(sort=sort, basis=basis), words)) for basis in BASES)) for sort in SORTS
    )
    kinds = tuple(dict.fromkeys(s.check.kind for s in board.tested))
    shown = [row for m in modules for row in m.rows]
    filters = tuple((facet, tuple(dict.fromkeys(row.facets[facet] for row in shown))) for facet in FACETS)
    return View(
        lead=_lead(board, words),
        counts=counts,
        splits=(
            ("module", tuple(_split(board, m.title, words, module=m.name) for m in modules)),
            ("kind", tuple(_split(board, words.named("kind", kind), words, kind=kind) for kind in kinds)),
        ),
        modules=modules,
        filters=filters,
        digest=board.digest,
        n_tested=len(shown),
        unexplained=board.unexplained,
        apart=_apart(board, words),
        pairs=tuple(_pair(each, words) for each in contradictions),
        missed=tuple(row for row in shown if row.how),
        parts=_parts(board, words),
        failed=sum(s.failed for s in board.tested),
        faults=board.faults,
        unaccounted=tuple(
            (name, tuple(rows.fact(r) for r in one.unaccounted))
            for name, one in board.coverage.items()
            if one.unaccounted
        ),
    )


def cell(count: Count, words: BoardWords) -> CountCell:
    """A count as text."""
    if not count.n:
        return CountCell("0", NOTHING, NOTHING, "", 0.0)
    low, high = wilson(count.within, count.n)
    interval = words("board.share_interval", low=f"{100 * low:.0f}", high=f"{100 * high:.0f}")
    return CountCell(number(count.n), number(count.within), percent(count.share), interval, count.share)


def percent(share: float) -> str:
    """A share as whole per cent."""
    return f"{100 * share:.0f}{THIN}%"


def _lead(board: Scoreboard, words: BoardWords) -> str:
    text = words("board.lead", n=number(board.count().n))
    for sort in ("value", "direction"):
        count = board.count(sort=sort, basis="predicted")
        if count.n:
            told = {"n": number(count.n), "within": number(count.within), "share": percent(count.share)}
            text += words("board.lead_sort", sort=words.named("sort", sort), **told)
    missed = sum(s.verdict == "outside" for s in board.tested)
    silent = len(board.unexplained)
    if missed:
        key = "board.lead_silent" if silent else "board.lead_missed"
        text += words(key, n=number(missed), silent=number(silent))
    return text


def _parts(board: Scoreboard, words: BoardWords) -> str:
    if not board.parts:
        return ""
    modules = words.list(words.named("module", name) for name in board.modules)
    return words("board.parts", modules=modules, parts=words.list(board.parts))


def _apart(board: Scoreboard, words: BoardWords) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the shares alone do not tell, each sentence with the checks that it counts, the predicted first."""
    found = []
    for key, checks, verdict in (("sided", board.sided, "outside"), ("idle", board.idle, "within")):
        for basis in BASES:
            for sort in SORTS:
                ids = tuple(s.check.id for s in checks if (s.check.sort, s.basis) == (sort, basis))
                count = board.count(sort=sort, basis=basis)
                of = count.within if verdict == "within" else count.n - count.within
                named = {"basis": words.named("basis", basis), "sort": words.named("sort", sort)}
                if ids:
                    said = "sided_one" if key == "sided" and len(ids) == 1 else key
                    found.append((words(f"board.{said}", n=number(len(ids)), all=number(of), **named), ids))
    return tuple(found)


def _pair(found: Contradiction, words: BoardWords) -> Pair:
    one, other = _side((found.one,), found.one.records[0], words), _side(found.others, found.record, words)
    if len(found.met) == 1:
        return Pair(one, other, words("board.sides_with", record=found.met[0]))
    return Pair(one, other, words("board.both_met" if found.met else "board.both_missed"))


def _side(checks: Sequence[Scored], record: str, words: BoardWords) -> Side:
    return Side(record, tuple((s.check.id, rows.name(s, words)[0], s.verdict) for s in checks))


def _split(board: Scoreboard, name: str, words: BoardWords, **chosen: str) -> Split:
    cells = []
    for sort in SORTS:
        for basis in BASES:
            count = board.count(sort=sort, basis=basis, **chosen)
            said = words("board.within_of", within=number(count.within), n=number(count.n))
            cells.append(said if count.n else NOTHING)
    return Split(name, tuple(cells))


def _module(
    board: Scoreboard, name: str, opponents: Mapping[str, Mapping[str, Scored]], words: BoardWords
) -> ModuleView:
    checks = board.of(name)
    made = [(s, rows.row(s, [*opponents.get(s.check.id, {}).values()], words)) for s in checks]
    tested = tuple(r for _, r in made if r.verdict != "not testable" or r.mark.sort)
    untested = tuple((r.facts, r.why or r.note) for _, r in made if r.verdict == "not testable" and not r.mark.sort)
    title = words("board.strip_title", module=words.named("module", name))
    return ModuleView(
        name=name,
        title=words.module(name),
        strip=strip.draw([r.mark for r in tested], name=f"strip-{name}", title=title, words=words),
        rows=_ordered(tested),
        untested=untested,
        said=_said(board, name, words),
        coverage=board.coverage.get(name),
    )


def _ordered(found: Sequence[Row]) -> tuple[Row, ...]:
    """Values, directions, nulls; within each as in the files."""
    rank = {sort: k for k, sort in enumerate(SORTS)}
    return tuple(sorted(found, key=lambda r: rank.get(r.mark.sort, len(rank))))


def _said(board: Scoreboard, name: str, words: BoardWords) -> str:
    parts = []
    for sort in SORTS:
        count = board.count(module=name, sort=sort)
        if count.n:
            told = {"n": number(count.n), "within": number(count.within), "sort": words.named("sort", sort)}
            parts.append(words("board.count_many" if count.n > 1 else "board.count_one", **told))
    counts = words("word.comma").join(parts)
    return words("board.module_sorts", counts=counts) if parts else words("board.module_none")
