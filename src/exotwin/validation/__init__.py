"""The models held against records: checks as data, one engine that runs them, a scoreboard that hides nothing."""

from exotwin.validation.check import Check, CheckFile
from exotwin.validation.scored import Count, Coverage, Scoreboard, Scored

__all__ = ["Check", "CheckFile", "Count", "Coverage", "Scoreboard", "Scored"]
