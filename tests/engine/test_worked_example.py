"""The page that walks through one example says what the engine does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from engine_tools import sbml

from exotwin.engine.kernels import Equations, stepper_for, write_module
from exotwin.engine.reading import build, parse

PAGE = Path(__file__).parents[2] / "docs/engine/worked-example.md"
MODEL = "model two\n{}\nend"


def block(language: str) -> str:
    """The first fenced block of a language; "" for the model."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"no block {language}"
    return found[1]


@pytest.fixture(scope="module")
def equations() -> Equations:
    """Of the example, as the page writes it."""
    return build(parse("two", sbml(MODEL.format(block("")))).getModel(), "two").equations


def without_names(line: str) -> str:
    return re.sub(r"%\w+", "%_", line)


def test_the_code_of_the_page_is_that_of_the_second_stage_in_order(equations: Equations) -> None:
    code, _ = write_module(stepper_for(equations, "rodas5p"), width=8, fma=True)
    start = code.index("@stage_2(")
    written = iter([without_names(line) for line in code[start : code.index("\n}", start)].splitlines()])
    for line in block("llvm").splitlines():
        if not line.startswith(";"):
            assert without_names(line) in written, f"not in this place of the code: {line}"


def test_the_nodes_of_the_page_are_those_of_the_graph(equations: Equations) -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+) ([\w ]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) >= 9
    leaves = {("state", 0): "S", ("state", 1): "P", **{("param", j): n for j, n in enumerate(("p0", "k", "v", "K"))}}
    for number, operation, arguments in rows:
        found, *inputs = equations.graph.nodes[int(number)]
        assert found == operation
        assert [str(leaves.get(equations.graph.nodes[i], i)) for i in inputs] == arguments.split()
