"""How a product shows itself in a notebook: one compact table, readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exotwin.product.parts import Verdict

_INK = {"met": "#1a7f4b", "not met": "#b3261e", "cannot be judged": "#8a6d00"}
_CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top"


def page(
    title: str,
    facts: Sequence[tuple[str, str]],
    verdicts: Sequence[Verdict],
    cargo: Sequence[tuple[str, ...]],
    proteins: Sequence[tuple[str, ...]],
    remarks: Sequence[str],
) -> str:
    """HTML of a product.

    facts : label and text. cargo : rows of name, share, copies per vesicle, its 95 % range. proteins : rows of name,
    amount as given, place, copies per particle, its 95 % range. remarks : one line each.
    """
    parts = [f'<div style="max-width:60em;line-height:1.4"><strong>{escape(title)}</strong>', _table(facts)]
    if verdicts:
        lines = [
            f'<tr><td style="{_CELL}">{escape(v.standard)}</td>'
            f'<td style="{_CELL};color:{_INK[v.outcome]};white-space:nowrap"><strong>{v.outcome}</strong></td>'
            f'<td style="{_CELL}">{escape(v.summary)}</td></tr>'
            for v in verdicts
        ]
        parts.append(f'<table style="border-collapse:collapse;margin-top:.6em">{"".join(lines)}</table>')
    known = "95 % of what is known"
    for head, rows in (
        (("miRNA", "share of reads", "copies per vesicle", known), cargo),
        (("protein", "amount", "where", "copies per particle", known), proteins),
    ):
        if rows:
            cells = "".join(f'<th style="{_CELL}">{h}</th>' for h in head)
            parts.append(
                f'<table style="border-collapse:collapse;margin-top:.6em"><tr>{cells}</tr>{_rows(rows)}</table>'
            )
    if remarks:
        said = "".join(f"<li>{escape(r)}</li>" for r in remarks)
        parts.append(
            f'<details style="margin-top:.6em"><summary>Remarks: {len(remarks)}</summary><ul>{said}</ul></details>'
        )
    return "".join(parts) + "</div>"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    return f'<table style="border-collapse:collapse">{_rows(rows)}</table>'


def _rows(rows: Sequence[tuple[str, ...]]) -> str:
    return "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
