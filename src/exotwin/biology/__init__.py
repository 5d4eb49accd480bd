"""Modules and tables → one SBML model of a condition, with every number's unit, spread and source."""

from exotwin.biology.assemble import SHIPPED, assemble, conditions, species_of
from exotwin.biology.model import Comparator, Criterion, DoseInput, EndpointRule, Model, Noise, Observable
from exotwin.biology.parameters import (
    BASES,
    COLUMNS,
    OF_FITS,
    SPECIES,
    Parameter,
    Spread,
    parse_spread,
    read_parameters,
    read_rows,
)

__all__ = [
    "BASES",
    "COLUMNS",
    "OF_FITS",
    "SHIPPED",
    "SPECIES",
    "Comparator",
    "Criterion",
    "DoseInput",
    "EndpointRule",
    "Model",
    "Noise",
    "Observable",
    "Parameter",
    "Spread",
    "assemble",
    "conditions",
    "parse_spread",
    "read_parameters",
    "read_rows",
    "species_of",
]
