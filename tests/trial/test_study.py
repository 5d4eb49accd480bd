from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tiny_trial import STUDY

from exotwin.errors import StudyError
from exotwin.trial import READINGS, Study
from exotwin.trial.faults import line_of


def test_a_study_says_what_its_file_says(study_of, tmp_path):
    study = study_of()
    assert study.horizon_days == 730.5
    assert study.population.n_patients == 40
    assert list(study.arms) == ["untreated", "msc", "exosomes"]
    assert not study.arms["untreated"].treated
    assert study.arms["msc"].amount == (1e6, "cells/kg")
    assert study.arms["exosomes"].days == (0, 14, 28, 42)
    assert study.products["umbilical"].file == (tmp_path / "umbilical" / "product.toml").resolve()
    assert study.where("arms", "msc", "dose") == f"{tmp_path / 'study.toml'}, line 23, arms.msc.dose"


def test_a_study_does_not_change_under_the_hand(study_of):
    study = study_of()
    with pytest.raises(ValidationError, match="frozen"):
        study.seed = 3


@pytest.mark.parametrize("reading", READINGS)
def test_each_reading_can_be_the_main_one(study_of, reading):
    assert study_of(('"animal"', f'"{reading}"')).potency == reading


@pytest.mark.parametrize(("n_patients", "n_draws"), [(1000, 50), (200, 50), (40, 10), (4, 2)])
def test_draws_of_knowledge_follow_the_size_of_the_study(study_of, n_patients, n_draws):
    study = study_of(("n_patients = 40\nn_draws = 8", f"n_patients = {n_patients}"))
    assert study.population.n_draws == n_draws


@pytest.mark.parametrize(
    ("dose", "amount"),
    [
        ("1e11 particles", (1e11, "particles")),
        ("2e9 particles/kg", (2e9, "particles/kg")),
        ("2 mL", (2, "mL")),
        ("500 uL", (0.5, "mL")),
        ("2000 particles/g", (2e6, "particles/kg")),
        ("1e9 vesicles", (1e9, "particles")),
    ],
)
def test_doses_of_vesicles_are_read_in_their_unit(study_of, dose, amount):
    value, kind = study_of(("1e11 particles", dose)).arms["exosomes"].amount
    assert (value, kind) == (pytest.approx(amount[0]), amount[1])


FAULTS = [
    ("1e11 particles", "1e11 particels", "line 29, arms.exosomes.dose", 'nearest   "particles"'),
    ("1e11 particles", "1e11 copies", "arms.exosomes.dose", 'such as "1e11 particles"'),
    ("1e11 particles", "-1 mL", "arms.exosomes.dose", "zero or more"),
    ("1e11 particles", "1e999 particles", "arms.exosomes.dose", "finite"),
    ("1e11 particles", "1e21 particles", "arms.exosomes.dose", "at most 1e+20 particles"),
    ("1e11 particles", "much", "arms.exosomes.dose", 'found     "much"'),
    ("1e6 cells/kg", "1e6 particles/kg", "arms.msc.dose", 'such as "1e6 cells/kg"'),
    ('dose = "1e6 cells/kg"', "dose = 1e6", "arms.msc.dose", "found     1000000.0"),
    ('give = "cells"', 'give = "cels"', "arms.msc.give", 'nearest   "cells"'),
    ('route = "intravenous"\ndose = "1e6', 'dose = "1e6', "arms.msc", "also route"),
    (
        'product = "umbilical"\ngive = "cells"',
        'product = "umbilicus"\ngive = "cells"',
        "arms.msc.product",
        '"umbilical"',
    ),
    ('"umbilical/product.toml"', '"umbilical/prodct.toml"', "products.umbilical.file", 'nearest   "product.toml"'),
    ("schedule =", "shedule =", "arms.exosomes.shedule", 'nearest   "schedule"'),
    ("every 2 weeks for 8", "every 2 weaks for 8", "arms.exosomes.schedule", 'nearest   "week"'),
    ("for 8 weeks", f"for {9 * 10**400} weeks", "arms.exosomes.schedule", "1 to 1000 doses"),
    ("every 2 weeks for 8 weeks", f"weekly, {9 * 10**400} doses", "arms.exosomes.schedule", "1 to 1000 doses"),
    ("every 2 weeks for 8 weeks", f"every {9 * 10**400} weeks, 2 doses", "arms.exosomes.schedule", "not without end"),
    ("for 8 weeks", "for 3 years", "arms.exosomes.schedule", "before the horizon, day 730.5"),
    ("n_patients = 40", "n_patient = 40", "population.n_patient", 'nearest   "n_patients"'),
    ("n_patients = 40", "n_patients = 3", "population.n_patients", "a number >= 4"),
    ("n_patients = 40", "n_patients = 40.5", "population.n_patients", "found     40.5"),
    ("n_draws = 8", "n_draws = 30", "population.n_draws", "n_draws = 10"),
    ("mean = 33", "mean = 43", "population.age", "mean between"),
    ("sd = 4, ", "", "population.age.sd", "standard deviation in years"),
    ("sd = 4", "sd = nan", "population.age.sd", "found     nan"),
    ("seed = 7", "seed = -7", "seed", "a number >= 0"),
    ("seed = 7\n", "", "study.toml, seed", 'no key "seed"'),
    ("seed = 7", 'seed = "seven"', "line 5, seed", 'found     "seven"'),
    ("seed = 7", "seed = true", "line 5, seed", "found     true"),
    ('"2 years"', '"1e300 years"', "line 4, horizon", "at most 100 years"),
    ('"2 years"', '"2 yeers"', "line 4, horizon", "2 years"),
    ('comparator = "untreated"', 'comparator = "untreted"', "line 7, comparator", 'nearest   "untreated"'),
    ('"animal"', '["animal", "copies"]', "line 6, potency", "a study names one reading"),
    ('"animal"', '"animals"', "line 6, potency", 'nearest   "animal"'),
    ("seed = 7", 'seed = 7\ncombination = "blis"', "combination", 'nearest   "bliss"'),
    ("[population]", "[popula]", "popula", 'nearest   "population"'),
    ("[arms.msc]", '[arms." "]', "arms. ", "a name that can be read"),
    ("[arms.msc]", '[arms."m\\nsc"]', "arms.m", "a name that can be read"),
    ('"A small study"', '""', "line 1, title", "a name that can be read"),
    ('"umbilical/product.toml"', '"umbilical"', "products.umbilical.file", "a folder"),
    ('"umbilical/product.toml"', '"umb\\u0000ilical"', "products.umbilical.file", "path of a product file"),
    ('"umbilical/product.toml"', f'"{"x" * 5000}"', "products.umbilical.file", "no such file"),
    ("seed = 7", f"seed = {'9' * 5000}", "study.toml", "4300 digits"),
    ("seed = 7", f"seed = {'[' * 5000}{']' * 5000}", "study.toml", "nested too deeply"),
    ('title = "A small study"', 'title = "A small study', "study.toml", "a TOML file"),
]


@pytest.mark.parametrize(("old", "new", "place", "remedy"), FAULTS)
def test_a_fault_names_its_place_and_a_remedy(study_of, old, new, place, remedy):
    with pytest.raises(StudyError) as caught:
        study_of((old, new))
    message = str(caught.value)
    assert place in message.splitlines()[0]
    assert remedy in message


@pytest.mark.parametrize(
    ("table", "place", "remedy"),
    [
        ('observable = "fsh"\nat = "6 monts"\nbetter = "lower"', "endpoints.own.at", "monts"),
        ('observable = "fsh"\nat = []\nbetter = "lower"', "endpoints.own.at", "no time"),
        ('observable = "fsh"\nat = ["12 months", "1 year"]\nbetter = "lower"', "endpoints.own.at", "same time"),
        ('observable = "fsh"\nat = "3 years"\nbetter = "lower"', "endpoints.own", "up to the horizon"),
        ('observable = "fsh"\nat = "1 year"\nbetter = "up"', "endpoints.own.better", "higher"),
        ('observable = "fsh"\nat = "1 year"', "endpoints.own.better", "which way is better"),
        ('observable = "fsh"\nat = "1 year"\nbetter = "lower"\nkind = "share"', "endpoints.own", "threshold"),
        ('observable = "fsh"\nat = "1 year"\nbetter = "lower"\nthreshold = 25', "endpoints.own", "threshold"),
    ],
)
def test_a_fault_in_an_endpoint_names_its_place_and_a_remedy(study_of, table, place, remedy):
    with pytest.raises(StudyError) as caught:
        study_of(more=f"\n[endpoints.own]\n{table}\n")
    assert place in str(caught.value).splitlines()[0]
    assert remedy in str(caught.value)


def test_a_parameter_is_a_number_or_a_number_with_its_unit(study_of):
    study = study_of(more='\n[parameters]\ntranslation = 1\nblood_volume = "5 L"\n')
    assert study.parameters == {"translation": 1.0, "blood_volume": "5 L"}
    with pytest.raises(StudyError, match=r"parameters\.translation"):
        study_of(more="\n[parameters]\ntranslation = true\n")


def test_arms_may_have_any_name_that_can_be_read(study_of):
    study = study_of(("[arms.msc]", '[arms."a/../b 🧬 <i>"]'))
    assert list(study.arms) == ["untreated", "a/../b 🧬 <i>", "exosomes"]


def test_an_untreated_arm_has_no_schedule(study_of):
    with pytest.raises(StudyError, match=r"arms\.untreated"):
        study_of(("[arms.untreated]", '[arms.untreated]\nschedule = "once"'))


def test_a_missing_study_file_names_its_neighbour(study_of, tmp_path):
    study_of()
    with pytest.raises(StudyError, match=r'nearest   "study\.toml"'):
        Study.from_toml(tmp_path / "studi.toml")


@given(st.sampled_from(STUDY.splitlines()), st.sampled_from(["", "x", "9", '"', "[a]", "= 1"]))
def test_a_broken_line_gives_a_study_or_a_study_error(tmp_path_factory, line, junk):
    folder = tmp_path_factory.mktemp("broken")
    (folder / "umbilical").mkdir()
    (folder / "umbilical" / "product.toml").touch()
    path = folder / "study.toml"
    path.write_text(STUDY.replace(line, junk, 1))
    try:
        place = str(Study.from_toml(path).path)
    except StudyError as error:
        place = error.where
    assert str(path) in place


def test_the_line_of_a_key_is_found_in_tables_and_dotted_keys():
    text = 'a = 1\n[b."c d"]\ne.f = 2\n\n[[g]]\nh = 3\n'
    assert line_of(text, ["a"]) == 1
    assert line_of(text, ["b", "c d", "e", "f"]) == 3
    assert line_of(text, ["b", "c d", "missing"]) == 2
    assert line_of(text, ["missing"]) is None


def test_a_study_shows_itself_as_a_table_of_arms_in_a_notebook(study_of):
    shown = study_of(("A small study", "A <small> study"))._repr_html_()
    assert "A &lt;small&gt; study" in shown
    assert shown.count("<tr>") == 1 + STUDY.count("[arms.")
