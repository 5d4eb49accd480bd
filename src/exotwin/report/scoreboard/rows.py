"""A check as its row on the page says it: texts with units, the record behind it, the small figure, the point."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from exotwin.errors import EvidenceError
from exotwin.evidence import Record, record
from exotwin.report.numbers import MINUS, NOTHING, THIN, number
from exotwin.report.scoreboard import figure
from exotwin.report.scoreboard.figure import Interval, Shown
from exotwin.report.scoreboard.strip import Mark
from exotwin.report.scoreboard.wording import ENGLISH, BoardWords
from exotwin.report.wording import readable

if TYPE_CHECKING:
    from exotwin.validation import Scored

MOST_POINTS = 6  # of a curve, told one by one; longer ones by their ends
_NEAR = 2.0  # tolerances that a near miss may lie off
_DAY_NAMES = ((1 / 1440, "minutes"), (1 / 24, "hours"), (1.0, "days"), (365.25 / 12, "months"), (365.25, "years"))
_PLAIN_UNITS = {"dimensionless": "", "1": ""}


@dataclass(frozen=True)
class Fact:
    """A record as the page shows it. address : of the publication, "" where none is known."""

    id: str
    what: str
    value: str
    unit: str
    context: str
    source: str
    address: str
    where: str
    note: str
    found: bool = True


@dataclass(frozen=True)
class Row:
    """One check. foreign : whether ``observable`` is English on a page of another language. facets : what the filters
    look at; lines : term and text, in the order of the row. against : records that say the opposite, each with the
    checks that hold it and their verdicts. how : in which way it misses, "" if it does not."""

    id: str
    module: str
    observable: str
    foreign: bool
    verdict: str
    facets: Mapping[str, str]
    simulated: str
    published: str
    deviation: str
    lines: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    note: str
    miss: str
    why: str
    figure: Markup
    mark: Mark
    against: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    how: str


def row(scored: Scored, opponents: Sequence[Scored] = (), words: BoardWords = ENGLISH) -> Row:
    """All that the page says of a check. opponents : checks whose records say the opposite."""
    check = scored.check
    simulated, published = numbers(scored.simulated, check.unit, words), numbers(scored.published, check.unit, words)
    deviation = told_deviation(scored, words)
    observable, foreign = name(scored, words)
    told = words(
        "board.told",
        observable=observable,
        id=check.id,
        simulated=simulated,
        published=published,
        verdict=words.named("verdict", scored.verdict),
        basis=words.named("basis", scored.basis),
    )
    if deviation != NOTHING:
        told = words("board.told_off", told=told, deviation=deviation)
    title = words("board.figure_title", observable=observable, simulated=simulated, published=published)
    how = miss(scored, opponents)
    return Row(
        id=check.id,
        module=check.module,
        observable=observable,
        foreign=foreign,
        verdict=scored.verdict,
        facets={
            "module": check.module,
            "sort": check.sort,
            "basis": scored.basis,
            "verdict": scored.verdict,
            "miss": how,
            "kind": check.kind,
            "species": scored.species,
        },
        simulated=simulated,
        published=published,
        deviation=deviation,
        lines=tuple(_lines(scored, words)),
        facts=tuple(fact(name) for name in check.records),
        note=readable(check.note),
        miss=readable(check.miss) if scored.verdict == "outside" else "",
        why=readable(scored.why),
        figure=figure.draw(shown(scored, words), title=title, words=words),
        mark=Mark(check.id, check.sort, position(scored), scored.basis == "predicted", scored.verdict, told),
        against=_against(scored, opponents),
        how=how,
    )


def name(scored: Scored, words: BoardWords) -> tuple[str, bool]:
    """The observable in this language, and whether it is only there in English."""
    check = scored.check
    if words.language == "zh" and check.observable_zh:
        return check.observable_zh, False
    return check.observable or ", ".join(check.records), words.language != "en" and bool(check.observable)


def miss(scored: Scored, opponents: Sequence[Scored]) -> str:
    """In which way a check is outside, as a key of ``board_miss``; "" if it is within."""
    if scored.verdict != "outside":
        return ""
    if any(s.verdict == "within" and {*scored.check.contradicts} & {*s.records} for s in opponents):
        return "sided"
    values = points(scored.simulated)
    if not values or not all(map(math.isfinite, values)):
        return "none"
    if opponents:
        return "opposed"
    if scored.check.sort == "direction":
        return "sign" if position(scored) <= 0 else "small"
    return "bound" if scored.check.sort == "null" else "near" if _tolerances(scored) < _NEAR else "far"


def _tolerances(scored: Scored) -> float:
    """How many tolerances a value lies off, of a curve the farthest point; logarithmic where its spread is."""
    spread = scored.check.spread
    told = zip(points(scored.simulated), points(scored.published), intervals(scored.published_interval), strict=True)
    found = []
    for value, published, limits in told:
        limit = limits[1] if value > published else limits[0]
        if spread is not None and spread.log:
            value, published, limit = (math.log(v) if v > 0 else -math.inf for v in (value, published, limit))
        found.append((value - published) / (limit - published) if limit != published else math.inf)
    return max(found, default=math.inf)


def _against(scored: Scored, opponents: Sequence[Scored]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    mine = {*scored.records}
    records = dict.fromkeys(scored.check.contradicts)
    records |= dict.fromkeys(s.records[0] for s in opponents if mine & {*s.check.contradicts})
    return tuple((r, tuple((s.check.id, s.verdict) for s in opponents if r in s.records)) for r in records)


def _lines(scored: Scored, words: BoardWords) -> Iterable[tuple[str, str]]:
    unit = scored.check.unit
    if scored.interval is not None:
        yield words("board.line_patients"), pair(scored.interval, unit, words)
    if scored.knowledge is not None:
        yield words("board.line_knowledge"), pair(scored.knowledge, unit, words)
    if scored.published_interval is not None:
        key = "board.line_bound" if scored.check.sort == "null" else "board.line_within"
        yield words(key), pair(scored.published_interval, unit, words)
    if scored.tolerance:
        yield words("board.line_tolerance"), readable(scored.tolerance)
    if scored.check.contradicts:
        yield words("board.line_against"), ", ".join(scored.check.contradicts)
    if scored.fits:
        yield words("board.line_fits"), ", ".join(scored.fits)
    if scored.condition:
        key = "board.study_failed" if scored.failed else "board.study_patients" if scored.patients else "board.study"
        told = {"n": number(scored.patients), "failed": number(scored.failed)}
        species = words.named("species", scored.species)
        yield (
            words("board.line_study"),
            words(key, study=scored.check.study, condition=scored.condition, species=species, **told),
        )


def position(scored: Scored) -> float:
    """Where the point lies on the scale of its sort; NaN where there is none.

    Values: deviation in published standard errors. Directions: change the published way (of a curve, the least).
    Nulls: effect as a share of its bound (of a curve, the largest).
    """
    check = scored.check
    if check.sort == "value":
        return math.nan if scored.deviation is None else scored.deviation
    effects = [v - check.neutral for v in points(scored.simulated)]
    if not effects or not all(map(math.isfinite, effects)):
        return math.nan
    if check.sort == "direction":
        return min((check.sign or 1) * e for e in effects)
    highs = [high for _, high in intervals(scored.published_interval)]
    if len(highs) not in (1, len(effects)):
        return math.nan
    bounds = [high - check.neutral for high in highs] * (len(effects) if len(highs) == 1 else 1)
    shares = [e / b for e, b in zip(effects, bounds, strict=True) if b > 0]
    return max(shares, key=abs, default=math.nan)


def told_deviation(scored: Scored, words: BoardWords = ENGLISH) -> str:
    """The deviation with its scale in words."""
    at = position(scored)
    if math.isnan(at):
        return NOTHING
    if scored.check.sort == "value":
        tenths = scored.check.spread is not None and scored.check.spread.none
        return words("board.deviation_tenths" if tenths else "board.deviation_se", n=signed(at))
    if scored.check.sort == "direction":
        return words("board.deviation_change", n=signed(100 * at))
    return words("board.deviation_bound", n=number(abs(at), digits=2))


def signed(value: float) -> str:
    """A difference, with its sign also where it is above zero."""
    text = number(value, digits=2) if abs(value) < 100 else number(round(value))
    return text if value <= 0 or text.startswith(MINUS) else f"+{text}"


def points(values: float | Sequence[float] | None) -> tuple[float, ...]:
    """A number, or those of a curve, as a tuple; empty where there is none."""
    if values is None:
        return ()
    return tuple(float(v) for v in values) if isinstance(values, Sequence) else (float(values),)


def intervals(limits: tuple[Any, Any] | None) -> tuple[Interval, ...]:
    """Lower and upper limits, point by point."""
    if limits is None:
        return ()
    return tuple(zip(points(limits[0]), points(limits[1]), strict=True))


def numbers(values: float | Sequence[float] | None, unit: str, words: BoardWords = ENGLISH) -> str:
    """A number, or a curve by its points, with the unit."""
    found = points(values)
    if not found:
        return NOTHING
    texts = [number(v) for v in found]
    if len(texts) > MOST_POINTS:
        return words("board.curve", first=texts[0], last=_with_unit(texts[-1], unit, words), n=len(texts))
    return _with_unit("; ".join(texts), unit, words)


def pair(limits: tuple[Any, Any], unit: str, words: BoardWords = ENGLISH) -> str:
    """``1.2 to 3.4 h``, point by point."""
    texts = [words.interval(low, high) for low, high in intervals(limits)]
    if len(texts) > MOST_POINTS:
        return _with_unit(f"{texts[0]} … {texts[-1]}", unit, words)
    return _with_unit("; ".join(texts), unit, words)


def plain_unit(unit: str, words: BoardWords = ENGLISH) -> str:
    """The unit as readers write it; nothing for pure numbers."""
    return words.unit(_PLAIN_UNITS.get(unit, unit)) if unit else ""


def _with_unit(text: str, unit: str, words: BoardWords) -> str:
    shown = plain_unit(unit, words)
    return f"{text}{THIN}{shown}" if shown and text != NOTHING else text


def shown(scored: Scored, words: BoardWords = ENGLISH) -> Shown:
    """What the small figure draws."""
    check = scored.check
    simulated, published = points(scored.simulated), points(scored.published)
    n = max(len(simulated), len(published))
    at, at_unit = (
        _over_time(scored.times, words)
        if len(scored.times) == n > 1
        else (tuple(range(1, n + 1)), words("board.point"))
    )
    limits = _padded(intervals(scored.published_interval), n)
    nothing = _padded((), n)
    of_effect = check.sort in ("direction", "null")
    return Shown(
        unit=plain_unit(check.unit, words) or (check.unit and words("board.ratio")) or "",
        simulated=_filled(simulated, n),
        patients=_padded(intervals(scored.interval), n),
        knowledge=_padded(intervals(scored.knowledge), n),
        published=_filled(published, n),
        published_spread=limits if check.sort == "value" else nothing,
        band=_direction_band(check.neutral, check.sign) if check.sort == "direction" else limits,
        at=tuple(map(float, at)) if n > 1 else (),
        at_unit=at_unit,
        neutral=check.neutral if of_effect else None,
        log=False if of_effect else None,
    )


def _direction_band(neutral: float, sign: int) -> tuple[Interval, ...]:
    return ((neutral + 0.1, math.inf),) if sign >= 0 else ((-math.inf, neutral - 0.1),)


def _filled(values: tuple[float, ...], n: int) -> tuple[float, ...]:
    return values if len(values) == n else values[:1] * n if values else (math.nan,) * n


def _padded(pairs: tuple[Interval, ...], n: int) -> tuple[Interval, ...]:
    if len(pairs) == n:
        return pairs
    return pairs[:1] * n if len(pairs) == 1 else ((math.nan, math.nan),) * n


def _over_time(days: Sequence[float], words: BoardWords) -> tuple[tuple[float, ...], str]:
    """Days in the largest unit of which the last one has at least two."""
    last = max(abs(d) for d in days)
    size, name = next(((s, n) for s, n in reversed(_DAY_NAMES) if last >= 2 * s), _DAY_NAMES[0])
    return tuple(d / size for d in days), words("board.time", unit=words(f"board.{name}"))


def fact(name: str) -> Fact:
    """A record for the page; one that does not exist is shown as missing."""
    try:
        found = record(name)
    except EvidenceError as error:
        return Fact(name, str(error.found), "", "", "", "", "", "", "", found=False)
    return Fact(
        id=found.id,
        what=found.what,
        value=value_text(found.value),
        unit=found.unit,
        context=found.context,
        source=_source(found),
        address=_address(found),
        where=found.where,
        note=found.note,
    )


def value_text(value: Any) -> str:
    """A record's value as it stands there, short: ``half_life_h 24, dose 2 000 000`` or ``[3, 5], [22, 25]``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inner(v)}" for key, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_inner(v) for v in value)
    return _inner(value)


def _inner(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        return f"[{value_text(value)}]"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return number(value, digits=6) if isinstance(value, int | float) else str(value)


def _source(found: Record) -> str:
    source = found.source
    printed = " ".join(filter(None, (source.journal, f"({source.year})" if source.year else "")))
    named = [f"doi:{source.doi}" if source.doi else "", f"PMID {source.pmid}" if source.pmid else "", source.pmcid]
    parts = [source.title.rstrip("."), printed, *filter(None, named)]
    return ". ".join(filter(None, parts)) or source.url


def _address(found: Record) -> str:
    source = found.source
    if source.doi:
        return f"https://doi.org/{source.doi}"
    if source.pmid:
        return f"https://pubmed.ncbi.nlm.nih.gov/{source.pmid}/"
    if source.pmcid:
        return f"https://pmc.ncbi.nlm.nih.gov/articles/{source.pmcid}/"
    address = re.match(r"https?://\S+", source.url)
    return address[0] if address else ""
