"""One module file: Antimony text, taken apart just far enough to join it with others.

The reader knows four things of a module: its header (comments above ``model``), its inputs, the symbols that it owns,
and the block that is written once and repeated for every mediator. Everything else is Antimony's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from exotwin.errors import BiologyError
from exotwin.tables import read_text

_MODEL = re.compile(r"^\s*model\s+\*?(\w+)\s*(?:\(\s*\))?\s*$")
_END = re.compile(r"^\s*end\s*$")
_INPUT = re.compile(r"^\s*(\w+)\s*=\s*[^;]+;")
_OWNED = {
    "value": re.compile(r"^(\w+)\s*=(?!>)"),  # of a constant, or at the start
    "rule": re.compile(r"^(\w+)\s*:="),
    "rate": re.compile(r"^(\w+)\s*'\s*="),
    "label": re.compile(r"^(\w+)\s*:(?!=)"),  # of a reaction or of an event
}
_DECLARED = re.compile(r"^(?:const\s+|var\s+)?(?:substanceOnly\s+)?(?:species|compartment|formula|var|const)\s+(.+)$")
_MEDIATOR = re.compile(r"(?<![A-Za-z0-9])mediator(?![A-Za-z0-9])")
_OPEN, _CLOSE = "// per mediator", "// end per mediator"


@dataclass(frozen=True)
class Line:
    """A line of module text and the file it came from."""

    text: str
    where: str


@dataclass(frozen=True)
class Module:
    """A module, its mediator block already written out.

    header : comment lines above the model. lines : the body without inputs.
    inputs : symbol -> the line that gives its neutral value. owned : symbol -> where it is defined.
    """

    name: str
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    inputs: dict[str, Line]
    owned: dict[str, str]


def read_module(path: Path, mediators: dict[str, str]) -> Module:
    """Read ``NAME.ant``; ``mediators``: miRNA name -> id, for the block between ``// per mediator`` and its end.

    Raises
    ------
    BiologyError : no ``model NAME`` … ``end``, a name that is not the file's, a block that does not close, a line
        among the inputs that is no ``name = value unit;``.
    """
    text = read_text(path, error=BiologyError)
    numbered = [Line(t, f"{path.name}, line {n}") for n, t in enumerate(text.splitlines(), 1)]
    start = next((i for i, line in enumerate(numbered) if _MODEL.match(line.text)), None)
    stop = next((i for i in range(len(numbered) - 1, -1, -1) if _END.match(numbered[i].text)), None)
    if start is None or stop is None or stop < start:
        raise BiologyError(str(path), found="no model", expected=f'"model {path.stem}" … "end"')
    match = _MODEL.match(numbered[start].text)
    if match is None or match[1] != path.stem:
        raise BiologyError(
            numbered[start].where, found=numbered[start].text.strip(), expected=f"model {path.stem}, as the file"
        )
    body, inputs = _split_inputs(numbered[start + 1 : stop])
    lines = _instantiate(body, list(mediators.values()), path)
    owned = _owned(lines)
    header = tuple(line.text for line in numbered[:start] if line.text.strip())
    return Module(path.stem, header, tuple(lines), inputs, owned)


def _owned(lines: list[Line]) -> dict[str, str]:
    owned: dict[str, str] = {}
    seen: dict[tuple[str, str], str] = {}
    for line in lines:
        for symbol, kind in _definitions(line.text):
            if (symbol, kind) in seen:
                first = seen[symbol, kind]
                raise BiologyError(line.where, found=f'a second {kind} of "{symbol}" (first: {first})', expected="one")
            seen[symbol, kind] = line.where
            owned.setdefault(symbol, line.where)
    return owned


def _split_inputs(body: list[Line]) -> tuple[list[Line], dict[str, Line]]:
    rest: list[Line] = []
    inputs: dict[str, Line] = {}
    inside = False
    for line in body:
        stripped = line.text.strip()
        if stripped.startswith("// inputs"):
            inside = True
        elif inside and not stripped:
            inside = False
        elif inside and not stripped.startswith("//"):
            match = _INPUT.match(stripped)
            if match is None:
                raise BiologyError(line.where, found=f'"{stripped}"', expected='an input: "name = value unit;"')
            inputs[match[1]] = line
        else:
            rest.append(line)
    return rest, inputs


def _instantiate(body: list[Line], ids: list[str], path: Path) -> list[Line]:
    lines: list[Line] = []
    block: list[Line] | None = None
    for line in body:
        stripped = line.text.strip()
        if stripped == _CLOSE and block is not None:
            lines += [Line(_MEDIATOR.sub(i, b.text.replace("_mediator", f"_{i}")), b.where) for i in ids for b in block]
            block = None
        elif stripped.startswith(_OPEN) and block is None:
            block = []
        elif block is not None:
            block.append(line)
        else:
            lines.append(line)
    if block is not None:
        raise BiologyError(str(path), found=f'"{_OPEN}" without end', expected=f'"{_CLOSE}"')
    return lines


def per_mediator(name: str, ids: list[str]) -> list[str]:
    """Names of a table row in the model: one for each mediator where the name holds the word ``mediator``."""
    if "mediator" not in name.split("_"):
        return [name]
    return ["_".join(i if part == "mediator" else part for part in name.split("_")) for i in ids]


def owned_symbols(text: str) -> list[str]:
    """Symbols that a line of Antimony defines: values, rules, rates, reactions, species, compartments."""
    return list(dict.fromkeys(symbol for symbol, _ in _definitions(text)))


def _definitions(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for statement in code(text).split(";"):
        stripped = statement.strip()
        declared = _DECLARED.match(stripped)
        if declared:
            found += [(re.split(r"\s+in\s+|\s*=", i.strip())[0], "declaration") for i in declared[1].split(",")]
        elif " has " not in f" {stripped} ":
            found += [(m[1], kind) for kind, pattern in _OWNED.items() if (m := pattern.match(stripped))]
    return found


def code(text: str) -> str:
    """A line without its comment."""
    return text.split("//", 1)[0]
