"""References say what the records say, each publication once, and nothing else."""

from __future__ import annotations

import re

import pytest

from exotwin.errors import EvidenceError
from exotwin.evidence import bibliography, bibtex, record, records


def test_a_reference_shows_title_journal_year_number_and_record():
    assert bibliography(["guo2013-granulosa-apoptosis"]) == (
        "1. BMSCs reduce rat granulosa cell apoptosis induced by cisplatin and perimenopause. BMC Cell Biol (2013). "
        "doi:10.1186/1471-2121-14-18 [guo2013-granulosa-apoptosis]",
    )


def test_records_of_one_publication_make_one_reference_with_its_printed_title():
    # one entry knows only the PubMed number and the archive's title, the other the article's title and DOI
    (line,) = bibliography(["gyncycle-parameters", "model-gyncycle-biomd494"])
    assert line.startswith("1. A mathematical model of the human menstrual cycle")
    assert "J Theor Biol (2013). doi:10.1016/j.jtbi.2012.11.020 PMID 23206386" in line
    assert "[gyncycle-parameters, model-gyncycle-biomd494]" in line


def test_a_record_that_was_not_read_says_so():
    (line,) = bibliography(["wk2010-adc-equation", "wallace-kelsey-2010-counts"])
    assert "wk2010-adc-equation (not read), wallace-kelsey-2010-counts]" in line


def test_an_unknown_title_is_not_made_up():
    assert record("mtb-mir-21-5p-pten").source.title == ""
    assert bibliography(["mtb-mir-21-5p-pten"]) == ("1. (title not known). PMID 19906824 [mtb-mir-21-5p-pten]",)


def test_references_are_numbered_in_the_order_of_first_mention_and_ids_may_repeat():
    lines = bibliography(["mirna-threshold-cell", "guo2013-granulosa-apoptosis", "mirna-threshold-cell"])
    assert [line.split(" ", 1)[0] for line in lines] == ["1.", "2."]
    assert "TargetScan" in lines[0]


def test_ids_may_come_one_by_one():
    names = ["mirna-threshold-cell", "guo2013-granulosa-apoptosis"]
    assert bibliography(name for name in names) == bibliography(names)


def test_every_record_stands_in_exactly_one_reference():
    lines = bibliography(records())
    cited = [i.removesuffix(" (not read)") for line in lines for i in re.search(r"\[([^][]*)\]$", line)[1].split(", ")]
    assert sorted(cited) == sorted(records())


def test_no_publication_has_two_references():
    lines = bibliography(records())
    dois = [found[1].lower() for line in lines if (found := re.search(r" doi:(\S+)", line))]
    assert len(dois) == len(set(dois)) > 300


def test_every_field_of_every_entry_is_what_some_record_says():
    every = records()
    said = {str(v) for r in every.values() for v in r.source.model_dump().values() if v not in ("", None)}
    entries = bibtex(every).split("\n\n")
    assert len(entries) == len(bibliography(every))
    for entry in entries:
        kind, key = re.match(r"@(article|misc)\{([^,]+),\n", entry).groups()
        assert key in every
        assert entry.count("{") == entry.count("}")
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
        assert kind == "misc" or "journal" in fields
        assert "author" not in fields
        for name in {"year", "doi", "pmid", "pmcid", "url"} & set(fields):
            assert fields[name] in said
        for name in {"title", "journal", "howpublished"} & set(fields):
            assert _plain(fields[name]) in said


def _plain(text: str) -> str:
    text = re.sub(r"^\{(.*)\}$", r"\1", text)
    for mark, character in (("asciitilde", "~"), ("asciicircum", "^"), ("backslash", "\\")):
        text = text.replace(f"\\text{mark}{{}}", character)
    return re.sub(r"\\([&%$#_{}])", r"\1", text)


def test_keys_of_entries_are_unique():
    keys = re.findall(r"^@\w+\{([^,]+),", bibtex(records()), re.MULTILINE)
    assert len(keys) == len(set(keys))


def test_an_unknown_id_is_an_error():
    with pytest.raises(EvidenceError):
        bibliography(["guo2013-granulosa-apoptosis", "no-such-record"])
    with pytest.raises(EvidenceError):
        bibtex(["no-such-record"])
