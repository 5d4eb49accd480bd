"""The page: verdict, counts, the way from dose to cell, what is in doubt, both readings, both sides' records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin import __version__
from exotwin.errors import ReportError
from exotwin.evidence import record
from exotwin.report.blocks import Cell, Fact, Picture, Table, download, figure, prose, text
from exotwin.report.html import _environment as shared_environment
from exotwin.report.numbers import number
from exotwin.report.references import References
from exotwin.report.stoichiometry import figures
from exotwin.report.stoichiometry.counts import DAYS, Count, Range, Stoichiometry, stoichiometry
from exotwin.report.stoichiometry.sides import AGAINST, FOR, READ
from exotwin.report.stoichiometry.text import sentence
from exotwin.report.svg import house_style, to_svg
from exotwin.report.wording import Words

if TYPE_CHECKING:
    from exotwin.product import Product
    from exotwin.report.figures.shared import Drawing

_OWN = Path(__file__).with_name("templates")
_SHARED = Path(__file__).parents[1] / "templates"
_RULES = (
    ("plausible", "the middle estimate of one dose reaches what is needed"),
    ("only with accumulation", f"it does not, but {DAYS} doses, one a day, add up to it"),
    ("implausible at this dose", "neither does"),
)
# what the counts rest on, cited below them
_BASIS = (
    "copies-per-exosome",
    "mirna-outside-vesicles",
    "lnp-recycling-70pct",
    "ev-fusion-very-low",
    "mirna-halflife-kingston",
    "mirna-threshold-cell",
    "mirna-only-abundant-act",
    "ev-uptake-saturates",
)
_BASIS_OF_PROTEINS = ("chamberland-cytokine-halflives", "misev2023-nta-limits")


def write_stoichiometry(
    product: Product,
    path: Path,
    *,
    dose: str | None = None,
    route: str = "intravenous",
    condition: str = "poi",
    species: str = "human",
    seed: int = 1,
) -> Path:
    """Count, and write one self-contained HTML file. Arguments and errors as of `stoichiometry`; gives ``path``.

    Raises
    ------
    ReportError : a folder that does not exist, and what `stoichiometry` raises.
    """
    _check_folder(path)
    found = stoichiometry(product, dose=dose, route=route, condition=condition, species=species, seed=seed)
    return write_page(found, path)


def write_page(found: Stoichiometry, path: Path) -> Path:
    """The same for counts that are there already.

    Raises
    ------
    ReportError : a folder that does not exist.
    """
    _check_folder(path)
    written = render(found)
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(written, encoding="utf-8")
    aside.replace(path)
    return path


def render(found: Stoichiometry) -> str:
    """The page as text. The same counts give the same text, byte for byte."""
    import jinja2

    references = References()
    references.cite(
        [
            *_BASIS,
            *(_BASIS_OF_PROTEINS if any(c.site for c in found.counts) else ()),
            *(r for r, _ in AGAINST),
            *(r for r, _ in FOR),
        ]
    )
    references.close()
    environment = shared_environment().overlay(loader=jinja2.FileSystemLoader([_OWN, _SHARED]))
    with house_style():
        pictures = _pictures(found)
    rendered: str = environment.get_template("stoichiometry.html").render(
        found=found,
        verdict=found.verdict,
        sentence=sentence(found),
        facts=_facts(found),
        remarks=_remarks(found),
        pictures=pictures,
        counts=_counts(found),
        doubt=_doubt(found),
        readings=_readings(found),
        sides=[("Against: too few copies", _side(AGAINST)), ("For: something arrives", _side(FOR))],
        read=READ,
        version=__version__,
        css=(_SHARED / "style.css").read_text(encoding="utf-8"),
        w=Words("en"),
        refs=references,
    )
    return rendered


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise ReportError(f"stoichiometry {path}", found=f"no folder {path.parent}", expected="a folder that exists")


def _facts(found: Stoichiometry) -> list[Fact]:
    return [
        Fact("Dose", f"{number(found.dose)} particles, {found.route}", values=(found.dose,)),
        Fact("Cells", f"{found.target} ({found.species})"),
        Fact("Condition", found.title),
    ]


def _remarks(found: Stoichiometry) -> list[str]:
    said = ["; ".join(f"{name}: {rule}" for name, rule in _RULES).capitalize() + "."]
    said.append(f"Everything that is not known is drawn at once ({found.draws} draws); intervals hold 95 % of them.")
    if best := found.nearest:
        less = f"{number(best.below_own.median, digits=2)} times fewer copies of {best.mediator} than the cell holds"
        makes = "" if best.site else f"; a cell makes as many in {_time(best.own_minutes)}"
        said.append(f"One dose brings {less} (middle estimate){makes}.")
        needs = f"{number(best.dose_needed.median, digits=2)} particles at once ({_limits(best.dose_needed)})"
        said.append(f"Needed for {best.mediator}: {needs}, if uptake never saturated.")
    if any(c.site for c in found.counts):
        said.append(
            "A protein that acts inside a cell is counted in the cytosol, one that acts from outside at the cell that "
            "its vesicle meets. How many of either are needed, and how many a cell has itself, no record says: both "
            "are assumed, within wide limits."
        )
    said += found.notes
    said += [
        f"{name} in the fluid: at most {number(pM, digits=2)} pmol/L of plasma, if all of it is given with the "
        "vesicles and before any has left. It spreads without them, so no reading here counts it "
        "(ev-null-secretome-does-it)."
        for name, pM in found.fluid.items()
    ]
    if found.unmeasured:
        said.append(f"Not measured in the product, so nothing is said of them: {', '.join(found.unmeasured)}.")
    return said


def _pictures(found: Stoichiometry) -> list[Picture]:
    if not found.counts:
        return []
    captions = (
        (
            figures.delivered(found),
            "Copies per recipient cell at their highest: middle estimates and 95 % of the draws. The band is what "
            "repression, or half of the activity that a cell leaves to a protein, needs on top of its own copies.",
        ),
        (
            figures.way(found),
            "What is left of the dose at each step, for the mediator that comes nearest.",
        ),
    )
    return [_picture(drawing, caption) for drawing, caption in captions]


def _picture(drawing: Drawing, caption: str) -> Picture:
    svg = to_svg(drawing.figure, name=drawing.name, title=drawing.title)
    return Picture(drawing.name, caption, svg, float(drawing.figure.get_size_inches()[0]))


def _counts(found: Stoichiometry) -> Table | None:
    import pandas as pd

    if not found.counts:
        return None
    rows = tuple(_row(c) for c in found.counts)
    frame = pd.DataFrame(
        [
            {
                "mediator": c.mediator,
                "acts": c.site or "as miRNA",
                "verdict": c.verdict,
                "reaching": c.reaching,
                "reaching_repeated": c.reaching_repeated,
            }
            | {
                f"{name}_{end}": getattr(getattr(c, name), end)
                for name in ("per_vesicle", "delivered", "repeated", "needed", "own", "dose_needed", "half_life")
                for end in ("median", "low", "high")
            }
            for c in found.counts
        ]
    )
    columns = (
        "Mediator",
        "Verdict",
        "In a vesicle",
        "Delivered",
        f"{DAYS} daily",
        "Needed",
        "Own",
        "Dose needed",
        "Reached in",
    )
    caption = (
        "Copies per recipient cell, dose in particles: middle estimate, 95 % of the draws below it. Reached in: share "
        "of draws in which one dose brings what is needed."
    )
    return Table(
        "counts", caption, columns, rows, (download("stoichiometry", frame),), numeric=frozenset(range(2, 9)), wide=True
    )


def _row(c: Count) -> tuple[Cell, ...]:
    ranges = (c.per_vesicle, c.delivered, c.repeated, c.needed, c.own, c.dose_needed)
    cells = [figure(number(r.median, digits=2), r.median, r.low, r.high, note=_limits(r)) for r in ranges]
    acts = f"protein, acts {c.site} the cell" if c.site else ""
    return (
        text(c.mediator, head=True, note=acts),
        text(c.verdict),
        *cells,
        figure(f"{100 * c.reaching:.2g} %", c.reaching),
    )


def _doubt(found: Stoichiometry) -> Table | None:
    if not found.doubt:
        return None
    rows = tuple(
        (text(name, head=True), figure(f"× ÷ {number(10**decades, digits=2)}", 10**decades))
        for name, decades in sorted(found.doubt.items(), key=lambda item: -item[1])
    )
    caption = f"What is not known, for {_first_rna(found)}: factor either way that holds 95 % of the draws."
    return Table("doubt", caption, ("Number", "Not known within"), rows, numeric=frozenset({1}))


def _first_rna(found: Stoichiometry) -> str:
    return next(c.mediator for c in found.counts if c.site is None)


def _readings(found: Stoichiometry) -> Table | None:
    if not found.readings:
        return None
    rows = tuple(
        (
            text(r.process.replace("_", " "), head=True),
            figure(number(math.exp(r.animal)), r.animal),
            figure(_multiplier(r.copies), r.copies),
            figure(number(abs(r.ratio), digits=1), r.ratio),
        )
        for r in found.readings
    )
    caption = (
        "What this dose does to the rate of each process at its highest, middle estimates. By animals: what studies of "
        "animals show of such vials as a whole, carried over to the species. By copies: what the counts above give. "
        "Ratio: of the two, on the logarithm, without its sign."
    )
    return Table(
        "readings", caption, ("Process", "By animals, ×", "By copies, ×", "Ratio"), rows, numeric=frozenset({1, 2, 3})
    )


def _side(side: Sequence[tuple[str, str]]) -> Table:
    rows = tuple((prose(said), Cell(_value(name), kind="prose", records=(name,))) for name, said in side)
    return Table("side", "", ("What it says", "In the record's words"), rows)


def _value(name: str) -> str:
    found = record(name)
    return found.what


def _multiplier(log_fold: float) -> str:
    return (
        number(math.exp(log_fold))
        if abs(log_fold) > 1e-3
        else f"1 {'+' if log_fold > 0 else '−'} {number(abs(log_fold), digits=1)}"
    )


def _limits(r: Range) -> str:
    return f"{number(r.low, digits=2)} to {number(r.high, digits=2)}"


def _time(minutes: float) -> str:
    return f"{number(minutes, digits=2)} minutes" if minutes >= 1 else f"{number(60 * minutes, digits=2)} seconds"
