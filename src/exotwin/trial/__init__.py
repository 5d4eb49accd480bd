"""A study → virtual patients, arms, endpoints with intervals."""

from exotwin.quantities import wilson
from exotwin.trial.lock import lock_text
from exotwin.trial.result import COLUMNS, Screening, TrialResult
from exotwin.trial.run import simulate_trial
from exotwin.trial.statistics import Effect, bands, number_needed, paired_effect, quantiles_within_draws
from exotwin.trial.store import held
from exotwin.trial.study import READINGS, Study

__all__ = [
    "COLUMNS",
    "READINGS",
    "Effect",
    "Screening",
    "Study",
    "TrialResult",
    "bands",
    "held",
    "lock_text",
    "number_needed",
    "paired_effect",
    "quantiles_within_draws",
    "simulate_trial",
    "wilson",
]
