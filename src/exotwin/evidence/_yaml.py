"""YAML as YAML 1.2 reads it: `1.0e6` is a number, `no` is a word, keys are text, a key given twice is an error.

PyYAML keeps the rules of YAML 1.1, under which `dose: 1.0e6` is the text "1.0e6". A number that turns into text without
a word is worse than no number, so the resolvers are set here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from exotwin.errors import EvidenceError

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
RESOLVERS: tuple[tuple[str, re.Pattern[str], list[str]], ...] = (
    ("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    ("tag:yaml.org,2002:int", _INT, list("-+0123456789")),
    ("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789")),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml's parser (seven times as fast as the Python one on these files) with the rules above."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012  PyYAML's own name and form


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in found:
            problem = "a key given twice" if isinstance(key, yaml.ScalarNode) else "a key that is not text"
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        found[key.value] = loader.construct_object(value, deep=True)
    return found


def _int(loader: Any, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node))  # "010" is ten here, eight in YAML 1.1


def _float(loader: Any, node: yaml.ScalarNode) -> float:
    return float(loader.construct_scalar(node))


for _tag, _pattern, _first in RESOLVERS:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def load(text: str, *, path: Path, first_line: int = 1) -> Any:
    """The one document in ``text``, which stands in ``path`` from ``first_line`` on.

    Raises
    ------
    EvidenceError : the text is not YAML, or gives a key twice; names file and line.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError) as fault:
        mark = getattr(fault, "problem_mark", None)
        line = first_line + (mark.line if mark is not None else 0)
        found = getattr(fault, "problem", None) or str(fault)
        raise EvidenceError(f"{path}, line {line}", found=found, expected="YAML, each key once") from fault
