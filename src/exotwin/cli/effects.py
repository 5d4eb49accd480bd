"""What a trial found, for the terminal: a paragraph an endpoint, a line an arm and day, whatever the width."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from exotwin import console
from exotwin.cli.prose import say

if TYPE_CHECKING:
    from exotwin.trial import TrialResult

_LEGEND = (
    "Against {comparator}: x 1.2 is a fifth more, +3 is three more; the interval of 95 %; the probability that the arm "
    "is better (alike is not better)."
)
_MISSING = "Nothing to compare: no arm beside {comparator}."


def show(result: TrialResult) -> None:
    """Title and endpoints; who was followed, how, and what to know beside the table."""
    title, *lines = result.summary()
    console.out.print(Text(title, "bold underline"), soft_wrap=True)
    rows = result.comparisons()
    comparator = result.study.comparator
    say((_LEGEND if rows else _MISSING).format(comparator=comparator), style="dim")
    cells = [(row.arm, row.day, row.effect, row.interval, row.probability) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    told = iter(cells)
    for (endpoint, better), group in groupby(rows, key=lambda row: (row.endpoint, row.better)):
        console.out.print(Text.assemble("\n", (endpoint, "bold"), (f"  {better} is better", "dim")), soft_wrap=True)
        before = ""
        for _ in group:
            arm, day, effect, interval, probability = next(told)
            words = [("" if arm == before else arm).ljust(widths[0]), day.rjust(widths[1])]
            words += [effect.ljust(widths[2]), interval.ljust(widths[3]), probability.rjust(widths[4])]
            console.out.print(Text("  " + "  ".join(words).rstrip()), soft_wrap=True)
            before = arm
    console.out.print()
    for line in lines:
        say(line)
