from __future__ import annotations

import antimony
import libsbml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exotwin.biology import sbml_units
from exotwin.errors import BiologyError
from exotwin.units import registry

ATOMS = sorted(set(sbml_units._ATOMS) - {"dimensionless", "percent"})
TEXTS = st.builds(
    lambda above, below: "/".join(["*".join(above) or "1", *below]),
    st.lists(st.sampled_from(ATOMS), max_size=2, unique=True),
    st.lists(st.sampled_from(ATOMS), max_size=3, unique=True),
)
UREG = registry()  # built once, outside of the time that hypothesis allows an example
COUNTED = {"item", "cell", "particle", "vesicle", "copy", "follicle", "IU", "burden", "bp", "mutation", "division"}


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("1/day", "per_day"),
        ("particle/mL/day", "particle_per_mL_per_day"),
        ("particles", "particle"),
        ("copies/cell", "copy_per_cell"),
        ("cm^2", "cm2"),
        ("kg*particle/cell^2/day", "kg_particle_per_cell2_per_day"),
        ("mL/min", "mL_per_minute"),
        ("dimensionless", "dimensionless"),
        ("day/day", "dimensionless"),
    ],
)
def test_ids_spell_the_unit(text, identifier):
    assert sbml_units.unit_id(text, where="") == identifier


@given(TEXTS)
def test_an_id_leads_back_to_the_same_unit(text):
    back = sbml_units.text_of(sbml_units.unit_id(text, where=""))
    assert sbml_units.same(text, back, where="")


@pytest.mark.parametrize("atom", sorted(set(sbml_units._ATOMS) - COUNTED - {"dimensionless"}))
def test_sizes_are_those_of_the_package_registry(atom):
    factor, dimensions = sbml_units.size(atom, where="")
    own = UREG.Quantity(factor, "dimensionless")
    for kind, power in dimensions:
        own = own * UREG.Quantity(1.0, kind) ** power
    assert UREG.Quantity(1.0, atom).to(own.units).magnitude == pytest.approx(own.magnitude, rel=1e-12)


@pytest.mark.parametrize("atom", sorted(COUNTED))
def test_counted_things_are_items(atom):
    assert sbml_units.size(atom, where="") == (1.0, (("item", 1),))


@given(TEXTS)
def test_definitions_survive_antimony_and_mean_the_same_to_libsbml(text):
    identifier = sbml_units.unit_id(text, where="")
    if identifier in ("dimensionless", "item"):
        return
    antimony.clearPreviousLoads()
    definition = sbml_units.definition(identifier, where="")
    assert antimony.loadAntimonyString(f"model m\n unit u = {definition};\n x = 1 u;\nend\n") >= 0
    model = libsbml.readSBMLFromString(antimony.getSBMLString("m")).getModel()
    unit = libsbml.UnitDefinition.convertToSI(model.getUnitDefinition("u"))
    factor = 1.0
    powers: dict[str, float] = {}
    for n in range(unit.getNumUnits()):
        part = unit.getUnit(n)
        factor *= (part.getMultiplier() * 10 ** part.getScale()) ** part.getExponentAsDouble()
        kind = libsbml.UnitKind_toString(part.getKind())
        powers[kind] = powers.get(kind, 0) + part.getExponentAsDouble()
    # litre and gram become metre^3 and kilogram in SI
    own, dimensions = sbml_units.size(text, where="")
    expected: dict[str, float] = {}
    for kind, power in dimensions:
        name, scale, times = {"litre": ("metre", 1e-3, 3), "gram": ("kilogram", 1e-3, 1)}.get(kind, (kind, 1.0, 1))
        own *= scale**power
        expected[name] = expected.get(name, 0) + times * power
    assert factor == pytest.approx(own, rel=1e-9)
    assert {k: p for k, p in powers.items() if p and k != "dimensionless"} == {k: p for k, p in expected.items() if p}


@pytest.mark.parametrize("text", ["fortnight", "mL//day", "particles per mL", "1e3 mL", "mL^x"])
def test_an_unknown_unit_is_refused_with_its_place(text):
    with pytest.raises(BiologyError, match=r"table.csv, line 3"):
        sbml_units.unit_id(text, where="table.csv, line 3")


def test_a_misspelt_unit_is_told_its_nearest():
    with pytest.raises(BiologyError, match='nearest   "particle"'):
        sbml_units.unit_id("partcle", where="")
