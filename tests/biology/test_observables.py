from __future__ import annotations

import pytest

from exotwin.biology import Criterion, DoseInput, EndpointRule, Observable, assemble, species_of
from exotwin.biology.observables import mediator_id, read_condition
from exotwin.errors import BiologyError


def _read(root, species="human"):
    return read_condition(root / "conditions" / "toy.toml", species)


def _edit(root, old, new):
    page = root / "conditions" / "toy.toml"
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_page_is_read_as_written(toy_root):
    page = _read(toy_root)
    assert page.mediators == {"miR-21-5p": "mir_21_5p", "miR-22-3p": "mir_22_3p"}
    assert page.observables["marker"] == Observable("marker", "marker", "Marker", "标志物", "ng/mL", (1.0, 3.0))
    assert page.dosing["vesicles", "intravenous"] == DoseInput("vesicles_blood", "particles")
    assert page.inclusion == (Criterion("marker", "marker", ">", 0.5, "ng/mL", "phys-general"),)
    assert page.endpoints == (
        EndpointRule(
            "marker_change",
            "marker",
            (30.0, 90.0),
            "change",
            "higher",
            "Change of the marker",
            "标志物变化",
            "ng/mL",
        ),
    )


def test_the_word_target_means_the_target_in_ids_symbols_and_states(toy_root):
    _edit(toy_root, '"vesicles_blood"', '"vesicles_depot_target"')
    _edit(
        toy_root,
        "[observables.marker]",
        '[observables.dose_target]\nsymbol = "vesicles_target"\nlabel = "x"\nlabel_zh = "x"\nunit = "particle"\n'
        "[observables.marker]",
    )
    page = _read(toy_root)
    assert (page.target, page.tissues) == ("ovary", ("ovary",))
    assert page.dosing["vesicles", "intravenous"].state == "vesicles_depot_ovary"
    assert page.observables["dose_ovary"].symbol == "vesicles_ovary"


def test_the_run_in_may_differ_between_species(toy_root):
    assert [_read(toy_root, s).run_in for s in ("human", "mouse")] == [10.0, 5.0]
    assert species_of("toy", root=toy_root) == ("human", "mouse", "rat")


def test_an_entry_can_hold_for_some_species_alone(toy_root):
    _edit(toy_root, 'record = "phys-general"', 'record = "phys-general"\nspecies = ["mouse"]')
    assert len(_read(toy_root, "mouse").inclusion) == 1
    assert _read(toy_root, "human").inclusion == ()


def test_shares_and_ratios_have_no_unit(toy_root):
    _edit(toy_root, 'kind = "change"', 'kind = "share"\nthreshold = 2.0')
    assert _read(toy_root).endpoints[0].unit == "dimensionless"


@pytest.mark.parametrize(("name", "identifier"), [("miR-21-5p", "mir_21_5p"), ("let-7a-5p", "let_7a_5p")])
def test_mirna_names_become_ids(name, identifier):
    assert mediator_id(name) == identifier


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Toy condition"', 'titel = "Toy condition"', 'nearest   "title"'),
        ('title_zh = "示例"', "", "no key"),
        ('label = "Marker"', 'lable = "Marker"', "lable"),
        ('unit = "ng/mL"\nnormal', "normal", "no key"),
        ('rule = ">"', 'rule = "=>"', "one of <"),
        ('kind = "change"', 'kind = "chang"', 'nearest   "change"'),
        ('kind = "change"', 'kind = "share"', "without threshold"),
        ('better = "higher"', 'better = "more"', "one of higher"),
        ('observable = "marker"', 'observable = "markr"', 'nearest   "marker"'),
        ("{human = 10, mouse = 5, rat = 5}", "{mouse = 5}", "no key"),
        ("title_zh", "title_zh =", "TOML"),
        ('target = "ovary"\n', "", "no key"),
        ('target = "ovary"', 'target = "ovary"\ntissues = ["brain"]', "the target ovary among them"),
    ],
)
def test_a_page_that_is_not_in_form_is_refused_with_its_key(toy_root, old, new, message):
    _edit(toy_root, old, new)
    with pytest.raises(BiologyError, match=r"toy\.toml") as caught:
        _read(toy_root)
    assert message in str(caught.value)


def test_a_species_that_the_page_does_not_offer_is_told_those_it_does(toy_root):
    with pytest.raises(BiologyError, match='nearest   "mouse"'):
        _read(toy_root, "mouze")


def test_a_normal_range_holds_for_the_species_it_was_measured_in() -> None:
    assert assemble("poi", "human").observables["fsh"].normal == (5.0, 10.0)
    assert assemble("poi", "mouse").observables["fsh"].normal is None
