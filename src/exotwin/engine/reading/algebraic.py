"""Algebraic rules: which variable each of them determines, and what that variable is at the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exotwin.engine.reading import mathml
from exotwin.engine.reading.elements import Elements
from exotwin.errors import ModelError


def match(elements: Elements) -> dict[str, int]:
    """Variable -> number of the algebraic rule that determines it.

    A rule can determine what is neither constant nor set by another rule nor moved by a reaction (SBML Level 3,
    "Overdetermined models"). Where there is a choice, variables that no event assigns come first, then those that are
    no boundary species, then those without a value of their own. Each variable, in that order, is taken if all rules of
    those taken before it can still be given one: augmenting paths in the bipartite graph of variables and rules.

    Raises
    ------
    ModelError : a rule without a variable left, or with a choice between equals.
    """
    rules = [_reached(elements, formula) for _, formula in elements.algebraic]
    ranks = {name: _rank(elements, name) for name in elements if _is_free(elements, name)}
    edges = {
        name: [k for k, reached in enumerate(rules) if name in reached] for name in sorted(ranks, key=ranks.__getitem__)
    }
    owner: dict[int, str] = {}

    def augment(name: str, seen: set[int]) -> bool:
        for k in edges[name]:
            if k not in seen:
                seen.add(k)
                if k not in owner or augment(owner[k], seen):
                    owner[k] = name
                    return True
        return False

    for name in edges:
        seen: set[int] = set()
        if not augment(name, seen):
            # the rules that it could determine are those of variables before it: is one of them no better?
            equals = [owner[k] for k in sorted(seen) if ranks[owner[k]] == ranks[name]]
            if equals:
                raise ModelError(
                    elements.where(elements.algebraic[min(seen)][0]),
                    found=f'a rule that may determine "{equals[0]}" as well as "{name}"',
                    expected="as many free variables as algebraic rules: make one of them constant",
                )
    for k, (where, _) in enumerate(elements.algebraic):
        if k not in owner:
            tried = ", ".join(sorted(n for n in rules[k] if elements[n].kind != "reaction")) or "nothing"
            raise ModelError(
                elements.where(where),
                found=f"no variable left that it could determine among {tried}",
                expected="one that is neither constant nor set by another rule nor moved by a reaction",
            )
    return {name: k for k, name in owner.items()}


def check_index(elements: Elements, residuals: Sequence[Any], symbols: Sequence[Any], names: Sequence[str]) -> None:
    """Refuse residuals that do not determine their variables without being differentiated.

    residuals, symbols, names : (variable,), the residual of each variable's rule, its casadi symbol, its name.

    Raises
    ------
    ModelError : the variable drops out of its rule, or the rules determine fewer variables than there are.
    """
    import casadi as ca

    sparsity = ca.jacobian(ca.vcat(residuals), ca.vcat(symbols)).sparsity()
    for i, name in enumerate(names):
        if not sparsity.has_nz(i, i):
            raise ModelError(
                elements.where(elements[name].what),
                found="an algebraic rule that should determine it, but from which it drops out",
                expected="rules that determine their variables as they stand",
            )


def starts(residuals: Sequence[Any], symbols: Sequence[Any], guesses: Sequence[Any]) -> tuple[list[Any], list[bool]]:
    """Values at the start: the solution where the rules are affine in their variables, else the guesses.

    Returns
    -------
    (variable,) casadi expressions, and whether each is a solution. Variables that hang together are solved together;
    what others determine stays a symbol in the expression.
    """
    import casadi as ca

    every, column = ca.vcat(symbols), ca.vcat(residuals)
    jacobian = ca.jacobian(column, every)
    blocks, row_order, column_order, row_ends, column_ends, *_ = jacobian.sparsity().btf()
    values, exact = list(guesses), [False] * len(symbols)
    place = {symbol.name(): i for i, symbol in enumerate(symbols)}
    for b in reversed(range(blocks)):  # the last block needs no other
        rows = row_order[row_ends[b] : row_ends[b + 1]]
        mine = column_order[column_ends[b] : column_ends[b + 1]]
        slope, own = jacobian[rows, mine], ca.vcat([symbols[i] for i in mine])
        own_names = {symbols[i].name() for i in mine}
        rest = ca.substitute(column[rows], own, ca.SX.zeros(len(mine)))
        needed = {place[s.name()] for s in ca.symvar(ca.vertcat(rest, ca.vec(slope))) if s.name() in place}
        affine = not own_names & {s.name() for s in ca.symvar(ca.vec(slope))}
        if affine and all(exact[i] for i in needed):
            solution = -rest / slope if len(mine) == 1 else -ca.solve(slope, rest)
            for k, i in enumerate(mine):
                values[i], exact[i] = solution[k], True
    return values, exact


def rates(residuals: Any, variables: Any, states: Any, state_rates: Any, time: Any) -> Any:
    """Rates of change of algebraic variables along the flow, from g(t, y, z) = 0: −(∂g/∂z)⁻¹ (∂g/∂t + ∂g/∂y · ẏ)."""
    import casadi as ca

    push = ca.jacobian(residuals, time) + ca.jtimes(residuals, states, state_rates)
    slope = ca.jacobian(residuals, variables)
    return -push / slope if slope.numel() == 1 else -ca.solve(slope, push)


def _is_free(elements: Elements, name: str) -> bool:
    element = elements[name]
    ruled = element.assignment is not None or element.rate is not None
    return element.kind != "reaction" and not ruled and not element.is_constant() and name not in elements.terms


def _rank(elements: Elements, name: str) -> tuple[bool, bool, bool]:
    element = elements[name]
    boundary = element.kind == "species" and element.sbml.getBoundaryCondition()
    return element.by_event, boundary, element.has_value()


def _reached(elements: Elements, formula: Any) -> set[str]:
    """Names on which a formula depends, through assignment rules and rate laws too; not those of rates of change."""
    found: set[str] = set()
    todo: list[tuple[Any, frozenset[str]]] = [(formula, frozenset())]
    while todo:
        tree, local = todo.pop()
        for name, of_rate in mathml.names(tree, elements.functions):
            if of_rate or name in local or name in found or name not in elements:
                continue
            found.add(name)
            element = elements[name]
            if element.assignment is not None:
                todo.append((element.assignment, frozenset()))
            elif element.law is not None:
                todo.append((element.law, frozenset(element.local)))
    return found
