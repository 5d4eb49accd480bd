"""Unit text of the tables ("particle/mL/day") as ids and definitions that SBML knows.

SBML has a dozen base units and no cells or follicles: counted things all become ``item`` there. The tables keep the
exact word, which the rest of the package reads with pint; here only sizes and dimensions matter.
"""

from __future__ import annotations

import re
from functools import lru_cache

from exotwin.errors import BiologyError, nearest

# name -> (factor, SBML base unit, exponent)
_ATOMS: dict[str, tuple[float, str, int]] = {
    "dimensionless": (1.0, "", 0),
    "percent": (0.01, "", 0),
    "day": (86400.0, "second", 1),
    "hour": (3600.0, "second", 1),
    "minute": (60.0, "second", 1),
    "second": (1.0, "second", 1),
    "year": (31557600.0, "second", 1),
    "kg": (1000.0, "gram", 1),
    "g": (1.0, "gram", 1),
    "mg": (1e-3, "gram", 1),
    "ug": (1e-6, "gram", 1),
    "ng": (1e-9, "gram", 1),
    "pg": (1e-12, "gram", 1),
    "L": (1.0, "litre", 1),
    "mL": (1e-3, "litre", 1),
    "uL": (1e-6, "litre", 1),
    "m": (1.0, "metre", 1),
    "cm": (1e-2, "metre", 1),
    "mm": (1e-3, "metre", 1),
    "um": (1e-6, "metre", 1),
    "nm": (1e-9, "metre", 1),
    "mole": (1.0, "mole", 1),
    "nmol": (1e-9, "mole", 1),
    "pmol": (1e-12, "mole", 1),
    "item": (1.0, "item", 1),
    "cell": (1.0, "item", 1),
    "particle": (1.0, "item", 1),
    "vesicle": (1.0, "item", 1),
    "copy": (1.0, "item", 1),
    "follicle": (1.0, "item", 1),
    "IU": (1.0, "item", 1),
    "burden": (1.0, "item", 1),
    "bp": (1.0, "item", 1),
    "mutation": (1.0, "item", 1),
    "division": (1.0, "item", 1),
}
_PLURALS = {
    "litre": "L",
    "gram": "g",
    "kilogram": "kg",
    "metre": "m",
    "copies": "copy",
    "min": "minute",
    "h": "hour",
    "1": "dimensionless",
    "": "dimensionless",
}
_FACTOR = re.compile(r"^([A-Za-z]+|1|)(?:\^?(-?\d+))?$")

Factors = tuple[tuple[str, int], ...]


def unit_id(text: str, *, where: str) -> str:
    """Id of a unit in the model: ``"particle/mL/day"`` -> ``"particle_per_mL_per_day"``, ``"1/day"`` -> ``"per_day"``.

    Raises
    ------
    BiologyError : a unit that the table of this file does not hold.
    """
    above: list[str] = []
    below: list[str] = []
    for atom, power in _parse(text, where):
        (above if power > 0 else below).append(atom + (str(abs(power)) if abs(power) != 1 else ""))
    name = "_".join([*above, *(f"per_{b}" for b in below)])
    return name or "dimensionless"


def definition(identifier: str, *, where: str) -> str:
    """Antimony's definition of a unit id: ``"mL_per_day"`` -> ``"0.001 litre / (86400 second)"``."""
    by_kind: dict[str, tuple[float, int]] = {}
    for atom, power in _parse(text_of(identifier), where):
        value, kind, exponent = _ATOMS[atom]
        factor, total = by_kind.get(kind, (1.0, 0))
        by_kind[kind] = (factor * value**power, total + exponent * power)
    above: list[str] = []
    below: list[str] = []
    for kind, (factor, power) in by_kind.items():
        # SBML multiplies before it raises to the power, so each base unit carries its own share of the factor.
        term = f"{factor ** (1.0 / power):.12g} {kind}" if power else f"{factor:.12g} dimensionless"
        (above if power >= 0 else below).append(f"({term})" + (f"^{abs(power)}" if abs(power) > 1 else ""))
    return " / ".join([" * ".join(above) or "1", *below])


def text_of(identifier: str) -> str:
    """Unit text of an id: ``"particle_per_mL"`` -> ``"particle/mL"``."""
    above, *below = re.split(r"(?:^|_)per_", identifier)
    return "/".join([above.replace("_", "*") or "1", *(b.replace("_", "/") for b in below)])


@lru_cache(maxsize=512)
def size(text: str, *, where: str) -> tuple[float, Factors]:
    """Factor and SBML dimensions of a unit text; two units are the same in SBML when both agree."""
    factor, powers = 1.0, dict[str, int]()
    for atom, power in _parse(text, where):
        value, kind, exponent = _ATOMS[atom]
        factor *= value**power
        if kind:
            powers[kind] = powers.get(kind, 0) + exponent * power
    order = sorted(((k, p) for k, p in powers.items() if p), key=lambda kp: (kp[1] < 0, kp[0]))
    return factor, tuple(order)


def same(one: str, other: str, *, where: str) -> bool:
    """Whether two unit texts mean the same size in SBML (within the rounding of their factors)."""
    (a, dims_a), (b, dims_b) = size(one, where=where), size(other, where=where)
    return dims_a == dims_b and abs(a - b) <= 1e-9 * abs(a)


def is_unit_id(identifier: str) -> bool:
    """Whether an identifier reads as a unit id."""
    try:
        _parse(text_of(identifier), "")
    except BiologyError:
        return False
    return True


def _parse(text: str, where: str) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for index, part in enumerate(text.replace(" ", "").split("/")):
        for piece in part.split("*"):
            match = _FACTOR.match(piece)
            name = match[1] if match else piece
            atom = _PLURALS.get(name, name)
            if atom not in _ATOMS and atom.endswith("s"):
                atom = atom[:-1]
            if not match or atom not in _ATOMS or (name == "" and text.strip()):
                raise BiologyError(
                    where,
                    found=f'the unit "{text}"',
                    expected='units such as "particle/mL", "1/day", "dimensionless"',
                    nearest=nearest(piece, _ATOMS),
                )
            if atom != "dimensionless":
                power = int(match[2] or 1) * (-1 if index else 1)
                found[atom] = found.get(atom, 0) + power
    return [(atom, power) for atom, power in found.items() if power]
