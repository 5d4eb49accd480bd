"""The one unit registry, and amounts with their unit as text.

pint is imported on first use: it takes longer than everything else that ``import exotwin`` needs.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from exotwin.errors import InputError, nearest

if TYPE_CHECKING:
    import pint

# Counted things are dimensions of their own, so that cells never pass for vesicles.
_DEFINITIONS = (
    "cell = [cell] = cells",
    "vesicle = [vesicle] = vesicles",
    "copy = [copy] = copies",
    "follicle = [follicle] = follicles",
    "international_unit = [international_unit] = IU",
    "burden = [burden]",
    "base_pair = [base_pair] = bp",
    "mutation = [mutation]",
    "division = [division]",
)

# What a laboratory writes, such as "particles/kg", "ug/mL", "1/day" or "/day": pint would take whole expressions.
_WORD = r"[^\W\d_]+(?:\^-?\d)?"
_UNIT = re.compile(rf"(?:1?\s*/\s*)?{_WORD}(?:\s*[/*]\s*{_WORD})*")
_AMOUNT = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[float]:
    """The package's registry: pint's units, plus what is counted here, IU and burdens."""
    import pint

    # To pint a particle is a share of a mole, and redefining it leaves it one: read it as what is counted here.
    particle = partial(re.compile(r"\bparticles?\b").sub, "vesicle")
    ureg: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None, preprocessors=[particle])
    for definition in _DEFINITIONS:
        ureg.define(definition)
    return ureg


def parse_amount(
    text: str, *, where: str, kinds: dict[str, str], example: str, error: type[InputError], signed: bool = False
) -> tuple[float, str]:
    """Read ``"1e11 particles"`` as a number in one of the allowed units.

    Parameters
    ----------
    text : number and unit.
    where : place of the text, for the message.
    kinds : allowed kind -> unit to convert to, e.g. ``{"vesicles": "particle", "vesicles per kg": "particle/kg"}``.
    example : what a right entry looks like.
    error : the room's error class.
    signed : whether the number may lie below zero.

    Returns
    -------
    (value in that unit, kind).

    Raises
    ------
    error : no number, an unknown unit, a unit of the wrong kind, an amount that is not finite, or a negative one.
    """
    import pint

    found = _AMOUNT.match(text)
    if not found or not found[2]:
        raise error(where, found=f'"{text}"', expected=f'a number and a unit, such as "{example}"')
    number, unit = float(found[1]), found[2]
    ureg = registry()
    try:
        if not _UNIT.fullmatch(unit):
            raise ValueError(unit)
        quantity = ureg.Quantity(number, f"1{unit}" if unit.startswith("/") else unit)
    except (pint.UndefinedUnitError, ValueError) as fault:
        names = {n for k in kinds.values() for n in re.split(r"\W+", k) if n}
        plural = {n + "s" if n + "s" in ureg else n for n in names}
        wrong = next((w for w in re.findall(r"[^\W\d_]+", unit) if w not in ureg), unit)
        raise error(
            where, found=f'the unit "{unit}"', expected=f'such as "{example}"', nearest=nearest(wrong, plural | names)
        ) from fault
    for kind, target in kinds.items():
        if quantity.is_compatible_with(target):
            if number < 0 and not signed:
                raise error(where, found=f'"{text}"', expected=f'an amount of zero or more, such as "{example}"')
            amount = float(quantity.to(target).magnitude)
            if not math.isfinite(amount):
                raise error(where, found=f'"{text}"', expected=f'a finite amount, such as "{example}"')
            return amount, kind
    raise error(where, found=f'"{text}", which is {quantity.dimensionality}', expected=f'such as "{example}"')
