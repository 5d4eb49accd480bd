"""Proteins as mediators: where each acts, and how much of what a product holds is there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from exotwin.errors import MechanismError, nearest
from exotwin.product import MediatorCopies
from exotwin.tables import read_csv

if TYPE_CHECKING:
    from exotwin.product import Place, Product, ProteinCopies

Site = Literal["inside", "outside"]
COLUMNS = ("protein", "acts", "records", "note")
PLACE: Mapping[Site, Place] = {"inside": "lumen", "outside": "surface"}
"""Where on a vesicle a protein must be to come to its site."""
_ON: Mapping[Place, str] = {
    "lumen": "in the lumen of vesicles",
    "surface": "on the surface of vesicles",
    "soluble": "in the fluid",
    "not stated": "in the preparation",
}
SHARE_UNKNOWN, SHARE_LOG10_SD = 0.3, 0.27
"""Of an amount without a place, the share that is at the right one: about a third, as if even over lumen, surface and
fluid; 95 % between 0.09 and 1. Assumed: preparations differ, and hold what is no vesicle (purity-ratio-fooled)."""
_SHIPPED = Path(__file__).with_name("proteins.csv")


@lru_cache(maxsize=1)
def sites() -> Mapping[str, Site]:
    """Gene symbol → where the protein acts, for those that the table lists."""
    found: dict[str, Site] = {}
    for row in read_csv(_SHIPPED, COLUMNS, error=MechanismError):
        if row["acts"] not in get_args(Site) or not row["records"]:
            raise MechanismError(
                row.where, found=f'"{row["acts"]}" by "{row["records"]}"', expected="inside or outside, by a record"
            )
        found[row["protein"]] = cast(Site, row["acts"])
    return found


def site(protein: str) -> Site:
    """Where a protein acts.

    Raises
    ------
    MechanismError : a protein that the table does not list.
    """
    if protein not in sites():
        raise MechanismError(
            "proteins of the mechanism",
            found=f'"{protein}"',
            expected="one of " + ", ".join(sites()),
            nearest=nearest(protein, sites()),
        )
    return sites()[protein]


def at_site(product: Product, protein: str) -> MediatorCopies | None:
    """What a vesicle of ``product`` brings of a protein to where it acts; None where nothing is known or found there.

    An amount whose place is not stated counts with the share that is assumed to be in the right one, unless another row
    of the same protein states it.
    """
    entries = {entry.where: entry for entry in _entries(product, protein)}
    entry, share, log10_sd = entries.get(PLACE[site(protein)]), 1.0, 0.0
    if entry is None:
        entry, share, log10_sd = entries.get("not stated"), SHARE_UNKNOWN, SHARE_LOG10_SD
    if entry is None or not entry.copies_per_vesicle > 0:
        return None
    copies, sd = entry.copies_per_vesicle * share, math.hypot(entry.log10_sd, log10_sd)
    return MediatorCopies(protein, math.nan, copies, sd, measured=True)


def looked_for(product: Product, protein: str) -> bool:
    """Whether the product's table says how much of a protein is where it can act, were it none."""
    places = (PLACE[site(protein)], "not stated")
    return any(e.where in places and not math.isnan(e.copies_per_vesicle) for e in _entries(product, protein))


def beside(product: Product, protein: str) -> str | None:
    """Why a protein of the product's table is not brought; None where it is brought, or has no row."""
    entries = _entries(product, protein)
    if not entries or at_site(product, protein) is not None:
        return None
    said = f"{protein}, which acts {site(protein)} a cell"
    here, found = _ON[PLACE[site(protein)]], [_ON[e.where] for e in entries if e.copies_per_vesicle > 0]
    elsewhere = f"it is {' and '.join(found)}, and does not come with the vesicles to where it acts" if found else ""
    if not looked_for(product, protein):
        return f"{said}: {elsewhere or 'none was found elsewhere'}; what is {here} was not measured."
    return f"{said}: looked for, and none found {here}{'; ' if found else ''}{elsewhere}."


def _entries(product: Product, protein: str) -> tuple[ProteinCopies, ...]:
    if product.vesicles is None or product.vesicles.proteins is None:
        return ()
    return tuple(e for e in product.vesicles.proteins.entries if e.name == protein)
