"""The table of links says what its records say, adds up to no more than was measured, and refuses what is wrong."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import pytest

from exotwin.errors import MechanismError
from exotwin.evidence import record
from exotwin.mechanism import edges, sites
from exotwin.mechanism.edges import COLUMNS

OVARY = {"granulosa_apoptosis", "primordial_activation", "angiogenesis", "antioxidant_defence"}
ROSTER = {"miR-21-5p", "miR-22-3p", "miR-146a-5p", "miR-126-3p", "miR-29a-3p", "miR-10a-5p"}
# How the target records name the processes of the conditions
ALIASES = {
    "apoptosis": "granulosa_apoptosis",
    "follicle_activation": "primordial_activation",
    "inflammation": "sasp_secretion",
}
# Directions that a study states in its words, without the columns of the target records
IN_WORDS = {
    "ev-endothelial-senescence-dose": {"antioxidant_defence": "up"},
    "pdmsc-ovx-rat-vegf": {"angiogenesis": "up"},  # vessels increased
    "huc-exo-14-3-3-sirt1": {"antioxidant_defence": "up"},  # oxidative damage lower
    "tsg6-mechanism": {"sasp_secretion": "down"},  # needed for the benefit
    "add-age-usc-ev": {"sasp_secretion": "down"},  # MMPs, p16 and p21 down
}
GOOD = "miR-21-5p, PTEN, granulosa_apoptosis, -0.1, 0.1, derived, some-record other-record, a third of it"


def table(folder: Path, *rows: str) -> Path:
    path = folder / "edges.csv"
    path.write_text("\n".join([", ".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    return path


def test_the_shipped_table_links_six_mediators_to_the_four_processes_of_the_ovary():
    of_rna = [e for e in edges() if e.mediator not in sites()]
    assert {e.mediator for e in of_rna if e.process in OVARY - {"antioxidant_defence"}} == ROSTER
    assert {e.process for e in edges() if e.mediator in ROSTER} == OVARY | {"sasp_secretion"}


def test_each_protein_of_the_table_has_a_site_by_a_record_and_an_edge():
    assert set(sites()) == {e.mediator for e in edges()} & set(sites())
    assert {"VEGFA", "TNFAIP6", "TIMP1", "PLAU"} == {name for name, acts in sites().items() if acts == "outside"}
    for edge in edges():
        if edge.mediator in sites():
            assert all(record(i).seen for i in edge.records)
            assert edge.basis == "assumed"


def test_no_mediator_is_said_to_make_the_body_remove_senescent_cells():
    """No record shows it: vesicles are called senomorphic, and p16 in people did not move (msc-ras-partial-null)."""
    assert "senescent_removal" not in {e.process for e in edges()}
    assert record("msc-ras-partial-null").value["human_p16_exosomes"] == "unchanged"


def test_the_three_shown_to_act_on_the_secretion_of_senescent_cells_halve_it_together():
    shown = [e for e in edges() if e.process == "sasp_secretion" and e.note.startswith("SASP")]
    shares: dict[str, float] = defaultdict(float)
    for edge in shown:
        shares[edge.mediator] += edge.gain
    assert set(shares) == {"miR-146a-5p", "miR-21-5p", "let-7b-5p"}
    for share in shares.values():
        assert share == pytest.approx(math.log(0.5) / 3, abs=0.001)


def test_partners_of_a_link_are_those_of_its_target_records():
    checked = 0
    for edge in edges():
        for found in (record(i) for i in edge.records if i.startswith("mtb-")):
            assert (found.mirna, found.target) == (f"hsa-{edge.mediator}", edge.target)
            checked += 1
    assert checked >= 25


def test_the_direction_of_a_link_is_stated_by_a_record_and_denied_by_none():
    for edge in edges():
        said = set()
        for found in map(record, edge.records):
            ways = dict(p.split() for p in found.process or ())
            ways = {ALIASES.get(name, name): way for name, way in ways.items()}
            ways |= IN_WORDS.get(found.id, {})
            said |= {ways[edge.process]} if edge.process in ways else set()
        if (
            edge.target == "unnamed" and edge.mediator not in sites()
        ):  # no target, so no record of a target; the study itself is checked below
            assert said == set()
        elif edge.gain:
            assert said == {"up" if edge.gain > 0 else "down"}, edge
        else:
            assert len(said) == 1, edge


def test_a_gain_of_zero_is_a_conflict_that_says_so():
    conflicts = [e for e in edges() if e.gain == 0]
    assert conflicts
    for edge in conflicts:
        assert edge.note.startswith("AGAINST")
        assert any(e.gain and (e.mediator, e.process) == (edge.mediator, edge.process) for e in edges())


def test_all_mediators_together_prevent_no_more_apoptosis_than_the_cells_did():
    seen = record("guo2013-granulosa-apoptosis").value
    left = (seen["cisplatin_plus_BMSC"] - seen["control"]) / (seen["cisplatin"] - seen["control"])
    shares: dict[str, float] = defaultdict(float)
    for edge in edges():
        if edge.process == "granulosa_apoptosis":
            shares[edge.mediator] += edge.gain
    assert math.log(left) < sum(shares.values()) < 0
    # six of the eight miRNAs that are each said to carry the whole; shares are rounded to three digits
    assert sum(shares.values()) == pytest.approx(6 / 8 * math.log(left), abs=0.005)
    assert shares["miR-10a-5p"] == pytest.approx(3 * shares["miR-146a-5p"], abs=0.002)


def test_carriers_shown_in_oocytes_share_the_doubling_that_a_lifted_brake_gives():
    brake = record("ovsim-parameters").value
    doubling = math.log(brake["p_activation_when_growing_pool_low"] / brake["p_activation_per_day"])
    shown = [e for e in edges() if "add-poi-exo-activates-primordial" in e.records]
    assert {e.mediator for e in shown} == {"miR-21-5p", "miR-146a-5p"}
    assert sum(e.gain for e in shown) == pytest.approx(doubling, abs=0.002)


def test_no_gain_passes_for_measured_and_none_is_sharper_than_what_it_rests_on():
    for edge in edges():
        assert edge.basis != "measured"
        assert edge.gain_sd >= abs(edge.gain) / 2, edge


@pytest.mark.parametrize(
    ("old", "new", "column", "near"),
    [
        ("miR-21-5p", "hsa-miR-21-5p", "mediator", "miR-21-5p"),
        ("miR-21-5p", "miR-21", "mediator", None),
        ("PTEN", "", "target", None),
        ("granulosa_apoptosis", "granulosa apoptosis", "process", None),
        ("-0.1", "minus", "gain", None),
        ("-0.1", "nan", "gain", None),
        ("0.1, derived", "0, derived", "gain_sd", None),
        ("0.1, derived", "inf, derived", "gain_sd", None),
        ("derived", "derivd", "basis", "derived"),
        ("some-record other-record", "", "records", None),
        ("some-record other-record", "some-record; other-record", "records", None),
        ("a third of it", "", "note", None),
    ],
)
def test_a_fault_names_file_line_and_column(tmp_path, old, new, column, near):
    path = table(tmp_path, "let-7b-5p, X, angiogenesis, 0.1, 0.1, measured, some-record,", GOOD.replace(old, new, 1))
    with pytest.raises(MechanismError) as caught:
        edges(path)
    assert caught.value.where == f"{path}, line 3, {column}"
    assert caught.value.nearest == near


def test_a_link_given_twice_is_refused(tmp_path):
    with pytest.raises(MechanismError, match="line 3") as caught:
        edges(table(tmp_path, GOOD, GOOD.replace("-0.1", "-0.2")))
    assert "again" in caught.value.found


def test_a_table_of_ones_own_is_read_with_all_its_fields(tmp_path):
    (edge,) = edges(table(tmp_path, GOOD))
    assert (edge.mediator, edge.target, edge.process) == ("miR-21-5p", "PTEN", "granulosa_apoptosis")
    assert (edge.gain, edge.gain_sd, edge.basis) == (-0.1, 0.1, "derived")
    assert edge.records == ("some-record", "other-record")
    assert edge.note == "a third of it"
