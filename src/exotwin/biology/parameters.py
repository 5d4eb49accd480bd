"""Parameter tables: every number of the biology, with unit, spread, basis and source.

A table stands beside its module (``cells.csv`` beside ``cells.ant``). One row is one number for one or more species::

    name, value, unit, spread, distribution, level, species, basis, record, spread_record, se, identifiability, note

(a table without fitted rows may leave out ``se`` and ``identifiability``)

spread        what the distribution needs: ``sd 0.3`` | ``cv 0.2`` | ``log10 sd 0.47`` | ``range 0.001 0.3``, and for
              distributions without end optionally ``within LOW HIGH`` behind it (truncated there).
distribution  fixed | normal (sd or cv; value is the mean) | lognormal (cv or log10 sd; value is the median) |
              uniform, loguniform (range; value lies in it) | beta (sd; value is the mean, between 0 and 1).
level         fixed | patient (differs between people) | knowledge (the same for all, but not known).
species       ``human``, ``mouse``, ``rat``, several of them with spaces between, or ``all``.
basis         measured: read in a record. derived: computed from records, or a published estimate that is taken over as
              it stands; the note says how, or whose. fitted: by a calibration of ours, which the record names together
              with the records that it fits. assumed: the note says why. input: set by the study or the product, no
              claim on nature.
record        ids of evidence records, with spaces between; ``calibration:NAME`` for one of ours. spread_record: the
              same for the spread; where a spread has neither, the note must say what it rests on.
se            standard error of a fitted value, in its unit. If the spread is fitted: ``spread`` and its standard error
              (behind that of the value, if both are).
identifiability  what the profile says of the fitted value, or spread, with 95 % limits: ``identifiable (LOW to HIGH)``,
              ``only a lower limit (LOW)``, ``only an upper limit (HIGH)``.

What stands in ``value`` or ``spread``, ``se`` and ``identifiability`` of a row that a calibration fits is written by
that calibration, and by nobody else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin.biology.sbml_units import unit_id
from exotwin.errors import BiologyError, nearest
from exotwin.tables import Row, read_csv, read_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

COLUMNS = (
    "name",
    "value",
    "unit",
    "spread",
    "distribution",
    "level",
    "species",
    "basis",
    "record",
    "spread_record",
    "note",
)
OF_FITS = ("se", "identifiability")
LEVELS = ("fixed", "patient", "knowledge")
BASES = ("measured", "derived", "fitted", "assumed", "input")
SPECIES = ("human", "mouse", "rat")

_FORMS = {
    "fixed": (),
    "normal": ("sd", "cv"),
    "lognormal": ("cv", "log10 sd"),
    "uniform": ("range",),
    "loguniform": ("range",),
    "beta": ("sd",),
}
_SPREAD = re.compile(r"^(log10 sd|sd|cv|range)\s+(\S+)(?:\s+(?!within)(\S+))?(?:\s+within\s+(\S+)\s+(\S+))?$")
_NAME = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]*$")
_SE = re.compile(r"^(?!$)(?:(?!spread)(\S+))?\s*(?:spread\s+(\S+))?$")
_FIT = "calibration:"
_RECORD = re.compile(r"^(calibration:)?[A-Za-z0-9][A-Za-z0-9_.-]*$")


@dataclass(frozen=True)
class Spread:
    """How a number varies: between people, or in our knowledge of it.

    distribution : fixed, normal, lognormal, uniform, loguniform, beta.
    centre : mean (normal, beta), median (lognormal); otherwise only the value that is used without sampling.
    a, b : SD (normal, beta), SD of the natural logarithm (lognormal) in ``a``; ends of the range in ``a`` and ``b``.
    low, high : truncation, infinite where there is none.
    text : as in the table, "" if fixed.
    """

    distribution: str
    centre: float
    a: float = 0.0
    b: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    text: str = ""

    def quantile(self, u: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Inverse distribution function.

        Parameters
        ----------
        u : any shape, probabilities in (0, 1).

        Returns
        -------
        The same shape, in the unit of the parameter.
        """
        import numpy as np
        from scipy import special

        p = np.asarray(u, dtype=np.float64)
        if self.distribution == "fixed":
            return np.full(p.shape, self.centre)
        if self.distribution == "uniform":
            return np.asarray(self.a + (self.b - self.a) * p)
        if self.distribution == "loguniform":
            return np.asarray(self.a * (self.b / self.a) ** p)
        if self.distribution == "beta":
            first, second = self._beta_shapes
            return np.asarray(special.betaincinv(first, second, self._truncated(p, self._beta_cdf)))
        if self.distribution == "normal":
            return np.asarray(self.centre + self.a * special.ndtri(self._truncated(p, self._normal_cdf)))
        return np.asarray(self.centre * np.exp(self.a * special.ndtri(self._truncated(p, self._lognormal_cdf))))

    @property
    def _beta_shapes(self) -> tuple[float, float]:
        total = self.centre * (1 - self.centre) / self.a**2 - 1
        return self.centre * total, (1 - self.centre) * total

    def _beta_cdf(self, x: float) -> float:
        from scipy import special

        return float(special.betainc(*self._beta_shapes, min(max(x, 0.0), 1.0)))

    def _normal_cdf(self, x: float) -> float:
        return 0.5 * math.erfc((self.centre - x) / (self.a * math.sqrt(2)))

    def _lognormal_cdf(self, x: float) -> float:
        if x <= 0:
            return 0.0
        return 0.5 * math.erfc(-math.log(x / self.centre) / (self.a * math.sqrt(2)))

    def _truncated(self, p: npt.NDArray[np.float64], cdf: Callable[[float], float]) -> npt.NDArray[np.float64]:
        below, above = cdf(self.low), cdf(self.high)
        return below + (above - below) * p


@dataclass(frozen=True)
class Parameter:
    """One number of the model, with where it comes from. Fields as in the table; ``where``: file and line.

    se, spread_se : standard errors of value and spread, None where they are not fitted.
    """

    name: str
    value: float
    unit: str
    spread: Spread
    level: str
    basis: str
    record: str
    spread_record: str
    note: str
    where: str = field(default="", compare=False)
    se: float | None = None
    spread_se: float | None = None
    identifiability: str = ""

    @cached_property
    def records(self) -> tuple[str, ...]:
        """Ids of the evidence records behind value and spread, without names of fits."""
        named = [*self.record.split(), *self.spread_record.split()]
        return tuple(dict.fromkeys(r for r in named if not r.startswith(_FIT)))

    @cached_property
    def calibration(self) -> str:
        """Name of the calibration that fits the value; "" if none does."""
        return self._fit(self.record) if self.basis == "fitted" else ""

    @cached_property
    def spread_calibration(self) -> str:
        """Name of the calibration that fits the spread; "" if none does."""
        return self._fit(self.spread_record)

    @staticmethod
    def _fit(named: str) -> str:
        return next((r.removeprefix(_FIT) for r in named.split() if r.startswith(_FIT)), "")


def read_parameters(path: Path, species: str) -> dict[str, Parameter]:
    """The rows of a table that hold for ``species``, checked, by name.

    Raises
    ------
    BiologyError : a cell that is not what its column asks for, a number without source, a name twice for one species.
    """
    found: dict[str, Parameter] = {}
    for row in read_rows(path):
        parameter, kinds = read_parameter(row)
        if species not in kinds:
            continue
        if parameter.name in found:
            raise BiologyError(
                row.where, found=f'"{parameter.name}" twice for {species}', expected="one row for each species"
            )
        found[parameter.name] = parameter
    return found


def read_rows(path: Path, *, first: str = "") -> list[Row]:
    """The rows of a table as text, with the columns of fits whether the file has them or not.

    first : a column before those of every table, such as "source".

    Raises
    ------
    BiologyError : as `exotwin.tables.read_csv`.
    """
    lines = read_text(path, error=BiologyError).splitlines()
    header = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    before = (first,) if first else ()
    if any(column in header.split(", ") for column in OF_FITS):
        return read_csv(path, (*before, *COLUMNS[:-1], *OF_FITS, COLUMNS[-1]), error=BiologyError)
    rows = read_csv(path, (*before, *COLUMNS), error=BiologyError)
    return [replace(row, cells=dict(row.cells) | dict.fromkeys(OF_FITS, "")) for row in rows]


def read_parameter(row: Row) -> tuple[Parameter, tuple[str, ...]]:
    """One row, with its columns of fits, and the species that it holds for.

    Raises
    ------
    BiologyError : as `read_parameters`.
    """
    name = row["name"]
    where = f'{row.where}, "{name}"'
    if not _NAME.match(name):
        raise BiologyError(where, found=f'the name "{name}"', expected="letters, digits and _, such as blood_half_life")
    value = _number(row["value"], where=f"{where}, value")
    unit_id(row["unit"], where=f"{where}, unit")
    level = _one_of(row["level"], LEVELS, where=f"{where}, level")
    basis = _one_of(row["basis"], BASES, where=f"{where}, basis")
    kinds = SPECIES if row["species"] == "all" else tuple(row["species"].split())
    if not kinds:
        raise BiologyError(f"{where}, species", found="nothing", expected='"all" or ' + ", ".join(SPECIES))
    for kind in kinds:
        _one_of(kind, SPECIES, where=f"{where}, species")
    spread = parse_spread(row["spread"], row["distribution"], value, where=f"{where}, spread")
    if (level == "fixed") != (spread.distribution == "fixed"):
        raise BiologyError(
            f"{where}, level",
            found=f'level "{level}" with the distribution "{spread.distribution}"',
            expected="level fixed and distribution fixed together, or patient / knowledge with a spread",
        )
    _check_sources(row, basis, level, where)
    parameter = Parameter(
        name,
        value,
        row["unit"],
        spread,
        level,
        basis,
        row["record"],
        row["spread_record"],
        row["note"],
        row.where,
        *_errors(row, where),
        row["identifiability"],
    )
    _check_fits(parameter, where)
    return parameter, kinds


def _check_sources(row: Row, basis: str, level: str, where: str) -> None:
    for column in ("record", "spread_record"):
        for name in row[column].split():
            if not _RECORD.match(name):
                raise BiologyError(f"{where}, {column}", found=f'"{name}"', expected="ids of evidence records")
    if basis in ("measured", "derived", "fitted") and not any(not r.startswith(_FIT) for r in row["record"].split()):
        raise BiologyError(f"{where}, record", found=f'a "{basis}" number without record', expected="a record id")
    if basis in ("assumed", "derived", "input") and not row["note"]:
        raise BiologyError(f"{where}, note", found=f'"{basis}" without a note', expected="a sentence that says why")
    if level != "fixed" and not row["spread_record"] and not row["note"]:
        raise BiologyError(
            f"{where}, spread_record", found="a spread without source", expected="a record id, or a note that says why"
        )


def _errors(row: Row, where: str) -> tuple[float | None, float | None]:
    if not row["se"]:
        return None, None
    parts = _SE.match(row["se"])
    if parts is None:
        raise BiologyError(f"{where}, se", found=f'"{row["se"]}"', expected='a number, or "spread" and a number behind')
    first, second = (None if t is None else _number(t, where=f"{where}, se") for t in parts.groups())
    if any(number is not None and number <= 0 for number in (first, second)):
        raise BiologyError(f"{where}, se", found=f'"{row["se"]}"', expected="numbers above zero")
    return first, second


def _check_fits(parameter: Parameter, where: str) -> None:
    named = {"record": parameter.record, "spread_record": parameter.spread_record}
    fits = {column: [r for r in text.split() if r.startswith(_FIT)] for column, text in named.items()}
    fitted, spread = parameter.basis == "fitted", bool(fits["spread_record"])
    if len(fits["record"]) != fitted or len(fits["spread_record"]) > 1:
        expected = "one calibration:NAME if it is fitted, none otherwise"
        raise BiologyError(f"{where}, record", found=f"{len(fits['record'])} calibrations", expected=expected)
    wanted = {
        "se": (parameter.se is not None, fitted),
        "se of the spread": (parameter.spread_se is not None, spread and parameter.level == "patient"),
        "identifiability": (parameter.identifiability != "", fitted or spread),
    }
    for column, (given, needed) in wanted.items():
        if given != needed:
            raise BiologyError(
                f"{where}, {column}",
                found="a cell that is filled" if given else "an empty cell",
                expected="what the calibration writes" if needed else "nothing: no calibration fits it",
            )


def parse_spread(text: str, distribution: str, value: float, *, where: str) -> Spread:
    """Read the cells ``spread`` and ``distribution`` of a row whose number is ``value``.

    Raises
    ------
    BiologyError : an unknown distribution, a form that it does not take, a value outside its range.
    """
    forms = _FORMS[_one_of(distribution, _FORMS, where=where)]
    if distribution == "fixed":
        if text:
            raise BiologyError(where, found=f'"{text}" with the distribution "fixed"', expected="no spread")
        return Spread("fixed", value)
    parts = _SPREAD.match(text)
    example = {"sd": "sd 0.3", "cv": "cv 0.2", "log10 sd": "log10 sd 0.47", "range": "range 0.001 0.3"}
    expected = f"for {distribution}: " + " or ".join(f'"{example[f]}"' for f in forms)
    if not parts or parts[1] not in forms or (parts[1] == "range") != (parts[3] is not None):
        raise BiologyError(where, found=f'"{text}"', expected=expected)
    first = _number(parts[2], where=where)
    if parts[1] == "range":
        last = _number(parts[3], where=where)
        bottom = 0.0 if distribution == "loguniform" else -math.inf
        if parts[4] or not (bottom < first < last and first <= value <= last):
            raise BiologyError(where, found=f'"{text}" around {value:g}', expected="LOW < HIGH with the value between")
        return Spread(distribution, value, first, last, text=text)
    low = _number(parts[4], where=where) if parts[4] else -math.inf
    high = _number(parts[5], where=where) if parts[5] else math.inf
    sd = {
        ("normal", "sd"): first,
        ("normal", "cv"): first * abs(value),
        ("lognormal", "cv"): math.sqrt(math.log1p(first**2)),
        ("lognormal", "log10 sd"): first * math.log(10),
        ("beta", "sd"): first,
    }[distribution, parts[1]]
    wrong_beta = distribution == "beta" and not (0 < value < 1 and sd**2 < value * (1 - value))
    if sd <= 0 or not low < value < high or (distribution == "lognormal" and value <= 0) or wrong_beta:
        raise BiologyError(where, found=f'"{text}" around {value:g}', expected=f"a spread that {distribution} can have")
    return Spread(distribution, value, sd, low=low, high=high, text=text)


def _number(text: str, *, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BiologyError(where, found=f'"{text}"', expected="a number")
    return number


def _one_of(text: str, valid: Iterable[str], *, where: str) -> str:
    names = list(valid)
    if text not in names:
        raise BiologyError(
            where, found=f'"{text}"', expected="one of " + ", ".join(names), nearest=nearest(text, names)
        )
    return text
