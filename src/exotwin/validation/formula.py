"""Formulas of the files of checks: arithmetic over names, and nothing else that Python can do.

Allowed are + - * / **, brackets, numbers, the names given, lists, ``v.key``, ``v['key']``, ``v[0]``, and the functions
log log10 log2 exp sqrt abs min max, ``column(list, k)`` (the k-th entry of each), ``number(text, k)`` (the k-th number
that stands in a text, from 0), ``mean(list)``, ``median(list)``. Lists count as arrays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from exotwin.errors import EvidenceError, nearest

_LONGEST = 500
_DIGITS = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_EXPECTED = 'arithmetic over names, such as "log(2) / log(early / late)" or "v[\'ratio\'][0] / 100"'

_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: np.negative, ast.UAdd: np.positive}


class _Fault(Exception):
    """What is wrong with a formula, before its place is known."""

    def __init__(self, found: str, expected: str = _EXPECTED, near: str | None = None) -> None:
        self.found, self.expected, self.near = found, expected, near


def names_in(text: str, *, where: str) -> frozenset[str]:
    """Names that a formula uses, its functions left out.

    Raises
    ------
    EvidenceError : not a formula.
    """
    tree = _parsed(text, where)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called)


def evaluate(text: str, names: Mapping[str, Any], *, where: str) -> Any:
    """The value of a formula: a float, or an array where a name is one.

    Parameters
    ----------
    names : name -> number, array, or a record's value (lists, mappings, texts). Logarithms of what is not positive,
        and division by zero, give NaN or infinity for the entries concerned.

    Raises
    ------
    EvidenceError : not a formula, an unknown name or key, a result that is no number.
    """
    tree = _parsed(text, where)
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(_array(_value(tree, names), text), dtype=float)
    except _Fault as fault:
        raise EvidenceError(where, found=fault.found, expected=fault.expected, nearest=fault.near) from fault
    except (TypeError, ValueError) as fault:
        raise EvidenceError(where, found=f"{text}: {fault}", expected="a formula that gives numbers") from fault
    return float(found) if found.ndim == 0 else found


@lru_cache(maxsize=4096)
def _parsed(text: str, where: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise EvidenceError(where, found=f"{len(text)} characters", expected=f"at most {_LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        raise EvidenceError(where, found=f'"{text}"', expected=_EXPECTED) from fault
    except _Fault as fault:
        raise EvidenceError(where, found=fault.found, expected=fault.expected, nearest=fault.near) from fault
    return tree


def _check(node: ast.expr) -> None:
    match node:
        case ast.BinOp(left, op, right) if type(op) in _BINARY:
            _check(left)
            _check(right)
        case ast.UnaryOp(op, operand) if type(op) in _UNARY:
            _check(operand)
        case ast.Call(ast.Name(name), args, []):
            if name not in _FUNCTIONS:
                raise _Fault(f'the function "{name}"', "one of " + ", ".join(_FUNCTIONS), nearest(name, _FUNCTIONS))
            for arg in args:
                _check(arg)
        case ast.Attribute(inner, name) if not name.startswith("__"):
            _check(inner)
        case ast.Subscript(inner, ast.Constant(str() | int())):
            _check(inner)
        case ast.Subscript(inner, ast.UnaryOp(ast.USub(), ast.Constant(int()))):
            _check(inner)
        case ast.List(entries):
            for entry in entries:
                _check(entry)
        case ast.Name():
            pass
        case ast.Constant(int() | float() as number) if not isinstance(number, bool):
            pass
        case _:
            raise _Fault(f'"{ast.unparse(node)}"')


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.BinOp(left, op, right):
            return _BINARY[type(op)](_number(left, names), _number(right, names))
        case ast.UnaryOp(op, operand):
            return _UNARY[type(op)](_number(operand, names))
        case ast.Call(ast.Name(name), args, _):
            return _FUNCTIONS[name](*(_value(arg, names) for arg in args))
        case ast.Attribute(inner, name):
            return _entry(_value(inner, names), name, node)
        case ast.Subscript(inner, key):
            return _entry(_value(inner, names), ast.literal_eval(key), node)
        case ast.List(entries):
            return [_value(entry, names) for entry in entries]
        case ast.Constant(number):
            return float(number)  # type: ignore[arg-type]  # _check let numbers pass alone
        case ast.Name(name):
            if name not in names:
                known = ", ".join(names) or "no name"
                raise _Fault(f'the name "{name}"', f"one of {known}", nearest(name, names))
            return names[name]
    raise _Fault(f'"{ast.unparse(node)}"')


def _number(node: ast.expr, names: Mapping[str, Any]) -> Any:
    return _array(_value(node, names), ast.unparse(node))


def _array(value: Any, text: str) -> Any:
    if isinstance(value, np.ndarray):
        return value
    try:
        if isinstance(value, str | bool) or value is None:
            raise TypeError
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError) as fault:
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        raise _Fault(f"{text}, which is {shown[:80]}", "a number, or a list of numbers") from fault


def _entry(value: Any, key: str | int, node: ast.expr) -> Any:
    text = ast.unparse(node)
    if isinstance(value, Mapping):
        keys = [str(k) for k in value]
        if str(key) not in keys:
            raise _Fault(f'{text}: the key "{key}"', "one of " + ", ".join(keys), nearest(str(key), keys))
        return value[str(key)]
    if isinstance(key, int) and isinstance(value, list | tuple | np.ndarray):
        if not -len(value) <= key < len(value):
            raise _Fault(f"{text}: entry {key}", f"a place in a list of {len(value)}")
        return value[key]
    raise _Fault(f"{text}, of a value that is {value!r:.60}", "a key of a mapping, or a place in a list")


def _column(rows: Any, k: Any) -> Any:
    return [_entry(row, int(k), ast.Name("column")) for row in rows]


def _number_in(text: Any, k: Any = 0.0) -> float:
    if not isinstance(text, str):
        raise _Fault(f"number() of {text!r:.60}", "a text")
    # "5-7" is a range, not 5 and -7
    found = _DIGITS.findall(re.sub(r"(?<=\d)\s*[-–]\s*(?=\d)", " ", text))
    if not 0 <= int(k) < len(found):
        raise _Fault(f'number {int(k)} of "{text[:60]}"', f"one of the {len(found)} numbers in it")
    return float(found[int(k)])


def _of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: function(*(_array(value, "an argument") for value in values))


def _over(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """Of a list to a number. A reading holds patients and times, and which of the two is meant must be said there."""

    def function(values: Any) -> Any:
        if np.ndim(values) > 1:
            raise _Fault(f"{reduce.__name__}() of a reading", "`over` (times) or `statistic` (patients) in the reading")
        return reduce(values)

    return function


def _least(*values: Any) -> Any:
    return np.minimum.reduce(np.broadcast_arrays(*values)) if len(values) > 1 else _over(np.min)(values[0])


def _most(*values: Any) -> Any:
    return np.maximum.reduce(np.broadcast_arrays(*values)) if len(values) > 1 else _over(np.max)(values[0])


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "log": _of_numbers(np.log),
    "log10": _of_numbers(np.log10),
    "log2": _of_numbers(np.log2),
    "exp": _of_numbers(np.exp),
    "sqrt": _of_numbers(np.sqrt),
    "abs": _of_numbers(np.abs),
    "min": _of_numbers(_least),
    "max": _of_numbers(_most),
    "mean": _of_numbers(_over(np.mean)),
    "median": _of_numbers(_over(np.median)),
    "column": _column,
    "number": _number_in,
}
