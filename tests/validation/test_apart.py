"""Misses that take a side, and nulls that nothing reaches: told beside the shares, never in place of them."""

import json

import pytest

from exotwin import console
from exotwin.errors import EvidenceError
from exotwin.report import write_scoreboard
from exotwin.validation import details, validate
from exotwin.validation.read import read_checks

# the half-life, which fails, stands against a record that the null, which passes, holds against the model
AGAINST = ("  miss: the drug leaves sooner", "  miss: the drug leaves sooner\n  contradicts: karin2019-burden-ratio")
NOT_MET = ("value: untreated", "value: untreated + 1")


def test_a_miss_against_a_record_that_is_met_is_told_and_counts_all_the_same(written, tiny_root):
    plain = validate(files=[written()], root=tiny_root)
    board = validate(files=[written(AGAINST)], root=tiny_root)
    assert [s.check.id for s in board.sided] == ["half-life"]
    assert plain.sided == ()
    assert board.summary()["all"] == plain.summary()["all"]
    sentence, ids = board.apart[0]
    assert sentence.startswith("1 of the 1 calibrated values that fail stands against another record")
    assert ids == ("half-life",)


def test_a_miss_takes_no_side_where_the_other_record_is_missed_too(written, tiny_root):
    board = validate(files=[written(AGAINST, NOT_MET)], root=tiny_root)
    assert {s.check.id for s in board.tested if s.verdict == "outside"} == {"half-life", "nothing-without"}
    assert board.sided == ()


def test_a_null_is_idle_only_if_the_effect_is_next_to_nothing(written, tiny_root):
    board = validate(files=[written()], root=tiny_root)
    assert board.summary()["idle"] == {"null": {"predicted": ("nothing-without",)}}
    # of 100 particles e^-3 or so are left after six days: under the bound, yet far from nothing
    reached = written(
        ("untreated: {arm: control, output: drug, at: [1, 2, 3]}", "untreated: {arm: treated, output: drug, at: 6}"),
        ('bound: "0.1"', 'bound: "50"'),
    )
    board = validate(files=[reached], root=tiny_root)
    assert next(s for s in board.checks if s.check.id == "nothing-without").verdict == "within"
    assert board.idle == ()


def test_json_and_the_page_tell_which_record_stands_against_which(written, tiny_root, tmp_path, capsys):
    board = validate(files=[written(AGAINST)], root=tiny_root)
    console.show_json(board.as_dict())
    told = json.loads(capsys.readouterr().out)
    assert told["checks"][0]["contradicts"] == ["karin2019-burden-ratio"]
    assert told["summary"]["sided"] == {"value": {"calibrated": ["half-life"]}}
    record = "karin2019-burden-ratio"
    assert dict(details(board.checks[0]))["against"] == record
    assert told["summary"]["contradictions"] == [
        {"check": "half-life", "record": record, "checks": ["nothing-without"], "met": [record]}
    ]
    page = write_scoreboard(board, tmp_path / "board.html").read_text(encoding="utf-8")
    assert "stands against another record with which the model sides" in page
    assert "stands against</dt><dd>karin2019-burden-ratio" in page


def test_two_checks_that_stand_against_each_other_are_one_contradiction(written, tiny_root):
    both = written(
        AGAINST,
        ("  bound_why: nothing was given", "  bound_why: nothing was given\n  contradicts: karin2019-halflife"),
    )
    board = validate(files=[both], root=tiny_root)
    found = [(c.one.check.id, c.record, [s.check.id for s in c.others]) for c in board.contradictions]
    assert found == [
        ("half-life", "karin2019-burden-ratio", ["nothing-without"]),
        # three checks hold that record; the first of them says so itself, above
        ("nothing-without", "karin2019-halflife", ["half-life", "falls", "life"]),
    ]


def test_a_contradiction_to_what_no_check_holds_is_refused(written):
    wrong = written(
        ("  miss: the drug leaves sooner", "  miss: the drug leaves sooner\n  contradicts: karin2019-burden")
    )
    with pytest.raises(EvidenceError, match='nearest   "karin2019-burden-ratio"'):
        read_checks(wrong.parent)
