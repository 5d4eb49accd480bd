"""What the standard says of each feature, against closed forms. The SBML Test Suite, where it is there, says more."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from engine_tools import sbml

from exotwin.engine import CompiledModel, load
from exotwin.errors import ModelError, NotBuiltYet

Compile = Callable[..., CompiledModel]
TIMES = np.linspace(0, 4, 9)


def courses(antimony: str, *names: str, times: np.ndarray = TIMES, **parameters: float) -> np.ndarray:
    """(name, time). What Antimony would not write, "not_q" where it should be q, is put in afterwards."""
    text = sbml(f"model model_\n{antimony}\nend").replace("<ci> not_", "<ci> ")
    result = load(text, width=1).simulate(times, outputs=names, parameters=parameters, rtol=1e-9)
    assert result.outcome.values[0] == "ok"
    return np.stack([result[name][0].values for name in names])


# events


def test_an_amount_stays_when_an_event_changes_its_compartment() -> None:
    size, concentration, amount = courses(
        "compartment v = 2; species s in v; s = 3; at time > 1.2: v = 4", "v", "s", "amount(s)"
    )
    np.testing.assert_array_equal(size, np.where(TIMES > 1.2, 4, 2))
    np.testing.assert_array_equal(concentration, np.where(TIMES > 1.2, 1.5, 3))
    np.testing.assert_array_equal(amount, 6)


def test_a_concentration_that_a_rate_rule_moves_keeps_its_amount_too() -> None:
    text = "compartment v = 2; species $s in v; s = 3; s' = 1; at time > 1.2: v = 4"
    (found,) = courses(text, "s")
    np.testing.assert_allclose(found, np.where(TIMES > 1.2, (3 + 1.2) / 2 + TIMES - 1.2, 3 + TIMES), rtol=1e-7)


def test_an_event_that_sets_concentration_and_size_takes_the_size_before() -> None:
    text = "compartment v = 0.5; species s in v; s = 2; at time > 1.2: s = 0.2*k, v = 0.2; k = 1"
    concentration, amount = courses(text, "s", "amount(s)")
    np.testing.assert_allclose(concentration[TIMES > 1.2], 0.5)
    np.testing.assert_allclose(amount[TIMES > 1.2], 0.1)


@pytest.mark.parametrize(("early", "value"), [("true", 1.2), ("false", 2.7)])
def test_values_are_those_of_the_trigger_or_of_the_execution(early: str, value: float) -> None:
    text = f"x = 0; x' = 1; y = -1; at 1.5 after time > 1.2, fromTrigger={early}: y = x"
    np.testing.assert_allclose(courses(text, "y")[0], np.where(TIMES > 2.7, value, -1), rtol=1e-7)


def test_a_constant_concentration_after_a_delay_takes_the_size_of_the_execution() -> None:
    text = "compartment v = 2; v' = 1; species s in v; s = 3; at 1.5 after time > 1.2, fromTrigger=true: s = k; k = 7"
    concentration, amount = courses(text, "s", "amount(s)")
    np.testing.assert_allclose(amount, np.where(TIMES > 2.7, 7 * 4.7, 6), rtol=1e-7)
    np.testing.assert_allclose(concentration, amount / (2 + TIMES), rtol=1e-7)


def test_a_concentration_may_be_of_another_time_than_its_compartment() -> None:
    text = "compartment v = 2; v' = 1; species s in v; s = 3; E1: at 1 after time > 1.2, fromTrigger=true: s = time"
    concentration, amount = courses(text, "s", "amount(s)")
    np.testing.assert_allclose(amount, np.where(TIMES > 2.2, 1.2 * 4.2, 6), rtol=1e-7)
    np.testing.assert_allclose(concentration, amount / (2 + TIMES), rtol=1e-7)


def test_a_trigger_may_be_a_number_and_a_number_may_be_a_truth() -> None:
    text = "x = 0; at piecewise(0, time < 1.2, 5): x = x + (1 < 2); y := (time > 1.2) + 1; z := piecewise(1, x, 2)"
    x, y, z = courses(text, "x", "y", "z")
    np.testing.assert_array_equal(x, TIMES > 1.2)
    np.testing.assert_array_equal(y, 1 + (TIMES > 1.2))
    np.testing.assert_array_equal(z, np.where(TIMES > 1.2, 1, 2))


def test_events_without_a_trigger_or_an_assignment_are_told() -> None:
    text = sbml("model m\n x = 1; E1: at time > 1: x = 2; E2: at time > 1: x = 3;\nend")
    first, second = text.index("<trigger"), text.rindex("<eventAssignment")
    text = text[:second] + text[text.index("</eventAssignment>", second) + len("</eventAssignment>") :]
    text = text[:first] + text[text.index("</trigger>") + len("</trigger>") :]
    model = load(text, width=1)
    assert 'the event "E1" has no trigger and never happens' in model.remarks
    assert 'the event "E2" assigns nothing' in model.remarks
    np.testing.assert_array_equal(model.simulate([0, 2], outputs=["x"])["x"][0], 1)


LEVEL_2 = """<sbml xmlns="http://www.sbml.org/sbml/level2{space}" level="2" version="{v}"><model id="m">
<listOfParameters><parameter id="x" value="0" constant="false"/><parameter id="y" value="0" constant="false"/>
<parameter id="z" value="0" constant="false"/></listOfParameters>
<listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>1</cn></math></rateRule>
</listOfRules><listOfEvents>
<event id="late"><trigger><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><gt/><ci>x</ci><cn>1.2</cn></apply></math>
</trigger><delay><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>1</cn></math></delay><listOfEventAssignments>
<eventAssignment variable="y"><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>x</ci></math></eventAssignment>
</listOfEventAssignments></event>
<event id="first"><trigger><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><lt/><ci>x</ci><cn>1</cn></apply></math>
</trigger><listOfEventAssignments>
<eventAssignment variable="z"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>9</cn></math></eventAssignment>
</listOfEventAssignments></event></listOfEvents></model></sbml>"""


@pytest.mark.parametrize("version", [1, 3, 4])
def test_events_of_level_2_take_the_triggers_values_and_never_happen_at_the_start(version: int) -> None:
    result = load(LEVEL_2.format(v=version, space=f"/version{version}" if version > 1 else ""), width=1).simulate(TIMES)
    np.testing.assert_allclose(result["y"][0], np.where(TIMES > 2.2, 1.2, 0), rtol=1e-6)
    np.testing.assert_array_equal(result["z"][0], 0)


# what is both a parameter and a state


def test_what_a_rate_rule_or_an_event_moves_starts_at_its_parameter() -> None:
    text = "x = 1; x' = -x; k = 2; at time > 1.2: k = 5; y = 3*x; y' = 1"
    x, k, y = courses(text, "x", "k", "y", x=4, k=7)
    np.testing.assert_allclose(x, 4 * np.exp(-TIMES), rtol=1e-6)
    np.testing.assert_array_equal(k, np.where(TIMES > 1.2, 5, 7))
    np.testing.assert_allclose(y, 12 + TIMES, rtol=1e-9)


def test_a_value_that_only_an_event_gives_is_not_asked_for() -> None:
    (found,) = courses("var x; at time > 1.2: x = 5; y = 1; y' = 1", "x")
    np.testing.assert_array_equal(found, np.where(TIMES > 1.2, 5, np.nan))


# algebraic rules


def test_an_algebraic_rule_determines_what_nothing_else_does() -> None:
    a, q = courses("a = 1; a' = -0.5*a; q = 9; 0 = a + q - 3", "a", "q")
    np.testing.assert_allclose(a, np.exp(-0.5 * TIMES), rtol=1e-7)
    np.testing.assert_allclose(q, 3 - a, rtol=1e-12)


def test_initial_assignments_use_the_solution_of_linear_rules() -> None:
    (b,) = courses("a = 1; a' = -a; q = 9; b = 2*q; b' = 1; 0 = a + q - 3", "b")
    np.testing.assert_allclose(b, 4 + TIMES, rtol=1e-12)


def test_algebraic_rules_that_hang_together_are_solved_together() -> None:
    rules = "0 = x + 2*y - a; 0 = y - 3*z + 1; 0 = x*a + z - 4"
    a, x, y, z, s = courses(f"a = 1; a' = 1; x = 1; y = 1; z = 1; {rules}; s = x; s' = 1", "a", "x", "y", "z", "s")
    expected = np.array([np.linalg.solve([[1, 2, 0], [0, 1, -3], [value, 0, 1]], [value, -1, 4]) for value in a]).T
    # between steps, outputs are interpolated
    np.testing.assert_allclose([x, y, z], expected, rtol=1e-7)
    np.testing.assert_allclose(s, expected[0, 0] + TIMES, rtol=1e-12)


def test_an_algebraic_rule_that_is_not_linear_starts_from_the_models_value() -> None:
    for guess, sign in ((1, 1), (-2, -1)):
        a, q = courses(f"a = 1; a' = 1; q = {guess}; 0 = q^2 - a", "a", "q")
        np.testing.assert_allclose(q, sign * np.sqrt(a), rtol=1e-6)


def test_a_species_may_be_what_a_rule_determines() -> None:
    text = "compartment v = 2; v' = 1; species a in v, b in v; a = 1; b = 0; R: a -> ; 0.3*a*v; 0 = a + 2*b - 5"
    a, b, amount = courses(text, "a", "b", "amount(b)")
    np.testing.assert_allclose(b, (5 - a) / 2, rtol=1e-9)
    np.testing.assert_allclose(amount, b * (2 + TIMES), rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1; a' = 1; 0 = not_a - 3; not_a = 1", "algebraic rule.*of the model.*no variable left.*among a"),
        ("a = 1; a' = 1; q = 1; 0 = a - q; 0 = not_q - 3; not_q = 1", "no variable left"),
        ("q = 1; r = 2; 0 = q + r - 3", 'may determine "q" as well as "r"'),
        ("a = 1; a' = 1; q = 1; 0 = a + q - q", '"q".*drops out'),
    ],
)
def test_rules_for_too_few_or_too_many_variables_are_refused(text: str, message: str) -> None:
    with pytest.raises(ModelError, match="(?s)" + message):
        courses(f"{text}; p = 1; p' = 1", "p")


def test_starts_that_need_a_solution_by_iteration_are_refused() -> None:
    with pytest.raises(NotBuiltYet, match=r'(?s)initial value of "b".*"q".*not linear'):
        courses("a = 1; a' = 1; q = 1; 0 = q^3 + q - a; b = 2*q; b' = 1", "b")


# rates of change


def test_rates_of_change_of_formulas_follow_the_chain_rule() -> None:
    text = "not_y = 0; not_z = 0; x = 2; x' = -x; y := x^2 + sin(time); z := rateOf(not_y); zz := rateOf(not_z)"
    text += "; w := rateOf(k); k = 1"
    z, zz, w = courses(text, "z", "zz", "w")
    np.testing.assert_allclose(z, -8 * np.exp(-2 * TIMES) + np.cos(TIMES), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(zz, 16 * np.exp(-2 * TIMES) - np.sin(TIMES), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(w, 0)


def test_rates_of_change_of_concentrations_see_their_compartment() -> None:
    text = "compartment v = 2; v' = 1; species s in v; s = 3; R: -> s; 4; r := rateOf(s); not_R = 0; u := rateOf(not_R)"
    r, u = courses(text, "r", "u")
    np.testing.assert_allclose(r, (4 * (2 + TIMES) - (6 + 4 * TIMES)) / (2 + TIMES) ** 2, rtol=1e-7)
    np.testing.assert_array_equal(u, 0)


def test_rates_of_change_of_algebraic_variables_follow_their_rules() -> None:
    text = "a = 1; a' = 1; q = 1; 0 = q^2 - a; r := rateOf(not_q); p = 1; 0 = p + q - time; s := rateOf(not_p)"
    text += "; not_q = 0; not_p = 0"
    r, s = courses(text, "r", "s")
    np.testing.assert_allclose(r, 0.5 / np.sqrt(1 + TIMES), rtol=1e-6)
    np.testing.assert_allclose(s, 1 - r, rtol=1e-9)


# formulas, stoichiometries, reactions


def test_factorials_of_what_moves_are_gamma_functions() -> None:
    x = np.linspace(-1.5, 20, 44)
    found, whole = courses("x = -1.5; x' = 1; y := factorial(x); z := factorial(x + 1.5)", "y", "z", times=x + 1.5)
    expected = [math.gamma(value + 1) if value > -1 else math.nan for value in x]
    np.testing.assert_allclose(found[2:], expected[2:], rtol=1e-12)
    assert np.isnan(found[0])
    np.testing.assert_allclose(whole[:41:2], [math.factorial(n) for n in range(21)], rtol=1e-12)


def test_remainders_and_quotients_keep_the_sign_of_the_dividend() -> None:
    text = "x = -4.5; x' = 2; q := quotient(x, 2); r := rem(x, 2); i := piecewise(1, implies(x > 0, x > 2), 0)"
    x, q, r, i = courses(text, "x", "q", "r", "i", times=np.linspace(0, 4, 8))
    np.testing.assert_array_equal(q, np.trunc(x / 2))
    np.testing.assert_allclose(r, np.fmod(x, 2), atol=1e-9)
    np.testing.assert_array_equal(i, (x <= 0) | (x > 2))


def test_stoichiometries_may_be_moved() -> None:
    text = "species s, p; s = 0; p = 0; n = 2; n' = 1; m = 1; at time > 1.2: m = 3; R: -> n s + m p; 1"
    s, p, rate = courses(text, "s", "p", "R")
    np.testing.assert_allclose(s, 2 * TIMES + TIMES**2 / 2, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(p, TIMES + 2 * np.clip(TIMES - 1.2, 0, None), rtol=1e-7, atol=1e-12)
    np.testing.assert_array_equal(rate, 1)


def test_a_reaction_without_a_law_turns_over_nothing_and_is_told() -> None:
    model = load(sbml("model m\n species s, p; s = 1; p = 0; R: s -> p; ;\nend"), width=1)
    assert 'the reaction "R" has no rate law and turns over nothing' in model.remarks
    np.testing.assert_array_equal(model.simulate([0, 5])["s"][0], 1)
    with pytest.raises(ModelError, match='the rate of "R", which has no rate law'):
        load(sbml("model m\n species s, p; s = 1; p = 0; R: s -> p; ; x := R\nend"))


def test_rates_of_reactions_are_no_outputs_unless_asked_for() -> None:
    model = load(sbml("model m\n species s; s = 1; R: s -> ; 0.5*s\nend"), width=1)
    assert "R" not in model.simulate([0, 1])
    np.testing.assert_allclose(model.simulate([0, 1], outputs=["R"])["R"][0], 0.5 * np.exp([0, -0.5]), rtol=1e-5)


def test_a_species_without_a_value_is_asked_for_only_where_it_matters() -> None:
    text = "model m\n species $b, s; s = 1; R: $b -> s; {}; x = 1; x' = 1\nend"
    assert np.isnan(load(sbml(text.format("1")), width=1).simulate([0, 1])["b"]).all()
    with pytest.raises(ModelError, match='"b"'):
        load(sbml(text.format("b")), width=1).simulate([0, 1])


# models made of models

PART = "model part\n x = 1; x' = -k*x; k = 0.5; y := rateOf(x)\nend\n"
WHOLE = PART + "model whole\n A: part(); B: part(); A.k is k; k = 0.25\nend"


def comp(text: str) -> str:
    import antimony

    sbml(text)
    return str(antimony.getCompSBMLString("whole"))


def test_submodels_run_side_by_side() -> None:
    result = load(comp(WHOLE), width=1).simulate(TIMES, outputs=["A__x", "B__x", "A__y"], rtol=1e-9)
    np.testing.assert_allclose(result["A__x"][0], np.exp(-0.25 * TIMES), rtol=1e-7)
    np.testing.assert_allclose(result["B__x"][0], np.exp(-0.5 * TIMES), rtol=1e-7)
    np.testing.assert_allclose(result["A__y"][0], -0.25 * result["A__x"][0], rtol=1e-9)


NAMESPACE = "http://www.sbml.org/sbml/level3/version1/comp/version1"
HEAD = (
    '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1" '
    f'xmlns:comp="{NAMESPACE}" comp:required="true">'
)


def user_of(source: str, model: str = "part") -> str:
    """A document with a submodel from another file."""
    return (
        f'{HEAD}<model id="main"><comp:listOfSubmodels><comp:submodel comp:id="A" comp:modelRef="other"/>'
        "</comp:listOfSubmodels></model><comp:listOfExternalModelDefinitions><comp:externalModelDefinition "
        f'comp:id="other" comp:source="{source}" comp:modelRef="{model}"/></comp:listOfExternalModelDefinitions></sbml>'
    )


def test_models_come_from_files_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    part = sbml(PART).replace("level3/version2", "level3/version1").replace('version="2"', 'version="1"', 1)
    before, _, after = part.partition("<assignmentRule")
    part = before + after.partition("</assignmentRule>")[2]  # which uses what that version does not have
    (tmp_path / "parts" / "part.xml").write_text(part)
    (tmp_path / "main.xml").write_text(user_of("parts/part.xml"))
    found = load(tmp_path / "main.xml", width=1).simulate(TIMES, outputs=["A__x"], rtol=1e-9)["A__x"][0]
    np.testing.assert_allclose(found, np.exp(-0.5 * TIMES), rtol=1e-7)
    # a change there is a change here
    (tmp_path / "parts" / "part.xml").write_text(part.replace('value="0.5"', 'value="1"'))
    found = load(tmp_path / "main.xml", width=1).simulate(TIMES, outputs=["A__x"], rtol=1e-9)["A__x"][0]
    np.testing.assert_allclose(found, np.exp(-TIMES), rtol=1e-7)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("part.xm", 'definition "other".*exists.*nearest   "part.xml"'),
        ("../part.xml", "no other folder is read"),
        ("/etc/passwd", "no other folder is read"),
        ("https://example.org/part.xml", "nothing is fetched"),
        ("broken.xml", "broken.xml.*not well formed"),
        ("main.xml", "contain each other"),
    ],
)
def test_models_from_elsewhere_are_refused(tmp_path: Path, source: str, message: str) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    for place in (folder, tmp_path):
        (place / "part.xml").write_text(sbml(PART))
    (folder / "broken.xml").write_text(sbml(PART)[:500])
    (folder / "main.xml").write_text(user_of(source, "main" if source == "main.xml" else "part"))
    with pytest.raises(ModelError, match="(?s)" + message):
        load(folder / "main.xml")


def test_a_text_cannot_name_other_files() -> None:
    with pytest.raises(ModelError, match=r"(?s)external model definition.*the document as a file"):
        load(user_of("part.xml"))


def nested(depth: int, last: str) -> str:
    """Each definition makes two instances of the next."""

    def submodels(target: str) -> str:
        two = "".join(f'<comp:submodel comp:id="{s}" comp:modelRef="{target}"/>' for s in "AB")
        return f"<comp:listOfSubmodels>{two}</comp:listOfSubmodels>"

    definitions = "".join(
        f'<comp:modelDefinition id="m{i}">{submodels(f"m{i + 1}" if i < depth - 1 else last)}</comp:modelDefinition>'
        for i in range(depth)
    )
    end = '<comp:modelDefinition id="end"/>'
    return (
        f'{HEAD}<model id="main">{submodels("m0")}</model><comp:listOfModelDefinitions>{definitions}{end}'
        "</comp:listOfModelDefinitions></sbml>"
    )


def test_submodels_without_end_are_refused() -> None:
    with pytest.raises(ModelError, match=r"contain each other: .*m0.*m2"):
        load(nested(3, "m0"))
    with pytest.raises(ModelError, match="submodels, those within others counted"):
        load(nested(40, "end"))
