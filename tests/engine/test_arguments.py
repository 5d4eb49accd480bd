"""What a caller may give wrong is told in one message: where, what was found, what was expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pint
import pytest
from engine_tools import sbml

from exotwin.engine import CompiledModel, Dose, load
from exotwin.errors import ExotwinError, ModelError

TEXT = "model m\n x = 1; y = 2; k = 0.3; x' = -k*x; y' = k*x; total := x + y\nend"
TIMES = [0.0, 1.0, 2.0]


@pytest.fixture(scope="module")
def model() -> CompiledModel:
    return load(sbml(TEXT))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"parameters": {"k": "3"}}, "parameters \"k\"\n  found     '3'\n  expected  numbers"),
        ({"parameters": {"k": [1.0, None]}}, 'parameters "k"\n  found     [1.0, None]\n  expected  numbers'),
        ({"parameters": {"k": pint.Quantity(3.0, "1/hour")}}, "in the unit that the model has"),
        ({"parameters": {"k": np.ones((2, 2))}}, "numbers of shape (2, 2)"),
        ({"parameters": [0.3]}, 'parameters\n  found     [0.3]\n  expected  names with values, such as {"k": 0.3}'),
        ({"parameters": {3: 0.3}}, 'm, parameters "3"\n  found     no such name'),
        ({"parameters": {"k": [1, 2]}, "initial": {"x": [1, 2, 3]}}, 'initial "x"\n  found     3 patients'),
        (
            {"doses": [Dose("x", 0.0, np.ones(2)), Dose("x", 0.0, np.ones(3))]},
            'dose into "x" at time 0\n  found     3 pat',
        ),
        ({"initial": {"k": 1.0}}, "found     a parameter\n  expected  a state of the model; the value of a parameter"),
        ({"initial": {"total": 1.0}}, "found     what a rule or a reaction computes"),
        ({"rtol": "1e-6"}, "rtol\n  found     '1e-6'\n  expected  a number above zero and below one"),
        ({"rtol": 10}, "rtol\n  found     10"),
        ({"rtol": np.ones(2)}, "rtol\n  found     array([1., 1.])"),
        ({"atol": [1e-3]}, "atol\n  found     [0.001]\n  expected  zero or more"),
        ({"atol": {"x": "small"}}, "atol of \"x\"\n  found     'small'"),
        ({"n_threads": 1.5}, "n_threads\n  found     1.5\n  expected  a whole number above zero"),
        ({"n_threads": "2"}, "n_threads\n  found     '2'"),
        ({"max_steps": 1e30}, "max_steps\n  found     1e+30"),
        ({"max_steps": 2**63}, "max_steps\n  found     9223372036854775808"),
        ({"outputs": "x"}, "outputs\n  found     'x'\n  expected  a list of names, such as"),
        ({"outputs": 3}, "outputs\n  found     3"),
        ({"outputs": [["x"]]}, "outputs\n  found     ['x']\n  expected  a name"),
        ({"method": None}, 'method\n  found     "None"'),
        ({"doses": Dose("x", 0.0, 1.0)}, "doses\n  found     Dose(state='x'"),
        ({"doses": [("x", 0.0, 1.0)]}, "doses\n  found     ('x', 0.0, 1.0)\n  expected  a dose, such as"),
        ({"doses": [Dose(["x"], 0.0, 1.0)]}, "found     no state of that name"),
        ({"doses": [Dose("x", "0", 1.0)]}, "dose into \"x\", time\n  found     '0'"),
        ({"doses": [Dose("x", 0.0, "much")]}, "dose into \"x\" at time 0, amount\n  found     'much'"),
        ({"doses": [Dose("x", 0.0, np.ones((2, 2)))]}, "numbers of shape (2, 2)"),
        ({"doses": [Dose("x", 0.0, 1.0, "long")]}, "dose into \"x\" at time 0, duration\n  found     'long'"),
        ({"store": 3}, "store\n  found     3\n  expected  the path of a folder"),
    ],
)
def test_what_is_given_wrong_is_told_with_its_place(
    model: CompiledModel, options: dict[str, object], told: str
) -> None:
    with pytest.raises(ModelError) as error:
        model.simulate(TIMES, **options)  # type: ignore[arg-type]
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (np.array(["2026-01-01", "2026-01-02"], "datetime64[D]"), "times\n  found     array(['2026-01-01'"),
        (np.array([0, 60], "timedelta64[s]"), "expected  numbers"),
        ([0.0, 2.0, 1.0], "times[2]\n  found     1.0 behind 2.0"),
        ([0.0, np.nan], "times[1]\n  found     nan"),
        (None, "times\n  found     None"),
    ],
)
def test_times_that_are_no_numbers_or_do_not_rise_are_told_by_their_place(
    model: CompiledModel, times: object, told: str
) -> None:
    with pytest.raises(ModelError) as error:
        model.simulate(times)  # type: ignore[arg-type]
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"path_or_sbml": None}, "load\n  found     None"),
        ({"path_or_sbml": b"<sbml/>"}, "the document itself as text"),
        ({"path_or_sbml": TEXT, "sensitivities": "k"}, "sensitivities\n  found     'k'\n  expected  a list of names"),
        ({"path_or_sbml": TEXT, "sensitivities": [3]}, "sensitivities\n  found     3"),
    ],
)
def test_what_cannot_be_loaded_is_told(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(ModelError) as error:
        load(**arguments)  # type: ignore[arg-type]
    assert told in str(error.value)


@pytest.mark.parametrize(("time", "duration"), [(1000.0, 1e-14), (1000.0, 1e-7), (0.0, 1e-320)])
def test_an_infusion_shorter_than_times_resolve_is_refused_instead_of_given_wrong(
    model: CompiledModel, time: float, duration: float
) -> None:
    with pytest.raises(ModelError, match=r"(?s)duration.*0, for all at once, or at least"):
        model.simulate([0.0, 1000.0, 2000.0], doses=[Dose("x", time, 5.0, duration)])


def test_a_short_infusion_late_in_time_gives_its_whole_amount() -> None:
    """The end of an infusion of 1e-4 is rounded by 7e-8 of it; the amount must not be rounded with it."""
    model = load(sbml("model m\n x = 0; x' = -k*x; k = 0\nend"))
    found = model.simulate([0.0, 1e5, 2e5], doses=[Dose("x", 1e5, 3.0, 1e-4)])
    # each of the steps inside rounds its time as well
    np.testing.assert_allclose(found["x"][0], [0, 0, 3], rtol=1e-6)


def test_a_path_with_spaces_and_chinese_letters_and_line_ends_of_windows_loads(tmp_path: Path) -> None:
    path = tmp_path / "模型 目录" / "模 型.xml"
    path.parent.mkdir()
    path.write_bytes(sbml(TEXT).replace("\n", "\r\n").encode())
    assert load(path).simulate(TIMES, store=tmp_path / "结 果.zarr")["total"].values[0, -1] == pytest.approx(3)


def test_a_model_shows_what_it_is(model: CompiledModel) -> None:
    assert (
        repr(model) == "<CompiledModel m: 2 states, 3 parameters, 1 observables; time in a unit that it does not name>"
    )
    assert "<td>k</td><td>0.3</td>" in model._repr_html_()


def test_results_that_no_memory_holds_are_told(model: CompiledModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(run: object) -> None:
        raise MemoryError

    monkeypatch.setattr("exotwin.engine.running.integrator._results", full)
    with pytest.raises(ExotwinError, match=r"(?s)memory.*1 patients, 3 outputs, 3 times.*`store`"):
        model.simulate(TIMES)
