"""Colours and line styles: arms, readings and places are told apart without colour too.

The colours are the colour-blind-safe set of Okabe and Ito, the pale ones darkened so that they can be read as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INK, FAINT, RULE = "#1c2430", "#5b6673", "#d5dae0"
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#A8528A", "#946200", "#2E7DB2"
NORMAL = "#dff0e6"  # the normal range, behind the curves

Dashes = tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Stroke:
    """How one line is drawn: colour, dashes (offset, lengths in points), marker."""

    colour: str
    dashes: Dashes
    marker: str


_SOLID: Dashes = (0, ())
_ARMS = (
    Stroke(BLUE, _SOLID, "o"),
    Stroke(VERMILION, (0, (7, 1.6, 1.4, 1.6)), "s"),
    Stroke(GREEN, (0, (1.4, 1.2)), "D"),
    Stroke(PURPLE, (0, (9, 2)), "^"),
    Stroke(ORANGE, (0, (3, 1.4, 1, 1.4, 1, 1.4)), "v"),
    Stroke(SKY, (0, (2, 2.4)), "P"),
)
_COMPARATOR = Stroke(FAINT, (0, (4, 1.6)), "o")

PLACES = {
    "blood": Stroke(VERMILION, _SOLID, "o"),
    "liver": Stroke(GREEN, (0, (6, 1.6)), "s"),
    "spleen": Stroke(PURPLE, (0, (6, 1.6, 1.4, 1.6)), "^"),
    "lung": Stroke(SKY, (0, (3, 1.4)), "D"),
    "kidney": Stroke(ORANGE, (0, (1.4, 1.2)), "v"),
    "muscle": Stroke("#7a3e1d", (0, (5, 1.2)), "s"),
    "brain": Stroke("#b0417d", (0, (2, 1)), "^"),
    "ovary": Stroke("#8c2f39", (0, (4, 1, 1, 1)), "D"),
    "artery": Stroke("#c2410c", (0, (1, 1)), "v"),
    "marrow": Stroke("#5b5b9a", (0, (6, 1, 2, 1)), "P"),
    "skin": Stroke("#6b705c", (0, (3, 2)), "o"),
}
TARGET = Stroke(INK, _SOLID, "o")


def arm_strokes(arms: Sequence[str], *, comparator: str) -> dict[str, Stroke]:
    """A stroke for each arm, the comparator in grey; after six arms the strokes repeat."""
    treated = [a for a in arms if a != comparator]
    strokes = {a: _ARMS[i % len(_ARMS)] for i, a in enumerate(treated)}
    return {a: strokes.get(a, _COMPARATOR) for a in arms}
