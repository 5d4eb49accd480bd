"""What the sections of one report share: the result, its words, tables and references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.report import facts
from exotwin.report.blocks import Download, Picture, download
from exotwin.report.palette import arm_strokes
from exotwin.report.references import References
from exotwin.report.svg import to_svg
from exotwin.report.tables import Tables
from exotwin.report.wording import Words, readable

if TYPE_CHECKING:
    from exotwin.report.figures.shared import Drawing
    from exotwin.trial import TrialResult


class Page:
    """One report in the making."""

    def __init__(self, result: TrialResult, language: str) -> None:
        self.result = result
        self.words = Words(language)
        self.tables = Tables(result)
        self.references = References()
        self.arms = facts.arms(result)
        self.treated = facts.treated(result)
        self.strokes = arm_strokes(self.arms, comparator=result.study.comparator)
        self._svgs: dict[str, str] = {}

    def prose(self, text: str) -> str:
        """Text of another room for readers: numbers in their usual form; the records that it names count as cited."""
        self.references.cite(self.references.named_in(text))
        return readable(text)

    def downloads(self, *names: str) -> tuple[Download, ...]:
        """The named tables, to be saved from the page."""
        return tuple(download(name, self.tables[name]) for name in names)

    def picture(self, drawing: Drawing, caption: str, *csv: str) -> Picture:
        """A drawing with its caption and the tables that it was drawn from."""
        width = float(drawing.figure.get_size_inches()[0])
        return Picture(drawing.name, caption, self.svg(drawing), width, self.downloads(*csv))

    def svg(self, drawing: Drawing) -> str:
        """A drawing as SVG, made once: page and file show the same."""
        if drawing.name not in self._svgs:
            self._svgs[drawing.name] = to_svg(drawing.figure, name=drawing.name, title=drawing.title)
        return self._svgs[drawing.name]
