"""The numbers of a module on the terminal: a short paragraph each, since no terminal holds their columns."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from exotwin import console
from exotwin.cli.prose import say
from exotwin.validation import Table


def show(table: Table) -> None:
    """Each with value, spread and basis; below it its records and its note; the share of each basis."""
    console.out.print(Text(f"{table.name}: {len(table.rows)} numbers", "bold underline"))
    for row in table.rows:
        _show_row(row)
    console.out.print()
    say(", ".join(f"{basis} {share:.0%}" for basis, share in table.shares.items() if share))


def _show_row(row: Mapping[str, str]) -> None:
    unit = "" if row["unit"] == "dimensionless" else f" {row['unit']}"
    whose = (row.get("source", ""), row.get("label", ""), "" if row["species"] == "all" else row["species"])
    held = "".join(f", {word}" for word in whose if word)
    console.out.print(Text.assemble("\n", (row["name"], "bold"), f" = {row['value']}{unit}{held}"), soft_wrap=True)
    fit = f" by {row['calibration']}" if row["calibration"] else ""
    spread = f"; {row['level']}, {row['spread']}" if row["spread"] else f"; {row['level']}"
    say(f"{row['basis']}{fit}{spread}", "  ")
    say(", ".join(row["record"].split()), "  ", "dim italic")
    say(row["note"], "  ", "dim")
