from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import tomlkit
import xarray as xr
from tiny_trial import differing

from exotwin.errors import StudyError
from exotwin.product import Product
from exotwin.trial import READINGS, lock_text, simulate_trial

pytestmark = pytest.mark.usefixtures("tiny_world")


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr("exotwin.trial.run.CHUNK", 16)


class StopAfter:
    """Progress that is interrupted, as by Ctrl-C, when so many patients went through an arm and a reading."""

    def __init__(self, n: int) -> None:
        self.left, self.task = n, ""

    def start(self, task: str, total: int) -> None:
        self.task = task

    def advance(self, n: int = 1) -> None:
        if self.task == "treating":
            self.left -= n
            if self.left < 0:
                raise KeyboardInterrupt


def test_the_trajectories_follow_the_closed_form(study_of, tiny_model):
    result = simulate_trial(study_of())
    drawn = {str(q): result.population.sel(quantity=q).values[:, None] for q in result.population["quantity"].values}
    days = result.dataset["time"].values
    untreated = 1000 * np.exp(-drawn["loss"] * (days + 180))
    # Local errors of rtol 1e-6 add up over some hundred steps; the store keeps seven digits.
    np.testing.assert_allclose(result.dataset["follicles"].sel(reading="copies", arm="untreated"), untreated, rtol=2e-5)

    # One dose a fortnight, cleared at 0.1 a day: vesicles at day 5 are one dose; at day 20 two.
    dose = 1e11 * drawn["umbilical:particles"][:, 0]
    blood = result.exposure["blood"].sel(arm="exosomes")
    np.testing.assert_allclose(blood.sel(time=5.0), dose * np.exp(-0.5), rtol=2e-5)
    assert (result.exposure["blood"].sel(arm="untreated") == 0).all()

    # Loss slows by exp(-translation * v / (v + 1e9)): integrate that over time for the animal reading.
    fine = np.linspace(0, 365.25, 200_001)
    vesicles = sum(np.where(fine >= d, np.exp(-0.1 * np.maximum(fine - d, 0)), 0.0) for d in (0, 14, 28, 42))
    amount = vesicles * dose[0]
    slowed = np.exp(-drawn["translation"][0] * amount / (amount + 1e9))
    expected = 1000 * np.exp(-drawn["loss"][0] * (180 + np.trapezoid(slowed, fine)))
    change = result.values.sel(endpoint="change day 365.25", reading="animal", arm="exosomes", patient=0)
    at_enrolment = 1000 * np.exp(-drawn["loss"][0] * 180)
    np.testing.assert_allclose(change, expected - at_enrolment, rtol=1e-4)


def test_the_result_has_the_shape_of_the_contract(study_of, tiny_model):
    result = simulate_trial(study_of())
    assert dict(result.dataset.sizes) == {"reading": 3, "arm": 3, "patient": 40, "time": result.dataset["time"].size}
    assert list(result.dataset["reading"].values) == list(READINGS)
    assert list(result.dataset.data_vars) == ["fsh", "follicles"]
    assert result.dataset["fsh"].attrs == {"units": "IU/L", "label": "FSH", "label_zh": "促卵泡激素", "log": 1}
    assert result.dataset["outcome"].dims == ("reading", "arm", "patient")
    assert (result.dataset["outcome"] == "ok").all()
    assert {0.0, 180.0, 365.25, 730.5} <= set(result.dataset["time"].values)
    assert dict(result.exposure.sizes)["arm"] == 3
    assert result.exposure["time"].max() == 28
    assert result.bands("fsh")["median"].dims == ("reading", "arm", "time")
    assert result.folder is None
    assert set(result.plausibility) == {"exosomes"}
    assert "not medical advice" in result.summary()[-1]
    assert "<table" in result._repr_html_()


def test_all_arms_have_the_same_patients_and_the_untreated_are_the_same_in_each_reading(study_of):
    result = simulate_trial(study_of())
    at_enrolment = result.dataset["follicles"].isel(time=0)
    # The doses at day 0 move nothing yet; step sizes before it are the same for all.
    np.testing.assert_allclose(at_enrolment.sel(arm="exosomes"), at_enrolment.sel(arm="untreated"), rtol=1e-6)
    untreated = result.dataset.sel(arm="untreated")
    for reading in READINGS:
        np.testing.assert_array_equal(untreated["fsh"].sel(reading=reading), untreated["fsh"].sel(reading="animal"))


def test_the_same_study_gives_the_same_bits_on_any_number_of_threads(study_of):
    one, other = (simulate_trial(study_of(), n_threads=n) for n in (1, 3))
    assert differing(one, other) == []


def test_all_patients_are_simulated_with_one_method_however_large_their_chunks_are(study_of, monkeypatch):
    from exotwin.engine import CompiledModel

    simulate, methods = CompiledModel.simulate, set()

    def watched(self, times, **options):
        found = simulate(self, times, **options)
        methods.update(found["method"].values.tolist())
        return found

    # every ensemble would have a pilot, which would take the explicit method
    monkeypatch.setattr("exotwin.engine.running.pilot._ENOUGH", 1)
    monkeypatch.setattr("exotwin.engine.running.pilot._CLEARLY", np.inf)
    monkeypatch.setattr(CompiledModel, "simulate", watched)
    simulate_trial(study_of())
    assert methods == {"rodas5p"}


def test_another_seed_gives_other_patients(study_of):
    one, other = simulate_trial(study_of()), simulate_trial(study_of(("seed = 7", "seed = 8")))
    assert not np.array_equal(one.values, other.values)
    assert {"dataset", "values", "population", "endpoints"} <= set(differing(one, other))


@pytest.mark.usefixtures("tiny_noise", "small_chunks")
def test_an_interrupted_run_of_a_noisy_condition_goes_on_with_identical_bits(study_of, tmp_path):
    whole = simulate_trial(study_of(), n_threads=1)
    with pytest.raises(KeyboardInterrupt):
        simulate_trial(study_of(), out=tmp_path / "cut", progress=StopAfter(16 * 7 + 20))
    assert differing(whole, simulate_trial(study_of(), out=tmp_path / "cut", n_threads=3)) == []


@pytest.mark.usefixtures("tiny_noise")
def test_luck_differs_between_patients_and_is_one_in_all_arms_and_in_enrolment(study_of):
    more = '\n[arms.again]\ncomparators = [{ name = "exercise", start = "2 days", level = 1e-9 }]\n'
    result = simulate_trial(study_of(more=more))
    kept = result.dataset["follicles"].sel(reading="animal")
    loss = result.population.sel(quantity="loss").values
    at_enrolment = np.log(kept.isel(time=0).sel(arm="untreated") / 1000) / (-180 * loss)
    assert np.std(at_enrolment) > 0.02  # 1 without luck
    # a habit of nothing leaves the patient's own course, kick for kick; steps and the store differ in the last digits
    np.testing.assert_allclose(kept.sel(arm="again"), kept.sel(arm="untreated"), rtol=1e-5)
    # who was enrolled met the criterion with this very luck
    assert (result.dataset["fsh"].sel(reading="animal").isel(time=0) > 10 * (1 - 1e-4)).all()


@pytest.mark.usefixtures("tiny_noise")
def test_noise_is_part_of_what_a_run_is(study_of, tiny_model, monkeypatch):
    from exotwin.trial import lock
    from exotwin.trial.setup import prepare

    noisy = lock.run_key(prepare(study_of()), 1000)
    monkeypatch.setattr("exotwin.trial.setup.assemble", lambda condition, species, *, combination: tiny_model)
    plain = lock.run_key(prepare(study_of()), 1000)
    assert [k for k in plain if plain[k] != noisy[k]] == ["numbers"]


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_run_goes_on_with_identical_bits(study_of, tmp_path):
    whole = simulate_trial(study_of(), out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        simulate_trial(study_of(), out=tmp_path / "cut", progress=StopAfter(16 * 7 + 20))
    assert json.loads((tmp_path / "cut" / "manifest.json").read_text())["chunks"] == [0]
    assert not (tmp_path / "cut" / "results.zarr").exists()
    resumed = simulate_trial(study_of(), out=tmp_path / "cut")
    assert differing(whole, resumed) == []
    assert differing(whole, simulate_trial(study_of())) == []
    assert not (tmp_path / "cut" / "chunks").exists()


@pytest.mark.usefixtures("small_chunks")
def test_a_finished_run_is_opened_and_not_repeated(study_of, tmp_path):
    first = simulate_trial(study_of(), out=tmp_path / "out")
    again = simulate_trial(study_of(), out=tmp_path / "out", progress=StopAfter(0))
    assert differing(first, again) == []


@pytest.mark.usefixtures("small_chunks")
def test_the_results_open_with_xarray_alone(study_of, tmp_path):
    result = simulate_trial(study_of(), out=tmp_path / "out")
    opened = xr.open_zarr(tmp_path / "out" / "results.zarr")
    np.testing.assert_array_equal(opened["fsh"].values, result.dataset["fsh"].values)
    assert opened["fsh"].attrs["units"] == "IU/L"
    exposure = xr.open_zarr(tmp_path / "out" / "results.zarr", group="exposure")
    assert exposure["blood"].dims == ("arm", "patient", "time")


@pytest.mark.usefixtures("small_chunks")
def test_unfinished_chunks_of_another_study_are_refused(study_of, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        simulate_trial(study_of(), out=tmp_path / "out", progress=StopAfter(16 * 7 + 20))
    with pytest.raises(StudyError, match="what differs: study"):
        simulate_trial(study_of(("seed = 7", "seed = 8")), out=tmp_path / "out")
    renamed = study_of(("A small study", "Another title"))
    assert simulate_trial(renamed, out=tmp_path / "out").screening.n_enrolled == 40


@pytest.mark.usefixtures("small_chunks")
def test_arms_in_another_order_are_another_run(study_of, tmp_path):
    """Chunks hold arms by position: joined with those of another order they would change names."""
    turned = (
        '[arms.untreated]\n\n[arms.msc]\nproduct = "umbilical"\ngive = "cells"',
        '[arms.msc]\nproduct = "umbilical"\ngive = "cells"',
    )
    with pytest.raises(KeyboardInterrupt):
        simulate_trial(study_of(), out=tmp_path / "out", progress=StopAfter(16 * 7 + 20))
    other = study_of(turned, more="\n[arms.untreated]\n")
    assert list(other.arms) == ["msc", "exosomes", "untreated"]
    with pytest.raises(StudyError, match="what differs: study"):
        simulate_trial(other, out=tmp_path / "out")


def test_an_arm_whose_patients_all_fail_is_not_said_to_deliver_nothing(study_of, monkeypatch):
    from exotwin.engine import CompiledModel

    simulate = CompiledModel.simulate

    def vesicles_fail(self, times, **options):
        found = simulate(self, times, **options)
        if any(dose.state == "vesicles" for dose in options["doses"]):
            for name in found.data_vars:
                found[name].values[:, 5:] = np.nan
            found["outcome"] = ("patient", np.full(found.sizes["patient"], "step limit"))
            found["failed_at"] = ("patient", np.full(found.sizes["patient"], 0.001))
        return found

    monkeypatch.setattr(CompiledModel, "simulate", vesicles_fail)
    result = simulate_trial(study_of())
    assert result.plausibility == {}
    assert any("exosomes: no patient could be followed" in remark for remark in result.remarks)
    assert "no statement" in set(result.effects().xs("exosomes", level="arm").to_numpy().ravel())
    rows = result.endpoints.query("arm == 'exosomes'")
    assert (rows["n"] == 0).all()
    assert rows["ratio_to_copies"].isna().all()


def test_a_product_that_no_arm_uses_is_told(study_of):
    result = simulate_trial(study_of(more='\n[products.spare]\nfile = "umbilical/product.toml"\n'))
    assert "No arm uses the product spare." in result.remarks


def test_two_endpoints_of_one_observable_stay_apart(study_of):
    table = 'observable = "fsh"\nat = "1 year"\nbetter = "lower"\n'
    result = simulate_trial(study_of(more=f'\n[endpoints.level]\n{table}\n[endpoints.lost]\n{table}kind = "change"\n'))
    assert set(result.endpoints["label"]) == {"FSH (level)", "FSH (lost)"}
    effects = result.effects()
    assert list(effects.index) == [
        (label, arm) for label in ("FSH (level)", "FSH (lost)") for arm in ("msc", "exosomes")
    ]
    assert (effects["day 365"].str.startswith("x ") == [True, True, False, False]).all()


def test_failed_patients_are_marked_counted_and_left_out(study_of, monkeypatch):
    from exotwin.engine import CompiledModel

    simulate = CompiledModel.simulate

    def some_fail(self, times, **options):
        found = simulate(self, times, **options)
        if options["doses"] and found.sizes["patient"] == 40:
            late = found["time"].values > 200
            for name in found.data_vars:
                found[name].values[np.ix_([3, 4], late)] = np.nan
            found["outcome"] = ("patient", np.where(np.isin(np.arange(40), [3, 4]), "step limit", "ok"))
            found["failed_at"] = ("patient", np.where(np.isin(np.arange(40), [3, 4]), 200.0, np.nan))
        return found

    monkeypatch.setattr(CompiledModel, "simulate", some_fail)
    result = simulate_trial(study_of())
    assert (result.dataset["outcome"].sel(arm="msc") == "step limit").sum() == 2 * 3
    rows = result.endpoints.set_index(["reading", "endpoint", "day", "arm"])
    assert tuple(rows.loc[("animal", "fsh", 180.0, "msc"), ["n", "n_failed"]]) == (40, 0)
    assert tuple(rows.loc[("animal", "fsh", 365.25, "msc"), ["n", "n_failed"]]) == (38, 2)
    assert tuple(rows.loc[("animal", "fsh", 365.25, "untreated"), ["n", "n_failed"]]) == (40, 0)
    assert result.lock["counts"]["outcomes"] == {"ok": 348, "step limit": 12}


def test_a_product_without_measured_cargo_has_no_reading_by_copies(study_of, monkeypatch, lot, tiny_mechanism):
    bare = dataclasses.replace(lot, vesicles=dataclasses.replace(lot.vesicles, cargo=None))
    nothing = dataclasses.replace(tiny_mechanism, edges=(), gains={}, copies_per_vesicle={}, unmeasured=("miR-1",))
    monkeypatch.setattr(Product, "from_toml", lambda path: bare)
    monkeypatch.setattr("exotwin.trial.setup.mechanism_of", lambda *_: nothing)
    result = simulate_trial(study_of())
    assert (result.dataset["outcome"].sel(reading="copies", arm="exosomes") == "not measured").all()
    assert (result.dataset["outcome"].sel(reading="copies", arm="untreated") == "ok").all()
    assert result.dataset["fsh"].sel(reading="copies", arm="exosomes").isnull().all()
    row = result.endpoints.query("reading == 'copies' and arm == 'exosomes' and endpoint == 'fsh'").iloc[0]
    assert (row["n"], row["n_failed"], row["n_undefined"]) == (0, 0, 0)
    assert any("no reading by copies" in remark for remark in result.remarks)
    with pytest.raises(StudyError, match="cargo was not measured"):
        simulate_trial(study_of(('"animal"', '"copies"')))


def test_delivered_copies_are_held_against_what_is_needed(study_of):
    result = simulate_trial(study_of())
    (judged,) = result.plausibility["exosomes"]
    particles = result.population.sel(quantity="umbilical:particles").values
    # The peak is right after the fourth dose; copies per cell are vesicles x copies per vesicle / 1e6 in this model.
    left = sum(np.exp(-0.1 * gap) for gap in (0, 14, 28, 42))
    # Outputs lie at the doses themselves (two weeks are whole weeks), so the peak is met.
    assert judged.delivered == pytest.approx(np.median(1e11 * particles) * left * 0.01 / 1e6, rel=1e-4)


def test_fixed_parameters_hold_for_all_and_are_marked(study_of):
    fixed = 'translation = 0.25\nclearance = "0.2 1/day"\nanimal_effect_loss_process = "-0.5 dimensionless"\n'
    result = simulate_trial(study_of(more=f"\n[parameters]\n{fixed}"))
    assert np.unique(result.population.sel(quantity="translation")) == 0.25
    assert result.population["level"].sel(quantity="translation") == "fixed by the study"
    assert result.lock["overridden"]["clearance"] == {"value": 0.2, "model": 0.1, "unit": "1/day"}
    blood = result.exposure["blood"].sel(arm="exosomes")
    np.testing.assert_allclose(blood.sel(time=5.0) / blood.sel(time=0.0), np.exp(-1.0), rtol=1e-4)
    assert any("translation, clearance, animal_effect_loss_process" in remark for remark in result.remarks)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("translatoin = 1", 'nearest   "translation"'),
        ("reading_animal = 1", "no reading and no product sets"),
        ("gain_mir_1_loss_process = 1", "no reading and no product sets"),
        ("age_start = 30", "beside an age"),
        ('clearance = "0.2 1/kg"', 'such as "0.1 1/day"'),
        ('clearance = "-0.2 /day"', "zero or more 1/day"),
        ("body_weight = -60", "zero or more kg"),
        ("translation = inf", "found     inf"),
    ],
)
def test_a_parameter_that_cannot_be_fixed_is_refused(study_of, line, message):
    with pytest.raises(StudyError, match=r"parameters\.") as caught:
        simulate_trial(study_of(more=f"\n[parameters]\n{line}\n"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('condition = "poi"', 'condition = "pio"', 'nearest   "poi"'),
        ('species = "human"', 'species = "humans"', 'nearest   "human"'),
        ('route = "intravenous"', 'route = "intravenos"', 'nearest   "intravenous"'),
    ],
)
def test_a_name_that_the_condition_does_not_have_leaves_no_folder(study_of, tmp_path, old, new, message):
    with pytest.raises(StudyError) as caught:
        simulate_trial(study_of((old, new)), out=tmp_path / "out")
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_lock_says_what_the_result_rests_on(study_of, tiny_model):
    result = simulate_trial(study_of())
    lock = tomlkit.parse(lock_text(result)).unwrap()
    assert lock["study"]["seed"] == 7
    assert lock["model"]["sbml_sha256"] == tiny_model.digest
    assert lock["counts"]["enrolled"] == 40
    assert lock["counts"]["screened"] == 40 + lock["counts"]["left_out"]
    assert lock["libraries"]["numpy"] == np.__version__
    assert len(lock["products"]["umbilical"]["product_file_sha256"]) == 64


@pytest.mark.parametrize("rule", ["bliss", "highest single", "additive"])
def test_the_study_says_how_mediators_combine(study_of, tiny_model, monkeypatch, rule):
    from exotwin.trial.setup import prepare

    asked = []

    def assemble(condition, species, *, combination):
        asked.append(combination)
        return tiny_model

    monkeypatch.setattr("exotwin.trial.setup.assemble", assemble)
    prepare(study_of(("seed = 7", f'seed = 7\ncombination = "{rule}"')))
    assert asked == [rule]
