import pytest

from exotwin.errors import EvidenceError
from exotwin.validation.read import read_checks, read_file

_EARLY = "    early: {arm: treated, output: drug, at: 1 day}"
_LATE = "    late: {arm: treated, output: drug, at: 2 day}"
_SPREAD = "  spread: {none: no spread for the young}"
_LIFE = "    middle: {arm: control, at: 4 year, statistic: median life}"


def test_a_file_is_read_with_all_its_parts(read):
    file = read()
    study = file.studies["one-dose"]
    assert (file.module, file.dossiers, study.start, study.patients, study.draws) == ("toy", ("ageing",), -1.0, 40, 8)
    assert study.arms["heavy"].doses[0].at == (0.0, 1.0)
    assert (study.arms["heavy"].doses[0].amount, study.arms["heavy"].doses[0].unit) == (5000.0, "particle/kg")
    half_life, falls, nothing, life = file.checks
    assert half_life.kind == "natural history"
    assert half_life.spread.none == "no spread for the young"
    assert falls.records == ("karin2019-halflife", "sr-mouse-ml")
    assert falls.readings[1].at == (2.0,)
    assert nothing.readings[0].curve
    assert life.spread.low == "v[0][1] - 3.2"
    assert file.not_testable[0].records == ("bmt-partial-null",)


def test_times_may_be_evenly_spaced(read):
    grid = "at: {from: 0 hour, to: 2 day, points: 5}, over: max}"
    file = read((_EARLY, _EARLY.replace("at: 1 day}", grid)))
    assert file.checks[0].readings[0].at == (0.0, 0.5, 1.0, 1.5, 2.0)
    assert file.checks[0].readings[0].over == "max"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("module: toy", "modul: toy")], ('the key "modul"', 'nearest   "module"')),
        ([("dossiers: [ageing]", "")], ('no key "dossiers"',)),
        (
            [("    about: a drug that leaves", "    abuot: a drug that leaves")],
            ("studies.one-dose", 'nearest   "about"'),
        ),
        ([("    patients: 40", "    patients: 0")], ("studies.one-dose.patients", '"0"', "from 1")),
        ([("    patients: 40", "    patients: many")], ("patients", '"many"')),
        ([("    start: -1 day", "    start: -1 fortnite")], ("studies.one-dose.start", "fortnite")),
        ([("    start: -1 day", "    start: -1 day\n    noise: yes")], ("noise", "true or false")),
        ([("    start: -1 day", "    start: -1 day\n    reading: animals")], ("reading", 'nearest   "animal"')),
        ([("at: 0 day}]", "at: [1, 0]}]")], ("arms.treated.doses 1.at", "times that rise")),
        ([("amount: 5e3 particle/kg", "amount: lots")], ("arms.heavy.doses 1.amount", '"lots"')),
        (
            [("  study: one-dose\n  kind: safety", "  study: one-doze\n  kind: safety")],
            ("nothing-without.study", "one-dose"),
        ),
        ([("  kind: drug response", "  kind: drug respnse")], ("falls.kind", 'nearest   "drug response"')),
        ([("  sort: direction", "  sort: directions")], ("falls.sort", 'nearest   "direction"')),
        ([("  unit: particle", "  unit: particel")], ("nothing-without.unit", "particel")),
        ([("  sign: -1", "  sign: 2")], ("falls.sign", "1 or -1")),
        ([("  sign: -1\n", "")], ('no key "sign"', "direction")),
        ([("  sign: -1", '  sign: -1\n  bound: "1"')], ("falls.bound", "direction has not")),
        ([("  bound_why: nothing was given", "")], ("nothing-without", 'no key "bound_why"')),
        ([('  published: "v[0][1]"\n', "  published: 5\n")], ("half-life.published", "which no record says")),
        ([('  published: "v[0][1]"\n', '  published: "w[0]"\n')], ("half-life.published", 'the name "w"')),
        ([(_SPREAD, "  spread: {sd: v}")], ("half-life.spread", "{sd, n}")),
        ([(_SPREAD, "  spread: {se: v, none: x}")], ("half-life.spread", "{se, none}")),
        ([(_SPREAD, "  spread: {interval: [v]}")], ("spread.interval", "1 ends")),
        ([(_SPREAD, "  spread: {none: x, scale: log}")], ("spread.scale", "scale with none")),
        ([(_SPREAD, "  spread: {interval: [v, v], level: 100}")], ("spread.level", "per cent")),
        ([('late)"\n  published', 'latte)"\n  published')], ("half-life.value", 'nearest   "late"')),
        ([("  value: late / early - 1", "  value: late - 1")], ("readings.early", "does not use")),
        (
            [(_LATE, _LATE.replace("arm: treated", "arm: treat"))],
            ("half-life.readings.late.arm", 'nearest   "treated"'),
        ),
        ([(_LATE, _LATE.replace("output: drug, ", ""))], ("readings.late.output", "a symbol of the model")),
        ([(_LATE, _LATE.replace("2 day}", "2 day, over: max}"))], ("readings.late.at", "a list of times")),
        (
            [(_LATE, _LATE.replace("2 day}", "[2, 3]}")), (_EARLY, _EARLY.replace("1 day}", "[1, 2, 4]}"))],
            ("2, 3 times",),
        ),
        ([(_LATE, _LATE.replace("2 day}", "2 day, statistic: medan}"))], ("late.statistic", 'nearest   "median"')),
        ([(_LATE, _LATE.replace("2 day}", "2 day, statistic: share above}"))], ('no key "than"',)),
        ([(_LIFE, _LIFE.replace("statistic", "output: drug, statistic"))], ("middle.output", "none")),
        ([(_LIFE, _LIFE.replace("median life", "doubling time"))], ('no key "between"',)),
        ([(_LIFE, _LIFE.replace("median life", "hazard ratio, against: lng"))], ("middle.against", 'nearest   "long"')),
        (
            [("{record: bmt-partial-null, why:", "{record: bmt-partial-null, wy:")],
            ("not testable 1", 'nearest   "why"'),
        ),
        ([("- id: falls", "- name: falls")], ("check 2", 'no key "id"')),
        ([("checks:", "checks: [")], ("toy.yaml, line",)),
        (
            [("    condition: tiny\n    species: mouse\n    modules: [tiny]\n    patients: 40", "\tcondition: tiny")],
            ("toy.yaml, line 7", "a tab", "spaces"),
        ),
        (
            [("  record: karin2019-burden-ratio", "  record: karin2019-burden-rato")],
            ("nothing-without.record", 'nearest   "karin2019-burden-ratio"'),
        ),
        ([("bmt-partial-null", "bmt-partial-nul")], ("not testable 1.record", 'nearest   "bmt-partial-null"')),
    ],
)
def test_a_fault_is_told_with_its_place(written, changes, words):
    with pytest.raises(EvidenceError) as fault:
        read_file(written(*changes))
    assert "toy.yaml" in str(fault.value)
    for word in words:
        assert word in str(fault.value), str(fault.value)


def test_an_id_stands_once_over_all_files(written):
    path = written()
    path.with_name("other.yaml").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(EvidenceError, match='the id "half-life" again'):
        read_checks(path.parent)


def test_of_other_modules_only_the_outline_is_read(written):
    path = written(("  unit: particle", "  unit: particel"))
    file = read_checks(path.parent, names=["ageing"])[0]
    assert [check.id for check in file.checks] == ["half-life", "falls", "nothing-without", "life"]
    assert file.not_testable
    assert not file.studies
    with pytest.raises(EvidenceError, match="particel"):
        read_checks(path.parent, names=["toy"])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no text but comments"),
        (b"# nothing yet\n", "module:, dossiers:, studies:, checks:"),
        (b"- a list\n", "['a list']"),
        (b"module: caf\xe9\n", "UTF-8"),
        (b"module: *unknown\n", "line 1"),
    ],
)
def test_what_is_no_file_of_checks_is_told_by_what_it_holds(tmp_path, raw, words):
    path = tmp_path / "toy.yaml"
    path.write_bytes(raw)
    with pytest.raises(EvidenceError) as fault:
        read_file(path)
    assert str(path) in str(fault.value)
    assert words in str(fault.value)


def test_of_a_file_that_is_named_all_is_read_and_of_its_neighbours_in_the_module_the_outline(written):
    path = written()
    text = path.read_text(encoding="utf-8").replace("- id: ", "- id: more-")
    path.with_name("other.yaml").write_text(text, encoding="utf-8")
    other, toy = read_checks(path.parent, names=["other"])
    assert (other.name, bool(other.studies), bool(toy.studies)) == ("other", True, False)
