"""Products made by hand: only the cargo matters here."""

from __future__ import annotations

from typing import Any, cast

from exotwin.product import Cargo, MediatorCopies, Product, ProteinCopies, Proteins, VesicleLot
from exotwin.quantities import Estimate


def copies(name: str, per_vesicle: float = 0.01, *, log10_sd: float = 0.3, **more: Any) -> MediatorCopies:
    return MediatorCopies(name, 0.01, per_vesicle, log10_sd, **({"measured": True} | more))


def protein(name: str, per_vesicle: float = 2.0, where: Any = "surface") -> ProteinCopies:
    return ProteinCopies(name, per_vesicle, 0.3, where, f"{per_vesicle:g} copies/particle")


def lot(
    *entries: MediatorCopies,
    proteins: tuple[ProteinCopies, ...] = (),
    cargo: bool = True,
    vesicles: bool = True,
    name: str = "lot 1",
) -> Product:
    held = Cargo({e.name: e for e in entries}, 1e6, (), "by hand") if cargo else None
    table = Proteins(proteins, (), "by hand") if proteins else None
    number = Estimate(1e10, "particle/mL")
    return Product(
        name=name,
        source_tissue="umbilical cord",
        species="human",
        synthetic=True,
        cells=None,
        vesicles=VesicleLot(1.0, None, cast(Any, None), number, number, held, None, table) if vesicles else None,
        verdicts=(),
        files=(),
        remarks=(),
    )
