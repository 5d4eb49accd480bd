"""The models held against records: checks as data, one engine that runs them, a scoreboard that hides nothing."""

from exotwin.validation.check import Check, CheckFile, StudyPlan
from exotwin.validation.numbers import Table, table_of
from exotwin.validation.read import read_checks
from exotwin.validation.scoreboard import validate
from exotwin.validation.scored import Count, Coverage, Scoreboard, Scored
from exotwin.validation.table import COLUMNS, COUNTS, check_rows, count_rows, details, remarks

__all__ = [
    "COLUMNS",
    "COUNTS",
    "Check",
    "CheckFile",
    "Count",
    "Coverage",
    "Scoreboard",
    "Scored",
    "StudyPlan",
    "Table",
    "check_rows",
    "count_rows",
    "details",
    "read_checks",
    "remarks",
    "table_of",
    "validate",
]
