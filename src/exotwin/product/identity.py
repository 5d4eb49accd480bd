"""Are these cells MSC? ISCT 2006, criterion by criterion, from the markers that were measured.

Every criterion is judged on its own; one that nobody measured is "not measured", and the verdict then "cannot be
judged" unless another criterion already fails. The verdict is about identity and says nothing of potency: cells of old
donors pass it too (record isct-markers-blind-to-age).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exotwin.product.names import canonical
from exotwin.product.parts import Criterion, CriterionOutcome, MarkerReading, Side, Verdict, VerdictOutcome
from exotwin.product.standards import load


def marker_name(text: str) -> str:
    """The usual name of a surface marker: "HLADR" → "HLA-DR", "NT5E" → "CD73"; an unknown one comes back as it is."""
    return canonical(text, load("isct")["aliases"]) or text.strip()


def side_of(marker: str) -> Side:
    """What ISCT 2006 wants of the marker."""
    for rule in load("isct")["marker"]:
        if marker in rule["any_of"]:
            side: Side = rule["side"]
            return side
    return "not asked for"


def judge_identity(markers: Sequence[MarkerReading], declared: Mapping[str, Any], *, source_tissue: str) -> Verdict:
    """Hold a cell lot against ISCT 2006.

    Parameters
    ----------
    markers : what was measured; none gives a verdict that cannot be judged.
    declared : "plastic_adherent" (bool) and "differentiation" (list of lineages), as far as the product file says.
    source_tissue : for a remark where the rule is known to be at odds with lots in use (lots-cd34-adipose).

    Sources : isct-2006-positive, isct-marker-genes.
    """
    standard = load("isct")
    records = tuple(standard["records"])
    criteria = [_judge_marker(rule, markers, standard, records) for rule in standard["marker"]]
    criteria += [_judge_declared(rule, declared, records) for rule in standard["declared"]]
    outcome = joint_outcome(criteria)
    failed = [c.name for c in criteria if c.outcome == "not met"]
    unknown = [c.name for c in criteria if c.outcome == "not measured"]
    summary = {
        "met": f"all {len(criteria)} criteria met; adherence and differentiation as declared",
        "not met": f"not met: {', '.join(failed)}",
        "cannot be judged": f"not measured: {', '.join(unknown)}",
    }[outcome]
    if "CD34" in failed and source_tissue == "adipose":
        summary += "; adipose lots above 2 % CD34 are in clinical use (lots-cd34-adipose)"
        records = (*records, "lots-cd34-adipose")
    return Verdict(standard["standard"], outcome, tuple(criteria), records, summary)


def joint_outcome(criteria: Sequence[Criterion]) -> VerdictOutcome:
    """One failure decides; all met is "met"; anything unknown beside it "cannot be judged"."""
    outcomes = {c.outcome for c in criteria}
    if "not met" in outcomes:
        return "not met"
    return "met" if outcomes == {"met"} else "cannot be judged"


def _judge_marker(
    rule: Mapping[str, Any], markers: Sequence[MarkerReading], standard: Mapping[str, Any], records: tuple[str, ...]
) -> Criterion:
    name = " or ".join(rule["any_of"])
    positive = rule["side"] == "positive"
    limit = standard["positive_min_percent"] if positive else standard["negative_max_percent"]
    text = f"{'at least' if positive else 'at most'} {limit} % of cells positive"
    readings = [m for m in markers if m.marker in rule["any_of"]]
    if not readings:
        return Criterion(name, text, "no tube", "not measured", records)
    # Of alternatives, and of repeated tubes, each one that was measured has to agree: a bad reading is not outvoted.
    passes = [(m.positive.value * 100 >= limit) if positive else (m.positive.value * 100 <= limit) for m in readings]
    outcome: CriterionOutcome = "met" if all(passes) else "not met"
    return Criterion(name, text, "; ".join(_describe(m, limit) for m in readings), outcome, records)


def _describe(reading: MarkerReading, limit: float) -> str:
    share = reading.positive
    text = f"{reading.marker} {share.value:.2%}"
    if share.low is not None and share.high is not None:
        text += f" ({share.low:.2%} to {share.high:.2%})"
        if share.low * 100 < limit < share.high * 100:
            text += ", an interval that spans the limit"
    return f"{text} of {reading.n_cells} cells"


def _judge_declared(rule: Mapping[str, Any], declared: Mapping[str, Any], records: tuple[str, ...]) -> Criterion:
    value = declared.get(rule["key"])
    if value is None:
        return Criterion(rule["name"], rule["rule"], "not declared", "not measured", records)
    if value is False:
        return Criterion(rule["name"], rule["rule"], "declared as not so", "not met", records)
    wanted = rule.get("all_of", [])
    lacking = [w for w in wanted if w not in value] if wanted else []
    said = ", ".join(value) if wanted else "yes"
    measured = f"declared, not measured here: {said}" + (f"; nothing said of {', '.join(lacking)}" if lacking else "")
    return Criterion(rule["name"], rule["rule"], measured, "not measured" if lacking else "met", records)
