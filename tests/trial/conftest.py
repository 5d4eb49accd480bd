"""A study file to change line by line, and a condition small enough to check by hand."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_trial import ANTIMONY, STUDY, parameter

from exotwin.biology import Comparator, Criterion, DoseInput, EndpointRule, Model, Noise, Observable, Spread
from exotwin.mechanism import Edge, Mechanism
from exotwin.product import Cargo, CellLot, MediatorCopies, Product, SizeDistribution, VesicleLot
from exotwin.quantities import Estimate
from exotwin.trial import Study


@pytest.fixture
def study_of(tmp_path: Path) -> Callable[..., Study]:
    """Writes the study with some lines replaced, beside an empty product file, and reads it."""
    (tmp_path / "umbilical").mkdir()
    (tmp_path / "umbilical" / "product.toml").write_text("# nothing to read here\n")

    def read(*changes: tuple[str, str], more: str = "") -> Study:
        text = STUDY
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "study.toml"
        path.write_text(text + more)
        return Study.from_toml(path)

    return read


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    """One process, one mediator, two levels of spread."""
    import antimony

    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(ANTIMONY) >= 0, antimony.getLastError()
    sbml = antimony.getSBMLString("tiny")
    parameters = [
        parameter("loss", 0.001, level="patient", spread=Spread("lognormal", 0.001, 0.5), unit="1/day"),
        parameter("fsh_scale", 1e4, level="patient", spread=Spread("lognormal", 1e4, 0.4)),
        parameter(
            "body_weight", 60.0, level="patient", spread=Spread("normal", 60.0, 8.0, low=40, high=100), unit="kg"
        ),
        parameter("age_start", 30.0, level="patient", spread=Spread("normal", 30.0, 5.0), unit="year"),
        parameter("translation", 1.0, level="knowledge", spread=Spread("lognormal", 0.5, 0.8)),
        parameter("clearance", 0.1, unit="1/day"),
        parameter("reading_animal", 0.0),
        parameter("reading_copies", 0.0),
        parameter("animal_effect_loss_process", -1.0),
        parameter("copies_per_vesicle_mir_1", 0.0),
        parameter("gain_mir_1_loss_process", 0.0),
    ]
    fsh = Observable("fsh", "fsh", "FSH", "促卵泡激素", "IU/L", log=True)
    follicles = Observable("follicles", "follicles", "follicles", "卵泡", "follicle")
    return Model(
        condition="tiny",
        species="human",
        title="A condition for tests",
        antimony=ANTIMONY,
        sbml=sbml,
        digest=hashlib.sha256(sbml.encode()).hexdigest(),
        parameters={p.name: p for p in parameters},
        observables={"fsh": fsh, "follicles": follicles},
        processes=("loss_process",),
        mediators={"miR-1": "mir_1"},
        dosing={
            ("vesicles", "intravenous"): DoseInput("vesicles", "particle"),
            ("cells", "intravenous"): DoseInput("living", "cell"),
        },
        exposures={"blood": Observable("blood", "vesicles", "vesicles in blood", "血中囊泡", "particle")},
        run_in=180.0,
        inclusion=(
            Criterion(
                "age_start", "age_start", "<", 40.0, "year", "poi-eshre2024-criteria", "younger than 40", "小于 40 岁"
            ),
            Criterion("fsh", "fsh", ">", 10.0, "IU/L", "poi-eshre2024-criteria"),
        ),
        endpoints=(
            EndpointRule("fsh", "fsh", (180.0, 365.25), "value", "lower", "FSH", "促卵泡激素", "IU/L"),
            EndpointRule("kept", "follicles", (365.25,), "share", "higher", "kept", "保留", "dimensionless", 500.0),
            EndpointRule("change", "follicles", (365.25,), "change", "higher", "lost", "减少", "follicle"),
        ),
        states=("follicles", "vesicles", "living", "habit", "drug", "luck"),
        comparators={
            "exercise": Comparator("exercise", "exercise", "运动", "habit", "dimensionless", "held", 1.0),
            "senolytic": Comparator("senolytic", "senolytic", "清除剂", "drug", "mg", "course", 2.0, "weekly, 3 doses"),
        },
    )


@pytest.fixture(scope="session")
def lot() -> Product:
    """Cells with a viability, vesicles with a concentration and one mediator."""
    size = SizeDistribution(
        diameter_nm=np.array([50.0, 100.0, 150.0]),
        concentration=np.array([[1.0, 2.0, 1.0]]),
        dilution=1.0,
        reported={},
        instrument="none",
    )
    cargo = Cargo({"miR-1": MediatorCopies("miR-1", 0.1, 0.01, 0.3, measured=True)}, 1e6, (), "made up for tests")
    return Product(
        name="test lot",
        source_tissue="umbilical cord",
        species="human",
        synthetic=True,
        cells=CellLot(4, Estimate(0.9, "dimensionless", 0.85, 0.95), ()),
        vesicles=VesicleLot(
            volume_mL=1.0,
            protein_ug_per_mL=100.0,
            size=size,
            particles_per_mL=Estimate(2e10, "particle/mL", 1.6e10, 2.5e10),
            fraction_30_150=Estimate(0.9, "dimensionless"),
            cargo=cargo,
        ),
        verdicts=(),
        files=(),
        remarks=(),
    )


@pytest.fixture(scope="session")
def tiny_mechanism(lot: Product) -> Mechanism:
    """The one mediator slows the one process."""
    assert lot.vesicles is not None
    assert lot.vesicles.cargo is not None
    edge = Edge("miR-1", "PTEN", "loss_process", -0.5, 0.2, "assumed", ("mirna-threshold-cell",), "made up for tests")
    return Mechanism("test lot", (edge,), {("miR-1", "loss_process"): (-0.5, 0.2)}, lot.vesicles.cargo.mediators, ())


@pytest.fixture
def tiny_noise(tiny_world: None, tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small condition with luck of its own in each patient, every week."""
    numbers = (parameter("luck_strength", 0.01, unit="1/day"), parameter("luck_interval", 7.0, unit="day"))
    noisy = dataclasses.replace(
        tiny_model,
        parameters=tiny_model.parameters | {p.name: p for p in numbers},
        noises=(Noise("luck", "luck_strength", "luck_interval"),),
    )
    monkeypatch.setattr("exotwin.trial.setup.assemble", lambda condition, species, *, combination: noisy)


@pytest.fixture
def tiny_world(monkeypatch: pytest.MonkeyPatch, tiny_model: Model, lot: Product, tiny_mechanism: Mechanism) -> None:
    """The rooms upstream give the small condition, its product and its mechanism."""
    setup = "exotwin.trial.setup"
    monkeypatch.setattr(f"{setup}.conditions", lambda: ("poi",))
    monkeypatch.setattr(f"{setup}.species_of", lambda condition: ("human",))
    monkeypatch.setattr(f"{setup}.assemble", lambda condition, species, *, combination: tiny_model)
    monkeypatch.setattr(f"{setup}.mechanism_of", lambda product, mediators, processes: tiny_mechanism)
    monkeypatch.setattr(Product, "from_toml", lambda path: lot)
