"""The models held against records: checks as data, one engine that runs them, a scoreboard that hides nothing."""

from exotwin.validation.check import Check, CheckFile, StudyPlan
from exotwin.validation.read import read_checks
from exotwin.validation.scoreboard import validate
from exotwin.validation.scored import Count, Coverage, Scoreboard, Scored

__all__ = ["Check", "CheckFile", "Count", "Coverage", "Scoreboard", "Scored", "StudyPlan", "read_checks", "validate"]
