"""What results are called: amounts and concentrations, units, names that the Dataset needs for itself, counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from engine_tools import sbml

from exotwin.engine import CompiledModel, load
from exotwin.errors import ModelError

TIMES = np.linspace(0, 4, 5)
# a compartment that grows and one that stays; each way in which a species can be set and meant
TEXT = """model a
  compartment v = 2, w = 4, r; v' = 0.5; r := v + w; unit mole = mole; unit litre = litre;
  species moved in v = 3, still in w = 7, ruled in r, rated in v = 1;
  substanceOnly species bare in v = 5, counted in w;
  moved -> bare; 0.1*moved*v; ruled := 2*moved; rated' = -0.3; counted := 10*time; k = 1
end"""
SIZES = {"moved": "v", "still": "w", "ruled": "r", "rated": "v", "bare": "v", "counted": "w"}
MEANT = {"moved": True, "still": True, "ruled": True, "rated": True, "bare": False, "counted": False}


@pytest.fixture(scope="module")
def model() -> CompiledModel:
    return load(sbml(TEXT))


@pytest.mark.parametrize("species", SIZES)
def test_amount_and_concentration_of_any_species_can_be_asked_for(model: CompiledModel, species: str) -> None:
    asked = [f"amount({species})", f"concentration({species})", species, SIZES[species]]
    amount, concentration, meant, size = (
        values.values for values in model.simulate(TIMES, outputs=asked).data_vars.values()
    )
    np.testing.assert_allclose(amount, concentration * size, rtol=1e-15)
    np.testing.assert_array_equal(meant, concentration if MEANT[species] else amount)
    # also where nothing else is recorded
    for name, expected in zip(asked[:2], (amount, concentration), strict=True):
        np.testing.assert_array_equal(model.simulate(TIMES, outputs=[name])[name], expected)


def test_the_amount_that_is_integrated_is_given_as_it_is(model: CompiledModel) -> None:
    found = model.simulate(TIMES, outputs=["amount(moved)", "amount(bare)"])
    total = found["amount(moved)"] + found["amount(bare)"]
    np.testing.assert_allclose(total, 3 * 2 + 5, rtol=1e-15)  # amounts only move


def test_units_go_with_what_is_asked_for() -> None:
    text = """model u
      unit mL = 1e-3 litre; unit nmol = 1e-9 mole; compartment v = 2; v has mL;
      substanceOnly species s in v = 1; species c in v = 1; s has nmol; s -> c; 0.1*s
    end"""
    document = sbml(text).replace('id="c"', 'id="c" substanceUnits="nmol"')
    found = load(document).simulate([0.0], outputs=["c", "amount(c)", "s", "concentration(s)", "concentration(c)"])
    assert {name: values.attrs["units"] for name, values in found.data_vars.items()} == {
        "c": "nmol/mL",
        "amount(c)": "nmol",
        "s": "nmol",
        "concentration(s)": "nmol/mL",
        "concentration(c)": "nmol/mL",
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("amount(move)", 'outputs "amount\\(move\\)".*no such species.*nearest   "moved"'),
        ("concentration(k)", "no such species"),
        ("amount()", "no such name"),
        ("mass(moved)", "no such name"),
        ("amount(moved", "no such name"),
    ],
)
def test_what_is_no_species_has_neither(model: CompiledModel, name: str, told: str) -> None:
    with pytest.raises(ModelError, match="(?s)" + told):
        model.simulate(TIMES, outputs=[name])


def test_a_variable_that_is_called_as_something_of_the_dataset_is_told_apart() -> None:
    text = sbml("model t\n q0 = 3; q1 = 4; patient = 5; outcome := 2*time; x = 1; x' = q0\nend")
    model = load(text.replace('"q0"', '"time"').replace("> q0 <", "> time <").replace('"q1"', '"time_"'))
    found = model.simulate([0.0, 1.0], outputs=["time", "time_", "patient", "outcome", "x"])
    assert list(found.data_vars) == ["time__", "time_", "patient_", "outcome_", "x"]
    assert [found[name].attrs.get("id") for name in found.data_vars] == ["time", None, "patient", "outcome", None]
    for name, expected in {"time__": [3, 3], "time_": [4, 4], "patient_": [5, 5], "outcome_": [0, 2]}.items():
        np.testing.assert_array_equal(found[name][0], expected)
    np.testing.assert_array_equal(found["time"], [0, 1])
    assert list(found["outcome"].values) == ["ok"]


def test_outcomes_are_counted_in_the_result_and_in_what_it_shows() -> None:
    model = load(sbml("model f\n y = 1; y' = low*y^2; low = 1\nend"))
    found = model.simulate([0.0, 2.0], parameters={"low": [1.0, 0.1, 0.0]})
    assert found.attrs["outcomes"] == "2 ok, 1 step too small"
    assert "2 ok, 1 step too small" in repr(found)


def test_an_absolute_tolerance_is_meant_for_concentrations_in_a_compartment_that_a_rule_sets() -> None:
    """With atol 1 for a concentration of at most 1e-3 the first step may be the last."""
    text = """model a
      compartment v; v := 1e9; species c in v = 1e-3; c -> ; 50*c*v
    end"""
    found = load(sbml(text)).simulate([0.0, 1.0], atol=1.0, rtol=1e-12)
    assert int(found["steps"][0]) < 10


def test_results_can_be_written_as_netcdf_and_read_again(tmp_path: Path) -> None:
    model = load(sbml("model f\n y = 1; y' = low*y^2; low = 1\nend"), sensitivities=["low"])
    found = model.simulate([0.0, 2.0], parameters={"low": [1.0, 0.1]})
    found.to_netcdf(tmp_path / "found.nc")  # by scipy: names, attributes and numbers of the oldest format
    again = xr.open_dataset(tmp_path / "found.nc", decode_times=False)
    assert again.attrs == {"model": "f", "method": "rodas5p", "outcomes": "1 ok, 1 step too small"}
    np.testing.assert_array_equal(again["y"], found["y"])
    assert list(again["outcome"].values.astype(str)) == ["step too small", "ok"]


def test_all_attributes_of_a_piloted_result_are_texts_and_numbers() -> None:
    model = load(sbml("model f\n y = 1; y' = -low*y; low = 1\nend"))
    found = model.simulate([0.0, 2.0], parameters={"low": np.linspace(0.1, 1, 5000)})
    assert found.attrs["pilot_patients"] == 16
    assert all(isinstance(value, str | int | float) for value in found.attrs.values())


def test_nothing_is_left_of_a_patient_behind_the_failure_in_any_variable() -> None:
    text = "model f\n species y = 1; J: -> y; low*y^2; low = 1; z := 2*y\nend"
    document = sbml(text)
    given = {"low": [1.0, 0.1]}
    for found in (
        load(document).simulate([0.0, 2.0], parameters=given, outputs=["y", "z", "J", "low", "concentration(y)"]),
        load(document, sensitivities=["low", "y"]).simulate([0.0, 2.0], parameters=given, outputs=["y", "z", "low"]),
    ):
        assert float(found["failed_at"][0]) < 2
        for name, values in found.data_vars.items():
            assert np.all(np.isnan(values[0, 1])), name
            assert np.all(np.isfinite(values[1])), name


def test_units_of_derivatives_stand_where_they_differ() -> None:
    text = """model u
      unit uM = 1e-6 mole/litre; unit per_day = 1/86400 second; x = 1; k = 0.1; s = 1; x' = -k*x*s
      x has uM; k has per_day; s has uM
    end"""
    found = load(sbml(text), sensitivities=["k", "s"]).simulate([0.0, 1.0], outputs=["x"])
    assert "units" not in found["sensitivity(x)"].attrs
    assert list(found["wrt_units"].values) == ["per_day", "uM"]
    assert str(found["sensitivity(x)"].sel(wrt="s")["wrt_units"].values) == "uM"
