"""The models held against records: checks as data, one engine that runs them, a scoreboard that hides nothing."""

from exotwin.validation.check import Check, CheckFile, StudyPlan
from exotwin.validation.numbers import Table, table_of
from exotwin.validation.read import read_checks
from exotwin.validation.scoreboard import validate
from exotwin.validation.scored import Contradiction, Count, Coverage, Scoreboard, Scored
from exotwin.validation.table import (
    COUNTS,
    Row,
    check_rows,
    count_rows,
    covered,
    details,
    kinds_of,
    module_rows,
    reasons,
)

__all__ = [
    "COUNTS",
    "Check",
    "CheckFile",
    "Contradiction",
    "Count",
    "Coverage",
    "Row",
    "Scoreboard",
    "Scored",
    "StudyPlan",
    "Table",
    "check_rows",
    "count_rows",
    "covered",
    "details",
    "kinds_of",
    "module_rows",
    "read_checks",
    "reasons",
    "table_of",
    "validate",
]
