"""The answer in sentences: each built from the numbers of the result, none written beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exotwin.report import facts
from exotwin.report.facts import Row
from exotwin.report.numbers import NOTHING, number, rough, tick, together
from exotwin.report.wording import Words, joined

if TYPE_CHECKING:
    from exotwin.trial import TrialResult

_SURE = 0.99
_RATIO_DIGITS = 6  # near 1 the digits that matter stand far behind
CLAUSES = ("better", "better_little", "worse", "worse_little", "unclear")
N_SPELLED = 3  # endpoints of which the size is told in the paragraph; the table beside it has all


def about_arm(result: TrialResult, arm: str, words: Words) -> tuple[str, str]:
    """What came out for one arm against the comparator: a sentence on what it was better or worse, and the rest: by how
    much, when it was more, and whether the median patient gets into the normal range.
    """
    rows = _rows(result, arm)
    if not any(facts.direction(row) != "unknown" for row in rows):
        named = {"arm": words.first(words.arm(arm)), "comparator": comparator_name(result, words)}
        return words("answer.lead_nothing", **named), ""
    rest = [_sizes(result, rows, words), *_needed(rows, words), _normal(result, arm, words)]
    return _lead(result, arm, rows, words), joined(rest, words)


def effect(result: TrialResult, row: Row, words: Words) -> str:
    """``−4.1 (−9.2 to −0.6) IU/L``, ``× 1.21 (1.03 to 1.64)`` or ``12 (2 to 25) points``."""
    value, low, high = (float(row[k]) for k in ("effect", "low", "high"))
    if math.isnan(value):
        return words("word.unknown")
    if facts.is_noise(result, row):
        return words("answer.no_effect")
    kind = str(row["effect_kind"])
    if kind.startswith("ratio"):
        return words("answer.times", ratio=words.estimate(value, low, high, digits=_RATIO_DIGITS))
    if kind == "risk difference":
        return words("answer.points", points=words.estimate(100 * value, 100 * low, 100 * high))
    return words.estimate(value, low, high, str(row["effect_unit"]))


def probability(result: TrialResult, row: Row, words: Words) -> str:
    """That the arm is better: ``92 %``; never certain, as the draws are few."""
    p = float(row["p_better"])
    if math.isnan(p) or facts.is_noise(result, row):
        return NOTHING
    if p > _SURE or p < 1 - _SURE:
        edge = words.percent(_SURE if p > _SURE else 1 - _SURE)
        return words("answer.above" if p > _SURE else "answer.below", edge=edge)
    return words.percent(p)


def needed(row: Row, words: Words) -> str:
    """Number needed to treat with its interval; harm and infinity by name."""
    if math.isnan(row["nnt"]):
        return ""
    value, best, worst = (_treated(float(row[k]), words) for k in ("nnt", "nnt_low", "nnt_high"))
    through = float(row["nnt_low"]) > 0 > float(row["nnt_high"])
    return words("answer.nnt_through" if through else "answer.nnt_interval", value=value, best=best, worst=worst)


def sure(result: TrialResult, words: Words) -> list[tuple[str, str]]:
    """How sure: (what, sentence) on draws, numbers, translation, counted molecules, product, failures."""
    found = [
        (words("answer.sure_draws"), _sure_draws(result, words)),
        (words("answer.sure_copies"), _sure_copies(result, words)),
        (words("answer.sure_translation", species=_people(result, words)), _sure_translation(result, words)),
        (words("answer.sure_numbers"), sure_numbers(result, words)),
        (words("answer.sure_product"), _sure_product(result, words)),
        (words("answer.sure_failed"), _sure_failed(result, words)),
    ]
    # what the run remarks of itself may bear on every interval above
    return [*found, *([(words("honesty.run_remarks"), joined(result.remarks, words))] if result.remarks else [])]


def sure_numbers(result: TrialResult, words: Words) -> str:
    """How many of the model's numbers are measured, derived, fitted, assumed."""
    known = [p for p in result.model.parameters.values() if p.level == "knowledge"]
    return words(
        "answer.sure_numbers_text",
        total=len(result.model.parameters),
        counts=words.counts(result.model.bases, "basis"),
        knowledge=len(known),
        knowledge_assumed=sum(p.basis == "assumed" for p in known),
    )


def _rows(result: TrialResult, arm: str, reading: str | None = None) -> list[Row]:
    table = facts.last_rows(result)
    wanted = (table["reading"] == (reading or result.study.potency)) & (table["arm"] == arm)
    return list(facts.dicts(table[wanted]))


def _lead(result: TrialResult, arm: str, rows: Sequence[Row], words: Words) -> str:
    groups: dict[str, list[str]] = {name: [] for name in CLAUSES}
    for row in rows:
        if (name := clause(result, row)) in groups:
            groups[name].append(label(row, words))
    clauses = [words(f"answer.clause_{name}", items=words.list(items)) for name, items in groups.items() if items]
    comparator = comparator_name(result, words)
    said = words("word.semicolon").join(clauses)
    return words("answer.lead", arm=words.first(words.arm(arm)), comparator=comparator, clauses=said)


def clause(result: TrialResult, row: Row) -> str:
    """The clause of the first sentence that an endpoint belongs to; "unknown" for none."""
    direction = facts.direction(row)
    if direction != "unknown" and facts.is_noise(result, row):
        return "unclear"
    if direction in ("better", "worse") and facts.is_little(row, facts.comparator_row(result, row)):
        return f"{direction}_little"
    return direction


def _sizes(result: TrialResult, rows: Sequence[Row], words: Words) -> str:
    """Sizes of the first endpoint and of those that are clearest, and when they were larger before."""
    known = [row for row in rows if facts.direction(row) != "unknown"]
    if not known:
        return ""
    order = {"better": 0, "worse": 0, "better_little": 1, "worse_little": 1, "unclear": 2}
    told = [known[0], *sorted(known[1:], key=lambda row: order[clause(result, row)])][:N_SPELLED]
    said = [words("answer.after", **_listed(result, told, words))]
    earlier = _at_largest(result, told)
    said += [words("answer.earlier", **_listed(result, earlier, words))] if earlier else []
    return joined(said, words)


def _listed(result: TrialResult, rows: Sequence[Row], words: Words) -> dict[str, str]:
    sizes = words.list(_size(result, row, words, first=k == 0) for k, row in enumerate(rows))
    return {"time": words.time(float(rows[0]["day"])), "sizes": sizes}


def _at_largest(result: TrialResult, told: Sequence[Row]) -> list[Row]:
    """The same endpoints when the first of them moved most, if that is earlier and by half as much again."""
    table = result.endpoints
    alike = (table["arm"] == told[0]["arm"]) & (table["reading"] == told[0]["reading"])
    course = table[alike & (table["endpoint"] == told[0]["endpoint"])]
    sizes = {float(r["day"]): facts.size(r) for r in facts.dicts(course)}
    day = max(sizes, key=lambda d: sizes[d] if sizes[d] == sizes[d] else -1.0)
    last = sizes[float(told[0]["day"])]
    if not sizes[day] > 1.5 * last:
        return []
    found = facts.dicts(table[alike & (table["day"] == day)])
    by_endpoint = {r["endpoint"]: r for r in found}
    if facts.is_noise(result, by_endpoint[told[0]["endpoint"]]):
        return []
    return [by_endpoint[row["endpoint"]] for row in told if row["endpoint"] in by_endpoint]


def _size(result: TrialResult, row: Row, words: Words, *, first: bool) -> str:
    """``AMH 1.2 % higher (0.1 to 12)``: the size on the scale and with the sign that a reader thinks in."""
    name = label(row, words)
    if facts.is_noise(result, row):
        return words("answer.size_none", label=name)
    kind, unit = str(row["effect_kind"]), str(row["effect_unit"])
    numbers = [float(row[k]) for k in ("effect", "low", "high")]
    share = kind == "risk difference"
    if kind.startswith("ratio"):
        if not all(0.5 < v < 2 for v in numbers):
            texts, power = together(numbers)
            interval = _interval(texts[1:], power, words, first=first)
            return words("answer.size_ratio", label=name, size=_powered(texts[0], power), interval=interval)
        numbers, unit = [100 * (v - 1) for v in numbers], "%"
    elif share:
        numbers = [100 * v for v in numbers]
    sign = -1 if numbers[0] < 0 else 1
    # told as "4 lower", so the limits turn with the sign
    texts, power = together([sign * numbers[0], *sorted(sign * v for v in numbers[1:])])
    interval, size = _interval(texts[1:], power, words, first=first), _powered(texts[0], power)
    if share:
        more = words("answer.fewer" if sign < 0 else "answer.more")
        return words("answer.size_share", label=name, size=size, more=more, interval=interval)
    turned = words("word.lower" if sign < 0 else "word.higher")
    shown = words.with_unit(size, unit)
    return words("answer.size_difference", label=name, size=shown, direction=turned, interval=interval)


def _interval(limits: Sequence[str], power: str, words: Words, *, first: bool) -> str:
    low, high = (_powered(text, power) for text in limits)
    return words("answer.size_interval" if first else "answer.size_interval_again", low=low, high=high)


def _powered(shown: str, power: str) -> str:
    return f"{shown} {power}" if power else shown


def _needed(rows: Sequence[Row], words: Words) -> list[str]:
    return [
        words("answer.nnt", label=label(row, words), nnt=needed(row, words))
        for row in rows
        if not math.isnan(row["nnt"]) and facts.direction(row) in ("better", "worse")
    ]


def _normal(result: TrialResult, arm: str, words: Words) -> str:
    """Whether the arm's median patient gets into the normal range: a difference can be sure and still be small."""
    outside, inside = [], []
    for row in _rows(result, arm):
        seen = result.model.observables.get(str(row["observable"]))
        if seen is None or seen.normal is None or row["kind"] != "value" or math.isnan(row["median"]):
            continue
        low, high = seen.normal
        if low <= row["median"] <= high:
            inside.append(label(row, words))
        else:
            limits = {"low": tick(low), "high": tick(high), "unit": words.unit(seen.unit)}
            median = number(row["median"], digits=2)
            outside.append(words("answer.outside_item", label=label(row, words), median=median, **limits))
    said = [words("answer.outside", labels=words.list(outside[:N_SPELLED]))] if outside else []
    said += [words("answer.inside", labels=words.list(inside))] if inside else []
    return joined(said, words)


def label(row: Row, words: Words) -> str:
    """Name of an endpoint in the language."""
    return str(row["label_zh"]) if words.language == "zh" and row["label_zh"] else str(row["label"])


def _sure_draws(result: TrialResult, words: Words) -> str:
    parts = []
    for arm in facts.treated(result):
        rows = [r for r in _rows(result, arm) if not math.isnan(r["p_better"])][:N_SPELLED]
        nothing = words("answer.no_effect")
        said = [nothing if facts.is_noise(result, r) else probability(result, r, words) for r in rows]
        counts = [words("answer.sure_draws_item", label=label(r, words), p=p) for r, p in zip(rows, said, strict=True)]
        if counts:
            parts.append(words("answer.sure_draws_part", arm=words.arm(arm), items=words.list(counts)))
    if not parts:
        return words("word.unknown")
    named = {"total": result.study.population.n_draws, "comparator": comparator_name(result, words)}
    return words("answer.sure_draws_text", parts=words("word.semicolon").join(parts), **named)


def _sure_translation(result: TrialResult, words: Words) -> str:
    if result.study.potency == "animal untranslated":
        return words("answer.sure_translation_main")
    full = _first_endpoint(result, "animal untranslated", words)
    own = result.model.parameters.get("translation")
    drawn = facts.drawn(result, level="knowledge").get("translation")
    if own is None or not full:
        return words("word.unknown")
    if own.level == "fixed" and own.value == 1 and "translation" not in result.study.parameters:
        return words("answer.sure_translation_none")
    if drawn is None:
        held = facts.drawn(result).get("translation")
        value = float(held[0]) if held is not None and held.size else own.value
        return words("answer.sure_translation_fixed", value=number(value), full=full)
    import numpy as np

    middle, low, high = (float(q) for q in np.quantile(np.unique(drawn), [0.5, 0.025, 0.975]))
    texts, _ = together([middle, low, high])
    basis = words(f"basis.{own.basis}")
    return words("answer.sure_translation_text", value=texts[0], low=texts[1], high=texts[2], basis=basis, full=full)


def _sure_copies(result: TrialResult, words: Words) -> str:
    """The other way to read the vial, on the first endpoint, and the ratio between the two."""
    main_counts = result.study.potency == "copies"
    beside = _first_endpoint(result, "animal" if main_counts else "copies", words)
    if not beside:
        return words("answer.sure_copies_none")
    if main_counts:
        return words("answer.sure_copies_main", beside=beside)
    ratios, nothing = [], []
    for arm in facts.with_product(result):
        here = _rows(result, arm)
        ratio = float(here[0]["ratio_to_copies"]) if here else math.nan
        if math.isinf(ratio):
            nothing.append(words.arm(arm))
        elif not math.isnan(ratio):
            ratios.append(words("answer.sure_copies_ratio", arm=words.arm(arm), ratio=rough(ratio)))
    said = [words("answer.sure_copies_text", beside=beside), _best_delivered(result, words)]
    said += [words("answer.sure_copies_ratios", ratios=words.list(ratios))] if ratios else []
    said += [words("answer.sure_copies_nothing", arms=words.list(nothing))] if nothing else []
    return joined(said, words)


def _best_delivered(result: TrialResult, words: Words) -> str:
    """The mediator of which most copies reach a cell, against what a cell needs."""
    judged = [p for found in result.plausibility.values() for p in found if p.delivered > 0]
    if not judged:
        return ""
    best = max(judged, key=lambda p: p.delivered / p.needed)
    delivered = rough(best.delivered)
    return words("answer.sure_copies_best", name=best.mediator, delivered=delivered, needed=number(best.needed))


def _first_endpoint(result: TrialResult, reading: str, words: Words) -> str:
    """``AMH × 1.42 (1.13 to 2.27) with exosomes and × 1.3 (1.1 to 1.9) with cells``; "" if nothing was computed."""
    parts, name = [], ""
    for arm in facts.with_product(result):
        rows = _rows(result, arm, reading)
        if rows and not math.isnan(rows[0]["effect"]):
            name = label(rows[0], words)
            parts.append(words("answer.with_arm", effect=effect(result, rows[0], words), arm=words.arm(arm)))
    return words("answer.first_endpoint", label=name, effects=words.list(parts)) if parts else ""


def _sure_product(result: TrialResult, words: Words) -> str:
    said = []
    for product in result.products.values():
        verdicts = []
        for verdict in product.verdicts:
            outcomes: list[str] = [c.outcome for c in verdict.criteria]
            counts = {
                k: outcomes.count(v) for k, v in (("met", "met"), ("failed", "not met"), ("missing", "not measured"))
            }
            standard, outcome = verdict.standard, words(f"outcome_word.{verdict.outcome}")
            key = "sure_verdict" if verdict.outcome == "met" else "sure_verdict_counts"
            verdicts.append(words(f"answer.{key}", standard=standard, outcome=outcome, **counts))
        said.append(
            words("answer.sure_product_text", name=product.name, verdicts=words.list(verdicts) or words("word.none"))
        )
        if product.synthetic:
            said.append(words("answer.sure_synthetic"))
    return joined(said, words) or words("answer.sure_no_product")


def _sure_failed(result: TrialResult, words: Words) -> str:
    import numpy as np

    reasons, counts = np.unique(result.dataset["outcome"].values, return_counts=True)
    failed = {str(r): int(n) for r, n in zip(reasons, counts, strict=True) if r not in facts.NOT_FAILED}
    if not failed:
        return words("answer.sure_failed_none")
    listed = words.counts(failed, "stop")
    return words("answer.sure_failed_text", n=sum(failed.values()), total=int(counts.sum()), reasons=listed)


def _treated(value: float, words: Words) -> str:
    if math.isinf(value):
        return "∞"
    size = abs(value)
    shown = rough(size) if size < 10 else number(round(size) if size < 1000 else float(f"{size:.3g}"))
    return shown if value > 0 else words("answer.nnt_harm", n=shown)


def _people(result: TrialResult, words: Words) -> str:
    return words.known(f"word.{result.study.species}", result.study.species)


def comparator_name(result: TrialResult, words: Words) -> str:
    """The comparator in the running text: "no treatment", or the arm's name."""
    arm = result.study.arms[result.study.comparator]
    return words("answer.untreated") if not arm.treated else words.arm(result.study.comparator)
