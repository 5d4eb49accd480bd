"""Documents that are refused, by the words they are refused with. Nothing may crash."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from engine_tools import sbml

from exotwin.engine import load
from exotwin.errors import ExotwinError, ModelError, NotBuiltYet

GOOD = sbml("model g\n compartment v = 1; species a in v = 1, b in v = 0; J1: a -> b; k*a; k = 2; c := 2*a\nend")


def assert_refused(text: str, message: str, kind: type[ExotwinError] = ModelError) -> None:
    with pytest.raises(kind, match="(?s)" + message) as caught:
        load(text)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("y := delay(a, 1)", 'assignment rule for "y".*delay'),
        ("E1: at delay(a, 1) > 3: q = 1", 'event "E1", trigger.*delay'),
        ("E1: at a > 3: q = delay(a, 1)", 'event "E1", assignment of "q".*delay'),
    ],
)
def test_delays_are_named(addition: str, message: str) -> None:
    assert_refused(sbml(f"model g\n a = 1; q = 2; k = 2; a' = -k*a;\n {addition}\nend"), message, NotBuiltYet)


def test_fast_reactions_are_named() -> None:
    level_3_1 = GOOD.replace("level3/version2", "level3/version1").replace('version="2"', 'version="1"')
    fast = level_3_1.replace('<reaction id="J1" reversible="true"', '<reaction id="J1" reversible="true" fast="true"')
    assert_refused(fast, 'reaction "J1".*fast', NotBuiltYet)


@pytest.mark.parametrize("package", ["distrib", "multi", "spatial", "qual"])
def test_required_packages_are_named(package: str) -> None:
    space = f"http://www.sbml.org/sbml/level3/version1/{package}/version1"
    text = GOOD.replace("<sbml ", f'<sbml xmlns:{package}="{space}" {package}:required="true" ', 1)
    assert_refused(text, f'required package "{package}"', NotBuiltYet)


def with_flux_balance(inside: str, species: str = "", reaction: str = "") -> str:
    space = "http://www.sbml.org/sbml/level3/version1/fbc/version2"
    text = GOOD.replace("<sbml ", f'<sbml xmlns:fbc="{space}" fbc:required="false" ', 1)
    text = text.replace("<model ", '<model fbc:strict="false" ', 1).replace("</model>", f"{inside}</model>")
    return text.replace("<species ", f"<species {species} ", 1).replace("<reaction ", f"<reaction {reaction} ", 1)


def test_flux_balance_is_named_and_its_charges_are_not() -> None:
    objective = (
        '<fbc:listOfObjectives fbc:activeObjective="best"><fbc:objective fbc:id="best" fbc:type="maximize">'
        '<fbc:listOfFluxObjectives><fbc:fluxObjective fbc:reaction="J1" fbc:coefficient="1"/>'
        "</fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives>"
    )
    assert_refused(with_flux_balance(objective), 'objective "best".*flux balance', NotBuiltYet)
    bounds = 'fbc:lowerFluxBound="k" fbc:upperFluxBound="k"'
    assert_refused(with_flux_balance("", reaction=bounds), 'reaction "J1".*bounds of flux balance', NotBuiltYet)
    charged = load(with_flux_balance("", species='fbc:charge="2" fbc:chemicalFormula="Ca"'))
    assert charged.simulate([0, 1]).equals(load(GOOD).simulate([0, 1]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('<species id="b"', '<species id="a"', 'species "a".*id of species "a" again'),
        ('boundaryCondition="false" constant="false"', 'boundaryCondition="false" constant="true"', '"a".*constant'),
        ('<parameter id="c" constant="false"', '<parameter id="c" constant="true"', 'rule for "c".*constant=false'),
        ('variable="c"', 'variable="a"', 'reaction "J1".*"a", which is set by a rule'),
        ('variable="c"', 'variable="J1"', 'rule for "J1".*reaction "J1"'),
    ],
)
def test_what_is_set_twice_or_must_not_be_set_is_named(old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert_refused(GOOD.replace(old, new, 1), message)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("x = 1; E1: at time > 1: not_y = 2; not_y = 1; y := x", '"E1", assignment of "y".*at all times'),
        ("x = 1; E1: at time > 1: not_y = 2; not_y = 1; const y = 1", '"E1", assignment of "y".*constant'),
        ("x = 1; E1: at time > 1: x = 2, not_x = 3; not_x = 1", '"E1", assignment of "x".*a second one'),
        ("x = 1; E1: at time > 1: not_z = 3; not_z = 1", '"E1", assignment of "z".*the name "z"'),
    ],
)
def test_what_an_event_must_not_assign_is_named(lines: str, message: str) -> None:
    assert_refused(sbml(f"model g\n {lines}\nend").replace('variable="not_', 'variable="'), message)


def test_functions_that_unfold_without_bound_are_refused() -> None:
    functions = "".join(f"function f{i}(x)\n f{i - 1}(x) + f{i - 1}(2*x)\nend\n" for i in range(1, 30))
    text = sbml(f"function f0(x)\n x\nend\n{functions}model r\n a = 1; a' = f29(a)\nend")
    assert_refused(text, 'rate rule for "a".*function calls')


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<ci> k </ci>", "<ci> kk </ci>", 'reaction "J1".*"kk".*nearest   "k"'),
        ("<ci> k </ci>", "<ci> J1 </ci>", "depend on each other.*J1"),
        ('variable="c"', 'variable="d"', 'assignment rule for "d".*"d"'),
        ('species="a"', 'species="aa"', 'reaction "J1".*"aa"'),
        ('compartment="v"', 'compartment="w"', '"w"'),
    ],
)
def test_missing_references_are_named(old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert_refused(GOOD.replace(old, new), message)


def test_rules_that_go_round_in_a_circle_are_named() -> None:
    text = sbml("model r\n a := 1 + bb; bb := 2*q\nend").replace("<ci> q </ci>", "<ci> a </ci>")
    assert_refused(text, "depend on each other.*a → bb → a|bb → a → bb")


def test_initial_assignments_in_a_circle_are_named() -> None:
    text = sbml("model r\n a = 1 + b; b = 2*q; q = 1\nend").replace("<ci> q </ci>", "<ci> a </ci>")
    assert_refused(text, "initial assignments that depend on each other")


def test_rate_of_a_formula_is_refused() -> None:
    csymbol = (
        '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf"> rateOf </csymbol>'
        "<cn> 2 </cn></apply>"
    )
    assert_refused(GOOD.replace("<ci> k </ci>", csymbol), "rateOf of a formula")


def test_functions_that_call_themselves_are_named() -> None:
    text = sbml("function f(x)\n x + 1\nend\nmodel r\n a := f(2)\nend")
    inner = "<apply> <ci> f </ci> <ci> x </ci> </apply>"
    assert_refused(text.replace('<cn type="integer"> 1 </cn>', inner, 1), "the function .f. calls itself")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<sbml", "not well formed"),
        ("<html/>", "root <html>"),
        (GOOD.replace('version="2"', 'version="7"', 1), 'level "3", version "7"'),
        (GOOD.replace('xmlns="http://www.sbml.org', 'xmlns="http://elsewhere', 1), "namespace"),
        ("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><sbml>&a;</sbml>", "document type declaration"),
        (GOOD.replace("<model", "<notes>" * 400 + "</notes>" * 400 + "<model", 1), "inside 250 other elements"),
        (GOOD.replace("<apply>", "<apply>" * 300, 1), "inside 250|not well formed"),
        (GOOD[: len(GOOD) // 2], "not well formed"),
        ('<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"/>', "SBML"),
    ],
)
def test_hostile_and_broken_text_is_refused(text: str, message: str) -> None:
    assert_refused(text, message)


def test_a_bomb_of_entities_is_refused_before_it_unfolds() -> None:
    entities = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 12))
    assert_refused(f"<!DOCTYPE b [<!ENTITY e0 'x'>{entities}]><sbml>&e11;</sbml>", "document type declaration")


def test_files_that_are_no_text_or_absent_are_named(tmp_path: Path) -> None:
    assert_refused(str(tmp_path / "none.xml"), "none.xml.*No such file")
    (tmp_path / "noise.xml").write_bytes(bytes(range(256)))
    assert_refused(str(tmp_path / "noise.xml"), "noise.xml.*no text")
    (tmp_path / "folder.xml").mkdir()
    assert_refused(str(tmp_path / "folder.xml"), "folder.xml")


def test_a_file_in_another_encoding_is_read(tmp_path: Path) -> None:
    text = GOOD.replace("UTF-8", "ISO-8859-1").replace('name="g"', "").replace("<model", '<model name="Größe"', 1)
    (tmp_path / "latin.xml").write_bytes(text.encode("latin-1"))
    assert load(tmp_path / "latin.xml").title == "Größe"


def test_documents_broken_at_random_never_crash() -> None:
    rng = random.Random(7)
    outcomes = set()
    for _ in range(150):
        text = list(GOOD)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(text))
            kind = rng.random()
            if kind < 0.4:
                del text[place : place + rng.randint(1, 30)]
            elif kind < 0.7:
                text[place] = rng.choice('<>"&/=x 0')
            else:
                other = rng.randrange(len(text))
                text[place:place] = text[other : other + rng.randint(1, 60)]
        try:
            load("<" + "".join(text).lstrip("<"))
            outcomes.add("loaded")
        except ExotwinError:
            outcomes.add("refused")
    assert outcomes == {"loaded", "refused"}
