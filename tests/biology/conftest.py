"""A toy condition beside the real modules, and one way to run a model in another SBML tool."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import libsbml
import numpy as np
import pytest

from exotwin.biology import Model, assemble
from exotwin.biology.assemble import SHIPPED
from exotwin.biology.effects import COMBINATIONS

HEADER = "name, value, unit, spread, distribution, level, species, basis, record, spread_record, note\n"

_PAGE = """
title = "Toy condition"
title_zh = "示例"
species = ["human", "mouse", "rat"]
target = "ovary"
modules = ["culture", "cells", "vesicles", "uptake"]
processes = ["growth", "decay"]
mediators = ["miR-21-5p", "miR-22-3p"]
run_in_days = {human = 10, mouse = 5, rat = 5}

[observables.marker]
label = "Marker"
label_zh = "标志物"
unit = "ng/mL"
normal = [1.0, 3.0]

[[dosing]]
product = "vesicles"
route = "intravenous"
state = "vesicles_blood"
unit = "particles"

[[dosing]]
product = "cells"
route = "intravenous"
state = "cells_venous"
unit = "cells"

[[inclusion]]
id = "marker"
rule = ">"
value = 0.5
unit = "ng/mL"
record = "phys-general"

[[endpoints]]
id = "marker_change"
observable = "marker"
days = [30, 90]
kind = "change"
better = "higher"
label = "Change of the marker"
label_zh = "标志物变化"
"""
_MODULE = """// A marker that is made and lost.
model toy
  // inputs
  growth = 1 dimensionless;
  decay = 1 dimensionless;
  unmoved = 2 dimensionless;

  marker = marker_start;                                                   marker has ng_per_mL;
  marker' = unmoved * growth * production - decay * loss * marker;
end
"""
_TABLE = (
    HEADER
    + """marker_start, 2, ng/mL, cv 0.3, lognormal, patient, all, assumed, , , toy
production, 0.1, ng/mL/day, , fixed, fixed, all, assumed, , , toy
loss, 0.1, 1/day, , fixed, fixed, all, assumed, , , toy
animal_effect_growth, 0.7, dimensionless, sd 0.2, normal, knowledge, all, assumed, , , toy
animal_effect_decay, -0.7, dimensionless, sd 0.2, normal, knowledge, all, assumed, , , toy
"""
)


def _write_toy(root: Path, *, page: str = _PAGE) -> Path:
    for folder in ("modules", "species"):
        shutil.copytree(SHIPPED / folder, root / folder)
    (root / "conditions").mkdir()
    (root / "conditions" / "toy.toml").write_text(page, encoding="utf-8")
    (root / "conditions" / "toy.ant").write_text(_MODULE, encoding="utf-8")
    (root / "conditions" / "toy.csv").write_text(_TABLE, encoding="utf-8")
    return root


@pytest.fixture
def toy_root(tmp_path: Path) -> Path:
    """The shipped modules with a condition "toy" of two processes and two mediators; free to be spoilt."""
    return _write_toy(tmp_path / "biology")


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Model]:
    """The toy condition, assembled for each species."""
    root = _write_toy(tmp_path_factory.mktemp("toys") / "biology")
    return {species: assemble("toy", species, root=root) for species in ("human", "mouse", "rat")}


@pytest.fixture(scope="session")
def toys_by_rule(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Model]:
    """The toy condition in the mouse, assembled for each rule by which mediators combine."""
    root = _write_toy(tmp_path_factory.mktemp("rules") / "biology")
    return {rule: assemble("toy", "mouse", combination=rule, root=root) for rule in COMBINATIONS}


@pytest.fixture(scope="session")
def systemic_toy(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The toy condition in the mouse, its growth moved from macrophages and its decay in the target."""
    page = 'systemic = ["growth"]\n' + _PAGE.replace('"uptake"]', '"uptake", "macrophages"]')
    return assemble("toy", "mouse", root=_write_toy(tmp_path_factory.mktemp("systemic") / "biology", page=page))


Run = Callable[..., dict[str, np.ndarray]]


def _behind_the_start(model: libsbml.Model) -> set[str]:
    """Symbols from which a value at the start is computed, directly or through other symbols."""

    def words(math: libsbml.ASTNode) -> set[str]:
        nodes, found = [math], set()
        while nodes:
            node = nodes.pop()
            nodes += [node.getChild(i) for i in range(node.getNumChildren())]
            if node.getType() == libsbml.AST_NAME:
                found.add(node.getName())
        return found

    starts = [a.getMath() for a in model.getListOfInitialAssignments()]
    rules = {r.getVariable(): r.getMath() for r in model.getListOfRules() if r.isAssignment()}
    behind: set[str] = set()
    new = set().union(*map(words, starts))
    while new:
        behind |= new
        new = set().union(*(words(rules[name]) for name in new if name in rules)) - behind
    return behind


def _with_numbers(sbml: str, numbers: Mapping[str, float]) -> str:
    document = libsbml.readSBMLFromString(sbml)
    for name, value in numbers.items():
        assert document.getModel().getInitialAssignment(name) is None, f"{name} is computed at the start"
        document.getModel().getParameter(name).setValue(value)
    return libsbml.writeSBMLToString(document)


@pytest.fixture(scope="session")
def run() -> Run:
    """``run(model, times, outputs, start={state: amount}, **parameters)`` in libRoadRunner: output -> (time,).

    libRoadRunner computes initial assignments once, when a model is loaded. Numbers on which they rest are therefore
    written into the SBML, and the model is loaded anew for them.
    """
    roadrunner = pytest.importorskip("roadrunner", reason="libRoadRunner is not installed")
    # This back end loads long chains of initial values six times as fast.
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    loaded: dict[tuple[object, ...], object] = {}
    behind: dict[str, set[str]] = {}

    def simulate(
        model: Model,
        times: Sequence[float],
        outputs: Sequence[str],
        *,
        start: Mapping[str, float] | None = None,
        **parameters: float,
    ) -> dict[str, np.ndarray]:
        if model.digest not in behind:
            behind[model.digest] = _behind_the_start(libsbml.readSBMLFromString(model.sbml).getModel())
        early = {name: value for name, value in parameters.items() if name in behind[model.digest]}
        key = (model.digest, *sorted(early.items()))
        if key not in loaded:
            loaded[key] = roadrunner.RoadRunner(_with_numbers(model.sbml, early) if early else model.sbml)
        tool = loaded[key]
        tool.resetAll()
        tool.resetToOrigin()
        tool.integrator.relative_tolerance = 1e-9
        tool.integrator.absolute_tolerance = 1e-9
        tool.integrator.maximum_num_steps = 100_000
        for name, value in {**parameters, **(start or {})}.items():
            if name not in early:
                tool[name] = value
        if len(times) == 1:  # nothing to integrate: the state as it was set
            return {name: np.array([float(tool[name])]) for name in outputs}
        table = np.array(tool.simulate(times=list(times), selections=list(outputs)))
        return {name: table[:, k] for k, name in enumerate(outputs)}

    return simulate
