"""Every record id that the package uses names a shipped record, and every one behind a number was read."""

from __future__ import annotations

import ast
import csv
import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import exotwin
from exotwin.evidence.record import shipped

PACKAGE = Path(exotwin.__file__).parent
KEYS = {"record", "records", "spread_record"}
TOKEN = re.compile(r"(?<![\w./-])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+(?![\w/-])")


def files(*suffixes: str) -> list[Path]:
    # the report's words use "records" as a word, the records themselves are tested elsewhere
    skip = (PACKAGE / "report" / "words", PACKAGE / "evidence" / "records")
    return [p for s in suffixes for p in sorted(PACKAGE.rglob(f"*{s}")) if not any(f in p.parents for f in skip)]


def in_tables() -> Iterator[tuple[str, str]]:
    for path in files(".csv"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        for n, row in enumerate(csv.DictReader(lines, skipinitialspace=True), 1):
            for key in KEYS & set(row):
                for name in (row[key] or "").split():
                    if not name.startswith("calibration:"):
                        yield f"{path.name}, row {n}, {key}", name
    for path in files(".toml"):
        yield from in_toml(tomllib.loads(path.read_text(encoding="utf-8")), path.name)


def in_toml(node: Any, where: str) -> Iterator[tuple[str, str]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key in KEYS:
            for name in value.split() if isinstance(value, str) else value:
                yield f"{where}, {key}", name
        elif isinstance(value, dict | list):
            yield from in_toml(value, f"{where}, {key}")


def in_docstrings() -> Iterator[tuple[str, str]]:
    for path in files(".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                for block in re.findall(r"Sources? ?:(.*?)(?:\n\s*\n|\Z)", ast.get_docstring(node) or "", re.DOTALL):
                    for name in re.split(r"[,;.\s]+", re.sub(r"\([^)]*\)", " ", block)):
                        if TOKEN.fullmatch(name):
                            yield f"{path.name}, Sources", name


def in_models() -> Iterator[tuple[str, str]]:
    """Ids under `Sources:` in the head of a model, and comments behind a rate that hold nothing but ids."""
    for path in files(".ant"):
        head = False
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            comment = line.partition("//")[2].strip()
            head = comment.startswith("Sources:") or (head and not re.match(r"[A-Z]\w+:|$", comment))
            words = re.split(r"[,.\s]+", comment.removeprefix("Sources:").strip(" ."))
            if head or all(TOKEN.fullmatch(word) for word in words):
                yield from ((f"{path.name}, line {n}", word) for word in words if TOKEN.fullmatch(word))


def prose() -> Iterator[tuple[str, str]]:
    """Words with a hyphen, in comments of models and tables, in notes, docstrings and comments of code."""
    for path in files(".ant", ".csv", ".toml", ".py", ".md"):
        for word in TOKEN.findall(path.read_text(encoding="utf-8")):
            yield path.name, word


def test_every_id_in_a_table_names_a_record_that_was_read():
    library, found = shipped(), list(in_tables())
    assert len(found) > 50
    assert [(where, name) for where, name in found if name not in library.ids] == []
    assert [(where, name) for where, name in found if not library.get(name).seen] == []


def test_every_source_in_a_docstring_or_model_names_a_record():
    library, found = shipped(), [*in_docstrings(), *in_models()]
    assert len(found) > 10
    assert [(where, name) for where, name in found if name not in library.ids] == []


def test_no_id_in_comments_and_notes_is_misspelled_or_invented():
    # Prose is full of words with hyphens, so two signs mark a would-be id: an author with a year, or a near miss.
    ids = set(shipped().ids)
    wrong = []
    for where, word in set(prose()) - {(w, i) for w, i in prose() if i in ids}:
        looks = re.match(r"[a-z]+(19|20)\d\d-", word)
        near = word.count("-") >= 2 and get_close_matches(word, ids, n=1, cutoff=0.9)
        if looks or near:
            wrong.append((where, word, near))
    assert wrong == []
