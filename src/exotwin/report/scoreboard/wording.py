"""The words of the scoreboard's page, beside those of the report: ``words/en.toml`` and ``words/zh.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from exotwin.errors import InputError
from exotwin.report.wording import LANGUAGES, Words
from exotwin.tables import read_toml

_FOLDER = Path(__file__).with_name("words")


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, str]:
    """Every text of the page by ``section.key``."""
    tables = read_toml(_FOLDER / f"{language}.toml", error=InputError)
    return {f"{section}.{key}": text for section, table in tables.items() for key, text in table.items()}


class BoardWords(Words):
    """The words of one language.

    Raises
    ------
    ReportError : a language that the report does not speak.
    """

    def __init__(self, language: str = "en") -> None:
        super().__init__(language)
        self._texts = {**self._texts, **catalogue(language)}

    def named(self, facet: str, name: str) -> str:
        """What another room calls ``name``, such as the sort "value", in this language; as it is if it has none."""
        if facet == "species":
            return self.known(f"species.{name}", name)
        return self.known(f"board_{facet}.{name}", name)

    def module(self, name: str) -> str:
        """A module's name as a title."""
        return self.first(self.named("module", name))


ENGLISH = BoardWords()
