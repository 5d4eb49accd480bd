"""A fit's page → one HTML file that needs nothing else: no network, no other file, no script."""

from __future__ import annotations

from pathlib import Path

from exotwin import __version__
from exotwin.report.fit.page import TITLES, Page, sections
from exotwin.report.html import _environment as shared_environment
from exotwin.report.svg import house_style

_OWN = Path(__file__).with_name("templates")
_SHARED = Path(__file__).parents[1] / "templates"


def render(page: Page) -> str:
    """The page as text. The same fit gives the same text, byte for byte."""
    import jinja2

    with house_style():
        views = sections(page)
    environment = shared_environment().overlay(loader=jinja2.FileSystemLoader([_OWN, _SHARED]))
    rendered: str = environment.get_template("fit.html").render(
        views=views,
        titles=TITLES,
        title=page.fit.problem.name,
        version=__version__,
        css=(_SHARED / "style.css").read_text(encoding="utf-8"),
        w=page.words,
        refs=page.references,
    )
    return rendered
