"""Paragraphs on the terminal."""

from __future__ import annotations

import textwrap

from rich.text import Text

from exotwin import console

_WIDE = 110  # longer lines are hard to read


def say(words: str, indent: str = "", style: str = "") -> None:
    """A paragraph of whole words, none if there are none; ids are not broken at their hyphens."""
    width = min(console.out.width, _WIDE)
    lines = textwrap.wrap(words, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    if lines:
        console.out.print(Text("\n".join(lines), style), soft_wrap=True)
