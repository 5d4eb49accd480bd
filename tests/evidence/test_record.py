"""Records load with their source, are found without parsing the rest, and refuse what is wrong by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from exotwin.errors import EvidenceError
from exotwin.evidence import _yaml, record, records, rejected
from exotwin.evidence.record import Library

RECORDS = Path(_yaml.__file__).with_name("records")
GOOD = """
- id: first-fact
  claims: [POI-1]
  kind: parameter
  what: a number
  value: 1.0e6
  unit: cells
  context: mouse
  source: {title: A paper, year: 2019, journal: J, doi: 10.1000/x, pmid: '123', pmcid: PMC1, url: 'https://e.org'}
  where: abstract
  seen: true
"""


def library(folder: Path, text: str) -> Library:
    (folder / "dossier.yaml").write_text(text, encoding="utf-8")
    return Library(folder)


def test_a_record_carries_its_number_its_place_and_its_source():
    found = record("guo2013-granulosa-apoptosis")
    assert found.value == {"control": 0.59, "cisplatin": 13.04, "cisplatin_plus_BMSC": 4.84}
    assert (found.source.doi, found.source.year, found.dossier) == ("10.1186/1471-2121-14-18", 2013, "poi")
    assert found.seen


def test_counts_of_the_shipped_records_are_known():
    # 1531 entries in eleven dossiers; 34 of them name no source, all of them remembered and not read
    assert len(list(RECORDS.glob("*.yaml"))) == 11
    assert len(records()) == 1497
    assert len(rejected()) == 34
    assert all(entry.reason.startswith("no source") for entry in rejected())


def test_what_is_rejected_stands_in_a_dossier_and_was_never_read():
    texts = {p.stem: p.read_text(encoding="utf-8") for p in RECORDS.glob("*.yaml")}
    for entry in rejected():
        block = texts[entry.dossier].split(f"- id: {entry.id}\n", 1)[1].split("\n- id: ", 1)[0]
        assert "  seen: false" in block, entry.id


def test_a_rejected_record_cannot_be_used():
    with pytest.raises(EvidenceError, match="gnrha-chemo-unseen") as caught:
        record("gnrha-chemo-unseen")
    assert "no source" in caught.value.found
    assert "gnrha-chemo-unseen" not in records()


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(EvidenceError) as caught:
        record("guo2013-granulosa-apoptose")
    assert caught.value.nearest == "guo2013-granulosa-apoptosis"


def test_asking_for_one_record_parses_one_item(monkeypatch):
    parsed = []
    read = _yaml.load
    monkeypatch.setattr(_yaml, "load", lambda text, **place: parsed.append(text) or read(text, **place))
    Library(RECORDS).get("mtb-mir-21-5p-pten")
    assert len(parsed) == 1
    assert len(parsed[0].splitlines()) < 40


def test_a_record_is_the_same_alone_and_among_all():
    alone = Library(RECORDS)
    every = Library(RECORDS).all()
    for name in ("karin2019-mouse-params", "add-poi-msc-study-list", "copies-per-exosome"):
        assert alone.get(name) == every[name]


def test_filters_agree_with_a_count_by_hand():
    every = records()
    assert set(records(seen=False)) == {i for i, r in every.items() if not r.seen}
    assert set(records(claim="POI-2", kind="parameter")) == {
        i for i, r in every.items() if "POI-2" in r.claims and r.kind == "parameter"
    }
    assert 0 < len(records(claim="POI-2", kind="parameter", seen=True)) < len(records(claim="POI-2")) < len(every)


@pytest.mark.parametrize(
    ("asked", "near"), [({"claim": "POI2"}, "POI-2"), ({"kind": "paramter"}, "parameter"), ({"claim": "X-9"}, None)]
)
def test_a_filter_that_nothing_has_is_an_error_and_not_an_empty_answer(asked, near):
    with pytest.raises(EvidenceError) as caught:
        records(**asked)
    if near:
        assert caught.value.nearest == near


def test_every_shipped_file_reads_the_same_under_yaml_1_1():
    # numbers such as 1.0e6 and words such as no differ between the two; the shipped form must not depend on the reader
    for path in RECORDS.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert yaml.load(text, yaml.CSafeLoader) == _yaml.load(text, path=path), path.name


def test_numbers_and_words_are_read_as_yaml_1_2_has_them(tmp_path):
    read = _yaml.load("{a: 1.0e6, b: no, c: 010, d: 2020-01-02, e: 1:30, f: true, g: null, 7: x, h: .5}", path=tmp_path)
    assert read == {
        "a": 1e6, "b": "no", "c": 10, "d": "2020-01-02", "e": "1:30", "f": True, "g": None, "7": "x", "h": 0.5
    }  # fmt: skip


def test_a_good_dossier_loads_in_both_spellings(tmp_path):
    flow = (
        "- {id: other-fact, claims: [AD-1], kind: model, what: w, value: null, unit: '', context: '', "
        "source: {title: T}, where: w, seen: false}\n"
    )
    both = library(tmp_path, "# a comment\n" + GOOD + flow)
    assert set(both.all()) == {"first-fact", "other-fact"}
    assert both.get("first-fact").value == 1e6
    assert both.get("other-fact").dossier == "dossier"


@pytest.mark.parametrize(
    ("wrong", "right", "place", "near"),
    [
        ("kind: paramter", "kind: parameter", "line 2, kind", "parameter"),
        ("nota: x\n  seen: true", "seen: true", "line 2, nota", "note"),
        ("doi: doi.org/10.1", "doi: 10.1000/x", "line 2, source.doi", None),
        ("pmid: 123", "pmid: '123'", "line 2, source.pmid", None),
        ("seen: maybe", "seen: true", "line 2, seen", None),
        ("claims: []", "claims: [POI-1]", "line 2, claims", None),
        ("unit: cells\n  unit: mL", "unit: cells", "line 8", None),
        ("title: [A paper", "title: A paper", "line 9", None),
        ("dossier: x\n  seen: true", "seen: true", "line 2", None),
    ],
)
def test_a_fault_names_file_line_and_key(tmp_path, wrong, right, place, near):
    faulty = library(tmp_path, GOOD.replace(right, wrong, 1))
    with pytest.raises(EvidenceError) as caught:
        faulty.get("first-fact")
    assert caught.value.where.startswith(str(tmp_path / "dossier.yaml"))
    assert place in caught.value.where
    assert caught.value.nearest == near


def test_a_key_that_is_missing_is_named(tmp_path):
    faulty = library(tmp_path, GOOD.replace("  kind: parameter\n", ""))
    with pytest.raises(EvidenceError) as caught:
        faulty.all()
    assert caught.value.found == 'no key "kind"'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- claims: [X]\n", "- claims: [X]"),
        (GOOD + GOOD, 'the id "first-fact" again'),
        ("# nothing\n", "no records"),
        ("", "no records"),
        ("records:\n" + GOOD, "records:"),
        (GOOD.replace("\n", "\n  "), "  - id: first-fact"),
    ],
)
def test_a_dossier_out_of_shape_is_refused_at_once(tmp_path, text, found):
    with pytest.raises(EvidenceError) as caught:
        library(tmp_path, text)
    assert caught.value.found == found


def test_a_record_whose_source_names_nothing_is_listed_with_the_reason(tmp_path):
    empty = "source: {year: 2019, journal: J}"
    source = next(line.strip() for line in GOOD.splitlines() if "source:" in line)
    lists = library(tmp_path, GOOD.replace(source, empty) + GOOD.replace("first-fact", "second-fact"))
    assert set(lists.all()) == {"second-fact"}
    assert [(entry.id, entry.dossier) for entry in lists.rejected()] == [("first-fact", "dossier")]
