"""matplotlib figures as small, steady SVG: text stays text, the same figure gives the same bytes.

Text as text lets the reader's own fonts draw it, Chinese too, whatever fonts the writing computer has. Figures are laid
out by fixed positions and anchors for that reason, never by measured text widths.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from exotwin.report.palette import FAINT, INK, RULE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONTS = (
    "'Source Sans 3','Source Sans Pro','Noto Sans','Noto Sans SC','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',"
    "'Helvetica Neue',Arial,sans-serif"
)

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "exotwin",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 8.5,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "text.parse_math": False,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "butt",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
    "path.simplify": True,
}

_NUMBER = re.compile(r"-?\d+\.\d+")
_PLACED = re.compile(r'(?<= )(d|points|x|y|x1|x2|y1|y2|width|height|transform)="([^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(?:url\(#|href="#)([^")]+)')


@contextmanager
def house_style(*, font: str | None = None) -> Iterator[None]:
    """matplotlib's settings for all figures of the report; ``font`` goes before its own."""
    from matplotlib import rc_context

    settings: Any = _STYLE | ({"font.family": [font, "sans-serif"]} if font else {})
    with rc_context(settings), warnings.catch_warnings():
        # Glyphs that matplotlib's own font lacks only matter for measuring text, which the layouts do not do.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def to_svg(figure: Figure, *, name: str, title: str) -> str:
    """The figure as an ``<svg>`` element that can stand inside HTML or alone as a file.

    Parameters
    ----------
    name : prefix of the ids inside, so that several figures share a page.
    title : read out in place of the picture.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    with house_style():
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _cleaned(buffer.getvalue(), name=name, title=title)


def _cleaned(text: str, *, name: str, title: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, flags=re.DOTALL)
    used = set(_REFERENCE.findall(text))
    text = _ID.sub(lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(url\(#|href="#)', lambda m: f"{m[1]}{name}-", text)
    text = re.sub(r"font: (?:([^;\"]*?) )?([\d.]+px) [^;\"]*", _font, text)
    text = re.sub(r"; font-family: [^;\"]*|font-family: [^;\"]*; ", "", text)
    text = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", text)
    text = _PLACED.sub(lambda m: f'{m[1]}="{_NUMBER.sub(_shortened, m[2])}"', text)
    text = re.sub(r"\s*\n\s*", "\n", text).replace("\n</g>", "</g>")
    head = re.match(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', text)
    assert head is not None  # matplotlib always writes a view box
    box = _NUMBER.sub(_shortened, head[1])
    width, height = box.split()[2:]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'viewBox="{box}" width="{width}pt" height="{height}pt" font-family="{FONTS}" '
        f'stroke-linejoin="round" aria-labelledby="{name}-title">'
        f'\n<title id="{name}-title">{escape(title)}</title>'
    )
    return opening + text[head.end() :].strip()


def _font(found: re.Match[str]) -> str:
    weight = "font-weight: 700; " if found[1] and ("bold" in found[1] or "700" in found[1]) else ""
    return f"{weight}font-size: {found[2]}"


def _shortened(number: re.Match[str]) -> str:
    # a hundredth of a point is below what a printer resolves
    short = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if short in {"-0", ""} else short
