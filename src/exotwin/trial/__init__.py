"""A study → virtual patients, arms, endpoints with intervals."""

from exotwin.quantities import wilson
from exotwin.trial.arms import reading_parameters
from exotwin.trial.comparators import Held
from exotwin.trial.forms import both_forms
from exotwin.trial.lock import lock_text
from exotwin.trial.noise import kicks
from exotwin.trial.population import Candidates, draw_knowledge, what_is_drawn
from exotwin.trial.regimen import dose_days
from exotwin.trial.result import COLUMNS, Screening, TrialResult
from exotwin.trial.run import simulate_trial
from exotwin.trial.statistics import Effect, bands, number_needed, paired_effect, quantiles_within_draws
from exotwin.trial.store import held
from exotwin.trial.study import READINGS, Study

__all__ = [
    "COLUMNS",
    "READINGS",
    "Candidates",
    "Effect",
    "Held",
    "Screening",
    "Study",
    "TrialResult",
    "bands",
    "both_forms",
    "dose_days",
    "draw_knowledge",
    "held",
    "kicks",
    "lock_text",
    "number_needed",
    "paired_effect",
    "quantiles_within_draws",
    "reading_parameters",
    "simulate_trial",
    "what_is_drawn",
    "wilson",
]
