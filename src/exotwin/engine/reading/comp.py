"""Models made of models (package comp): checked, then flattened by libSBML.

Models from other files are read only from the folder of the first one, never over a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from exotwin.engine.reading.document import models, read, refuse_errors, text_of
from exotwin.errors import ModelError, nearest

_MOST_INSTANCES = 10_000  # of submodels; a few lines that instantiate each other twice would make any number of them

Key = tuple[str, str]  # file and model; "" for the document's own


def with_external_models(path: Path, text: str) -> str:
    """The flat text of a document, which may take models from other files beside it.

    Raises
    ------
    ModelError : a file that is missing or lies elsewhere; names the definition.
    """
    import libsbml

    folder = path.resolve().parent
    document = read(path.name, text)
    uses: dict[Key, list[Key]] = {}
    todo, seen = [(path.name, document)], {path.name}
    while todo:
        name, part = todo.pop()
        others = {definition.getId(): _beside(folder, name, definition) for definition in _external(part)}
        uses |= _uses(name, part, others)
        new = set(others.values()) - seen
        seen |= new
        todo += [(other, read(other, text_of(folder / other))) for other in sorted(new)]
    _check_instances(path.name, uses)
    document.setLocationURI(f"file:{folder / path.name}")
    _flatten(path.name, document)
    return str(libsbml.writeSBMLToString(document))


def flatten(name: str, document: Any) -> None:
    """Replace the model of a document by the flat one; nothing where it has no submodels.

    Raises
    ------
    ModelError : definitions in other files (which only a document read from a file can have), submodels that contain
        themselves or are too many, what libSBML finds wrong.
    """
    if document.getPlugin("comp") is None or not document.getModel().getPlugin("comp").getNumSubmodels():
        return
    for definition in _external(document):
        raise ModelError(
            f'{name}, external model definition "{definition.getId()}"',
            found=f'the source "{definition.getSource()[:200]}", while the document is given as text',
            expected="the document as a file, with the other one beside it",
        )
    _check_instances(name, _uses(name, document, {}))
    _flatten(name, document)


def _flatten(name: str, document: Any) -> None:
    import libsbml

    properties = libsbml.ConversionProperties()
    properties.addOption("flatten comp", True)
    properties.addOption("performValidation", True)
    if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
        refuse_errors(f"{name}, flattening its submodels", document)
        raise ModelError(name, found="submodels that cannot be flattened", expected="a valid model of the package comp")


def _external(document: Any) -> list[Any]:
    plugin = document.getPlugin("comp")
    count = plugin.getNumExternalModelDefinitions() if plugin is not None else 0
    return [plugin.getExternalModelDefinition(i) for i in range(count)]


def _beside(folder: Path, name: str, definition: Any) -> str:
    """The file of an external definition, relative to the folder."""
    source = definition.getSource()
    where = f'{name}, external model definition "{definition.getId()}"'
    wanted = (folder / name).parent / source
    if ":" in source or Path(source).is_absolute() or not wanted.resolve().is_relative_to(folder):
        expected = "a file beside the document: nothing is fetched, and no other folder is read"
        raise ModelError(where, found=f'the source "{source[:200]}"', expected=expected)
    if not wanted.is_file():
        there = [p.name for p in folder.iterdir() if p.is_file()]
        raise ModelError(
            where, found=f'the source "{source[:200]}"', expected="a file that exists", nearest=nearest(source, there)
        )
    return str(wanted.resolve().relative_to(folder))


def _uses(name: str, document: Any, others: Mapping[str, str]) -> dict[Key, list[Key]]:
    """Which model makes instances of which. others : external definition -> its file."""
    uses: dict[Key, list[Key]] = {}
    for model in models(document):
        plugin = model.getPlugin("comp")
        count = plugin.getNumSubmodels() if plugin is not None else 0
        made = [(name, plugin.getSubmodel(i).getModelRef()) for i in range(count)]
        uses[name, model.getId()] = made
        uses.setdefault((name, ""), made)  # the first is the document's own model
    for definition in _external(document):
        uses[name, definition.getId()] = [(others[definition.getId()], definition.getModelRef())]
    return uses


def _check_instances(name: str, uses: Mapping[Key, list[Key]]) -> None:
    try:
        order = list(TopologicalSorter(uses).static_order())
    except CycleError as fault:
        circle = " → ".join(f'"{model or file}"' for file, model in reversed(fault.args[1]))
        raise ModelError(
            name, found=f"models that contain each other: {circle}", expected="submodels without cycles"
        ) from fault
    counts: dict[Key, int] = {}
    for key in order:
        counts[key] = 1 + sum(counts[made] for made in uses.get(key, ()))
    if counts.get((name, ""), 0) > _MOST_INSTANCES:
        expected = f"at most {_MOST_INSTANCES}"
        raise ModelError(name, found=f"{counts[name, '']} submodels, those within others counted", expected=expected)
