"""All words of the report, in English and in Simplified Chinese, and numbers put into words.

The catalogues are ``words/en.toml`` and ``words/zh.toml``: the same keys, filled in by `Words`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from exotwin.errors import InputError, ReportError, nearest
from exotwin.report.numbers import NOTHING, THIN, number, superscript, together
from exotwin.tables import read_toml

LANGUAGES = ("en", "zh")
MONTH = 365.25 / 12  # days, as in the study files
_BETWEEN_SCRIPTS = re.compile(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9×−])|(?<=[A-Za-z0-9%⁰-⁹])(?=[\u4e00-\u9fff])")
_E_NOTATION = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)(?!\w)")
_FOLDER = Path(__file__).with_name("words")


class Named(Protocol):
    """Anything that carries an English and a Chinese name, such as an observable."""

    @property
    def label(self) -> str:
        """English name."""

    @property
    def label_zh(self) -> str:
        """Chinese name."""


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, str]:
    """Every text of a language by ``section.key``.

    Raises
    ------
    ReportError : a language that the report does not speak.
    """
    if language not in LANGUAGES:
        raise ReportError(
            "report, language",
            found=f'"{language}"',
            expected=" or ".join(f'"{known}"' for known in LANGUAGES),
            nearest=nearest(language, LANGUAGES),
        )
    tables = read_toml(_FOLDER / f"{language}.toml", error=InputError)
    return {f"{section}.{key}": text for section, table in tables.items() for key, text in table.items()}


class Words:
    """The words of one language. Texts are plain: what puts them into HTML or SVG escapes them."""

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self._texts = catalogue(language)

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``section.key`` with its braces filled in: ``words("answer.with_arm", arm="MSC", effect="…")``.

        Raises
        ------
        ReportError : no such key; names the nearest.
        """
        if key not in self._texts:
            close = nearest(key, self._texts)
            raise ReportError("report, words", found=f'the key "{key}"', expected="a key of en.toml", nearest=close)
        text = self._texts[key].format(**values) if values else self._texts[key]
        if self.language == "zh":
            text = _BETWEEN_SCRIPTS.sub(" ", text)
        return text.replace(" %", f"{THIN}%")  # no line break between a number and its sign

    def known(self, key: str, otherwise: str) -> str:
        """The text of a key that another room's word makes up, or that word as it is."""
        return self._texts.get(key, otherwise)

    def label(self, named: Named) -> str:
        """The name in this language; English where there is no Chinese one."""
        return named.label_zh or named.label if self.language == "zh" else named.label

    def arm(self, name: str) -> str:
        """An arm's name as the study file has it, underscores as spaces; common names in the language."""
        return self.known(f"arm.{name}", name.replace("_", " "))

    def first(self, text: str) -> str:
        """``text`` as the first word of a sentence."""
        return text[:1].upper() + text[1:]

    def list(self, parts: Iterable[str]) -> str:
        """``a, b and c``."""
        items = list(parts)
        if len(items) < 2:
            return "".join(items)
        return self("word.comma").join(items[:-1]) + self("word.and") + items[-1]

    def unit(self, unit: str) -> str:
        """A unit as a reader writes it; "" for pure numbers."""
        return self._texts.get(f"unit.{unit}", unit)

    def with_unit(self, text: str, unit: str) -> str:
        """``text`` and the unit with a space that does not break."""
        shown = self.unit(unit)
        return f"{text}{THIN}{shown}" if shown and text != NOTHING else text

    def number(self, value: float | None, unit: str = "", *, digits: int = 3) -> str:
        """A number with its unit."""
        return self.with_unit(number(value, digits=digits), unit)

    def estimate(
        self, value: float | None, low: float | None, high: float | None, unit: str = "", *, digits: int = 4
    ) -> str:
        """``0.12 (0.01 to 0.45) ng/mL``; without limits where there are none."""
        texts, power = together([value, low, high], digits=digits)
        if texts[0] == NOTHING:
            return NOTHING
        known = all(v is not None and not math.isnan(v) for v in (low, high))
        text = self("word.interval", value=texts[0], low=texts[1], high=texts[2]) if known else texts[0]
        return self.with_unit(f"{text}{THIN}{power}" if power else text, unit)

    def interval(self, low: float | None, high: float | None, unit: str = "", *, digits: int = 4) -> str:
        """``0.01 to 0.45 ng/mL``."""
        texts, power = together([low, high], digits=digits)
        text = self("word.range", low=texts[0], high=texts[1])
        return self.with_unit(f"{text}{THIN}{power}" if power else text, unit)

    def percent(self, share: float | None, *, digits: int = 2) -> str:
        """A share as per cent; one digit more above 99.5 % and below 0.5 %, where it matters."""
        if share is None or math.isnan(share):
            return NOTHING
        shown = 100 * share
        finer = 0 < shown < 1 or 99 < shown < 100
        text = number(shown, digits=digits) if abs(shown) < 1 else f"{shown:.{1 if finer else 0}f}"
        return self("word.percent", value=text)

    def percent_estimate(self, share: float, low: float | None, high: float | None) -> str:
        """``98.1 % (97.8 to 98.4)``."""
        if low is None or high is None or math.isnan(low):
            return self.percent(share, digits=3)
        shown = [100 * share, 100 * low, 100 * high]
        # tenths of a per cent are enough, except where all of it lies in a few of them
        texts = [f"{v:.1f}" for v in shown] if shown[2] - shown[1] > 0.3 else together(shown)[0]
        return self("word.percent", value=self("word.interval", value=texts[0], low=texts[1], high=texts[2]))

    def time(self, day: float) -> str:
        """A span in the unit in which it is a whole number: months, weeks or days; years from three on."""
        months = day / MONTH
        if months >= 36 and abs(months / 12 - round(months / 12)) < 0.01:
            return self("word.years", n=round(months / 12))
        if months >= 0.99 and abs(months - round(months)) < 0.02:
            return self("word.one_month") if round(months) == 1 else self("word.months", n=round(months))
        if day >= 14 and day % 7 == 0:
            return self("word.weeks", n=int(day // 7))
        return self("word.one_day") if day == 1 else self("word.days", n=number(day))

    def short_time(self, day: float) -> str:
        """A time within the first days: minutes, hours or days, whichever reads best."""
        if day < 1 / 24:
            return self("word.minutes", n=number(day * 1440, digits=2))
        if day < 2:
            return self("word.hours", n=number(day * 24, digits=2))
        return self("word.days", n=number(day, digits=2))

    def counts(self, counted: Mapping[str, int], section: str) -> str:
        """``31 measured, 12 assumed``: what is counted, named by the keys of a section; zeros are left out."""
        parts = [f"{n}{THIN}{self.known(f'{section}.{name}', name)}" for name, n in counted.items() if n]
        return self("word.comma").join(parts)


def readable(text: str) -> str:
    """Numbers such as 4.1e+10 in text of other rooms as a reader writes them, 4.1 × 10¹⁰."""
    return _E_NOTATION.sub(_as_power, text)


def _as_power(found: re.Match[str]) -> str:
    power = superscript(int(found[2]))
    return f"10{power}" if found[1] in ("1", "1.0") else f"{found[1]}{THIN}×{THIN}10{power}"


def joined(sentences: Sequence[str], words: Words) -> str:
    """Sentences as one paragraph; empty ones are left out."""
    return words("word.sentence").join(s for s in sentences if s)


def as_text(value: Any, words: Words) -> str:
    """Any value of a lock or a table as text."""
    if isinstance(value, bool):
        return words("word.yes") if value else words("word.no")
    if isinstance(value, float):
        return number(value, digits=6)
    if isinstance(value, Mapping):
        return words("word.comma").join(f"{k} {as_text(v, words)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return words("word.comma").join(as_text(v, words) for v in value)
    return str(value)
