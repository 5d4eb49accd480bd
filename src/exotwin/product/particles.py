"""Is this vesicle preparation described as MISEV asks, and is it pure?

Two verdicts. MISEV2023 is about what was measured and reported; it sets no threshold of purity. Purity is the ratio of
particles to protein held against the usual limit for vesicles of cell culture, and needs a contaminant tested beside
it, because lipoproteins raise the ratio and aggregates lower it (record purity-ratio-fooled).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exotwin.product.identity import joint_outcome
from exotwin.product.names import canonical
from exotwin.product.parts import Criterion, CriterionOutcome, Verdict, VesicleLot
from exotwin.product.standards import load

_MANDATORY = ("misev2018-mandatory",)
_THREE = ("misev2018-three-markers", "misev-protein-categories")


def judge_reporting(lot: VesicleLot, declared: Mapping[str, Any]) -> Verdict:
    """Hold a vesicle lot against what MISEV asks to be reported.

    Parameters
    ----------
    lot : what was measured.
    declared : from the product file: the keys of criteria/misev.toml, and "proteins": name → "present" | "absent".

    Sources : misev2018-mandatory, misev2018-three-markers, misev2023-scope, misev2023-reporting-shifts.
    """
    standard = load("misev")
    criteria = [
        Criterion(
            d["name"],
            d["rule"],
            f"declared, not measured here: {declared[d['key']]}" if d["key"] in declared else "not declared",
            "met" if d["key"] in declared else "not measured",
            tuple(d["records"]),
        )
        for d in standard["declared"]
    ]
    criteria += [*_quantities(lot), *_proteins(declared.get("proteins", {}), standard)]
    outcome = joint_outcome(criteria)
    unknown = [c.name for c in criteria if c.outcome == "not measured"]
    failed = [c.name for c in criteria if c.outcome == "not met"]
    summary = {
        "met": f"all {len(criteria)} items reported; separation, proteins and images as declared",
        "not met": f"not met: {', '.join(failed)}",
        "cannot be judged": f"not reported: {', '.join(unknown)}",
    }[outcome]
    return Verdict(standard["standard"], outcome, tuple(criteria), tuple(standard["records"]), summary)


def judge_purity(lot: VesicleLot, declared: Mapping[str, Any]) -> Verdict:
    """Particles per microgram of protein against the limit for cell culture, beside a contaminant that was looked for.

    Sources : purity-ratio-method, purity-threshold-culture (secondary), purity-ratio-fooled.
    """
    standard = load("misev")
    limit, records = standard["purity"]["culture_min_particles_per_ug"], tuple(standard["purity"]["records"])
    ratio = lot.particles_per_ug
    criteria = [
        Criterion(
            "particles per protein",
            f"at least {limit:.0e} particles/ug for vesicles of cell culture",
            _ratio_text(lot, limit),
            "not measured" if ratio is None else "met" if ratio >= limit else "not met",
            records[:2],
        ),
        _contaminants(declared.get("proteins", {}), standard, records[2:]),
    ]
    outcome = joint_outcome(criteria)
    summary = "; ".join(c.measured for c in criteria)
    return Verdict("Purity", outcome, tuple(criteria), records, summary)


def _quantities(lot: VesicleLot) -> list[Criterion]:
    count = f"{lot.particles_per_mL.value:.2e} particles/mL by {lot.size.instrument or 'tracking'}"
    protein = lot.protein_ug_per_mL
    both: CriterionOutcome = "met" if protein else "not measured"
    ratio = lot.particles_per_ug
    share = lot.fraction_30_150.value
    size = f"D10/D50/D90 {lot.size.d10:.0f}/{lot.size.d50:.0f}/{lot.size.d90:.0f} nm, {share:.0%} between 30 and 150 nm"
    return [
        Criterion("size by tracking", "a single-particle method without images", size, "met", _MANDATORY),
        Criterion(
            "quantity by two methods",
            "global quantity by at least two of particles, protein, lipid",
            count + (f"; protein {protein:g} ug/mL, as declared" if protein else "; protein not declared"),
            both,
            _MANDATORY,
        ),
        Criterion(
            "ratio of the two",
            "the ratio of the two quantities",
            f"{ratio:.2e} particles/ug" if ratio else "protein not declared",
            both,
            (*_MANDATORY, "purity-ratio-method"),
        ),
    ]


def _proteins(given: Mapping[str, str], standard: Mapping[str, Any]) -> list[Criterion]:
    kinds, limits = _by_kind(given, standard), standard["counts"]
    present = {kind: [n for n, state in listed.items() if state == "present"] for kind, listed in kinds.items()}
    positive = present["transmembrane"] + present["cytosolic"]
    control = {**kinds["contaminant"], **kinds["other_compartment"]}
    unsorted = [n for n in given if not any(n in listed for listed in kinds.values())]
    asked = (
        (
            "transmembrane marker",
            "at least one transmembrane or GPI-anchored protein",
            present["transmembrane"],
            "transmembrane_min",
        ),
        ("cytosolic marker", "at least one cytosolic protein", present["cytosolic"], "cytosolic_min"),
        ("three markers", "at least three positive markers in all", positive, "positive_min"),
        (
            "purity control",
            "presence or absence of an expected contaminant tested",
            list(control),
            "purity_control_min",
        ),
    )
    criteria = []
    for name, rule, found, key in asked:
        enough = len(found) >= limits[key]
        listed = ", ".join(f"{n} {given[n]}" for n in found) or "none declared"
        if name == "three markers" and unsorted:
            listed += f"; not counted, of no listed kind: {', '.join(unsorted)}"
        measured = f"declared, not measured here: {listed}" if found else listed
        # Too few names is silence about the others, so it leaves the item open rather than failing it.
        criteria.append(Criterion(name, rule, measured, "met" if enough else "not measured", _THREE))
    return criteria


def _by_kind(given: Mapping[str, str], standard: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Declared proteins by kind; names as the product file has them."""
    return {
        kind: {name: state for name, state in given.items() if canonical(name, listed) is not None}
        for kind, listed in standard["proteins"].items()
    }


def _ratio_text(lot: VesicleLot, limit: float) -> str:
    ratio, particles = lot.particles_per_ug, lot.particles_per_mL
    if ratio is None or not lot.protein_ug_per_mL:
        return "protein not declared"
    text = f"{ratio:.2e} particles/ug"
    if particles.low is not None and particles.high is not None:
        low, high = particles.low / lot.protein_ug_per_mL, particles.high / lot.protein_ug_per_mL
        text += f" ({low:.2e} to {high:.2e} between captures"
        text += ", an interval that spans the limit)" if low < limit < high else ")"
    return text


def _contaminants(given: Mapping[str, str], standard: Mapping[str, Any], records: tuple[str, ...]) -> Criterion:
    kinds = _by_kind(given, standard)
    tested = {**kinds["contaminant"], **kinds["other_compartment"]}
    present = [n for n, state in tested.items() if state == "present"]
    outcome: CriterionOutcome = "not measured" if not tested else "not met" if present else "met"
    listed = ", ".join(f"{n} {state}" for n, state in tested.items())
    measured = f"declared, not measured here: {listed}" if tested else "no contaminant tested"
    return Criterion("contaminants", "a contaminant was looked for and is absent", measured, outcome, records)
