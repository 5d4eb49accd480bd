import json
import math

import numpy as np
import pytest

from exotwin import console
from exotwin.errors import EvidenceError
from exotwin.validation import check_rows, count_rows, details, kinds_of, module_rows, reasons, table_of, validate
from exotwin.validation.table import COUNTS, NO_REASON

_ISSUE = (
    "id record module species kind sort basis observable unit simulated published deviation verdict".split()  # noqa: SIM905
)

_OTHER = "    condition: tinny\n    species: mouse\n    modules: [tiny]\n    patients: 200"


@pytest.fixture
def board(written, tiny_root):
    return validate(files=[written()], root=tiny_root)


def test_each_check_has_its_number_verdict_and_basis(board):
    found = {s.check.id: s for s in board.checks}
    half_life, falls, nothing, life = (found[name] for name in ("half-life", "falls", "nothing-without", "life"))
    assert half_life.simulated == pytest.approx(math.log(2) / 0.5, rel=0.05)  # the middle of 40 draws
    low, high = half_life.interval
    assert low < half_life.simulated < high
    assert (half_life.verdict, half_life.basis) == ("outside", "calibrated")
    assert half_life.fits == ("loss",)
    assert half_life.deviation == pytest.approx((half_life.simulated - 5) / 0.5)
    assert (falls.verdict, falls.published, falls.deviation) == ("within", None, None)
    assert falls.simulated == pytest.approx(math.exp(-1) - 1, rel=0.05)
    assert (nothing.verdict, nothing.basis, nothing.simulated) == ("within", "predicted", (0.0, 0.0, 0.0))
    assert nothing.times == (1.0, 2.0, 3.0)
    assert life.simulated == pytest.approx(2.0, abs=0.05)  # the middle of 200 even draws with an SD of 0.2
    assert (life.interval, life.verdict) == (None, "within")


def test_json_has_the_keys_that_are_promised_and_no_nan(board, capsys):
    console.show_json(board.as_dict())
    told = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(told) == {"checks", "summary"}
    for row in told["checks"]:
        assert set(_ISSUE) <= set(row)
    assert [row["verdict"] for row in told["checks"]] == ["outside", "within", "within", "within", "not testable"]
    last = told["checks"][-1]
    assert (last["sort"], last["record"], last["why"]) == (None, "bmt-partial-null", "nothing stands for marrow")
    assert told["checks"][1]["records"] == ["karin2019-halflife", "sr-mouse-ml"]
    counts = told["summary"]["modules"]["toy"]
    assert counts["value"]["calibrated"] == {"n": 2, "within": 1, "share": 0.5}
    assert counts["direction"]["predicted"]["share"] is None
    assert counts["not_testable"] == 1
    assert told["summary"]["coverage"]["toy"]["not_testable"] == 1


def test_two_runs_give_the_same_bits(board, written, tiny_root):
    again = validate(files=[written()], root=tiny_root)
    assert again.as_dict() == board.as_dict()
    assert again.digest == board.digest
    other = validate(files=[written(("    patients: 40", "    patients: 41"))], root=tiny_root)
    assert other.digest != board.digest


def test_a_check_that_fails_without_a_reason_is_named(board, written, tiny_root):
    assert board.unexplained == ()
    silent = validate(files=[written(("  miss: the drug leaves sooner", ""))], root=tiny_root)
    assert silent.unexplained == ("half-life",)
    assert reasons(silent, "toy")[NO_REASON] == ("half-life",)


def test_a_study_that_cannot_be_carried_out_is_outside_and_says_so(written, tiny_root):
    changed = written(("    modules: [tiny]\n    patients: 200", "    modules: [tinny]\n    patients: 200"))
    board = validate(files=[changed], root=tiny_root)
    life = next(s for s in board.checks if s.check.id == "life")
    assert (life.verdict, life.simulated, life.failed) == ("outside", None, 200)
    assert "tinny" in life.why
    assert next(s for s in board.checks if s.check.id == "falls").verdict == "within"


def test_what_a_file_asks_in_vain_is_a_fault_and_the_rest_is_still_judged(written, tiny_root):
    changed = written(("    condition: tiny\n    species: mouse\n    modules: [tiny]\n    patients: 200", _OTHER))
    board = validate(files=[changed], root=tiny_root)
    assert len(board.faults) == 1
    assert board.faults[0].startswith("toy.yaml, studies.lives, condition\n")
    assert 'nearest   "tiny"' in board.faults[0]
    assert [s.verdict for s in board.checks][:4] == ["outside", "within", "within", "outside"]


def test_a_formula_over_a_record_that_does_not_resolve_is_refused_before_the_work(written, tiny_root, monkeypatch):
    monkeypatch.setattr("exotwin.validation.scoreboard.simulate", lambda *_: pytest.fail("it began"))
    with pytest.raises(EvidenceError, match=r"toy.yaml, life, spread.interval\n.*v\[9\]: entry 9"):
        validate(files=[written(('"v[0][1] - 3.2"', '"v[9][1]"'))], root=tiny_root)


def test_a_file_named_alone_is_judged_alone_as_a_part_of_its_module(written, tiny_root):
    path = written()
    text = path.read_text(encoding="utf-8").replace("- id: ", "- id: more-").replace("bmt-partial", "clonal-bmt")
    path.with_name("more.yaml").write_text(text.partition("not testable:")[0], encoding="utf-8")
    board = validate(["more"], folder=path.parent, root=tiny_root)
    assert (board.modules, board.parts) == (("toy",), ("more",))
    assert {s.check.id.partition("-")[0] for s in board.checks} == {"more"}
    assert board.coverage["toy"].dossiers == ("ageing",)
    whole = validate(["toy", "more"], folder=path.parent, root=tiny_root)
    assert (len(whole.tested), whole.parts) == (2 * len(board.tested), ())
    with pytest.raises(EvidenceError, match='nearest   "more"'):
        validate(["mor"], folder=path.parent, root=tiny_root)


def test_a_check_of_another_module_is_told_with_its_module(written, tiny_root):
    path = written()
    text = path.read_text(encoding="utf-8").replace("- id: ", "- id: more-").replace("module: toy", "module: other")
    path.with_name("more.yaml").write_text(text.partition("not testable:")[0], encoding="utf-8")
    with pytest.raises(EvidenceError, match="found     a check of other"):
        validate(["toy"], checks=["more-life"], folder=path.parent, root=tiny_root)
    with pytest.raises(EvidenceError, match='nearest   "more-nothing-without"'):
        validate(checks=["nothing-wit"], files=[path.with_name("more.yaml")], root=tiny_root)


def test_a_file_without_checks_is_refused(written, tiny_root):
    path = written()
    path.write_text("module: toy\ndossiers: [ageing]\n", encoding="utf-8")
    with pytest.raises(EvidenceError, match="at least one under checks"):
        validate(files=[path], root=tiny_root)


def test_patients_without_a_value_are_counted_and_told(written, tiny_root):
    # late > early gives the logarithm of a number below zero in every patient but those without a dose
    changed = written(('"log(2) / log(early / late)"', '"log(late - early + 20) - log(early)"'))
    found = next(s for s in validate(files=[changed], root=tiny_root).checks if s.check.id == "half-life")
    assert 0 < found.failed < 40
    assert f"{found.failed} of 40 patients without a value" in found.why


def test_one_check_can_be_asked_for_and_shown_whole(written, tiny_root):
    board = validate(files=[written()], checks=["falls"], root=tiny_root)
    assert [s.check.id for s in board.checks] == ["falls"]
    told = dict(details(board.checks[0]))
    assert told["readings"].startswith("early 100, late 36")
    assert told["verdict"] == "within"
    with pytest.raises(EvidenceError, match='nearest   "falls"'):
        validate(files=[written()], checks=["fals"], root=tiny_root)
    with pytest.raises(EvidenceError, match='nearest   "toy"'):
        validate(["tot"], files=[written()], root=tiny_root)


def test_rows_of_the_terminal_hold_every_check_that_was_tested(board):
    rows = check_rows(board, "toy")
    assert len(rows) == len(board.tested) == 4
    assert [row.verdict for row in rows] == ["outside", "within", "within", "within"]
    assert sum(len(check_rows(board, "toy", kind)) for kind in kinds_of(board, "toy")) == 4
    counts = count_rows(board, "toy")
    assert {len(row) for row in counts} == {len(COUNTS)}
    assert counts[-1] == ("all", "1 of 1 (100%)", "2 of 3 (67%)", "3 of 4 (75%)")
    assert module_rows(board) == [("toy", *counts[-1][1:])]


def test_progress_tells_of_every_arm(written, tiny_root):
    told = []

    class Seen:
        def start(self, task, total):
            told.append(total)

        def advance(self, n=1):
            told.append(-n)

        def note(self, text):
            pass

    validate(files=[written()], root=tiny_root, progress=Seen())
    assert told[0] == 3  # treated and control of one study, control of the other
    assert sum(told) == 0


def test_the_table_of_a_module_gives_rows_and_shares(tiny_root):
    table = table_of("tiny", root=tiny_root)
    assert [row["name"] for row in table.rows][:2] == ["loss", "gain"]
    assert table.shares == {"measured": 1 / 6, "derived": 0, "fitted": 0, "assumed": 4 / 6, "input": 1 / 6}
    assert not table_of("tiny", species="human", root=tiny_root).rows or table.rows[0]["species"] == "all"


def test_fits_stand_apart_from_records_in_the_table():
    rows = [row for row in table_of("poi").rows if row["basis"] == "fitted"]
    assert rows
    assert all(row["calibration"] and "calibration:" not in row["record"] for row in rows)
    assert np.isclose(sum(table_of("poi").shares.values()), 1)
