"""One of exotwin's own calibrations: the folder ``biology/calibrations/NAME``, and what it fits in the tables.

Beside the PEtab problem (``NAME.yaml`` and what it names; measurements have the columns ``record`` and ``note``) stand

- ``calibration.toml``: title; condition, species, modules if not all, and infused (see `assemble`) of the model; text:
  what holds the numbers and what does not; starts, if not ten; rtol of each simulation, if not that of all fits;
  ``[[writes]]``: which estimated parameter goes where (parameter, table, name if it is another, species as in the row,
  label in the table of labels, column = "value" or "spread", spread = true where the standard error is the row's spread
  in knowledge);
  ``[population]`` for problems with our extension (see `Individuals`).
- ``checks.tsv`` with ``checks.yaml``: measurements that the fit is only held against, as another problem over the same
  tables; columns low and high are the record's 95 % limits, needs says what the model lacks for them.
- ``model.xml``, ``population.tsv``: what the biology gives today (`documents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exotwin.biology import SHIPPED
from exotwin.calibration.objective import RTOL
from exotwin.errors import InputError, NotBuiltYet, nearest
from exotwin.tables import check_keys, read_toml

ORDER = (
    "mouse-pool",
    "human-pool",
    "human-markers",
    "human-amh-spread",
    "cyclophosphamide-mouse",
    "vesicle-clearance-mouse",
    "poi-animal-potency",
)
"""Those on whose numbers others stand come first."""

STARTS = 10
_COARSEST = 1e-4  # of rtol: beyond it searches follow errors of integration

_TOP = ("title", "condition", "species", "modules", "infused", "text", "starts", "rtol", "population", "writes")
_WRITES = ("parameter", "table", "label", "name", "species", "column", "spread")


@dataclass(frozen=True)
class Target:
    """Where an estimated parameter goes: ``column`` ("value" or "spread") of a row of a table.

    species : as in the row's cell. error_is_spread : the standard error becomes the row's spread in knowledge.
    of : the label that the row belongs to, in the table of labels; "" in all others.
    """

    parameter: str
    table: str
    name: str
    species: str
    column: str = "value"
    error_is_spread: bool = False
    of: str = ""

    def holds(self, row: Mapping[str, str]) -> bool:
        """Whether a row of the table is the one."""
        return row["name"] == self.name and row["species"] == self.species and row.get("label", "") == self.of

    @property
    def label(self) -> str:
        """As in "pool_anchor (mouse)"."""
        whose = f"{self.of}, {self.species}" if self.of else self.species
        return f"{self.name} ({whose}{', spread' if self.column == 'spread' else ''})"


@dataclass(frozen=True)
class Individuals:
    """How population.tsv comes from a parameter table.

    only : rows that differ between individuals; all of level patient if none is named. estimated : row -> parameter of
    the problem that is its spread.
    days_before_enrolment : by how much time 0 of the problem lies before it.
    """

    only: tuple[str, ...] = ()
    estimated: Mapping[str, str] = field(default_factory=dict)
    days_before_enrolment: float = 0.0


@dataclass(frozen=True)
class Definition:
    """A calibration as its folder describes it. root : the biology's folder, with the tables."""

    name: str
    title: str
    condition: str
    species: str
    modules: tuple[str, ...]
    infused: tuple[str, ...]
    text: str
    starts: int
    rtol: float
    targets: tuple[Target, ...]
    population: Individuals | None
    root: Path

    @property
    def folder(self) -> Path:
        """Where its files stand."""
        return self.root / "calibrations" / self.name

    @property
    def problem(self) -> Path:
        """The problem's YAML file."""
        return self.folder / f"{self.name}.yaml"

    @property
    def checks(self) -> Path | None:
        """YAML file of what the fit is held against, if there is any."""
        path = self.folder / "checks.yaml"
        return path if path.is_file() else None


def calibrations(*, root: Path = SHIPPED) -> tuple[str, ...]:
    """Names of exotwin's own calibrations, in the order in which they build on each other.

    Rows of the parameter tables name them as ``calibration:NAME``.
    """
    found = {path.parent.name for path in (root / "calibrations").glob("*/calibration.toml")}
    return (*(name for name in ORDER if name in found), *sorted(found - set(ORDER)))


def read_definition(name: str, *, root: Path = SHIPPED) -> Definition:
    """Read ``calibration.toml`` of a calibration.

    Raises
    ------
    NotBuiltYet : a calibration that does not exist. InputError : a key that is missing, unknown or wrong.
    """
    known = calibrations(root=root)
    if name not in known:
        raise NotBuiltYet(
            f'calibrate("{name}")',
            found="a calibration that exotwin does not have",
            expected="one of " + ", ".join(known) + "; other PEtab problems: exotwin fit PROBLEM.yaml",
            nearest=nearest(name, known),
        )
    path = root / "calibrations" / name / "calibration.toml"
    page = read_toml(path, error=InputError)
    where = f"{name}/{path.name}"
    check_keys(page, _TOP, where=where, error=InputError, required=("title", "condition", "species", "text"))
    people = page.get("population")
    if people is not None:
        keys = ("only", "estimated", "days_before_enrolment")
        check_keys(people, keys, where=f"{where}, population", error=InputError, required=())
        people = Individuals(
            tuple(people.get("only", ())),
            dict(people.get("estimated", {})),
            float(people.get("days_before_enrolment", 0.0)),
        )
    return Definition(
        name=name,
        title=page["title"],
        condition=page["condition"],
        species=page["species"],
        modules=tuple(page.get("modules", ())),
        infused=tuple(page.get("infused", ())),
        text=" ".join(page["text"].split()),
        starts=int(page.get("starts", STARTS)),
        rtol=_tolerance(page.get("rtol", RTOL), f"{where}, rtol"),
        targets=tuple(_target(entry, f"{where}, writes {n}") for n, entry in enumerate(page.get("writes", ()), 1)),
        population=people,
        root=root,
    )


def _tolerance(given: Any, where: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= _COARSEST:
        raise InputError(where, found=f"{given!r}", expected=f"a number above 0, at most {_COARSEST:g}")
    return float(given)


def _target(entry: dict[str, Any], where: str) -> Target:
    check_keys(entry, _WRITES, where=where, error=InputError, required=("parameter", "table", "species"))
    column = entry.get("column", "value")
    if column not in ("value", "spread"):
        raise InputError(f"{where}.column", found=f'"{column}"', expected='"value" or "spread"')
    name = entry.get("name", entry["parameter"])
    own = entry.get("label", "")
    return Target(entry["parameter"], entry["table"], name, entry["species"], column, entry.get("spread", False), own)
