"""Units of every equation, with their size: libSBML compares dimensions alone and would take a year for a day.

Bare numbers are dimensionless. Sums, comparisons and branches need one unit throughout; logarithms, exponentials and
exponents need none; a rule needs the unit of its symbol, a rate that unit per day, a reaction items per day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exotwin.biology import sbml_units
from exotwin.errors import BiologyError

if TYPE_CHECKING:
    import libsbml

_ROUNDING = 1e-9  # factors such as 1/86400 come back from text


@dataclass(frozen=True)
class _Size:
    factor: float
    powers: Mapping[str, float]

    def times(self, other: _Size, power: float = 1.0) -> _Size:
        """This unit, times another to a power."""
        powers = dict(self.powers)
        for kind, p in other.powers.items():
            powers[kind] = powers.get(kind, 0.0) + power * p
        kept = {kind: p for kind, p in powers.items() if abs(p) > _ROUNDING}
        return _Size(self.factor * other.factor**power, kept)

    def same(self, other: _Size) -> bool:
        """Whether both mean the same."""
        quotient = self.times(other, -1.0)
        return not quotient.powers and abs(quotient.factor - 1.0) <= _ROUNDING

    def __str__(self) -> str:
        # in days and millilitres, as the modules are written
        factor, words = self.factor, []
        for kind, power in self.powers.items():
            scale, name, times = {"second": (86400.0, "day", 1), "metre": (1e-6, "mL", 3)}.get(kind, (1.0, kind, 1))
            factor /= scale ** (power / times)
            words.append(name if power == times else f"{name}^{power / times:g}")
        return f"{factor:g} " + " ".join(words or ["(dimensionless)"])


_NONE = _Size(1.0, {})
_PER_DAY = _Size(1 / 86400.0, {"second": -1.0})
_ITEMS = _Size(1.0, {"item": 1.0})


def check_units(model: libsbml.Model, places: Mapping[str, str]) -> None:
    """Check all rules, rates, initial values, reactions and events of a model whose symbols all have units.

    Parameters
    ----------
    places : symbol or label of a reaction or event -> file and line that define it.

    Raises
    ------
    BiologyError : the first equation whose units do not agree; names its symbol and the terms at odds.
    """
    symbols = {p.getId(): _of(p.getUnits()) for p in model.getListOfParameters()}
    symbols |= {s.getId(): _of(s.getSubstanceUnits()) for s in model.getListOfSpecies()}
    symbols |= {c.getId(): _of(c.getUnits()) for c in model.getListOfCompartments()}
    reader = _Reader(symbols)

    def place(name: str, what: str) -> str:
        return f'{places.get(name, "the joined model")}, {what} "{name}"'

    for rule in model.getListOfRules():
        name = rule.getVariable()
        wanted = symbols[name].times(_PER_DAY) if rule.isRate() else symbols[name]
        reader.expect(rule.getMath(), wanted, place(name, "the rate of" if rule.isRate() else "the rule of"))
    for initial in model.getListOfInitialAssignments():
        name = initial.getSymbol()
        reader.expect(initial.getMath(), symbols[name], place(name, "the initial value of"))
    for reaction in model.getListOfReactions():
        where = place(reaction.getId(), "the rate of the reaction")
        reader.expect(reaction.getKineticLaw().getMath(), _ITEMS.times(_PER_DAY), where)
    for event in model.getListOfEvents():
        reader.size(event.getTrigger().getMath(), place(event.getId(), "the trigger of the event"))
        for change in event.getListOfEventAssignments():
            where = f"{place(event.getId(), 'the event')} on {change.getVariable()}"
            reader.expect(change.getMath(), symbols[change.getVariable()], where)


def _of(identifier: str) -> _Size:
    factor, dimensions = sbml_units.size(sbml_units.text_of(identifier), where=identifier)
    found = _Size(factor, {})
    for kind, power in dimensions:
        base = _Size(1e-3, {"metre": 3.0}) if kind == "litre" else _Size(1.0, {kind: 1.0})
        found = found.times(base, float(power))
    return found


class _Reader:
    """Size of an expression, from the sizes of its symbols."""

    def __init__(self, symbols: Mapping[str, _Size]) -> None:
        import libsbml

        self._symbols = symbols
        self._show: Callable[[Any], str] = libsbml.formulaToL3String
        self._sums = {
            libsbml.AST_PLUS,
            libsbml.AST_MINUS,
            libsbml.AST_FUNCTION_ABS,
            libsbml.AST_FUNCTION_CEILING,
            libsbml.AST_FUNCTION_FLOOR,
            libsbml.AST_FUNCTION_MIN,
            libsbml.AST_FUNCTION_MAX,
        }
        self._products = {libsbml.AST_TIMES: 1.0, libsbml.AST_DIVIDE: -1.0}
        self._powers = {libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER}
        self._root, self._piecewise = libsbml.AST_FUNCTION_ROOT, libsbml.AST_FUNCTION_PIECEWISE
        self._time = libsbml.AST_NAME_TIME

    def expect(self, node: Any, wanted: _Size, where: str) -> None:
        """Raise unless the expression has this size."""
        found = self.size(node, where)
        if not found.same(wanted):
            raise BiologyError(where, found=f"{found} = {self._show(node)}", expected=str(wanted))

    def size(self, node: Any, where: str) -> _Size:
        """Size of an expression."""
        kind = node.getType()
        children = [node.getChild(n) for n in range(node.getNumChildren())]
        if node.isNumber():
            return _of(node.getUnits()) if node.isSetUnits() else _NONE
        if kind == self._time:
            return _Size(86400.0, {"second": 1.0})
        if not children:
            return self._symbols[node.getName()] if node.isName() else _NONE
        if kind in self._products:
            total = self.size(children[0], where)
            for child in children[1:]:
                total = total.times(self.size(child, where), self._products[kind])
            return total
        if kind in self._powers or kind == self._root:
            return self._power(kind, children, where)
        if kind == self._piecewise:
            for condition in children[1::2]:
                self.size(condition, where)
            return self._agree(children[::2], node, where)
        if kind in self._sums or node.isRelational():
            common = self._agree(children, node, where)
            return _NONE if node.isRelational() else common
        for child in children:
            self.expect(child, _NONE, f"{where}, in {self._show(node)}")
        return _NONE

    def _agree(self, children: list[Any], node: Any, where: str) -> _Size:
        first = self.size(children[0], where)
        for child in children[1:]:
            other = self.size(child, where)
            if not other.same(first):
                raise BiologyError(
                    where,
                    found=f"{other} = {self._show(child)}, beside {first} = {self._show(children[0])}",
                    expected=f"one unit throughout {self._show(node)}",
                )
        return first

    def _power(self, kind: int, children: list[Any], where: str) -> _Size:
        if kind == self._root:
            degree, base = (children[0], children[1]) if len(children) == 2 else (None, children[0])
        else:
            base, degree = children
        size = self.size(base, where)
        if degree is not None:
            self.expect(degree, _NONE, where)
        if size.same(_NONE):
            return _NONE
        exponent = _constant(degree) if degree is not None else 2.0
        if exponent is None:
            raise BiologyError(
                where, found=f"{size} = {self._show(base)} to a power that is not a plain number", expected=str(_NONE)
            )
        return _NONE.times(size, 1.0 / exponent if kind == self._root else exponent)


def _constant(node: Any) -> float | None:
    import libsbml

    if node.isNumber():
        return float(node.getValue())
    values = [_constant(node.getChild(n)) for n in range(node.getNumChildren())]
    if node.getType() == libsbml.AST_DIVIDE and values[0] is not None and values[1] is not None:
        return values[0] / values[1]
    if node.getType() == libsbml.AST_MINUS and len(values) == 1 and values[0] is not None:
        return -values[0]
    return None
