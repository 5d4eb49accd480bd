from __future__ import annotations

import dataclasses
import math

import pandas as pd
import pytest
from synthetic import synthetic_result

from exotwin.report import answer, facts
from exotwin.report.wording import Words

EN = Words("en")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results by the size of their effects."""
    return {effect: synthetic_result(tmp_path_factory.mktemp("study"), effect=effect) for effect in (1.0, 0.0, -1.0)}


def changed(result, **columns):
    """The result with columns of the treated arms' endpoints set."""
    table = result.endpoints.copy()
    for name, value in columns.items():
        table.loc[table["comparator"] != "", name] = value
    return dataclasses.replace(result, endpoints=table)


def test_the_answer_says_better_worse_and_by_how_much(made):
    lead, rest = answer.about_arm(made[1.0], "exosomes", EN)
    assert lead.startswith("Exosomes against no treatment: better on ")
    assert "; worse" in lead
    row = next(r for r in facts.dicts(facts.main_rows(made[1.0])) if (r["endpoint"], r["arm"]) == ("e2", "exosomes"))
    assert row["effect"] > 0
    assert f"(E2) {row['effect']:.1f} pg/mL higher (" in rest.replace("\u202f", " ")
    assert "The median patient stays outside the normal range on" in rest


def test_a_harmful_effect_is_told_as_worse(made):
    lead, rest = answer.about_arm(made[-1.0], "exosomes", EN)
    assert lead.startswith(
        "Exosomes against no treatment: better, but by very little, on Primordial follicles; worse on"
    )
    assert "pg/mL lower" in rest.replace("\u202f", " ")
    assert "to harm" in rest


def test_no_effect_is_told_as_none(made):
    lead, rest = answer.about_arm(made[0.0], "exosomes", EN)
    assert lead.startswith("Exosomes against no treatment: no clear difference on Anti-Müllerian hormone (AMH), ")
    assert "better" not in lead
    assert rest.count("no different") == answer.N_SPELLED
    assert "Number needed" not in rest


def test_a_sure_effect_that_is_small_beside_the_patients_is_called_very_little(made):
    row = next(r for r in facts.dicts(facts.main_rows(made[1.0])) if (r["endpoint"], r["arm"]) == ("fsh", "cells"))
    base = facts.comparator_row(made[1.0], row)
    tenth = (base["p95"] - base["p5"]) / 10
    for size, word in ((0.99 * tenth, "better, but by very little, on"), (1.01 * tenth, "better on")):
        result = changed(made[1.0], effect=-size, low=-1.5 * size, high=-0.5 * size)
        table = result.endpoints
        result = dataclasses.replace(result, endpoints=table[table["endpoint"] == "fsh"])
        assert answer.about_arm(result, "cells", EN)[0] == (
            f"Cells against no treatment: {word} Follicle-stimulating hormone (FSH)."
        )


def test_an_interval_that_touches_no_effect_is_unclear():
    row = {"low": 0.0, "high": 2.0, "no_effect": 0.0, "better": "higher"}
    assert facts.direction(row) == "unclear"
    assert facts.direction(row | {"low": 0.1}) == "better"
    assert facts.direction(row | {"low": 0.1, "better": "lower"}) == "worse"
    assert facts.direction(row | {"low": math.nan}) == "unknown"


def test_an_arm_in_which_nobody_could_be_computed_has_no_comparison(made):
    nan = math.nan
    result = changed(made[1.0], effect=nan, low=nan, high=nan, p_better=nan, nnt=nan, median=nan, ratio_to_copies=nan)
    lead, rest = answer.about_arm(result, "exosomes", EN)
    assert lead == "For Exosomes no comparison with no treatment could be computed."
    assert rest == ""
    said = dict(answer.sure(result, EN))
    assert said["Over what is not known"] == "not known"
    assert said["Counting molecules instead"] == "Not possible: the product's cargo was not measured."


def test_an_effect_that_was_larger_earlier_is_told_with_its_time(made):
    table = made[1.0].endpoints.copy()
    early = (table["day"] < 200) & (table["comparator"] != "") & (table["endpoint"] == "amh")
    table.loc[early, ["effect", "low", "high"]] = [1.9, 1.5, 1.95]
    result = dataclasses.replace(made[1.0], endpoints=table)
    said = answer.about_arm(result, "cells", EN)[1].replace("\u202f", " ")
    assert (
        "Earlier it was larger, after 6 months: Anti-Müllerian hormone (AMH) 90 % higher (95 % interval 50 to 95)"
        in said
    )


def test_an_earlier_effect_of_the_size_of_the_solvers_error_is_not_told(made):
    table = made[1.0].endpoints.copy()
    ours = (table["comparator"] != "") & (table["endpoint"] == "amh")
    table.loc[ours, ["effect", "low", "high"]] = [1.0, 0.999999, 1.000001]
    table.loc[ours & (table["day"] < 200), "effect"] = 1.000001
    result = dataclasses.replace(made[1.0], endpoints=table)
    lead, rest = answer.about_arm(result, "exosomes", EN)
    assert "no clear difference on Anti-Müllerian hormone (AMH)" in lead
    assert "Earlier" not in rest
    assert "exosomes Anti-Müllerian hormone (AMH) no effect" in dict(answer.sure(result, EN))["Over what is not known"]


def test_in_the_animals_themselves_nothing_is_carried_over(made):
    parameters = dict(made[1.0].model.parameters)
    own = parameters["translation"]
    parameters["translation"] = dataclasses.replace(
        own, value=1.0, level="fixed", spread=type(own.spread)("fixed", 1.0)
    )
    result = dataclasses.replace(made[1.0], model=dataclasses.replace(made[1.0].model, parameters=parameters))
    assert dict(answer.sure(result, EN))["From animals to people"].startswith("Nothing to carry over")


def test_what_the_run_remarks_of_itself_stands_beside_the_intervals(made):
    assert dict(answer.sure(made[1.0], EN))["Remarks of this run"] == "3 patients could not be integrated."


def test_probability_is_never_certain(made):
    row = facts.dicts(facts.main_rows(made[1.0]))[1]
    shown = [answer.probability(made[1.0], row | {"p_better": p}, EN).replace("\u202f", " ") for p in (1.0, 0.93, 0.0)]
    assert shown == ["> 99 %", "93 %", "< 1 %"]


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((8.2, 4.4, 71.0), "8.2 (4.4 to 71)"),
        ((200.0, 97.1, -3000.0), "200 (97 to ∞ to 3000 to harm)"),
        ((-12.0, -40.0, -6.0), "12 to harm (40 to harm to 6 to harm)"),
        ((math.inf, 116.0, -116.0), "∞ (116 to ∞ to 116 to harm)"),
        ((math.nan, math.nan, math.nan), ""),
    ],
)
def test_number_needed_names_harm_and_infinity(numbers, shown):
    assert answer.needed(dict(zip(("nnt", "nnt_low", "nnt_high"), numbers, strict=True)), EN) == shown


def test_a_product_that_could_not_be_judged_is_told_with_its_counts(made):
    said = dict(answer.sure(made[1.0], EN))["Is the product what it claims to be"]
    assert "ISCT 2006 not met (criteria: 1 met, 1 not met, 1 not measured)" in said
    assert "MISEV2023 cannot be judged (criteria: 0 met, 0 not met, 1 not measured)" in said
    assert said.endswith("Its data are synthetic: no instrument measured them.")


def test_failed_courses_are_counted_with_their_reason(made):
    said = dict(answer.sure(made[1.0], EN))["Courses that could not be computed"].replace("\u202f", " ")
    assert said.startswith("3 of 2160 stopped early (3 too many steps)")
    whole = made[1.0].dataset.assign_coords(outcome=made[1.0].dataset["outcome"].where(False, "ok"))
    said = dict(answer.sure(dataclasses.replace(made[1.0], dataset=whole), EN))["Courses that could not be computed"]
    assert said == "None: every virtual patient was computed to the end."


def test_an_arm_that_a_reading_says_nothing_about_is_no_failure(made):
    outcome = made[1.0].dataset["outcome"].copy()
    outcome.loc[{"reading": "copies"}] = "not measured"
    result = dataclasses.replace(made[1.0], dataset=made[1.0].dataset.assign_coords(outcome=outcome))
    assert "2 of 2160" in dict(answer.sure(result, EN))["Courses that could not be computed"]


def test_an_infinite_ratio_says_that_copies_explain_nothing(made):
    result = changed(made[1.0], ratio_to_copies=math.inf)
    said = dict(answer.sure(result, EN))["Counting molecules instead"]
    assert "Counted copies explain nothing of the main reading's effect of exosomes and cells." in said


def test_the_ratio_between_the_readings_is_told(made):
    said = dict(answer.sure(made[1.0], EN))["Counting molecules instead"]
    assert "The main reading's effect is 120 times that with exosomes and 120 times that with cells" in said


def test_the_share_that_carries_over_is_told_from_the_draws_or_as_the_study_holds_it(made):
    said = dict(answer.sure(made[1.0], EN))["From animals to people"]
    assert said.startswith("Not known. The main reading carries over ")
    assert "assumed" in said
    held = made[1.0].population.copy()
    held = held.assign_coords(level=("quantity", ["fixed by the study"] * held.sizes["quantity"]))
    held.loc[{"quantity": "translation"}] = 0.25
    said = dict(answer.sure(dataclasses.replace(made[1.0], population=held), EN))["From animals to people"]
    assert said.startswith("Not known. This study holds the share that carries over at 0.250.")


def test_endpoints_without_a_normal_range_are_not_judged_by_one(made):
    table = made[1.0].endpoints
    result = dataclasses.replace(made[1.0], endpoints=pd.DataFrame(table[table["endpoint"] == "primordial"]))
    assert "normal range" not in answer.about_arm(result, "exosomes", EN)[1]


def test_an_effect_below_the_solvers_error_is_neither_better_nor_worse(made):
    tiny = changed(made[1.0], effect=1 + 1e-9, low=1 + 5e-10, high=1 + 2e-9)
    rows = [r for r in facts.dicts(facts.main_rows(tiny)) if r["no_effect"] == 1 and r["comparator"]]
    assert rows
    assert {answer.clause(tiny, row) for row in rows} == {"unclear"}
