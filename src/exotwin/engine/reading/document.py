"""Text → a libSBML document, looked at before libSBML does: it must bear whatever it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from exotwin.errors import ModelError, NotBuiltYet

_LARGEST = 50_000_000  # characters; the largest published models have some ten million
_DEEPEST = 250  # nested elements; each level of a formula is one, and formulas are read by recursion
_UNDERSTOOD = frozenset({"comp", "l3v2extendedmath"})  # of the packages without which a document means something else


def text_of(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    ModelError : no such file, or not text.
    """
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
        return data.decode(declared[1].decode() if declared else "utf-8-sig")
    except (UnicodeDecodeError, LookupError) as fault:
        raise ModelError(path.name, found=f"bytes that are no text: {fault}", expected="an SBML file") from fault


def read(name: str, text: str) -> Any:
    """The libSBML document of a text, free of packages that the engine does not run.

    Raises
    ------
    ModelError : not SBML, or wrong SBML; libSBML's first message with its line.
    NotBuiltYet : flux balance, packages that change the meaning of a model.
    """
    check_text(name, text)
    import libsbml

    # the text is no longer in the encoding that its first line may declare
    body = re.sub(r"^<\?xml.*?\?>", "", text.lstrip("\ufeff \t\r\n"), count=1, flags=re.DOTALL)
    document = libsbml.readSBMLFromString('<?xml version="1.0" encoding="UTF-8"?>' + body)
    _refuse_packages(name, document)
    refuse_errors(name, document)
    if document.getModel() is None:
        raise ModelError(name, found="no <model>", expected="an SBML document with a model")
    for model in models(document):
        for element, what in _flux_balance(model):
            raise NotBuiltYet(f"{name}, {element}", found=what, expected="a model with rate laws instead")
    return document


def models(document: Any) -> Iterator[Any]:
    """The model of a document and, of package comp, its model definitions."""
    yield document.getModel()
    plugin = document.getPlugin("comp")
    if plugin is not None:
        for i in range(plugin.getNumModelDefinitions()):
            yield plugin.getModelDefinition(i)


def refuse_errors(name: str, document: Any) -> None:
    """Raise the first error that libSBML has noted.

    Raises
    ------
    ModelError : its message and line.
    """
    import libsbml

    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            message = " ".join(error.getMessage().split())[:400]
            raise ModelError(f"{name}, line {error.getLine()}", found=message, expected="a valid SBML document")


def _refuse_packages(name: str, document: Any) -> None:
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        required = document.getLevel() >= 3 and document.getPackageRequired(package)
        if required and package not in _UNDERSTOOD:
            raise NotBuiltYet(
                f"{name}, the document",
                found=f'the required package "{package}"',
                expected="a model without; this version does not run them",
            )


def _flux_balance(model: Any) -> Iterator[tuple[str, str]]:
    """What asks for an optimal flux instead of a course in time. Charges and formulas, of the same package, do not."""
    plugin = model.getPlugin("fbc")
    if plugin is None:
        return
    for i in range(plugin.getNumObjectives()):
        yield f'objective "{plugin.getObjective(i).getId()}"', "an objective of flux balance (package fbc)"
    for i in range(plugin.getNumFluxBounds()):
        yield f'flux bound of "{plugin.getFluxBound(i).getReaction()}"', "a bound of flux balance (package fbc)"
    for reaction in model.getListOfReactions():
        bounds = reaction.getPlugin("fbc")
        if bounds is not None and (bounds.isSetLowerFluxBound() or bounds.isSetUpperFluxBound()):
            yield f'reaction "{reaction.getId()}"', "bounds of flux balance (package fbc)"


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
