"""Typed reading of a table of the product file: every fault names the key and what should stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from exotwin.errors import ProductError, nearest
from exotwin.tables import check_keys
from exotwin.units import parse_amount

_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")


class Fields:
    """One table of a product file. where : "product.toml, vesicles.nta"."""

    def __init__(self, table: Any, where: str, known: Iterable[str], *, required: Iterable[str] = ()) -> None:
        if not isinstance(table, dict):
            raise ProductError(where, found=_show(table), expected="a table of keys: " + ", ".join(known))
        check_keys(table, known, where=where, error=ProductError, required=required)
        self.table: dict[str, Any] = table
        self.where = where

    def at(self, key: str) -> str:
        """Place of a key, for messages."""
        return f"{self.where}{'.' if self.where[-1:] not in ',:' else ' '}{key}"

    def has(self, key: str) -> bool:
        """Whether the key was given."""
        return key in self.table

    def text(self, key: str, default: str = "") -> str:
        """A text that is not blank."""
        value = self.table.get(key, default)
        if not isinstance(value, str) or (key in self.table and not value.strip()):
            raise ProductError(self.at(key), found=_show(value), expected="a text")
        return value.strip()

    def one_of(self, key: str, valid: Iterable[str], default: str) -> str:
        """A text out of a list."""
        value, names = self.text(key, default), list(valid)
        if value not in names:
            raise ProductError(
                self.at(key), found=f'"{value}"', expected="one of " + ", ".join(names), nearest=nearest(value, names)
            )
        return value

    def flag(self, key: str) -> bool | None:
        """True, false, or None where the key is missing."""
        value = self.table.get(key)
        if value is not None and not isinstance(value, bool):
            raise ProductError(self.at(key), found=_show(value), expected="true or false")
        return value

    def number(self, key: str, *, low: float, high: float, example: str) -> float | None:
        """A number between two limits, or None where the key is missing."""
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ProductError(
                self.at(key),
                found=_show(value),
                expected=f"a number from {low:g} to {high:g}, such as {key} = {example}",
            )
        return float(value)

    def share(self, key: str) -> float | None:
        """A share as "96 %" or 0.96, as a fraction; None where the key is missing."""
        value = self.table.get(key)
        if isinstance(value, str) and (found := _PERCENT.match(value)):
            value = float(found[1]) / 100
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1):
            raise ProductError(self.at(key), found=_show(self.table[key]), expected='a share such as "96 %" or 0.96')
        return None if value is None else float(value)

    def amount(self, key: str, unit: str, *, example: str) -> float | None:
        """A text such as "1.5 mL" as a number of ``unit``; None where the key is missing."""
        value = self.table.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise ProductError(
                self.at(key), found=_show(value), expected=f'a number and a unit, such as {key} = "{example}"'
            )
        return parse_amount(value, where=self.at(key), kinds={key: unit}, example=example, error=ProductError)[0]

    def texts(self, key: str, valid: Iterable[str] | None = None) -> tuple[str, ...] | None:
        """A text or a list of texts, all out of ``valid`` where that is given; None where the key is missing."""
        value = self.table.get(key)
        if value is None:
            return None
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not values or not all(isinstance(v, str) and v.strip() for v in values):
            raise ProductError(self.at(key), found=_show(value), expected="a text or a list of texts")
        names = list(valid) if valid is not None else values
        for one in values:
            if one not in names:
                raise ProductError(
                    self.at(key), found=f'"{one}"', expected="some of " + ", ".join(names), nearest=nearest(one, names)
                )
        return tuple(values)


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
