"""The effect equations: what a product does to each process, by either reading, and how several mediators combine.

Each process P of a condition is a multiplier of a rate, exactly 1 while no product acts:

    P = exp(reading_animal * animal_part_P + reading_copies * copies_part_P)

    animal_part_P = animal_effect_P * carried_response           the vial as a whole, carried over to the species; for
                    systemic processes * carried_response_macrophages, what it does from liver and spleen
    copies_part_P = of t_m = gain_m_P * repression_m, one term a miRNA m, and gain_m_P * activity_m, one a protein m
                    that a product brings, by the rule of combination:
        bliss           sum of t_m: multipliers multiply. Each mediator leaves its share of what the others left, as if
                        they hit independently; for shares that are prevented it is Bliss independence.
        highest single  max(0, t_m …) + min(0, t_m …): the strongest in either direction alone. Mediators hit the same.
        additive        ln(max(floor, 1 + sum of (exp(t_m) - 1))): changes of the rate add. Several that halve a rate
                        would turn it negative; it stops at a millionth.

Both parts are outputs in every reading; their ratio is what the two readings of one vial disagree by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from exotwin.biology.module import Line
from exotwin.errors import BiologyError, nearest

Combination = Literal["bliss", "highest single", "additive"]
COMBINATIONS: tuple[str, ...] = get_args(Combination)
FLOOR = "1e-6"
"""Lowest multiplier by the additive rule."""
SYSTEMIC_RESPONSE = "carried_response_macrophages"
"""What moves the systemic processes; the module macrophages has it."""


def effects(
    processes: Sequence[str],
    mediators: Sequence[str],
    *,
    proteins: Sequence[str] = (),
    systemic: Sequence[str] = (),
    combination: str = "bliss",
) -> list[Line]:
    """The equations as lines of Antimony, for ids of processes, miRNA and proteins.

    ``systemic`` : those of the processes on which the vial acts from macrophages; the others it moves in the target.

    Raises
    ------
    BiologyError : a rule of combination that does not exist.
    """
    if combination not in COMBINATIONS:
        raise BiologyError(
            "combination",
            found=f'"{combination}"',
            expected="one of " + ", ".join(f'"{c}"' for c in COMBINATIONS),
            nearest=nearest(combination, COMBINATIONS),
        )
    if not processes:
        return []
    lines = [
        f"// Effect equations: what the product does to each process (1: nothing). Mediators combine: {combination}"
    ]
    for process in processes:
        terms = [f"gain_{m}_{process} * repression_{m}" for m in mediators]
        terms += [f"gain_{p}_{process} * activity_{p}" for p in proteins]
        symbols = (f"animal_part_{process}", f"copies_part_{process}", process)
        response = SYSTEMIC_RESPONSE if process in systemic else "carried_response"
        lines += [
            f"animal_part_{process} := animal_effect_{process} * {response};",
            *_assigned(f"copies_part_{process}", terms, combination),
            f"{process} := exp(reading_animal * animal_part_{process} + reading_copies * copies_part_{process});",
            *(f"{symbol} has dimensionless;" for symbol in symbols),
        ]
    return [Line(text, "effect equations") for text in lines]


def _assigned(symbol: str, terms: Sequence[str], combination: str) -> list[str]:
    """``symbol := …``, one term a line."""
    if not terms:
        return [f"{symbol} := 0;"]
    if combination == "bliss":
        text = " + \\\n    ".join(terms)
    elif combination == "highest single":
        listed = ", \\\n    ".join(terms)
        text = f"max(0, {listed}) \\\n    + min(0, {listed})"
    else:
        changes = " + \\\n    ".join(f"(exp({term}) - 1)" for term in terms)
        text = f"ln(max({FLOOR}, 1 + {changes}))"
    return f"{symbol} := {text};".splitlines()
