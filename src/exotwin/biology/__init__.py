"""Modules and tables → one SBML model of a condition, with every number's unit, spread and source."""

from exotwin.biology.assemble import SHIPPED, assemble, conditions, species_of
from exotwin.biology.model import Criterion, DoseInput, EndpointRule, Model, Observable
from exotwin.biology.parameters import Parameter, Spread, parse_spread, read_parameters, read_rows

__all__ = [
    "SHIPPED",
    "Criterion",
    "DoseInput",
    "EndpointRule",
    "Model",
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
