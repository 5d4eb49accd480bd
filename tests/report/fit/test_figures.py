from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from exotwin.calibration.problem import Simulation
from exotwin.report.fit import facts
from exotwin.report.fit.clock import time_axis
from exotwin.report.fit.figures import correlations, fits, profiles, residuals, waterfall
from exotwin.report.fit.figures.shared import SMALL
from exotwin.report.fit.panels import SERIES, panels
from exotwin.report.svg import house_style

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def _drawn(axes, gid):
    return [line for line in axes.get_lines() if line.get_gid() == gid]


def _points(figure, gid):
    return sum(len(line.get_xdata()) for axes in figure.axes for line in _drawn(axes, gid))


@pytest.mark.parametrize("name", ["small", "large"])
def test_every_measurement_stands_in_one_panel(name, request):
    problem = request.getfixturevalue(name).problem
    rows = Counter(int(r) for p in panels(problem) for r in p.rows)
    assert rows == Counter(range(len(problem.measurements)))
    for panel in panels(problem):
        assert set(problem.measurements.observable[panel.rows]) == {panel.observable}


@pytest.mark.parametrize("name", ["small", "large"])
def test_every_measurement_is_drawn_where_it_was_measured(name, request):
    fit = request.getfixturevalue(name)
    drawings = fits.draw(facts.comparison(fit.problem, fit.evaluation), panels(fit.problem))
    assert sum(_points(d.figure, "measured") for d in drawings) == len(fit.problem.measurements)
    drawn = [y for d in drawings for a in d.figure.axes for line in _drawn(a, "measured") for y in line.get_ydata()]
    np.testing.assert_array_equal(np.sort(drawn), np.sort(fit.problem.measurements.value))


def test_no_panel_holds_more_courses_than_markers_tell_apart(large):
    over_time = [p for p in panels(large.problem) if p.over_time]
    assert max(len(p.series) for p in over_time) <= SERIES
    assert {p.parts for p in over_time} > {1}


def test_conditions_measured_once_stand_side_by_side_in_the_order_of_their_table(large):
    doses = next(p for p in panels(large.problem) if p.observable == 1)
    assert not doses.over_time
    assert [s.label for s in doses.series] == [f"model1_data{i}" for i in (1, 2, 3, 4)]
    assert [len(s.rows) for s in doses.series] == [3, 3, 3, 3]


def test_a_condition_measured_on_two_scales_gives_two_courses(large):
    labels = [s.label for p in panels(large.problem) if p.observable == 2 for s in p.series]
    assert labels == ["model1_data4, scale_gel1", "model1_data4, scale_gel2"]


def test_scales_that_differ_much_do_not_share_a_linear_axis(large):
    m = large.problem.measurements
    value = np.where([f == ("scale_gel2",) for f in m.observable_parameters], 100 * m.value, m.value)
    apart = replace(large.problem, measurements=replace(m, value=value))
    linear = [p for p in panels(apart) if p.observable == 10]
    logarithmic = [p for p in panels(apart) if p.observable == 6]
    assert [len(p.series) for p in linear] == [1, 1]
    assert [len(p.series) for p in logarithmic] == [2]


def test_the_condition_before_is_named_unless_it_is_the_same_for_all(large):
    assert any("model1_data5 after model1_data1" in s.label for p in panels(large.problem) for s in p.series)
    same = replace(
        large.problem, simulations=tuple(Simulation(s.condition, "model1_data1") for s in large.problem.simulations)
    )
    assert not any("after" in s.label for p in panels(same) for s in p.series)


def test_residuals_are_what_the_noise_model_means(small):
    c = facts.comparison(small.problem, small.evaluation)
    measured, simulated = small.problem.measurements.value, small.evaluation.simulation[0]
    np.testing.assert_allclose(c.residual[:7], (measured[:7] - simulated[:7]) / 4.0)
    np.testing.assert_allclose(c.residual[7:], np.log10(measured[7:] / simulated[7:]) / 0.1)
    # the SD of Laplace noise is √2 of its scale
    np.testing.assert_allclose(c.band[1][7:], simulated[7:] * 10 ** (0.1 * math.sqrt(2)))
    np.testing.assert_allclose(c.band[0][:7], simulated[:7] - 4.0)
    both = np.concatenate([c.residual[:7], c.residual[7:] / math.sqrt(2)])
    assert c.rms() == pytest.approx(np.sqrt(np.mean(both**2)))


def test_a_value_without_a_logarithm_has_no_residual(small):
    simulated = small.evaluation.simulation.copy()
    simulated[0, 9] = -1.0
    c = facts.comparison(small.problem, replace(small.evaluation, simulation=simulated))
    assert list(np.flatnonzero(np.isnan(c.residual))) == [9]
    assert fits.draw(c, panels(small.problem))


def test_every_residual_is_drawn_and_those_beyond_the_edge_stand_at_it(large):
    c = facts.comparison(large.problem, large.evaluation)
    figure = residuals.draw(c).figure
    assert _points(figure, "residual") == len(large.problem.measurements)
    assert np.abs(c.residual).max() > residuals.EDGE
    assert (
        max(abs(y) for a in figure.axes for line in _drawn(a, "residual") for y in line.get_ydata()) == residuals.EDGE
    )


def test_the_waterfall_shows_each_start_with_a_value_by_its_outcome(small):
    axes = waterfall.draw(small).figure.axes[0]
    assert len(_drawn(axes, "converged")[0].get_xdata()) == 8
    assert len(_drawn(axes, "iteration limit")[0].get_xdata()) == 1
    assert len(_drawn(axes, "failed")[0].get_xdata()) == 1  # two more have no value
    heights = np.sort(
        np.concatenate([_drawn(axes, k)[0].get_ydata() for k in ("converged", "iteration limit", "failed")])
    )
    np.testing.assert_allclose(heights, [1e-3, 1e-3, 1e-3, 0.02, 0.09, 0.11, 0.5, 3.2, 11, 40])


def test_every_start_with_a_value_is_drawn_however_a_search_may_end(small):
    ends = ["converged", "creeping", "iteration limit", "failed: no step"]
    starts = tuple(replace(s, found=replace(s.found, outcome=ends[s.number % len(ends)])) for s in small.starts[:10])
    axes = waterfall.draw(replace(small, starts=starts)).figure.axes[0]
    drawn = [_drawn(axes, name) for name in ("converged", "creeping", "iteration limit", "failed")]
    assert [len(lines[0].get_xdata()) for lines in drawn] == [3, 3, 2, 2]


def test_verdicts_of_profiles_leave_room_for_their_neighbours(small):
    figure = profiles.draw(small)[0].figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    verdict = figure.text(0, 0, "only an upper limit; at lower bound", fontsize=SMALL)
    wide = verdict.get_window_extent(renderer).width
    left = [axes.get_window_extent(renderer).x0 for axes in figure.axes[:2]]
    assert wide < left[1] - left[0]


def test_profiles_are_drawn_at_their_points_with_their_limits(small):
    figure = profiles.draw(small)[0].figure
    on, off, offset, sd = figure.axes
    np.testing.assert_allclose(_drawn(on, "profile")[0].get_xdata(), 10 ** small.profiles[0].grid)
    np.testing.assert_allclose(_drawn(on, "profile")[0].get_ydata(), small.profiles[0].value + 20)
    assert len(_drawn(on, "limit")) == 2
    assert len(_drawn(off, "limit")) == 1
    assert len(_drawn(offset, "limit")) == 0
    assert len(_drawn(offset, "bound")) == 1
    assert _drawn(sd, "profile") == []
    texts = [t.get_text() for t in figure.texts]
    assert {"identifiable", "only an upper limit", "failed; at upper bound", "not profiled"} <= set(texts)


def test_the_parabola_is_drawn_only_where_the_curvature_gives_one(small):
    on, off, offset, sd = profiles.draw(small)[0].figure.axes
    assert [len(_drawn(a, "curvature")) for a in (on, off, offset, sd)] == [1, 1, 0, 0]
    x, y = _drawn(on, "curvature")[0].get_data()
    np.testing.assert_allclose(y, ((np.log10(x) - math.log10(0.3)) / 0.05) ** 2 / 2, atol=1e-9)


def test_without_profiles_and_samples_there_is_nothing_to_draw(small):
    assert profiles.draw(replace(small, profiles=(), samples=None)) == []


def test_correlations_are_drawn_up_to_what_can_be_read(small, large):
    names = large.problem.names
    assert correlations.draw(names, large.curvature.correlation) is None
    drawn = correlations.draw(names[:20], large.curvature.correlation[:20, :20])
    labels = [t.get_text() for t in drawn.figure.axes[0].get_yticklabels()]
    assert len(labels) == 17  # two are held at bounds, and the first has no row below the diagonal
    few = correlations.draw(small.problem.names, small.curvature.correlation)
    assert [t.get_text() for t in few.figure.axes[0].texts] == ["−.93"]


def test_the_strongest_pairs_come_first(small):
    matrix = np.array([[1, 0.85, -0.99], [0.85, 1, 0.3], [-0.99, 0.3, 1]])
    pairs = correlations.strongest(["a", "b", "c"], matrix)
    assert [(p.first, p.second, p.correlation) for p in pairs] == [("c", "a", -0.99), ("b", "a", 0.85)]


@pytest.mark.parametrize("name", ["small", "large"])
def test_figures_are_files_that_stand_alone(folders, name):
    paths = sorted((folders[name] / "figures").iterdir())
    assert paths
    for path in paths:
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag == f"{SVG}svg"
        assert root.find(f"{SVG}title").text
        assert root.findall(f".//{SVG}text"), "text must stay text"
        assert not root.findall(f".//{SVG}image")


def test_names_of_the_same_kind_stay_apart_when_shortened():
    one, other = (f"observable_of_the_same_kind_{k}" for k in "ab")
    assert facts.shortened(one, 20) != facts.shortened(other, 20)
    assert len(facts.shortened(one, 20)) == 20
    assert facts.shortened("short", 20) == "short"


def test_observables_go_by_their_labels_where_these_tell_them_apart(small):
    assert facts.named(small.problem.observables) == ("Reporter", "dimer")
    twins = tuple(replace(o, label="same") for o in small.problem.observables)
    assert facts.named(twins) == ("reporter", "dimer")


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ('<unit kind="second" multiplier="60"/>', "time (min)"),
        ('<unit kind="second" multiplier="864" scale="2" exponent="1"/>', "time (d)"),
        ('<unit kind="second" multiplier="7"/>', "time"),
        ('<unit kind="metre"/>', "time"),
        ('<unit kind="second"/><unit kind="metre"/>', "time"),
    ],
)
def test_the_axis_of_time_has_the_unit_that_the_model_states(unit, shown):
    listed = f"<listOfUnits>{unit}</listOfUnits>"
    for head, own, name in (
        ('level="3" version="1"', 'timeUnits="clock"', "clock"),
        ('level="2" version="4"', "", "time"),
    ):
        text = (
            f'<sbml xmlns="http://www.sbml.org/sbml" {head}><model {own}><listOfUnitDefinitions>'
            f'<unitDefinition id="{name}">{listed}</unitDefinition></listOfUnitDefinitions></model></sbml>'
        )
        assert time_axis(text) == shown
    assert time_axis('<sbml level="2"><model/></sbml>') == "time"
    assert time_axis('<sbml level="3"><model timeUnits="second"/></sbml>') == "time (s)"
