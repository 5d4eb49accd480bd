"""Formulas of observables and noise as functions of arrays, with their slopes.

A formula is read once, node by node, into a straight list of assignments in which equal terms are computed once; slopes
go forward along the same list. That takes well under a millisecond a formula, where symbolic derivatives take many, and
what happens at the edges (zero to a power, the branch that is not taken) is decided here. The list is of numbers, of
its own variables and of functions known here: nothing that stands in a file is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exotwin.errors import CalibrationError, NotBuiltYet, nearest

if TYPE_CHECKING:
    import sympy

Floats = NDArray[np.float64]
Term = str | float
"""A variable of the list of assignments, or a number."""


@dataclass(frozen=True)
class Formula:
    """A formula compiled for arrays.

    names : those that the formula uses, in the order in which their values are given. source : the functions made of
    it; formulas that differ in their names alone have the same, and then share the compiled code.

    What `value` and `with_slopes` return may share memory with what they were given, and be read-only.
    """

    names: tuple[str, ...]
    source: str

    @cached_property
    def _functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        return _executed(self.source)

    def value(self, values: Sequence[Any]) -> Floats:
        """The formula where ``values``, arrays that broadcast to one shape, are one for each of ``names``.

        NaN or infinite where it is not defined; never a warning.
        """
        arrays, shape = _arrays(values)
        with np.errstate(all="ignore"):
            return _spread(self._functions[0](*arrays), shape)

    def with_slopes(self, values: Sequence[Any]) -> tuple[Floats, tuple[Floats, ...]]:
        """The formula as `value` gives it, and its derivative by each of ``names``, all of the full shape.

        At a kink (abs, min, max, the edge of a piecewise formula) the slope is that of one side, or between both.
        """
        arrays, shape = _arrays(values)
        with np.errstate(all="ignore"):
            value, slopes = self._functions[1](*arrays)
        return _spread(value, shape), tuple(_spread(s, shape) for s in slopes)


@lru_cache(maxsize=4096)
def _compiled(expression: sympy.Basic, names: tuple[str, ...]) -> Formula:
    used = {s.name for s in expression.free_symbols}
    unknown = sorted(used.difference(names))
    if unknown:
        raise CalibrationError(
            f"formula {expression}",
            found=f'the name "{unknown[0]}"',
            expected="names of the model, of parameters and of placeholders",
            nearest=nearest(unknown[0], names),
        )
    ordered = tuple(n for n in names if n in used)
    return Formula(ordered, _source(expression, ordered))


def compiled(expression: sympy.Basic, names: Sequence[str]) -> Formula:
    """``expression`` as a function of those of ``names`` that it uses.

    Names are compared as text: any assumption of a symbol is left aside, all numbers are real. Raises `NotBuiltYet` for
    a function that PEtab's formulas do not have.
    """
    return _compiled(expression, tuple(names))


def _arrays(values: Sequence[Any]) -> tuple[list[Floats], tuple[int, ...]]:
    arrays = [np.asarray(v, float) for v in values]
    return arrays, np.broadcast_shapes(*(a.shape for a in arrays))


def _spread(found: Any, shape: tuple[int, ...]) -> Floats:
    array: Floats = np.asarray(found, float)
    return array if array.shape == shape else np.broadcast_to(array, shape)


@lru_cache(maxsize=4096)
def _executed(source: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    space: dict[str, Any] = {"np": np, "inf": inf, "nan": nan}
    exec(compile(source, "<formula>", "exec"), space)
    return space["value"], space["with_slopes"]


def _source(expression: Any, names: tuple[str, ...]) -> str:
    places = {n: f"v{i}" for i, n in enumerate(names)}
    code = _Code(places)
    value = code.number(expression)
    head = len(code.lines)
    slopes = [code.slope(expression, n) for n in names]
    arguments = ", ".join(places.values())
    end = f"({''.join(f'{_text(s)}, ' for s in slopes)})"
    lines = [f"def value({arguments}):", *code.lines[:head], f"    return {_text(value)}"]
    lines += [f"def with_slopes({arguments}):", *code.lines, f"    return {_text(value)}, {end}"]
    return "\n".join(lines) + "\n"


def _text(term: Term) -> str:
    return term if isinstance(term, str) else repr(float(term))


_FUNCTIONS = {  # name in sympy -> value, and slope, from the argument x and the value y; the slopes of two are shorter
    "exp": ("np.exp({x})", ""),
    "log": ("np.log({x})", "1.0 / {x}"),
    "Abs": ("np.abs({x})", "np.sign({x})"),
    "sign": ("np.sign({x})", ""),
    "sin": ("np.sin({x})", "np.cos({x})"),
    "cos": ("np.cos({x})", "-np.sin({x})"),
    "tan": ("np.tan({x})", "1.0 + {y} * {y}"),
    "sec": ("1.0 / np.cos({x})", "{y} * np.tan({x})"),
    "csc": ("1.0 / np.sin({x})", "-{y} / np.tan({x})"),
    "cot": ("1.0 / np.tan({x})", "-1.0 - {y} * {y}"),
    "sinh": ("np.sinh({x})", "np.cosh({x})"),
    "cosh": ("np.cosh({x})", "np.sinh({x})"),
    "tanh": ("np.tanh({x})", "1.0 - {y} * {y}"),
    "sech": ("1.0 / np.cosh({x})", "-{y} * np.tanh({x})"),
    "csch": ("1.0 / np.sinh({x})", "-{y} / np.tanh({x})"),
    "coth": ("1.0 / np.tanh({x})", "1.0 - {y} * {y}"),
    "asin": ("np.arcsin({x})", "1.0 / np.sqrt(1.0 - {x} * {x})"),
    "acos": ("np.arccos({x})", "-1.0 / np.sqrt(1.0 - {x} * {x})"),
    "atan": ("np.arctan({x})", "1.0 / (1.0 + {x} * {x})"),
    "asec": ("np.arccos(1.0 / {x})", "1.0 / (np.abs({x}) * np.sqrt({x} * {x} - 1.0))"),
    "acsc": ("np.arcsin(1.0 / {x})", "-1.0 / (np.abs({x}) * np.sqrt({x} * {x} - 1.0))"),
    "acot": ("np.arctan(1.0 / {x})", "-1.0 / (1.0 + {x} * {x})"),
    "asinh": ("np.arcsinh({x})", "1.0 / np.sqrt({x} * {x} + 1.0)"),
    "acosh": ("np.arccosh({x})", "1.0 / np.sqrt({x} * {x} - 1.0)"),
    "atanh": ("np.arctanh({x})", "1.0 / (1.0 - {x} * {x})"),
    "asech": ("np.arccosh(1.0 / {x})", "-1.0 / ({x} * np.sqrt(1.0 - {x} * {x}))"),
    "acsch": ("np.arcsinh(1.0 / {x})", "-1.0 / (np.abs({x}) * np.sqrt(1.0 + {x} * {x}))"),
    "acoth": ("np.arctanh(1.0 / {x})", "1.0 / (1.0 - {x} * {x})"),
}
_RELATIONS = {
    "Equality": "==",
    "Unequality": "!=",
    "StrictLessThan": "<",
    "LessThan": "<=",
    "StrictGreaterThan": ">",
    "GreaterThan": ">=",
}
_LOGIC = {"And": " & ", "Or": " | ", "Xor": " ^ "}
_BOOLEANS = {*_RELATIONS, *_LOGIC, "Not", "BooleanTrue", "BooleanFalse"}


class _Code:
    """Assignments that a formula and its slopes come to; each distinct term is assigned once."""

    def __init__(self, places: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._places = places
        self._assigned: dict[str, str] = {}
        self._values: dict[Any, Term] = {}
        self._slopes: dict[tuple[Any, str], Term] = {}
        self._uses: dict[Any, frozenset[str]] = {}

    # terms

    def _term(self, text: str) -> str:
        if text not in self._assigned:
            self._assigned[text] = f"t{len(self.lines)}"
            self.lines.append(f"    {self._assigned[text]} = {text}")
        return self._assigned[text]

    def _add(self, a: Term, b: Term) -> Term:
        if not isinstance(a, str) and not isinstance(b, str):
            return a + b
        if a == 0.0:
            return b
        return a if b == 0.0 else self._term(f"{_text(a)} + {_text(b)}")

    def _multiply(self, a: Term, b: Term) -> Term:
        if not isinstance(a, str) and not isinstance(b, str):
            return a * b
        if isinstance(b, float):
            a, b = b, a
        if a in (0.0, 1.0):
            return b if a == 1.0 else 0.0
        return self._term(f"-{_text(b)}" if a == -1.0 else f"{_text(a)} * {_text(b)}")

    def _divide(self, a: Term, b: Term) -> Term:
        if a == 0.0 or b == 1.0:
            return a
        if not isinstance(a, str) and not isinstance(b, str):
            with np.errstate(all="ignore"):
                return float(np.float64(a) / b)
        return self._term(f"{_text(a)} / {_text(b)}")

    def _power(self, base: Term, exponent: Term) -> Term:
        if isinstance(exponent, str):
            return self._term(f"np.power({_text(base)}, {exponent})")
        if exponent == 0.0:
            return 1.0
        if exponent < 0.0:
            return self._divide(1.0, self._power(base, -exponent))
        if exponent in (1.0, 2.0, 3.0):  # much faster than a power
            whole = base
            for _ in range(int(exponent) - 1):
                whole = self._multiply(whole, base)
            return whole
        return self._term(f"np.sqrt({_text(base)})" if exponent == 0.5 else f"np.power({_text(base)}, {exponent!r})")

    def _function(self, template: str, x: Term) -> Term:
        if isinstance(x, str):
            return self._term(template.format(x=x))
        with np.errstate(all="ignore"):
            return float(eval(template.format(x="x"), {"np": np, "x": np.float64(x)}))

    def _choose(self, conditions: Sequence[str], choices: Sequence[Term]) -> Term:
        """The first of the choices whose condition holds, NaN if none does."""
        chosen: Term = nan
        for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
            if condition == "np.True_" or choice == chosen:
                chosen = choice
            elif condition != "np.False_":
                chosen = self._term(f"np.where({condition}, {_text(choice)}, {_text(chosen)})")
        return chosen

    # values

    def number(self, node: Any) -> Term:
        """The value of ``node`` as a number; true is 1, false 0."""
        found = self._values.get(node)
        if found is None:
            found = self._values[node] = self._number(node)
        return found

    def _number(self, node: Any) -> Term:
        kind, args = node.func.__name__, node.args
        if node.is_Symbol:
            return self._places[node.name]
        if not args and node.is_number:
            return float(node) if node.is_extended_real else nan
        if kind in _BOOLEANS:
            return self._choose([self.condition(node), "np.True_"], [1.0, 0.0])
        if kind == "Add":
            total: Term = 0.0
            for a in args:
                total = self._add(total, self.number(a))
            return total
        if kind == "Mul":
            above, below = self._fraction(node)
            return self._divide(self._product(above), self._product(below))
        if kind == "Pow":
            return self._power(self.number(args[0]), self.number(args[1]))
        if kind in ("Min", "Max"):
            best = self.number(args[0])
            for a in args[1:]:
                best = self._term(f"np.{kind.lower()}imum({_text(best)}, {_text(self.number(a))})")
            return best
        if kind in ("Piecewise", "ITE"):
            conditions, choices = self._branches(node)
            return self._choose(conditions, [self.number(c) for c in choices])
        if kind == "log" and len(args) == 2:
            return self._divide(self.number(node.func(args[0])), self.number(node.func(args[1])))
        if kind in _FUNCTIONS and len(args) == 1:
            return self._function(_FUNCTIONS[kind][0], self.number(args[0]))
        raise NotBuiltYet(
            f"formula {node}", found=f'the function "{kind}"', expected="a function that formulas of PEtab have"
        )

    def condition(self, node: Any) -> str:
        """The truth of ``node``, a number other than 0 being true."""
        kind, args = node.func.__name__, node.args
        if kind in ("BooleanTrue", "BooleanFalse"):
            return f"np.{kind[7:]}_"
        if kind in _RELATIONS:
            left, right = (_text(self.number(a)) for a in args)
            return self._term(f"np.asarray({left} {_RELATIONS[kind]} {right})")
        if kind in _LOGIC:
            return self._term(_LOGIC[kind].join(self.condition(a) for a in args))
        if kind == "Not":
            return self._term(f"~{self.condition(args[0])}")
        return self._term(f"np.asarray({_text(self.number(node))} != 0.0)")

    def _branches(self, node: Any) -> tuple[list[str], list[Any]]:
        if node.func.__name__ == "ITE":
            return [self.condition(node.args[0]), "np.True_"], [node.args[1], node.args[2]]
        return [self.condition(c) for _, c in node.args], [e for e, _ in node.args]

    def _product(self, factors: Sequence[Any]) -> Term:
        product: Term = 1.0
        for f in factors:
            product = self._multiply(product, self.number(f))
        return product

    @staticmethod
    def _fraction(node: Any) -> tuple[list[Any], list[Any]]:
        """Factors above and below the line, so that a quotient is rounded once."""
        above, below = [], []
        for factor in node.args:
            if factor.func.__name__ == "Pow" and factor.args[1].is_Number and factor.args[1].is_negative:
                below.append(1 / factor)
            else:
                above.append(factor)
        return above, below

    # slopes

    def _used(self, node: Any) -> frozenset[str]:
        found = self._uses.get(node)
        if found is None:
            below = (self._used(a) for a in node.args)
            found = frozenset([node.name]) if node.is_Symbol else frozenset().union(*below)
            self._uses[node] = found
        return found

    def slope(self, node: Any, name: str) -> Term:
        """The derivative of ``node`` by ``name``."""
        if name not in self._used(node):
            return 0.0
        found = self._slopes.get((node, name))
        if found is None:
            found = self._slopes[node, name] = self._slope(node, name)
        return found

    def _slope(self, node: Any, name: str) -> Term:
        kind, args = node.func.__name__, node.args
        if node.is_Symbol:
            return 1.0
        if kind in _BOOLEANS:
            return 0.0
        if kind == "Add":
            total: Term = 0.0
            for a in args:
                total = self._add(total, self.slope(a, name))
            return total
        if kind == "Mul":
            return self._slope_of_product(node, name)
        if kind == "Pow":
            return self._slope_of_power(node, name)
        if kind in ("Min", "Max"):
            best, slope = self.number(args[0]), self.slope(args[0], name)
            for a in args[1:]:
                ahead = self._term(f"np.asarray({_text(best)} {'>' if kind == 'Max' else '<'} {_text(self.number(a))})")
                slope = self._choose([ahead, "np.True_"], [slope, self.slope(a, name)])
                best = self._term(f"np.{kind.lower()}imum({_text(best)}, {_text(self.number(a))})")
            return slope
        if kind in ("Piecewise", "ITE"):
            conditions, choices = self._branches(node)
            return self._choose(conditions, [self.slope(c, name) for c in choices])
        if kind == "log" and len(args) == 2:
            return self.slope(node.func(args[0]) / node.func(args[1]), name)
        if kind == "sign":
            return 0.0
        x, y = _text(self.number(args[0])), _text(self.number(node))
        outer = y if kind == "exp" else self._term(_FUNCTIONS[kind][1].format(x=x, y=y))
        return self._multiply(outer, self.slope(args[0], name))

    def _slope_of_factors(self, factors: Sequence[Any], name: str) -> Term:
        product: Term = 1.0
        slope: Term = 0.0
        for f in factors:
            value = self.number(f)
            slope = self._add(self._multiply(slope, value), self._multiply(product, self.slope(f, name)))
            product = self._multiply(product, value)
        return slope

    def _slope_of_product(self, node: Any, name: str) -> Term:
        above, below = self._fraction(node)
        bottom = self._product(below)
        slope = self._divide(self._slope_of_factors(above, name), bottom)
        falling = self._slope_of_factors(below, name)
        if falling == 0.0:
            return slope
        share = self._multiply(-1.0, self._divide(self.number(node), bottom))
        return self._add(slope, self._multiply(share, falling))

    def _slope_of_power(self, node: Any, name: str) -> Term:
        base, exponent = (self.number(a) for a in node.args)
        by_base, by_exponent = (self.slope(a, name) for a in node.args)
        slope: Term = 0.0
        if by_base != 0.0:
            if isinstance(exponent, str):
                less = self._power(base, self._add(exponent, -1.0))
                # the power 0 is flat, and at x = 0 the product would be 0 · infinity
                rise: Term = self._term(f"np.where({exponent} == 0.0, 0.0, {exponent} * {_text(less)})")
            else:
                rise = self._multiply(exponent, self._power(base, exponent - 1.0))
            slope = self._multiply(rise, by_base)
        if by_exponent != 0.0:
            # x^n does not change with n at x = 0. Where x < 0 and n is whole, the size of x^n is what changes with n.
            base, value = _text(base), _text(self.number(node))
            turn = self._term(f"np.where(np.asarray({base} == 0.0), 0.0, {value} * np.log(np.abs({base})))")
            slope = self._add(slope, self._multiply(turn, by_exponent))
        return slope
