"""The first paragraph of the report: what came out of the whole trial, and what kind of knowledge that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.report import answer, facts
from exotwin.report.wording import Words, joined

if TYPE_CHECKING:
    from exotwin.trial import TrialResult


def in_short(result: TrialResult, words: Words) -> str:
    """Which arms do more than very little, at the end and before, and what the direction of an effect rests on."""
    if not facts.treated(result):
        return ""
    last = _effects(result, facts.main_rows(result)["day"].max(), words)
    said = [last or words("short.nothing_last", **_named(result, words, facts.main_rows(result)["day"].max()))]
    before = _best_before(result, words)
    said += [before] if before else []
    said += [words("short.carried")] if _carried(result) else []
    said += [words("short.copies_nothing")] if _copies_nothing(result) else []
    return joined(said, words)


def _named(result: TrialResult, words: Words, day: float) -> dict[str, str]:
    return {"time": words.time(float(day)), "comparator": answer.comparator_name(result, words)}


def _effects(result: TrialResult, day: float, words: Words) -> str:
    """The arms with an effect of more than very little at ``day``, and on what; "" if there is none."""
    table = result.endpoints
    rows = facts.dicts(table[table["main"] & (table["day"] == day)])
    parts = []
    for arm in facts.treated(result):
        for kind in ("better", "worse"):
            labels = [answer.label(r, words) for r in rows if r["arm"] == arm and answer.clause(result, r) == kind]
            if labels:
                parts.append(words(f"short.arm_{kind}", arm=words.arm(arm), items=words.list(labels)))
    if not parts:
        return ""
    return words("short.effects", effects=words("word.semicolon").join(parts), **_named(result, words, day))


def _best_before(result: TrialResult, words: Words) -> str:
    """The effects at the earliest time at which there is more than very little, where the end shows none."""
    days = sorted({float(d) for d in result.endpoints["day"]})
    if _effects(result, days[-1], words):
        return ""
    found = next((said for said in (_effects(result, day, words) for day in days[:-1]) if said), "")
    return found or (words("short.nothing_before") if days[:-1] else "")


def _carried(result: TrialResult) -> bool:
    """Whether the main reading carries effects over from another kind of animal by a factor that nobody measured."""
    own = result.model.parameters.get("translation") if facts.with_product(result) else None
    return result.study.potency != "copies" and own is not None and own.basis == "assumed" and own.level != "fixed"


def _copies_nothing(result: TrialResult) -> bool:
    """Whether counted copies were computed and do nothing that can be told from the solver's error."""
    table = facts.last_rows(result)
    rows = facts.dicts(table[(table["reading"] == "copies") & (table["comparator"] != "")])
    of_products = facts.with_product(result)
    known = [r for r in rows if facts.direction(r) != "unknown" and r["arm"] in of_products]
    nothing = all(facts.is_noise(result, r) or r["effect"] == r["no_effect"] for r in known)
    return result.study.potency != "copies" and bool(known) and nothing
