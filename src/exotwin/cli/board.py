"""The scoreboard on the terminal: two lines a check where it is narrow, one where it is wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from exotwin import console, validation
from exotwin.cli.prose import say
from exotwin.validation import Row, Scoreboard

_WIDE = 170
"""Columns from which a check has one line, with a column for each thing."""
_HEAD, _LABEL = 11, 18  # of a narrow check: the verdict, and below it sort and basis
_NARROW = 100  # a deviation stays near what deviates
_LEGEND = (
    "Each check: simulated (95 % of patients); published (what counts as within); deviation in published standard "
    "errors (SE) or, where none were published, in tenths of the effect. The whole of one: --check ID."
)
_MARKS = {"within": ("✓", "green"), "outside": ("✗", "bold red")}
_SHORT = {"predicted": "pred.", "calibrated": "cal."}


def show(board: Scoreboard) -> None:
    """Each module by kinds, its counts, coverage and reasons; then all modules."""
    say(_LEGEND, style="dim")
    if board.parts:
        say(f"Of {', '.join(board.modules)} only what stands under {', '.join(board.parts)}.")
    for module in board.modules:
        console.out.print()
        count = board.count(module=module)
        console.out.print(Text(f"{module}: {count.within} of {count.n} within", "bold underline"))
        for kind in validation.kinds_of(board, module):
            _show_kind(board, module, kind)
        _show_counts(f"Of {module}, within", validation.count_rows(board, module))
        for line in validation.covered(board, module):
            say(line)
        _show_reasons(board, module)
    if len(board.modules) > 1:
        _show_counts("Of all modules, within", validation.module_rows(board))
        _show_counts("Of all sorts, within", validation.count_rows(board))
    for words, ids in board.apart:
        say(f"{words}: {', '.join(ids)}.")
    untestable = sum(one.verdict == "not testable" for one in board.checks)
    say(f"{len(board.tested)} checks, {untestable} records not testable, {board.seconds:.1f} s.")


def _show_kind(board: Scoreboard, module: str, kind: str) -> None:
    count = board.count(module=module, kind=kind)
    console.out.print(Text(f"\n{kind}, {count.within} of {count.n} within", "bold"))
    rows = validation.check_rows(board, module, kind)
    if console.out.width >= _WIDE:
        console.out.print(_wide(rows))
        return
    for row in rows:
        for line in _narrow(row, min(console.out.width, _NARROW)):
            console.out.print(line, soft_wrap=True)


def _narrow(row: Row, width: int) -> Iterator[Text]:
    """What it is; below it the numbers, with the deviation at the right end; of one that is outside its id."""
    mark, style = _MARKS[row.verdict]
    label = Text(f"{mark} {row.verdict}".ljust(_HEAD), style)
    for words in _wrap(row.observable, width - _HEAD):
        yield label.append(words, "default not bold")
        label = Text(" " * _HEAD)
    words = f"{row.simulated} {row.unit}".rstrip() + f"; published {row.published}"
    *lines, last = _wrap(words, width - _LABEL)
    gap = width - _LABEL - len(last) - len(row.deviation)
    lines += [last] if gap > 0 else [last, row.id if row.verdict == "outside" else ""]
    label = Text(f"  {row.sort} {_SHORT[row.basis]}".ljust(_LABEL), "dim")
    for k, line in enumerate(lines, 1):
        label.append(line)
        if k == len(lines) and row.deviation:
            label.append(row.deviation.rjust(width - len(label)), style if row.verdict == "outside" else "")
        yield label
        label = Text(" " * _LABEL, "dim")
    if row.verdict == "outside" and lines[-1] != row.id:
        yield Text(" " * _LABEL + row.id, "dim italic")


def _wrap(words: str, width: int) -> list[str]:
    return textwrap.wrap(words, max(width, 20), break_on_hyphens=False) or [""]


def _wide(rows: Iterable[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), expand=True, header_style="dim")
    for name in ("", "sort", "basis"):
        table.add_column(name, no_wrap=True)
    table.add_column("observable", ratio=1)
    table.add_column("simulated", max_width=28)
    table.add_column("published", max_width=25)
    table.add_column("deviation", no_wrap=True, justify="right")
    for row in rows:
        mark, style = _MARKS[row.verdict]
        observable = Text(row.observable)
        if row.verdict == "outside":
            observable.append(f"\n{row.id}", "dim italic")
        cells = (Text(f"{row.simulated} {row.unit}".strip()), Text(row.published), Text(row.deviation))
        table.add_row(Text(f"{mark} {row.verdict}", style), row.sort, _SHORT[row.basis], observable, *cells)
    return table


def _show_counts(title: str, rows: Iterable[tuple[str, ...]]) -> None:
    console.out.print()
    console.show_table(title, validation.COUNTS, list(rows))


def _show_reasons(board: Scoreboard, module: str) -> None:
    found = validation.reasons(board, module)
    if found:
        console.out.print(Text("\nWhy", "bold"))
    for words, ids in found.items():
        say(", ".join(ids), "  ", "dim italic")
        say(words, "    ")
