"""Formulas of SBML (MathML, as libSBML's syntax trees) → casadi expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count, pairwise
from typing import Any

from exotwin.engine.reading.special import factorial
from exotwin.errors import ModelError, NotBuiltYet

AVOGADRO = 6.02214179e23  # the value that SBML Level 3 fixes
_MOST_CALLS = 10_000  # in a formula; each puts a body in its place, and a few that call each other unfold without end


@dataclass(frozen=True)
class Scope:
    """What the names of a formula mean.

    where : place of the formula, for messages. symbol, rate : value and rate of change of a name.
    functions : those of the model. local : names that hide all others.
    calls : the functions around it. count : of the calls in the whole formula.
    """

    where: str
    symbol: Callable[[str], Any]
    rate: Callable[[str], Any]
    functions: Functions
    time: Any
    local: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    count: Iterator[int] = field(default_factory=count)


class Functions:
    """The functions that a model defines: id -> libSBML's lambda."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._names: dict[str, frozenset[tuple[str, bool]]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._definitions

    def parts(self, name: str) -> tuple[list[str], Any]:
        """Names of the arguments, and the body."""
        tree = self._definitions[name]
        last = tree.getNumChildren() - 1
        return [tree.getChild(i).getName() for i in range(last)], tree.getChild(last)

    def names(self, name: str) -> frozenset[tuple[str, bool]]:
        """What the body refers to beside its arguments, as `names` gives it."""
        if name not in self._names:
            self._names[name] = frozenset()  # of a function that calls itself, which is refused when it is called
            bound, body = self.parts(name)
            self._names[name] = frozenset(found for found in names(body, self) if found[0] not in bound)
        return self._names[name]


def names(node: Any, functions: Functions) -> Iterator[tuple[str, bool]]:
    """Names that a formula refers to, through functions too; each with whether its rate of change is meant."""
    import libsbml

    kind = node.getType()
    if kind == libsbml.AST_NAME:
        yield node.getName(), False
    elif kind == libsbml.AST_FUNCTION_RATE_OF and _is_of_name(node):
        yield node.getChild(0).getName(), True
    else:
        if kind == libsbml.AST_FUNCTION and node.getName() in functions:
            yield from functions.names(node.getName())
        for i in range(node.getNumChildren()):
            yield from names(node.getChild(i), functions)


def convert(node: Any, scope: Scope) -> Any:
    """The formula as a casadi SX. Truth is 1, falsehood 0; a choice without a fitting case is not a number.

    Raises
    ------
    ModelError : a wrong number of arguments, an unknown function, a function that calls itself.
    NotBuiltYet : delay, distributions.
    """
    import casadi as ca
    import libsbml

    kind = node.getType()
    if node.isNumber():
        return ca.SX(_number(node, libsbml))
    constants = {
        libsbml.AST_CONSTANT_E: math.e,
        libsbml.AST_CONSTANT_PI: math.pi,
        libsbml.AST_CONSTANT_TRUE: 1.0,
        libsbml.AST_CONSTANT_FALSE: 0.0,
        libsbml.AST_NAME_AVOGADRO: AVOGADRO,
    }
    if kind in constants:
        return ca.SX(constants[kind])
    if kind == libsbml.AST_NAME_TIME:
        return scope.time
    if kind == libsbml.AST_NAME:
        name = node.getName()
        return scope.local[name] if name in scope.local else scope.symbol(name)
    if kind == libsbml.AST_FUNCTION_RATE_OF:
        if not _is_of_name(node):
            raise ModelError(scope.where, found="rateOf of a formula", expected="rateOf of one name")
        name = node.getChild(0).getName()
        return ca.SX(0) if name in scope.local else scope.rate(name)  # what is local to a reaction is constant
    if kind == libsbml.AST_FUNCTION_DELAY:
        raise NotBuiltYet(scope.where, found="delay()", expected="a model without; this version does not run them")
    arguments = [convert(node.getChild(i), scope) for i in range(node.getNumChildren())]
    if kind == libsbml.AST_FUNCTION:
        return _call(node, arguments, scope)
    table = _operations()
    if kind not in table:
        raise NotBuiltYet(
            scope.where, found=f'"{node.getName() or node.getOperatorName() or kind}"', expected="MathML of SBML core"
        )
    try:
        return table[kind](*arguments)
    except (TypeError, NotImplementedError) as fault:  # the latter is casadi's way
        raise ModelError(
            scope.where,
            found=f"{libsbml.formulaToL3String(node)} with {len(arguments)} argument(s)",
            expected="as many as the function takes",
        ) from fault


def _is_of_name(node: Any) -> bool:
    return bool(node.getNumChildren() == 1 and node.getChild(0).isName())


def _number(node: Any, libsbml: Any) -> float:
    if node.getType() == libsbml.AST_RATIONAL:
        return float(node.getNumerator()) / float(node.getDenominator())
    return float(node.getInteger() if node.getType() == libsbml.AST_INTEGER else node.getReal())


def _call(node: Any, arguments: list[Any], scope: Scope) -> Any:
    name = node.getName()
    if name in scope.calls:
        raise ModelError(scope.where, found=f'the function "{name}" calls itself', expected="functions without cycles")
    if name not in scope.functions:
        raise ModelError(scope.where, found=f'the function "{name}"', expected="one that the model defines")
    if next(scope.count) >= _MOST_CALLS:
        found = f"more than {_MOST_CALLS} function calls in a formula, those within functions counted"
        raise ModelError(scope.where, found=found, expected="fewer")
    bound, body = scope.functions.parts(name)
    if len(bound) != len(arguments):
        raise ModelError(
            scope.where, found=f'"{name}" with {len(arguments)} argument(s)', expected=f"{len(bound)} argument(s)"
        )
    inner = Scope(
        f'{scope.where}, function "{name}"',
        scope.symbol,
        scope.rate,
        scope.functions,
        scope.time,
        dict(zip(bound, arguments, strict=True)),
        (*scope.calls, name),
        scope.count,
    )
    return convert(body, inner)


@cache
def _operations() -> dict[int, Callable[..., Any]]:
    import casadi as ca
    import libsbml as sb

    def total(*values: Any) -> Any:
        result = ca.SX(0)
        for value in values:
            result = result + value
        return result

    def product(*values: Any) -> Any:
        result = ca.SX(1)
        for value in values:
            result = result * value
        return result

    def chain(compare: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        return lambda *v: product(*(compare(a, b) for a, b in pairwise(v)))

    def logical(join: Callable[[Any, Any], Any], empty: float) -> Callable[..., Any]:
        def joined(*values: Any) -> Any:
            result = ca.SX(empty)
            for value in values:
                result = join(result, value != 0)
            return result

        return joined

    def piecewise(*pieces: Any) -> Any:
        result = pieces[-1] if len(pieces) % 2 else ca.SX(float("nan"))
        for k in range(len(pieces) - len(pieces) % 2 - 2, -1, -2):
            result = ca.if_else(pieces[k + 1] != 0, pieces[k], result)
        return result

    def extreme(pick: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        def picked(first: Any, *others: Any) -> Any:
            for other in others:
                first = pick(first, other)
            return first

        return picked

    def quotient(a: Any, b: Any) -> Any:
        ratio = a / b
        return ca.if_else(ratio < 0, ca.ceil(ratio), ca.floor(ratio))

    return {
        sb.AST_PLUS: total,
        sb.AST_TIMES: product,
        sb.AST_MINUS: lambda a, *b: a - b[0] if b else -a,
        sb.AST_DIVIDE: lambda a, b: a / b,
        sb.AST_POWER: lambda a, b: a**b,
        sb.AST_FUNCTION_POWER: lambda a, b: a**b,
        sb.AST_FUNCTION_ROOT: lambda a, *b: b[0] ** (1 / a) if b else ca.sqrt(a),
        sb.AST_FUNCTION_ABS: ca.fabs,
        sb.AST_FUNCTION_CEILING: ca.ceil,
        sb.AST_FUNCTION_FLOOR: ca.floor,
        sb.AST_FUNCTION_EXP: ca.exp,
        sb.AST_FUNCTION_LN: ca.log,
        sb.AST_FUNCTION_LOG: lambda a, *b: ca.log(b[0]) / ca.log(a) if b else ca.log(a) / math.log(10),
        sb.AST_FUNCTION_FACTORIAL: factorial,
        sb.AST_FUNCTION_SIN: ca.sin,
        sb.AST_FUNCTION_COS: ca.cos,
        sb.AST_FUNCTION_TAN: ca.tan,
        sb.AST_FUNCTION_SEC: lambda a: 1 / ca.cos(a),
        sb.AST_FUNCTION_CSC: lambda a: 1 / ca.sin(a),
        sb.AST_FUNCTION_COT: lambda a: 1 / ca.tan(a),
        sb.AST_FUNCTION_SINH: ca.sinh,
        sb.AST_FUNCTION_COSH: ca.cosh,
        sb.AST_FUNCTION_TANH: ca.tanh,
        sb.AST_FUNCTION_SECH: lambda a: 1 / ca.cosh(a),
        sb.AST_FUNCTION_CSCH: lambda a: 1 / ca.sinh(a),
        sb.AST_FUNCTION_COTH: lambda a: 1 / ca.tanh(a),
        sb.AST_FUNCTION_ARCSIN: ca.asin,
        sb.AST_FUNCTION_ARCCOS: ca.acos,
        sb.AST_FUNCTION_ARCTAN: ca.atan,
        sb.AST_FUNCTION_ARCSEC: lambda a: ca.acos(1 / a),
        sb.AST_FUNCTION_ARCCSC: lambda a: ca.asin(1 / a),
        sb.AST_FUNCTION_ARCCOT: lambda a: ca.atan(1 / a),
        sb.AST_FUNCTION_ARCSINH: ca.asinh,
        sb.AST_FUNCTION_ARCCOSH: ca.acosh,
        sb.AST_FUNCTION_ARCTANH: ca.atanh,
        sb.AST_FUNCTION_ARCSECH: lambda a: ca.acosh(1 / a),
        sb.AST_FUNCTION_ARCCSCH: lambda a: ca.asinh(1 / a),
        sb.AST_FUNCTION_ARCCOTH: lambda a: ca.atanh(1 / a),
        sb.AST_FUNCTION_MAX: extreme(ca.fmax),
        sb.AST_FUNCTION_MIN: extreme(ca.fmin),
        sb.AST_FUNCTION_QUOTIENT: quotient,
        sb.AST_FUNCTION_REM: ca.fmod,
        sb.AST_FUNCTION_PIECEWISE: piecewise,
        sb.AST_RELATIONAL_EQ: chain(lambda a, b: a == b),
        sb.AST_RELATIONAL_NEQ: chain(lambda a, b: a != b),
        sb.AST_RELATIONAL_LT: chain(lambda a, b: a < b),
        sb.AST_RELATIONAL_LEQ: chain(lambda a, b: a <= b),
        sb.AST_RELATIONAL_GT: chain(lambda a, b: a > b),
        sb.AST_RELATIONAL_GEQ: chain(lambda a, b: a >= b),
        sb.AST_LOGICAL_AND: logical(ca.logic_and, 1.0),
        sb.AST_LOGICAL_OR: logical(ca.logic_or, 0.0),
        sb.AST_LOGICAL_XOR: logical(lambda a, b: a != b, 0.0),
        sb.AST_LOGICAL_NOT: lambda a: a == 0,
        sb.AST_LOGICAL_IMPLIES: lambda a, b: ca.logic_or(a == 0, b != 0),
    }
