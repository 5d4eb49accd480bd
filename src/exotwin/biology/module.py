"""One module file: Antimony text, taken apart just far enough to join it with others.

The reader knows five things of a module: its header (comments above ``model``), its inputs, the symbols that it owns,
the blocks that are repeated for every mediator or tissue, or kept for one tissue alone, and the states that noise
moves. Everything else is Antimony's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from exotwin.biology.model import Noise
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
_OPEN = re.compile(r"^// (per|with) (\w+)$")
_NOISE = re.compile(r"^// noise (\w+) strength (\w+) every (\w+)(?: switch (\w+))?$")
_TARGET = "target"


@dataclass(frozen=True)
class Names:
    """What the words of module files stand for in a condition.

    items : word -> ids for which what holds it is repeated: {"mediator": ("mir_21_5p", …), "tissue": ("ovary", …)}.
    target : id of the tissue that the word ``target`` means.
    """

    items: Mapping[str, Sequence[str]] = field(default_factory=dict)
    target: str = _TARGET

    def of(self, name: str) -> list[str]:
        """Names in the model of a symbol or table row: one for each item of the word that it holds."""
        found = [self.aimed(name)]
        for word, ids in self.items.items():
            if word in name.split("_"):
                found = [_put(each, word, item) for each in found for item in ids]
        return found

    def repeats(self, name: str) -> bool:
        """Whether a symbol or table row is written once for several items."""
        return not self.items.keys().isdisjoint(name.split("_"))

    def aimed(self, text: str) -> str:
        """Code with the target's id in place of the word ``target``."""
        return _put(text, _TARGET, self.target)


@dataclass(frozen=True)
class Line:
    """A line of module text and the file it came from."""

    text: str
    where: str


@dataclass(frozen=True)
class Module:
    """A module, its blocks already written out.

    header : comment lines above the model. lines : the body without inputs.
    inputs : symbol -> the line that gives its neutral value. owned : symbol -> where it is defined.
    noises : from its lines ``// noise STATE strength SYMBOL every SYMBOL [switch STATE]``.
    """

    name: str
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    inputs: dict[str, Line]
    owned: dict[str, str]
    noises: tuple[Noise, ...] = ()


def read_module(path: Path, names: Names) -> Module:
    """Read ``NAME.ant`` with the words of its symbols replaced by ``names``.

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
    lines, inputs = _split_inputs(_written_out(numbered[start + 1 : stop], names, path))
    owned = _owned(lines)
    header = tuple(line.text for line in numbered[:start] if line.text.strip())
    noises = tuple(Noise(*m.groups(default="")) for line in lines if (m := _NOISE.match(line.text.strip())))
    return Module(path.stem, header, tuple(lines), inputs, owned, noises)


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


def _written_out(body: list[Line], names: Names, path: Path) -> list[Line]:
    lines: list[Line] = []
    rest = iter(body)
    for line in rest:
        opened = _OPEN.match(line.text.strip())
        kind, word = opened.groups() if opened else ("", "")
        if kind != "with" and word not in names.items:
            at = line.text.find("//")
            split = len(line.text) if at < 0 else at
            lines.append(Line(names.aimed(line.text[:split]) + line.text[split:], line.where))
            continue
        block: list[Line] = []
        for inner in rest:
            if inner.text.strip() == f"// end {kind} {word}":
                break
            block.append(inner)
        else:
            raise BiologyError(str(path), found=f'"// {kind} {word}" without end', expected=f'"// end {kind} {word}"')
        if kind == "with":
            lines += _written_out(block, names, path) if word in names.items.get("tissue", ()) else []
            continue
        for item in names.items[word]:
            lines += _written_out([Line(_put(b.text, word, item), b.where) for b in block], names, path)
    return lines


def _put(text: str, word: str, item: str) -> str:
    return _part(word).sub(item, text)


@cache
def _part(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])")


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
