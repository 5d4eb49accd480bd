"""Texts of a small study and of a condition small enough to check by hand; whether two results are the same."""

from __future__ import annotations

from exotwin.biology import Parameter, Spread
from exotwin.trial import TrialResult


def parameter(
    name: str, value: float, *, level: str = "fixed", spread: Spread | None = None, unit: str = ""
) -> Parameter:
    """A made-up number of a model."""
    return Parameter(
        name=name,
        value=value,
        unit=unit or "dimensionless",
        spread=spread or Spread("fixed", value),
        level=level,
        basis="assumed",
        record="",
        spread_record="",
        note="test",
    )


def differing(one: TrialResult, other: TrialResult) -> list[str]:
    """What is not the same to the last bit in two results."""
    arrays = [
        name
        for name in ("dataset", "exposure", "values", "population")
        if not getattr(one, name).load().identical(getattr(other, name).load())
    ]
    facts = [name for name in ("screening", "plausibility", "lock") if getattr(one, name) != getattr(other, name)]
    return arrays + facts + ([] if one.endpoints.equals(other.endpoints) else ["endpoints"])


STUDY = """title = "A small study"
condition = "poi"
species = "human"
horizon = "2 years"
seed = 7
potency = "animal"
comparator = "untreated"

[population]
n_patients = 40
n_draws = 8
age = { mean = 33, sd = 4, min = 18, max = 40 }

[products.umbilical]
file = "umbilical/product.toml"

[arms.untreated]

[arms.msc]
product = "umbilical"
give = "cells"
route = "intravenous"
dose = "1e6 cells/kg"

[arms.exosomes]
product = "umbilical"
give = "vesicles"
route = "intravenous"
dose = "1e11 particles"
schedule = "every 2 weeks for 8 weeks"
"""

# Follicles are lost at a rate that a product, a habit and a drug slow, and luck moves; vesicles leave the blood; copies
# follow them.
ANTIMONY = """
model tiny
  loss_process := exp(reading_animal * translation * animal_effect_loss_process * response \\
                      + reading_copies * gain_mir_1_loss_process * copies_mir_1 / (copies_mir_1 + 1000));
  response := vesicles / (vesicles + 1e9);
  copies_mir_1 := vesicles * copies_per_vesicle_mir_1 / 1e6;
  fsh := fsh_scale / (follicles + 1);
  share_left := follicles / 100;
  follicles = 1000; follicles' = -loss * loss_process * (1 - habit / 2) * exp(luck - drug) * follicles;
  luck = 0; luck' = -luck / 10;
  habit = 0; habit' = 0; drug = 0; drug' = -drug;
  vesicles = 0; vesicles' = -clearance * vesicles;
  living = 0; living' = -clearance * living;
  luck_strength = 0; luck_interval = 7;
  loss = 0.001; clearance = 0.1; fsh_scale = 10000; reading_animal = 0; reading_copies = 0; translation = 1;
  animal_effect_loss_process = -1; copies_per_vesicle_mir_1 = 0; gain_mir_1_loss_process = 0; body_weight = 60;
  age_start = 30;
end
"""
