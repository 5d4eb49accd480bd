"""A file or text → a checked libSBML document. What the engine does not run is refused here, by the element's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from exotwin.errors import ModelError, NotBuiltYet

_LARGEST = 50_000_000  # characters; the largest published models have some ten million
_DEEPEST = 250  # nested elements; each level of a formula is one, and formulas are read by recursion


def source(path_or_text: str | Path) -> tuple[str, str]:
    """Name and text of a document, given as a path or as the text itself.

    Raises
    ------
    ModelError : no such file, or not text.
    """
    if isinstance(path_or_text, str) and path_or_text.lstrip("\ufeff \t\r\n").startswith("<"):
        return "SBML text", path_or_text
    path = Path(path_or_text)
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise ModelError(
            str(path)[:200],
            found=fault.strerror or "no such file",
            expected="an SBML file, or its text beginning with <",
        ) from fault
    declared = re.match(rb"""<\?xml[^>]*encoding=["']([\w.-]+)""", data)
    try:
        return path.name, data.decode(declared[1].decode() if declared else "utf-8-sig")
    except (UnicodeDecodeError, LookupError) as fault:
        raise ModelError(path.name, found=f"bytes that are no text: {fault}", expected="an SBML file") from fault


def check_text(name: str, text: str) -> None:
    """Look at the XML before libSBML does: well formed, of bearable size and depth, without entities of its own.

    Raises
    ------
    ModelError : names line and column.
    """
    if len(text) > _LARGEST:
        raise ModelError(name, found=f"{len(text)} characters", expected=f"at most {_LARGEST}")
    parser = expat.ParserCreate("utf-8", " ")  # gives names as "namespace name"
    depth = 0

    def refuse_doctype(*_: object) -> None:
        raise ModelError(
            f"{name}, line {parser.CurrentLineNumber}",
            found="a document type declaration",
            expected="none: SBML has no entities of its own, and they can blow up without bound",
        )

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth == 1:
            _check_root(name, tag, attributes)
        if depth > _DEEPEST:
            raise ModelError(
                f"{name}, line {parser.CurrentLineNumber}",
                found=f"<{tag.rpartition(' ')[2]}> inside {_DEEPEST} other elements",
                expected="a formula split by assignment rules or function definitions",
            )

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler, parser.StartElementHandler, parser.EndElementHandler = refuse_doctype, start, end
    try:
        parser.Parse(text.lstrip("\ufeff \t\r\n").encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as fault:
        raise ModelError(name, found=f"XML that is not well formed: {fault}", expected="an SBML document") from fault


def _check_root(name: str, tag: str, attributes: dict[str, str]) -> None:
    """libSBML ends the whole process on a level and version that do not go with the namespace."""
    level, version = attributes.get("level", ""), attributes.get("version", "")
    namespace = {
        "1": "http://www.sbml.org/sbml/level1",
        "2": "http://www.sbml.org/sbml/level2" + (f"/version{version}" if version != "1" else ""),
        "3": f"http://www.sbml.org/sbml/level3/version{version}/core",
    }.get(level)
    known = version in {"1": ("1", "2"), "2": ("1", "2", "3", "4", "5"), "3": ("1", "2")}.get(level, ())
    if not known or tag != f"{namespace} sbml":
        uri, _, root = tag.rpartition(" ")
        raise ModelError(
            name,
            found=f'the root <{root}> of level "{level}", version "{version}", in the namespace "{uri}"',
            expected="<sbml> of levels 1 to 3 in the namespace of its level and version",
        )


def parse(name: str, text: str) -> Any:
    """The libSBML document, free of what the engine does not run.

    Raises
    ------
    ModelError : not SBML, or wrong SBML; libSBML's first message with its line.
    NotBuiltYet : events, algebraic rules, fast reactions, packages that change the meaning of a model.
    """
    check_text(name, text)
    import libsbml

    # the text is no longer in the encoding that its first line may declare
    body = re.sub(r"^<\?xml.*?\?>", "", text.lstrip("\ufeff \t\r\n"), count=1, flags=re.DOTALL)
    document = libsbml.readSBMLFromString('<?xml version="1.0" encoding="UTF-8"?>' + body)
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            raise ModelError(
                f"{name}, line {error.getLine()}", found=_one_line(error.getMessage()), expected="a valid SBML document"
            )
    model = document.getModel()
    if model is None:
        raise ModelError(name, found="no <model>", expected="an SBML document with a model")
    for element, what in _not_built(document, model):
        raise NotBuiltYet(f"{name}, {element}", found=what, expected="a model without; this version does not run them")
    return document


def _not_built(document: Any, model: Any) -> Iterator[tuple[str, str]]:
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        required = document.getLevel() >= 3 and document.getPackageRequired(package)
        if required and package != "l3v2extendedmath":
            yield "the document", f'the required package "{package}"'
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        if reaction.isSetFast() and reaction.getFast():
            yield f'reaction "{reaction.getId()}"', "a fast reaction"


def _one_line(message: str) -> str:
    return " ".join(message.split())[:400]
