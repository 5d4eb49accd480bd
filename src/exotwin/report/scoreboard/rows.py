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
from exotwin.report.wording import Words, readable

if TYPE_CHECKING:
    from exotwin.validation import Scored

MOST_POINTS = 6  # of a curve, told one by one; longer ones by their ends
_WORDS = Words("en")
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
    """One check. facets : what the filters look at; lines : term and text, in the order of the row."""

    id: str
    module: str
    observable: str
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


def row(scored: Scored) -> Row:
    """All that the page says of a check."""
    check = scored.check
    simulated, published = numbers(scored.simulated, check.unit), numbers(scored.published, check.unit)
    deviation = told_deviation(scored)
    observable = check.observable or ", ".join(check.records)
    told = f"{observable} ({check.id}): simulated {simulated}, published {published}; {scored.verdict}, {scored.basis}"
    told += f"; {deviation}" if deviation != NOTHING else ""
    return Row(
        id=check.id,
        module=check.module,
        observable=observable,
        verdict=scored.verdict,
        facets={
            "module": check.module,
            "sort": check.sort,
            "basis": scored.basis,
            "verdict": scored.verdict,
            "kind": check.kind,
            "species": scored.species,
        },
        simulated=simulated,
        published=published,
        deviation=deviation,
        lines=tuple(_lines(scored)),
        facts=tuple(fact(name) for name in check.records),
        note=readable(check.note),
        miss=readable(check.miss) if scored.verdict == "outside" else "",
        why=readable(scored.why),
        figure=figure.draw(shown(scored), title=f"{observable}: simulated {simulated}, published {published}"),
        mark=Mark(check.id, check.sort, position(scored), scored.basis == "predicted", scored.verdict, told),
    )


def _lines(scored: Scored) -> Iterable[tuple[str, str]]:
    unit = scored.check.unit
    if scored.interval is not None:
        yield "patients, 95 %", pair(scored.interval, unit)
    if scored.knowledge is not None:
        yield "by what is not known, 95 %", pair(scored.knowledge, unit)
    if scored.published_interval is not None:
        yield "bound" if scored.check.sort == "null" else "counts as within", pair(scored.published_interval, unit)
    if scored.tolerance:
        yield "tolerance", readable(scored.tolerance)
    if scored.check.contradicts:
        yield "stands against", ", ".join(scored.check.contradicts)
    if scored.fits:
        yield "calibrated by", ", ".join(scored.fits)
    if scored.condition:
        patients = f", {number(scored.patients)} patients" if scored.patients else ""
        failed = f", {number(scored.failed)} of them failed" if scored.failed else ""
        yield "study", f"{scored.check.study} ({scored.condition}, {scored.species}{patients}{failed})"


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


def told_deviation(scored: Scored) -> str:
    """The deviation with its scale in words."""
    at = position(scored)
    if math.isnan(at):
        return NOTHING
    if scored.check.sort == "value":
        scale = "tenths of the effect" if scored.check.spread and scored.check.spread.none else "SE"
        return f"{signed(at)} {scale}"
    if scored.check.sort == "direction":
        return f"{signed(100 * at)}{THIN}% the published way"
    return f"{number(abs(at), digits=2)} of the bound"


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


def numbers(values: float | Sequence[float] | None, unit: str) -> str:
    """A number, or a curve by its points, with the unit."""
    found = points(values)
    if not found:
        return NOTHING
    texts = [number(v) for v in found]
    if len(texts) > MOST_POINTS:
        return f"{_with_unit(f'{texts[0]} to {texts[-1]}', unit)} ({len(texts)} points)"
    return _with_unit("; ".join(texts), unit)


def pair(limits: tuple[Any, Any], unit: str) -> str:
    """``1.2 to 3.4 h``, point by point."""
    texts = [_WORDS.interval(low, high) for low, high in intervals(limits)]
    if len(texts) > MOST_POINTS:
        return _with_unit(f"{texts[0]} … {texts[-1]}", unit)
    return _with_unit("; ".join(texts), unit)


def plain_unit(unit: str) -> str:
    """The unit as readers write it; nothing for pure numbers."""
    return _WORDS.unit(_PLAIN_UNITS.get(unit, unit)) if unit else ""


def _with_unit(text: str, unit: str) -> str:
    shown = plain_unit(unit)
    return f"{text}{THIN}{shown}" if shown and text != NOTHING else text


def shown(scored: Scored) -> Shown:
    """What the small figure draws."""
    check = scored.check
    simulated, published = points(scored.simulated), points(scored.published)
    n = max(len(simulated), len(published))
    at, at_unit = _over_time(scored.times) if len(scored.times) == n > 1 else (tuple(range(1, n + 1)), "point")
    limits = _padded(intervals(scored.published_interval), n)
    nothing = _padded((), n)
    of_effect = check.sort in ("direction", "null")
    return Shown(
        unit=plain_unit(check.unit) or (check.unit and "ratio or share") or "",
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


def _over_time(days: Sequence[float]) -> tuple[tuple[float, ...], str]:
    """Days in the largest unit of which the last one has at least two."""
    last = max(abs(d) for d in days)
    size, name = next(((s, n) for s, n in reversed(_DAY_NAMES) if last >= 2 * s), _DAY_NAMES[0])
    return tuple(d / size for d in days), f"time, {name}"


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
