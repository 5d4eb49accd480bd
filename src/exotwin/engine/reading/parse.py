"""A file or text → a checked libSBML document. What the engine does not run is refused here, by the element's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exotwin.engine.reading import comp
from exotwin.engine.reading.document import read, text_of
from exotwin.errors import NotBuiltYet


def source(path_or_text: str | Path) -> tuple[str, str]:
    """Name and text of a document, given as a path or as the text itself; with models from other files put in.

    Raises
    ------
    ModelError : no such file, or not text; other files that are missing or out of reach.
    """
    if isinstance(path_or_text, str) and path_or_text.lstrip("\ufeff \t\r\n").startswith("<"):
        return "SBML text", path_or_text
    path = Path(path_or_text)
    text = text_of(path)
    if "externalModelDefinition" in text:
        text = comp.with_external_models(path, text)
    return path.name, text


def parse(name: str, text: str) -> Any:
    """The libSBML document, flat and free of what the engine does not run.

    Raises
    ------
    ModelError : not SBML, or wrong SBML; libSBML's first message with its line.
    NotBuiltYet : fast reactions, flux balance, packages that change the meaning of a model.
    """
    document = read(name, text)
    comp.flatten(name, document)
    for reaction in document.getModel().getListOfReactions():
        if reaction.isSetFast() and reaction.getFast():
            raise NotBuiltYet(
                f'{name}, reaction "{reaction.getId()}"',
                found="a fast reaction",
                expected="a model without; this version does not run them",
            )
    return document
