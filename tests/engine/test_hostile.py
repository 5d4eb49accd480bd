"""Hostile, huge and broken documents: each is refused by name or runs. Nothing crashes, hangs or ends otherwise."""

from __future__ import annotations

import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from engine_tools import sbml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exotwin.engine import load

PATIENCE = 60  # seconds for one document, some hundred times what any takes: what takes longer hangs

DOCUMENTS = [
    sbml(
        """function f(a, b)
          a*b/(1 + b)
        end
        model reactions
          compartment v = 2, w = 3; species s in v = 3, p in w = 0, b in v = 1; $c in w = 2;
          J1: s -> 2 p; k*f(s, b)*v; J2: p + b -> c; m*p*w; k = 0.5; m := 1/(1 + time); n = k^2 + 1; w' = 0.1
        end"""
    ),
    sbml(
        """model events
          x = 1; y = 0; x' = -k*x^1.5 + piecewise(2, time > 0.3, 0); k = 2; q = 0;
          E1: at 0.1 after x < 0.7, priority = 2, t0 = false, persistent = false: y = x, x = x + 1;
          E2: at time > 0.5, priority = y: q = q + 1, k = k/2; z := max(x, y) + exp(-q)
        end"""
    ),
    sbml("model algebraic\n a = 1; b = 1; a' = -0.3*a*b; 0 = a + b - 2; c := log(b) + sin(a)^2\nend"),
]
ATTRIBUTE = re.compile(r'="([^"]*)"')
LEAF = re.compile(r"<(\w+)/>|<ci>\s*\w+\s*</ci>|<cn[^>]*>[^<]*</cn>")
ELEMENT = re.compile(
    r"<(apply|lambda|piece|math|kineticLaw|listOf\w+|parameter|species|compartment|reaction|\w+Rule|event|trigger)\b"
    r".*?</\1>|<(parameter|species|compartment|speciesReference|modifierSpeciesReference)\b[^>]*/>",
    re.DOTALL,
)
NUMBER = re.compile(r'(?<=")-?\d[\d.eE+-]*(?=")|(?<=>)\s*-?\d[\d.eE+-]*\s*(?=<)')
STRANGE = ("NaN", "INF", "-INF", "1e308", "-1", "0", "1e-320", "1e999", "", "abc", "9" * 20, "0x10", " 5 ", "-0")


class Worker:
    """A process that is given documents, so that whatever one does to it is seen from outside."""

    def __init__(self, folder: Path) -> None:
        self.path, self._log = folder / "document.xml", folder / "worker.txt"
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-X", "faulthandler", str(Path(__file__).with_name("hostile_worker.py"))]
        pipe = subprocess.PIPE
        with self._log.open("w") as log:
            return subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=log, text=True, bufsize=1)

    def ask(self, document: str | bytes) -> str:
        """How the document ends; fails if the process does not survive it, or does not come to an end."""
        self.path.write_bytes(document if isinstance(document, bytes) else document.encode("utf-8", "surrogatepass"))
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{self.path}\n")
        process.stdin.flush()
        answers = select.select([process.stdout], [], [], PATIENCE)[0]
        answer = process.stdout.readline() if answers else "nothing: it hangs"
        if not answers or not answer:
            self.close()
            told = f"{answer}, exit code {process.returncode}\n{self._log.read_text()[-3000:]}"
            self._process = self._start()
            pytest.fail(f"the process did not survive the document: {told}")
        return answer.strip()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    worker = Worker(tmp_path_factory.mktemp("hostile"))
    yield worker
    worker.close()


def assert_ends_well(answer: str) -> None:
    assert answer.startswith(("refused: ", "ran: ")), answer.replace("\\n", "\n")


@st.composite
def broken(draw: Callable[..., object], documents: list[str]) -> str:
    """A document with one to three things cut out, doubled, exchanged or made strange."""

    def number(largest: int) -> int:
        found = draw(st.integers(0, largest))
        assert isinstance(found, int)
        return found

    text = documents[number(len(documents) - 1)]
    for _ in range(1 + number(2)):
        kind = number(9)
        if kind == 0:
            text = text[: number(len(text))]
        elif kind == 1:
            start = number(len(text))
            text = text[:start] + text[start + number(40) :]
        elif kind == 2 and text:
            place = number(len(text) - 1)
            text = text[:place] + chr(ord(text[place]) ^ (1 << number(6))) + text[place + 1 :]
        else:
            pattern = (ATTRIBUTE, LEAF, ELEMENT, ELEMENT, NUMBER, ATTRIBUTE, ELEMENT)[kind - 3]
            places = list(pattern.finditer(text))
            if places:
                place, other = places[number(len(places) - 1)], places[number(len(places) - 1)]
                new = {5: "", 6: place[0] * 2, 7: STRANGE[number(len(STRANGE) - 1)]}.get(kind, other[0])
                text = text[: place.start()] + new + text[place.end() :]
    return text


FUZZED = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(FUZZED, max_examples=60)
@given(document=broken(DOCUMENTS))
def test_small_documents_broken_at_random_end_well(worker: Worker, document: str) -> None:
    assert_ends_well(worker.ask(document))


@pytest.mark.parametrize(
    ("pattern", "largest"), [("petab-models/*/*.xml", 200_000), ("sbml-test-suite/*/*.xml", 30_000)]
)
def test_real_documents_broken_at_random_end_well(
    worker: Worker, shared_data: Path, pattern: str, largest: int
) -> None:
    texts = [path.read_text("utf-8") for path in sorted(shared_data.glob(pattern)) if path.stat().st_size < largest]
    assert len(texts) > 4

    @settings(FUZZED, max_examples=30)
    @given(document=broken(texts))
    def each(document: str) -> None:
        assert_ends_well(worker.ask(document))

    each()


GOOD = sbml("model g\n compartment v = 1; species a in v = 1, b in v = 0; J1: a -> b; k*a; k = 2; c := 2*a\nend")


def nested(depth: int, opening: str, closing: str, inside: str = "") -> str:
    return opening * depth + inside + closing * depth


def deep_formula(depth: int) -> str:
    return GOOD.replace("<ci> k </ci>", nested(depth, "<apply><plus/><ci> a </ci>", "</apply>", "<ci> k </ci>"))


LOL = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 12))
WIDE = "".join(f'<parameter id="p{i}" value="1" constant="true"/>' for i in range(4_000))


@pytest.mark.parametrize(
    ("document", "ending"),
    [
        ("", "refused: .*no element"),
        (b"\x00" * 1000, "refused"),
        (b"\xff\xfe" + GOOD.encode("utf-16-le"), "refused|ran: ok"),
        ("hello", "refused: XML that is not well formed"),
        ("<sbml/>", "refused: the root <sbml>"),
        (GOOD.replace("sbml.org/sbml/level3", "sbml.org/sbml/level9"), "refused: the root <sbml>"),
        (GOOD.replace("http://www.w3.org/1998/Math/MathML", "http://elsewhere"), "refused"),
        (f"<!DOCTYPE b [<!ENTITY e0 'x'>{LOL}]><sbml>&e11;</sbml>", "refused: a document type declaration"),
        (f"<!DOCTYPE s SYSTEM 'file:///etc/passwd'>{GOOD}", "refused: .*document type declaration|not well formed"),
        (GOOD.replace("<model", nested(100_000, "<notes>", "</notes>") + "<model", 1), "refused: <notes> inside"),
        (nested(100_000, "<sbml>", "</sbml>"), "refused: the root <sbml>"),
        (deep_formula(100_000), "refused: <\\w+> inside"),
        (deep_formula(200), "ran: ok"),
        (GOOD.replace("</listOfParameters>", WIDE + "</listOfParameters>"), "ran: ok"),
        (GOOD.replace('id="k"', f'id="{"k" * 1_000_000}"'), 'refused: the name "k"'),
        (GOOD.replace('id="b"', 'id="a"'), 'refused: the id of species "a" again'),
        (GOOD.replace('id="k"', 'id="a"'), 'refused: the id of species "a" again'),
        (GOOD.replace("<ci> k </ci>", "<ci> J1 </ci>"), "refused: .*depend on each other"),
        (GOOD.replace("<ci> k </ci>", "<ci> nobody </ci>"), 'refused: .*"nobody"'),
        (GOOD.replace('compartment="v"', 'compartment="nowhere"'), 'refused: .*"nowhere"'),
        (GOOD.replace('value="2"', 'value="NaN"'), "ran: ok"),
        (GOOD.replace('value="2"', 'value="INF"'), "ran: not finite"),
        (GOOD.replace('value="2"', 'value="1e999"'), "refused|ran: not finite"),
        (GOOD.replace('value="2"', 'value="two"'), "refused"),
        (GOOD.replace('size="1"', 'size="0"'), "ran: not finite"),
        (GOOD.replace('size="1"', 'size="NaN"'), "ran: ok"),
        (GOOD.replace('size="1"', 'size="-1"'), "ran: "),
        (GOOD.replace('initialConcentration="1"', 'initialConcentration="INF"'), "ran: not finite"),
        (GOOD.replace("<ci> k </ci>", "<apply><power/><ci> a </ci><cn> 1e300 </cn></apply>"), "ran: "),
        (GOOD.replace("<ci> k </ci>", "<apply><power/><ci> a </ci><cn> -1e308 </cn></apply>"), "ran: "),
        (GOOD.replace("<ci> k </ci>", "<apply><factorial/><cn> 1e9 </cn></apply>"), "ran: not finite|refused"),
        (GOOD.replace("<ci> k </ci>", "<apply><divide/><cn> 1 </cn><cn> 0 </cn></apply>"), "ran: not finite"),
        (GOOD.replace("<ci> k </ci>", "<apply><root/><cn> -1 </cn></apply>"), "ran: not finite"),
        (GOOD.replace("<ci> k </ci>", "<piecewise/>"), "refused|ran: not finite"),
        (GOOD.replace("<ci> k </ci>", "<apply/>"), "refused"),
        (GOOD.replace("<ci> k </ci>", "<lambda><bvar><ci> x </ci></bvar><ci> x </ci></lambda>"), "refused"),
    ],
)
def test_a_hostile_document_ends_as_it_should(worker: Worker, document: str | bytes, ending: str) -> None:
    assert document != GOOD
    answer = worker.ask(document)
    assert re.match(ending, answer, re.DOTALL), answer[:2000].replace("\\n", "\n")


def test_a_document_cut_anywhere_is_refused(worker: Worker) -> None:
    for end in range(0, len(GOOD) - 10, 97):
        assert worker.ask(GOOD[:end]).startswith("refused: ")


def test_a_compartment_of_no_size_marks_its_patients_and_the_others_go_on() -> None:
    found = load(GOOD).simulate([0.0, 1.0], parameters={"v": [1.0, 0.0, 2.0]}, rtol=1e-9)
    assert list(found["outcome"].values) == ["ok", "not finite", "ok"]
    assert float(found["failed_at"][1]) == 0.0
    np.testing.assert_allclose(found["a"][[0, 2], 1], np.exp([-2.0, -1.0]), rtol=1e-7)


def test_events_without_end_are_given_up_by_the_step_limit() -> None:
    model = load(sbml("model h\n x = 1; k = 1e4; x' = -k; E: at x < 0.75: x = 1\nend"))
    found = model.simulate([0.0, 1.0], max_steps=300)
    assert list(found["outcome"].values) == ["step limit"]
    assert int(found["steps"][0] + found["rejected"][0]) <= 301


def test_growth_faster_than_time_can_resolve_is_never_wrong_in_silence() -> None:
    model = load(sbml("model h\n x = 1; k = 1; x' = k*x\nend"))
    for start in (0.0, 0.5):
        found = model.simulate([start, start + 1.0], parameters={"k": 10.0 ** np.arange(4, 308, 16)})
        assert "ok" not in found["outcome"].values
