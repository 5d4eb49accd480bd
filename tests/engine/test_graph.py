"""What the graph keeps, joins and takes out of the way of the integration."""

from __future__ import annotations

import casadi as ca
import pytest

from exotwin.engine.kernels.graph import Graph


@pytest.fixture
def graph() -> Graph:
    return Graph()


def taken_over(graph: Graph, build: object) -> list[int]:
    """Nodes of an expression of two states x, y and two parameters p, q."""
    x, y, p, q = (ca.SX.sym(name) for name in "xypq")
    function = ca.Function("f", [ca.vertcat(x, y), ca.vertcat(p, q)], [ca.densify(ca.vertcat(*build(x, y, p, q)))])
    leaves = [[graph.add("state", 0), graph.add("state", 1)], [graph.add("param", 0), graph.add("param", 1)]]
    return graph.from_casadi(function, leaves)[0]


def test_equal_expressions_are_one_node_whatever_the_order_of_their_terms(graph: Graph) -> None:
    first, second = taken_over(graph, lambda x, y, p, q: (ca.exp(x * p + y), 2 * ca.exp(y + p * x)))
    assert first in graph.arguments(second)


def test_what_depends_on_parameters_alone_is_taken_out(graph: Graph) -> None:
    (root,) = taken_over(graph, lambda x, y, p, q: (ca.exp(p) * x + p * q * y,))
    steady = graph.steady_part([root])
    assert [graph.nodes[n] for n in steady] == [("exp", graph.add("param", 0)), ("mul", 2, 3)]
    assert not any(graph.varies[n] for n in steady)
    assert graph.leaves([root], "state") == {0, 1}
    assert graph.leaves([root], "param") == {0, 1}


def test_division_by_what_stays_the_same_becomes_multiplication(graph: Graph) -> None:
    by_parameter, by_state = taken_over(graph, lambda x, y, p, q: (x / p, x / y))
    assert graph.nodes[by_parameter][0] == "mul"
    assert graph.nodes[by_state][0] == "div"


def test_the_two_branches_of_a_choice_are_one_node(graph: Graph) -> None:
    (root,) = taken_over(graph, lambda x, y, p, q: (ca.if_else(x > 1, p, q),))
    operation, condition, yes, no = graph.nodes[root]
    assert operation == "select"
    assert graph.nodes[condition][0] == "lt"
    assert (graph.nodes[yes], graph.nodes[no]) == (("param", 0), ("param", 1))


def test_minus_zero_and_zero_are_the_same_constant(graph: Graph) -> None:
    assert graph.add("const", -0.0) == graph.add("const", 0.0)
    assert graph.is_zero(graph.add("const", 0.0))
    assert graph.is_nan(graph.add("const", float("nan")))
