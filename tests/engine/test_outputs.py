"""What is computed for the outputs that somebody asked for, and what is left out."""

from __future__ import annotations

import numpy as np
from engine_tools import sbml

from exotwin.engine import load
from exotwin.engine.kernels import Graph
from exotwin.engine.kernels.chunks import Chunks

# rules that need each other across functions, rates of reactions, a compartment with a rule
TEXT = """model o
  compartment v; v := 2 + 0.1*x; species a in v = 3, b in v = 1; substanceOnly species c in v = 0;
  J0: a -> b; k*a*v; J1: b -> c; k*b*v/(1 + c); k = 0.3; x = 1; x' = -0.2*x;
  r0 := a + exp(x); r1 := r0*b; r2 := r1^2 + r0; r3 := sin(r2) + J0; r4 := piecewise(r3, x > 0.5, r2);
  r5 := log(r0) + r4
end"""


def test_an_output_is_the_same_to_the_last_bit_whatever_else_is_asked_for() -> None:
    model, times = load(sbml(TEXT)), np.linspace(0, 9, 7)
    names = [*model.names, "amount(a)", "concentration(c)"]
    given = {"k": np.linspace(0.1, 0.7, 11)}
    together = model.simulate(times, parameters=given, outputs=names)
    assert {"J0", "J1", "r5", "v"} <= set(names)
    for name in names:
        alone = model.simulate(times, parameters=given, outputs=[name])
        np.testing.assert_array_equal(alone[name], together[name], err_msg=name)


def test_functions_are_called_for_what_they_compute_and_for_what_needs_what_they_leave() -> None:
    graph = Graph()
    x, y = graph.add("state", 0), graph.add("state", 1)
    first, second = graph.add("exp", x), graph.add("exp", y)
    third = graph.add("sin", first)
    roots = [first, second, third, graph.add("cos", third), x]
    chunks = Chunks(graph, roots, stored={x, y}, longest=1)
    assert chunks.used_by() == [[0, 2, 3], [1], [2, 3], [3], [4]]
