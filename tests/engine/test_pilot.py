"""Which method an ensemble gets, what the result tells of it, and what becomes of patients who do not fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from engine_tools import sbml

from exotwin.engine import CompiledModel, load
from exotwin.engine.kernels.compile import processor
from exotwin.engine.kernels.cost import attempted_step, operations
from exotwin.engine.running.description import Description, compiled
from exotwin.errors import ModelError

N = 5000
TIMES = np.linspace(0, 20, 5)
# two oscillators, one driving the other; nothing is fast
PLAIN = """model plain
  x = 0.1; y = 0.2; z = 2.5; u = 1; a = 1.1; k = 0.3; w = 1
  x' = a/(1 + z^4) - k*x; y' = a*x - k*y; z' = a*y - k*z; u' = x - w*(u - cos(time))
end"""
# Robertson's reaction
STIFF = """model stiff
  A = 1; B = 0; C = 0; f = 1
  A' = -0.04*A + 1e4*B*C; B' = f*0.04*A - 1e4*B*C - 3e7*B^2; C' = 3e7*B^2
end"""


@pytest.fixture(scope="module")
def plain() -> CompiledModel:
    return load(sbml(PLAIN))


@pytest.fixture(scope="module")
def stiff() -> CompiledModel:
    return load(sbml(STIFF))


def spread(seed: int = 1, n: int = N) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(0, 0.1, n))


def test_what_is_not_stiff_is_simulated_explicitly_and_the_result_says_so(plain: CompiledModel) -> None:
    result = plain.simulate(TIMES, parameters={"a": spread()})
    assert result.attrs["method"] == "tsit5"
    assert set(result["method"].values) == {"tsit5"}
    told = result.attrs
    assert told["pilot_patients"] == 16
    assert 0 < told["pilot_cost_ratio"] < 0.7
    tried = (result["steps"] + result["rejected"]).mean()
    np.testing.assert_allclose(told["pilot_steps_tsit5"], tried, rtol=0.1)  # 16 patients of 5000
    other = plain.simulate(TIMES, parameters={"a": spread()}, method="rodas5p")
    np.testing.assert_allclose(told["pilot_steps_rodas5p"], (other["steps"] + other["rejected"]).mean(), rtol=0.1)
    for name in ("x", "y", "z", "u"):
        np.testing.assert_allclose(result[name], other[name], rtol=1e-4, atol=1e-5)


def test_what_is_stiff_is_not(stiff: CompiledModel) -> None:
    result = stiff.simulate([0.0, 100.0], parameters={"f": spread()})
    assert result.attrs["method"] == "rodas5p"
    assert set(result["method"].values) == {"rodas5p"}
    assert result.attrs["pilot_cost_ratio"] > 1
    assert result.attrs["pilot_failed_tsit5"] == 16
    assert result.attrs["outcomes"] == f"{N} ok"


def test_the_choice_changes_no_bit_against_the_same_method_asked_for(plain: CompiledModel) -> None:
    chosen = plain.simulate(TIMES, parameters={"a": spread()}, n_threads=2)
    asked = plain.simulate(TIMES, parameters={"a": spread()}, n_threads=1, method="tsit5")
    xr.testing.assert_equal(chosen, asked)


@pytest.mark.parametrize("width", [1, 4, 8])
def test_the_choice_does_not_depend_on_the_width_of_vectors(plain: CompiledModel, width: int) -> None:
    options = {"parameters": {"a": spread()}, "outputs": ["x"]}
    xr.testing.assert_identical(
        load(sbml(PLAIN), width=width).simulate(TIMES, **options), plain.simulate(TIMES, **options)
    )


def test_stiff_outliers_are_simulated_anew_and_nobody_else(plain: CompiledModel) -> None:
    outliers = [7, 1234, 4998]  # none of them in the pilot
    fast = np.ones(N)
    fast[outliers] = [1e6, 1e5, 1e7]
    result = plain.simulate(TIMES, parameters={"a": spread(), "w": fast})
    assert result.attrs["method"] == "tsit5"
    assert list(np.flatnonzero(result["method"].values == "rodas5p")) == outliers
    assert result.attrs["outcomes"] == f"{N} ok"
    alone = plain.simulate(TIMES, parameters={"a": spread()[outliers], "w": fast[outliers]}, method="rodas5p")
    xr.testing.assert_equal(result.isel(patient=outliers), alone)
    xr.testing.assert_equal(
        result.drop_isel(patient=outliers),
        plain.simulate(TIMES, parameters={"a": spread(), "w": 1.0}, method="tsit5").drop_isel(patient=outliers),
    )


def test_who_fails_with_both_methods_is_marked_once(plain: CompiledModel) -> None:
    fast = np.ones(N)
    fast[77] = -1e3  # grows beyond all numbers
    result = plain.simulate(TIMES, parameters={"a": spread(), "w": fast}, max_steps=3000)
    alone = plain.simulate(TIMES, parameters={"a": spread()[[77]], "w": fast[[77]]}, max_steps=3000)
    assert result.attrs["outcomes"].startswith(f"{N - 1} ok, 1 ")
    xr.testing.assert_equal(result.isel(patient=[77]), alone)


def test_a_store_tells_the_choice_and_holds_the_same_bits(plain: CompiledModel, tmp_path: Path) -> None:
    fast = np.ones(N)
    fast[1234] = 1e6
    options = {"parameters": {"a": spread(), "w": fast}, "outputs": ["x", "u"]}
    stored = plain.simulate(TIMES, store=tmp_path / "run.zarr", **options).load()
    xr.testing.assert_identical(stored, plain.simulate(TIMES, **options))
    assert stored.attrs["pilot_patients"] == 16


def test_small_ensembles_have_no_pilot(plain: CompiledModel) -> None:
    result = plain.simulate(TIMES, parameters={"a": spread(n=4095)}, outputs=["x"])
    assert result.attrs["method"] == "rodas5p"
    assert not any(name.startswith("pilot") for name in result.attrs)


def test_patients_who_take_no_step_need_no_choice(plain: CompiledModel) -> None:
    result = plain.simulate([0.0], parameters={"a": spread()}, outputs=["x"])
    assert result.attrs["method"] == "rodas5p"
    assert result.attrs["outcomes"] == f"{N} ok"


def test_an_unknown_method_is_refused_with_the_nearest(plain: CompiledModel) -> None:
    with pytest.raises(ModelError) as caught:
        plain.simulate(TIMES, method="tsitouras5")
    assert caught.value.nearest == "tsit5"


def test_all_methods_agree_on_where_things_stand_in_any_process(tmp_path: Path) -> None:
    # names and rows are handed from one method's code to the other's; neither may depend on the order of a set
    path = tmp_path / "model.xml"
    path.write_text(sbml(PLAIN))
    code = """
import sys
from exotwin.engine.kernels.compile import processor
from exotwin.engine.running.description import compiled
print(compiled("plain", open(sys.argv[1]).read(), processor(), sys.argv[2])[0].decode())
"""
    told = []
    for seed, method in (("1", "rodas5p"), ("2", "tsit5")):
        words = [sys.executable, "-c", code, str(path), method]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        description = json.loads(done.stdout)
        description["shape"].pop("workspace")
        description.pop("operations")
        told.append(description)
    assert told[0] == told[1]


# what a step costs


def test_operations_are_counted_as_often_as_they_are_done() -> None:
    text = """define internal <4 x double> @twice(<4 x double> %a0) nounwind {
entry:
%v1 = fadd <4 x double> %a0, %a0
ret <4 x double> %v1
}
define void @attempt(ptr noalias %a0) nounwind {
entry:
br label %b1
b1:
%v1 = phi i64 [ 0, %entry ], [ %v9, %b2 ]
%v2 = icmp slt i64 %v1, 10
br i1 %v2, label %b2, label %b3
b2:
%v3 = load <4 x double>, ptr %a0, align 32
%v4 = fdiv <4 x double> %v3, %v3
%v5 = call <4 x double> @twice(<4 x double> %v4)
%v6 = call <4 x double> @llvm.fma.v4f64(<4 x double> %v5, <4 x double> %v5, <4 x double> %v5)
store <4 x double> %v6, ptr %a0, align 32
%v9 = add i64 %v1, 1
br label %b1
b3:
%v10 = fadd <4 x double> %v3, %v3
ret void
}
"""
    # ten turns of load, division, addition, multiply-add, store and count; one addition
    assert operations(text, "twice") == 1
    assert operations(text, "attempt") == 10 * (0.5 + 8 + 1 + 1 + 0.5 + 1) + 1


@pytest.mark.parametrize("method", ["rodas5p", "tsit5"])
def test_the_count_does_not_depend_on_the_width_of_vectors(method: str) -> None:
    text = sbml("model w\n y = 1; y' = -y^1.5*exp(-y)*tanh(time)\nend")
    counts = {Description.from_json(compiled("w", text, processor(w), method)[0]).operations for w in (1, 2, 8)}
    assert len(counts) == 1
    assert counts.pop() > attempted_step("define void @attempt(ptr %a0) {\nentry:\nret void\n}\n")


def test_a_step_with_a_matrix_costs_more_the_more_states_there_are() -> None:
    def ratio(n: int) -> float:
        names = [f"x{i}" for i in range(n)]
        total = " + ".join(names)
        text = "model r\n" + "".join(f" {x} = 1; {x}' = -{x}*({total});" for x in names) + "\nend"
        found = [
            Description.from_json(compiled("r", sbml(text), processor(1), method)[0]).operations
            for method in ("rodas5p", "tsit5")
        ]
        return found[0] / found[1]

    assert 1 < ratio(2) < ratio(6) < ratio(12)
