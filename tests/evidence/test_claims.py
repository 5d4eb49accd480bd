"""Claims say which part of the package holds them, and never more than there is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import exotwin
from exotwin.errors import EvidenceError
from exotwin.evidence import claim, claims, record, records
from exotwin.evidence.claims import read_claims

PACKAGE = Path(exotwin.__file__).parent
ONE = "- {id: X-1, area: a, text: t, text_zh: 字, status: not modelled yet, missing: all}\n"


def test_the_review_has_29_claims_in_eight_areas():
    by_area = Counter(c.area for c in claims())
    assert by_area == {
        "ageing": 3, "msc": 4, "exosome": 3, "poi": 3, "alzheimers": 3, "atherosclerosis": 3, "skin": 5,
        "osteoporosis": 4, "synergy": 1,
    }  # fmt: skip


def test_every_module_that_is_named_exists():
    named = {m for c in claims() for m in c.modules}
    assert named
    assert [m for m in sorted(named) if not (PACKAGE / m).is_file()] == []


def test_what_is_not_built_is_not_called_held():
    for c in claims():
        if c.area in ("alzheimers", "atherosclerosis", "skin", "osteoporosis"):
            assert (c.status, c.module) == ("not modelled yet", "not modelled yet"), c.id


def test_every_claim_has_records_that_were_read_and_every_record_a_known_claim():
    ids = {c.id for c in claims()}
    assert {name for r in records().values() for name in r.claims} == ids
    for c in claims():
        assert c.records
        assert all(record(i).seen and c.id in record(i).claims for i in c.records)


def test_the_chinese_text_is_chinese_and_keeps_names_and_numbers():
    for c in claims():
        assert len(re.findall(r"[\u4e00-\u9fff]", c.text_zh)) >= 10, c.id
        kept = set(re.findall(r"miR-[\w-]+|\b\d{2,}\b(?!th)|SIRT1|VEGF|HGF|Th17|ISCT|CD\d+", c.text))
        assert {k for k in kept if k not in c.text_zh} == set(), c.id


def test_a_claim_is_found_by_id_and_an_unknown_one_names_the_nearest():
    assert claim("POI-2").area == "poi"
    with pytest.raises(EvidenceError) as caught:
        claim("POI2")
    assert caught.value.nearest == "POI-2"


@pytest.mark.parametrize(
    "text",
    [
        ONE + ONE,
        ONE.replace("missing: all", "modules: [a.py], how: h, missing: all"),
        ONE.replace("not modelled yet", "held"),
        ONE.replace("not modelled yet", "partly held"),
        ONE.replace("status: not modelled yet, missing: all", "status: held, modules: [a.py], how: h, missing: some"),
        ONE.replace("not modelled yet", "hold"),
        ONE.replace("text_zh: 字, ", ""),
        ONE.replace("area", "aera"),
    ],
)
def test_an_entry_that_disagrees_with_itself_is_refused(tmp_path, text):
    path = tmp_path / "claims.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError, match="X-1"):
        read_claims(path)
    path.write_text(ONE, encoding="utf-8")
    assert read_claims(path)[0].missing == "all"
