"""A study → virtual patients, arms, endpoints with intervals."""

from exotwin.trial.lock import lock_text
from exotwin.trial.result import COLUMNS, Screening, TrialResult
from exotwin.trial.run import simulate_trial
from exotwin.trial.study import READINGS, Study

__all__ = ["COLUMNS", "READINGS", "Screening", "Study", "TrialResult", "lock_text", "simulate_trial"]
