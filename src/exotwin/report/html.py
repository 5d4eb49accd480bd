"""A trial result → one HTML file that needs nothing else: no network, no other file, no script."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from exotwin.errors import ReportError
from exotwin.report.page import Page
from exotwin.report.sections import answer, exposure, forms, given, honesty, outcome, population, sources
from exotwin.report.svg import house_style

if TYPE_CHECKING:
    import jinja2

    from exotwin.trial import TrialResult

_TEMPLATES = Path(__file__).with_name("templates")
# In the order of the page; one that has nothing to say is left out; "sources" last, when all that is cited is known.
_SECTIONS = {
    "answer": answer.build,
    "given": given.build,
    "exposure": exposure.build,
    "population": population.build,
    "outcome": outcome.build,
    "forms": forms.build,
    "honesty": honesty.build,
    "sources": sources.build,
}


def write_report(result: TrialResult, path: Path, *, language: str = "en") -> Path:
    """Write the report as one self-contained HTML file.

    Parameters
    ----------
    path : file to write; an existing one is replaced at once, when the new one is complete.
    language : "en" or "zh".

    Returns
    -------
    ``path``.

    Raises
    ------
    ReportError : a language that the report does not speak, a folder that does not exist.
    """
    return write_page(Page(result, language), path)


def write_page(page: Page, path: Path) -> Path:
    """The same for a page that is there already."""
    if not path.parent.is_dir():
        raise ReportError(f"report {path}", found=f"no folder {path.parent}", expected="a folder that exists")
    text = _render(page)
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
    return path


def render(result: TrialResult, *, language: str = "en") -> str:
    """The report as text. The same result gives the same text, byte for byte."""
    return _render(Page(result, language))


def _render(page: Page) -> str:
    with house_style():
        views = {name: build(page) for name, build in _SECTIONS.items()}
    rendered: str = (
        _environment()
        .get_template("report.html")
        .render(
            **views,
            language=page.words.language,
            title=page.result.study.title,
            version=page.result.lock.get("exotwin", ""),
            css=(_TEMPLATES / "style.css").read_text(encoding="utf-8"),
            w=page.words,
            refs=page.references,
            order=[name for name, view in views.items() if view is not None],
        )
    )
    return rendered


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"scaled": _scaled, "breakable": _breakable}
    return environment


def _breakable(text: Markup) -> Markup:
    """Long names may break behind an underscore."""
    return Markup(re.sub(r"_(?![^<]*>)", "_<wbr>", str(text)))  # outside tags


def _scaled(values: Iterable[Any], factor: float) -> list[str]:
    return [f"{float(v) * factor:.1f}" for v in values]
