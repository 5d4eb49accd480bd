"""What a cargo reaches is the sum of its links; what was not measured is said to be so."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lots import copies, lot

from exotwin.errors import MechanismError
from exotwin.mechanism import Edge, edges, mechanism_of

ROSTER = ["miR-21-5p", "miR-22-3p", "miR-146a-5p", "miR-126-3p", "miR-29a-3p", "miR-10a-5p"]
PROCESSES = ["granulosa_apoptosis", "primordial_activation", "angiogenesis", "antioxidant_defence"]


def edge(mediator: str, target: str, process: str, gain: float, sd: float) -> Edge:
    return Edge(mediator, target, process, gain, sd, "assumed", ("some-record",), "because")


def test_gains_of_one_mediator_on_one_process_add_and_their_variances_too():
    table = (
        edge("miR-21-5p", "A", "angiogenesis", 0.3, 0.3),
        edge("miR-21-5p", "B", "angiogenesis", -0.1, 0.4),
        edge("miR-21-5p", "A", "antioxidant_defence", 0.2, 0.1),
        edge("miR-22-3p", "C", "angiogenesis", 1.0, 1.0),
    )
    found = mechanism_of(lot(copies("miR-21-5p")), ["miR-21-5p"], ["angiogenesis"], table=table)
    assert dict(found.gains) == {("miR-21-5p", "angiogenesis"): pytest.approx((0.2, 0.5))}
    assert found.edges == table[:2]


@given(measured=st.sets(st.sampled_from(ROSTER)), asked=st.sets(st.sampled_from(ROSTER)), n=st.integers(0, 4))
def test_every_asked_mediator_is_either_carried_or_unmeasured(measured, asked, n):
    wanted = PROCESSES[:n]
    found = mechanism_of(lot(*map(copies, sorted(measured))), asked, wanted)
    linked = {e.mediator for e in edges() if e.mediator in asked and e.process in wanted}
    assert set(found.copies_per_vesicle) == linked & measured
    assert set(found.unmeasured) == linked - measured
    assert {e.mediator for e in found.edges} == linked & measured
    for (mediator, process), (gain, sd) in found.gains.items():
        rows = [e for e in edges() if (e.mediator, e.process) == (mediator, process)]
        assert gain == pytest.approx(math.fsum(e.gain for e in rows))
        assert sd == pytest.approx(math.sqrt(math.fsum(e.gain_sd**2 for e in rows)))


def test_a_row_that_was_not_measured_is_unmeasured_and_not_zero():
    found = mechanism_of(lot(copies("miR-21-5p"), copies("miR-22-3p", math.nan, measured=False)), ROSTER[:3], PROCESSES)
    assert found.unmeasured == ("miR-22-3p", "miR-146a-5p")
    assert ("miR-22-3p", "granulosa_apoptosis") not in found.gains
    assert "miR-22-3p, miR-146a-5p" in found._repr_html_()


def test_a_mediator_measured_as_zero_stays_with_its_zero():
    found = mechanism_of(lot(copies("miR-21-5p", 0.0)), ["miR-21-5p"], PROCESSES)
    assert found.copies_per_vesicle["miR-21-5p"].copies_per_vesicle == 0
    assert found.unmeasured == ()


@pytest.mark.parametrize("shape", [{"cargo": False}, {"vesicles": False}])
def test_a_product_without_cargo_reaches_nothing_that_anyone_knows_of(shape):
    found = mechanism_of(lot(**shape), ROSTER, PROCESSES)
    assert found.edges == ()
    assert found.unmeasured == tuple(ROSTER)
    assert len(found.remarks) == 1


def test_a_process_that_no_link_reaches_is_named():
    found = mechanism_of(lot(copies("miR-29a-3p")), ["miR-29a-3p"], PROCESSES)
    assert found.untouched == ("primordial_activation", "angiogenesis", "antioxidant_defence")


def test_mediators_measured_as_one_are_pointed_out_once():
    pair = (
        copies("miR-21-5p", joined_with=("miR-22-3p", "miR-590-5p")),
        copies("miR-22-3p", joined_with=("miR-21-5p", "miR-590-5p")),
    )
    found = mechanism_of(lot(*pair), ROSTER, PROCESSES)
    assert len(found.remarks) == 1
    assert "miR-21-5p and miR-22-3p" in found.remarks[0]


def test_a_mediator_without_any_link_is_an_error_that_names_the_nearest():
    with pytest.raises(MechanismError) as caught:
        mechanism_of(lot(), ["miR-22-5p"], PROCESSES)
    assert caught.value.nearest == "miR-22-3p"


def test_bases_are_counted():
    found = mechanism_of(lot(*map(copies, ROSTER)), ROSTER, PROCESSES)
    assert sum(found.counts().values()) == len(found.edges)
    assert len(found.edges) == sum(e.mediator in ROSTER and e.process in PROCESSES for e in edges())
    assert found.counts()["measured"] == 0


def test_the_notebook_view_shows_the_interval_and_escapes_names():
    html = mechanism_of(lot(copies("miR-29a-3p"), name="<b>lot</b>"), ["miR-29a-3p"], PROCESSES)._repr_html_()
    assert "<b>" not in html
    # exp(-0.134) and exp(-0.134 -+ 1.96 * 0.12)
    assert "-0.13 ± 0.12" in html
    assert "0.87 (0.69–1.11)" in html
