"""A scoreboard → one HTML file that needs nothing else: no network, no other file. Its script only filters."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin import __version__
from exotwin.errors import ReportError
from exotwin.report.html import _environment as shared_environment
from exotwin.report.scoreboard.page import view
from exotwin.report.scoreboard.strip import filled, outline
from exotwin.report.scoreboard.wording import BoardWords

if TYPE_CHECKING:
    from exotwin.validation import Scoreboard

_OWN = Path(__file__).with_name("templates")
_SHARED = Path(__file__).parents[1] / "templates"


def write_scoreboard(scoreboard: Scoreboard, path: Path, *, language: str = "en") -> Path:
    """Write the page of a scoreboard as one self-contained HTML file.

    The same scoreboard gives the same bytes, whatever it took to make it. An existing file is replaced at once, when
    the new one is complete.

    Parameters
    ----------
    language : "en" or "zh"; records and reasons, which are written in English, stay so.

    Returns
    -------
    ``path``.

    Raises
    ------
    ReportError : a folder that does not exist, a language that the page does not speak.
    """
    if not path.parent.is_dir():
        raise ReportError(f"scoreboard {path}", found=f"no folder {path.parent}", expected="a folder that exists")
    text = render(scoreboard, language=language)
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
    return path


def render(scoreboard: Scoreboard, *, language: str = "en") -> str:
    """The page as text."""
    import jinja2

    environment = shared_environment().overlay(loader=jinja2.FileSystemLoader([_OWN, _SHARED]))
    words = BoardWords(language)
    script = (_OWN / "scoreboard.js").read_text(encoding="utf-8")
    rendered: str = environment.get_template("scoreboard.html").render(
        v=view(scoreboard, words),
        w=words,
        version=__version__,
        css="\n".join(
            (folder / name).read_text(encoding="utf-8")
            for folder, name in ((_SHARED, "style.css"), (_OWN, "scoreboard.css"))
        ),
        script=script,
        # only this very script may run, whatever stands in a record
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        key=_key,
    )
    return rendered


def _key(sort: str, *, predicted: bool = True, verdict: str = "within") -> str:
    """A point of the strips, to stand in the text."""
    shape = filled(outline(sort, 8, 8), predicted=predicted, verdict=verdict)
    return f'<svg class="key" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{shape}</svg>'
