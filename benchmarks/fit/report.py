"""Comparisons → fit.json with every start, and fit.md, whose sentences are computed from them."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from fit.peer import EXACT, FLAGS, HESSIANS
from fit.problems import ATOL, MAX_ITERATIONS, REACHED, RTOL, SEED, TOLERANCE
from fit.result import Comparison, Side

AIM = 5.0
"""Times as fast for each converged start, geometric mean, compiling included."""


def lines(found: Comparison) -> str:
    """For the terminal."""
    told = [f"  {text}" for text in found.failures]
    told += [
        f"  {side.title:<26} prepared in {side.prepare:6.1f} s, searched for {side.search:7.1f} s: "
        f"{side.converged} of {side.begun} converged, {side.evaluations} evaluations"
        for side in (found.ours, *found.peers)
        if side is not None
    ]
    ratio, bound = found.ratio(compiled=True)
    told.append(f"  {'at least ' if bound else ''}{ratio:.3g} times as fast for each converged start, with compiling")
    return "\n".join(told)


def write(folder: Path, found: Sequence[Comparison]) -> None:
    """Both files."""
    full = [
        {
            "problem": one.name,
            "best": one.best,
            "limit": one.limit,
            "exotwin": one.ours_found,
            "peer": one.peer_found,
        }
        for one in found
    ]
    (folder / "fit.json").write_text(json.dumps(full, indent=1), "utf-8")
    (folder / "fit.md").write_text("\n".join(_page(found)), "utf-8")


def _page(found: Sequence[Comparison]) -> list[str]:
    versions: dict[str, str] = {}
    for one in found:
        versions |= one.ours_found.get("versions", {}) | one.peer_found.get("versions", {})
    return [
        "# Fits: measured",
        "",
        f"exotwin against pypesto with AMICI, one run of `benchmarks/run.py --fits` on {os.cpu_count()} cores of one "
        f"machine ({platform.machine()}, {platform.system()}, Python {platform.python_version()}), both sides with all "
        f"of them, one after the other; {', '.join(f'{name} {number}' for name, number in versions.items())}.",
        "",
        *_verdict(found),
        "",
        *_markdown([_row(one) for one in found]),
        "",
        "`prepare`: reading and compiling, nothing taken from a cache; `search`: on the clock, all starts; `s/start`: "
        "seconds for each converged start, with and without preparing; `ratio`: the peer's over ours. Of the peer, the "
        "way that is better for the problem.",
        "",
        *_notes(found),
        "## Method",
        "",
        *_method(found),
        "",
        "## Each way",
        "",
        *_markdown([_way(one, side) for one in found for side in (one.ours, *one.peers) if side is not None]),
        "",
        "`no value`: of the starting points.",
        "",
        "## Do both compute the same objective?",
        "",
        "Relative differences (of values below one: absolute) between both sides' objectives at the tolerances of the "
        f"searches; in the last column between ours and AMICI's at rtol {EXACT:g}, where our searches ended.",
        "",
        *_markdown([{"problem": one.name, **_shown_all(one.disagreement)} for one in found]),
        "",
        "## One evaluation",
        "",
        "Objective, gradient and Fisher information at the nominal parameters alone, in ms on the clock. exotwin is "
        "made for many points at once: one point fills few of its lanes.",
        "",
        *_markdown([_evaluation(one) for one in found]),
        "",
    ]


def _verdict(found: Sequence[Comparison]) -> list[str]:
    ratios = [one.ratio(compiled=True) for one in found]
    known = [ratio for ratio, _ in ratios if not math.isnan(ratio)]
    if not known:
        return ["No problem was solved by both sides."]
    mean = math.exp(sum(map(math.log, known)) / len(known))
    at_least = "at least " if any(bound for _, bound in ratios) else ""
    fewer = [
        one.name for one in found if one.ours and any(one.ours.share < side.share for side in one.peers if side.begun)
    ]
    missing = [one.name for one, (ratio, _) in zip(found, ratios, strict=True) if math.isnan(ratio)]
    told = (
        f"Seconds for each converged start: {at_least}**{_shown(mean)} times** as fast in the geometric mean over "
        f"{len(known)} problems, preparing included (aim: {AIM:g} times). "
    )
    told += "A smaller share of starts converged than with the peer in " + (
        f"{', '.join(fewer)}." if fewer else "none of them."
    )
    if missing:
        told += f" Without a ratio: {', '.join(missing)}."
    return [told]


def _row(one: Comparison) -> dict[str, str]:
    ours, peer = one.ours, one.peer
    row = {"problem": one.name, "best objective": f"{one.best:.3f}"}
    for title, side in (("exotwin", ours), ("peer", peer)):
        row |= {
            f"{title} prepare": _shown(side.prepare) if side else "",
            f"{title} search": _shown(side.search) if side else "",
            f"{title} converged": f"{side.converged} of {side.begun}" if side else "",
            f"{title} s/start": _both(side) if side else "",
        }
    for title, compiled in (("ratio", True), ("ratio without preparing", False)):
        ratio, bound = one.ratio(compiled=compiled)
        row[title] = f"≥ {_shown(ratio)}" if bound else _shown(ratio)
    row["peer's way"] = peer.title.rpartition(", ")[2] if peer else ""
    return row


def _both(side: Side) -> str:
    return f"{_shown(side.seconds(compiled=True))} ({_shown(side.seconds(compiled=False))})"


def _way(one: Comparison, side: Side) -> dict[str, str]:
    return {
        "problem": one.name,
        "side": side.title,
        "starts": str(side.begun),
        "no value": str(side.without_value),
        "converged": str(side.converged),
        "share": f"{side.share:.0%}" if side.begun else "",
        "cut short": str(side.cut_short),
        "not begun": str(len(side.starts) - side.begun),
        "evaluations": str(side.evaluations),
        "search, s": _shown(side.search),
        "ms for an evaluation": _shown(1e3 * side.search / max(1, side.evaluations)),
    }


def _evaluation(one: Comparison) -> dict[str, str]:
    return {
        "problem": one.name,
        "measurements": str(one.measurements),
        "parameters": str(len(one.ours_found.get("names", ()))),
        "simulations": str(one.ours_found.get("simulations", "")),
        "exotwin": _shown(1e3 * one.ours_found.get("nominal_seconds", math.nan)),
        "pypesto + AMICI": _shown(1e3 * one.peer_found.get("nominal_seconds", math.nan)),
    }


def _method(found: Sequence[Comparison]) -> list[str]:
    ways = "; ".join(f"{name}: {what}" for name, what in HESSIANS.items())
    limits = ", ".join(f"{one.name} {one.limit / 60:g} min" for one in found)
    return [
        f"- **Starts**: the points of `exotwin fit --seed {SEED}`, a Latin hypercube between the bounds on the scale "
        "of the parameters. Both sides get the same ones.",
        f"- **Tolerances**: integration {RTOL:g} relative; absolute {ATOL:g} for AMICI, for exotwin a thousandth of "
        f"the relative one times the largest size of each state. Searches: fides on both sides, until a step changes "
        f"the objective by less than {TOLERANCE:g}, at most {MAX_ITERATIONS} iterations.",
        f"- **pypesto + AMICI**: one module a problem, compiled with -O3 {FLAGS} by all cores at once; CVODES with "
        "forward sensitivities; steady states by integration (the Jacobian is singular where they are asked for, and "
        "Newton's method fails); starts one after another in one process for each core, forked when all is compiled. "
        f"Searched in each of these ways, of which the better one counts: {ways}.",
        f"- **Limits** for all searches of the peer together: {limits}. A start that is cut short counts with where it "
        "had come to; one that was not begun counts nowhere.",
        f"- **Converged**: less than {REACHED:g} above the best known objective, the least of all ends of both sides "
        f"and of the nominal parameters; all of them computed by AMICI at rtol {EXACT:g}. Where no start of the peer "
        "converged, its time counts as if one had.",
    ]


def _notes(found: Sequence[Comparison]) -> list[str]:
    told = [f"- {text}" for one in found for text in one.failures]
    told += [
        f"- {one.name}, {side.title}: {side.cut_short} starts cut short and "
        f"{len(side.starts) - side.begun} not begun within {one.limit / 60:g} min"
        for one in found
        for side in one.peers
        if side.cut_short or side.begun < len(side.starts)
    ]
    return [*told, ""] if told else []


def _shown_all(values: Mapping[str, float]) -> dict[str, str]:
    return {name: _shown(value) for name, value in values.items()}


def _shown(value: float) -> str:
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞"
    return f"{value:.0f}" if 100 <= abs(value) < 1e7 else f"{value:.3g}"


def _markdown(rows: Sequence[Mapping[str, str]]) -> list[str]:
    if not rows:
        return ["Nothing measured."]
    names = [*rows[0]]
    table = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return table + ["| " + " | ".join(row.values()) + " |" for row in rows]
