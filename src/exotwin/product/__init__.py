"""Files of the laboratory → what the vial is."""

from exotwin.product.nta import SizeDistribution
from exotwin.product.parts import (
    Cargo,
    CellLot,
    Criterion,
    MarkerReading,
    MediatorCopies,
    Place,
    ProteinCopies,
    Proteins,
    SourceFile,
    Verdict,
    VesicleLot,
)
from exotwin.product.product import Product

__all__ = [
    "Cargo",
    "CellLot",
    "Criterion",
    "MarkerReading",
    "MediatorCopies",
    "Place",
    "Product",
    "ProteinCopies",
    "Proteins",
    "SizeDistribution",
    "SourceFile",
    "Verdict",
    "VesicleLot",
]
