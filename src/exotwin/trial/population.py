"""Virtual patients: what is drawn, for whom, and who is enrolled.

Two levels of spread stay apart. What is not known (*knowledge*) is drawn J times jointly; patient i lives in the world
of draw i mod J. What differs between people is drawn for each candidate.

- Knowledge: a Latin hypercube over the J draws. Each quantity has its own stream, seeded by the study's seed and its
  name, so that a further arm or product does not move the others' draws.
- Patients: one scrambled Sobol sequence; draw j turns it by its own random vector (modulo 1), so that the candidates of
  each draw are spread evenly by themselves. (Dealing out one sequence to the draws in turn would not do: every J-th
  point of it sits in the same part of the range.)

Candidates are taken in order within their draw until it has its patients; each candidate's numbers depend on seed,
names and position alone, so neither batches nor threads change who is enrolled.
"""

from __future__ import annotations

import hashlib
import operator
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.biology import Model, Spread
from exotwin.errors import StudyError
from exotwin.progress import Progress
from exotwin.trial.result import Screening

if TYPE_CHECKING:
    from exotwin.trial.study import Age, Study

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_CANDIDATES = 50
"""Candidates per wanted patient, beyond which the criteria count as impossible to meet."""
_SPARE = 500  # candidates that even a small study may look at
_BATCH = 20_000
_MET, _FAILED = -1, -2  # else the index of the first criterion that is not met
_RULES: Mapping[str, Callable[[Floats, float], npt.NDArray[np.bool_]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

RunIn = Callable[[Mapping[str, Floats], Ints], tuple[Mapping[str, Floats], npt.NDArray[np.str_]]]
"""Parameters and numbers of candidates -> (symbol -> value at enrolment, outcome of each integration)."""


@dataclass(frozen=True)
class Drawn:
    """Everything that may be drawn, as inverse distribution functions.

    patient, knowledge : name in the model (or ``product:quantity``) -> spread.
    fixed : name -> value that the study sets in place of the model's.
    """

    patient: Mapping[str, Spread]
    knowledge: Mapping[str, Spread]
    fixed: Mapping[str, float]


@dataclass(frozen=True)
class Enrolled:
    """The patients: ``parameters`` by name (patient,), all levels and what the study fixed; ``draw`` (patient,).

    candidate : (patient,), the number that each had as a candidate, which its own noise keeps.
    """

    parameters: Mapping[str, Floats]
    draw: Ints
    candidate: Ints
    screening: Screening

    @property
    def n(self) -> int:
        """How many."""
        return self.draw.size


def what_is_drawn(
    model: Model, *, age: Age | None, fixed: Mapping[str, float], products: Mapping[str, Spread]
) -> Drawn:
    """The spreads of a model, with what the study says of age, and what is not known of the products."""
    levels: dict[str, dict[str, Spread]] = {"patient": {}, "knowledge": {}, "fixed": {}}
    for name, parameter in model.parameters.items():
        if name not in fixed:
            levels[parameter.level][name] = parameter.spread
    held = dict(fixed)
    if age is not None:
        if age.sd == 0:
            levels["patient"].pop("age_start", None)
            held["age_start"] = age.mean
        else:
            levels["patient"]["age_start"] = Spread("normal", age.mean, age.sd, low=age.min, high=age.max)
    return Drawn(levels["patient"], {**levels["knowledge"], **products}, held)


def draw_knowledge(drawn: Drawn, *, n_draws: int, seed: int) -> dict[str, Floats]:
    """Joint draws of what is not known: name -> (draw,)."""
    from scipy.stats import qmc

    return {
        name: spread.quantile(
            _open(qmc.LatinHypercube(1, rng=_generator(seed, "knowledge", name)).random(n_draws)[:, 0])
        )
        for name, spread in drawn.knowledge.items()
    }


class Candidates:
    """Candidates of each draw, in order; `take` is a pure function of its arguments, seed and names."""

    def __init__(self, drawn: Drawn, *, n_draws: int, seed: int) -> None:
        from scipy.stats import qmc

        self._spreads = {name: drawn.patient[name] for name in sorted(drawn.patient)}
        self._points = np.empty((0, len(self._spreads)))
        self._sobol = (
            qmc.Sobol(len(self._spreads), scramble=True, bits=53, rng=_generator(seed, "patients"))
            if self._spreads
            else None
        )
        turns = [_generator(seed, "turn", name).random(n_draws) for name in self._spreads]
        self._turns = np.array(turns).T if turns else np.empty((n_draws, 0))

    def take(self, draw: Ints, position: Ints) -> dict[str, Floats]:
        """Numbers of the candidates at ``position`` of their ``draw``: name -> (candidate,)."""
        if self._sobol is None or not position.size:
            return {name: np.empty(position.size) for name in self._spreads}
        while self._points.shape[0] <= position.max():
            # Powers of two keep the sequence balanced.
            more = self._sobol.random(max(64, self._points.shape[0]))
            self._points = np.concatenate([self._points, more])
        u = _open((self._points[position] + self._turns[draw]) % 1.0)
        return {name: spread.quantile(u[:, k]) for k, (name, spread) in enumerate(self._spreads.items())}


def enrol(
    study: Study, model: Model, drawn: Drawn, knowledge: Mapping[str, Floats], run_in: RunIn, progress: Progress
) -> Enrolled:
    """Screen candidates until the study has its patients.

    Raises
    ------
    StudyError : the criteria leave fewer than one candidate in fifty; shows the counts.
    """
    n_patients, n_draws = study.population.n_patients, study.population.n_draws
    candidates = Candidates(drawn, n_draws=n_draws, seed=study.seed)
    quota = np.bincount(np.arange(n_patients) % n_draws, minlength=n_draws)
    seats, seen = np.zeros(n_draws, np.int64), np.zeros(n_draws, np.int64)
    found = {name: np.empty(n_patients) for name in [*drawn.patient, *knowledge]}
    left_out = np.zeros(len(model.inclusion), np.int64)
    failed: Counter[str] = Counter()
    candidate = np.zeros(n_patients, np.int64)
    progress.start("enrolling", n_patients)
    while np.any(seats < quota):
        if seen.sum() >= MAX_CANDIDATES * n_patients + _SPARE:
            raise _impossible(study, _screening(model, seats, left_out, failed))
        draw, position = _next_batch(quota - seats, seats, seen)
        numbers = candidates.take(draw, position) | {name: values[draw] for name, values in knowledge.items()}
        number = position * n_draws + draw
        values, outcome = run_in(numbers, number)
        reason = _first_unmet(model, values, outcome)
        seat = seats[draw] + _accepted_before(reason == _MET, draw)
        looked_at = seat < quota[draw]  # the rest of the batch comes after its draw was full
        taken = looked_at & (reason == _MET)
        place = (seat * n_draws + draw)[taken]
        for name, array in found.items():
            array[place] = numbers[name][taken]
        candidate[place] = number[taken]
        seats += np.bincount(draw[taken], minlength=n_draws)
        seen += np.bincount(draw[looked_at], minlength=n_draws)
        left_out += np.bincount(reason[looked_at & (reason >= 0)], minlength=left_out.size)
        failed.update(str(o) for o in outcome[looked_at & (reason == _FAILED)])
        progress.advance(int(taken.sum()))
    found |= {name: np.full(n_patients, value) for name, value in drawn.fixed.items()}
    draw = np.arange(n_patients) % n_draws
    return Enrolled(found, draw, candidate, _screening(model, seats, left_out, failed))


def _next_batch(wanted: Ints, seats: Ints, seen: Ints) -> tuple[Ints, Ints]:
    """The next candidates of every draw that is not full, some more than the rate so far asks for."""
    rate = max((int(seats.sum()) + 1) / (int(seen.sum()) + 1), 0.02)
    counts = np.where(wanted > 0, np.ceil(wanted / rate * 1.1).astype(np.int64) + 1, 0)
    counts = np.minimum(counts, 1 + _BATCH // max(1, int(np.sum(wanted > 0))))
    draw = np.repeat(np.arange(wanted.size), counts)
    first = np.cumsum(counts) - counts
    return draw, seen[draw] + np.arange(draw.size) - first[draw]


def _first_unmet(model: Model, values: Mapping[str, Floats], outcome: npt.NDArray[np.str_]) -> Ints:
    reason = np.full(outcome.size, _MET)
    for k, criterion in reversed(list(enumerate(model.inclusion))):
        met = _RULES[criterion.rule](values[criterion.symbol], criterion.value)
        reason[~met] = k
    reason[outcome != "ok"] = _FAILED
    return reason


def _accepted_before(accepted: npt.NDArray[np.bool_], draw: Ints) -> Ints:
    """For each candidate, how many of its draw were accepted before it; ``draw`` does not fall."""
    before: Ints = np.cumsum(accepted) - accepted
    _, first, index = np.unique(draw, return_index=True, return_inverse=True)
    return before - before[first][index]


def _screening(model: Model, seats: Ints, left_out: Ints, failed: Mapping[str, int]) -> Screening:
    reasons = tuple(
        (c.label or f"{c.id} {c.rule} {c.value:g} {c.unit}", c.record, int(n))
        for c, n in zip(model.inclusion, left_out, strict=True)
    )
    enrolled = int(seats.sum())
    screened = enrolled + int(left_out.sum()) + sum(failed.values())
    return Screening(screened, enrolled, reasons, dict(sorted(failed.items())))


def _impossible(study: Study, screening: Screening) -> StudyError:
    return StudyError(
        study.where("population"),
        found="\n            ".join(screening.flow()),
        expected=f"{study.population.n_patients} patients from at most {MAX_CANDIDATES} candidates each; "
        "criteria and age together leave too few",
    )


def _generator(seed: int, *names: str) -> np.random.Generator:
    words = hashlib.sha256("\n".join(names).encode()).digest()[:16]
    return np.random.default_rng([seed, int.from_bytes(words[:8]), int.from_bytes(words[8:])])


def _open(u: Floats) -> Floats:
    """Probabilities strictly between 0 and 1, where inverse distribution functions are finite."""
    return np.clip(u, 2.0**-53, 1 - 2.0**-53)
