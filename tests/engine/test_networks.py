"""What holds for every reaction network, on random ones."""

from __future__ import annotations

import numpy as np
from engine_tools import sbml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from exotwin.engine import load

TIMES = np.array([0.0, 0.3, 2.0, 7.0])
LARGEST = 6  # units of which a species consists: s3 is made of three
RATES = st.floats(0.05, 8)
# two species join, and fall apart again
JOINING = st.tuples(st.integers(1, 3), st.integers(1, 3), RATES, RATES)
NETWORK = st.lists(JOINING, min_size=1, max_size=6)
VOLUMES = st.tuples(st.floats(0.2, 5), st.floats(0.2, 5))


def document(network: list[tuple[int, int, float, float]], volumes: tuple[float, float], order: list[int]) -> str:
    """Species lie in two compartments in turn; laws are of concentrations; both are declared in the given order."""
    species = [f"species s{m} in c{m % 2}; s{m} = {0.2 + 0.1 * m}" for m in range(1, LARGEST + 1)]
    reactions = [
        f"R{i}: s{a} + s{b} -> s{a + b}; k{i}*s{a}*s{b} - q{i}*s{a + b}/(1 + s{a + b}); k{i} = {k!r}; q{i} = {q!r}"
        for i, (a, b, k, q) in enumerate(network)
    ]
    lines = [
        f"compartment c0 = {volumes[0]!r}, c1 = {volumes[1]!r}",
        *(species[i] for i in order),
        *(reactions[i] for i in order if i < len(reactions)),
    ]
    return sbml("model n\n" + "\n".join(lines) + "\nend")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(NETWORK, VOLUMES)
def test_what_reactions_only_rearrange_is_kept(
    network: list[tuple[int, int, float, float]], volumes: tuple[float, float]
) -> None:
    names = [f"amount(s{m})" for m in range(1, LARGEST + 1)]
    text = document(network, volumes, list(range(LARGEST)))
    result = load(text, width=1).simulate(TIMES, outputs=names, rtol=1e-4)
    total = sum(m * result[name][0].values for m, name in enumerate(names, start=1))
    # a linear invariant: loose tolerances must not show, only rounding of some hundred steps
    np.testing.assert_allclose(total, total[0], rtol=1e-12)
    assert (result.outcome == "ok").all()


@settings(max_examples=8, deadline=None, derandomize=True)
@given(NETWORK, VOLUMES, st.permutations(range(LARGEST)))
def test_the_order_of_species_and_reactions_does_not_matter(
    network: list[tuple[int, int, float, float]], volumes: tuple[float, float], order: list[int]
) -> None:
    assume(order != sorted(order))
    first, second = (
        load(document(network, volumes, o), width=1).simulate(TIMES, rtol=1e-9) for o in (list(range(LARGEST)), order)
    )
    assert set(first) == set(second)
    for name in first:
        # other roundings, and through them other steps
        np.testing.assert_allclose(second[name], first[name], rtol=1e-6, atol=1e-9)


SIZES = st.integers(0, 300).map(lambda n: n / 100)
LINEAR = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] != pair[1]), RATES, min_size=1
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(LINEAR, st.lists(SIZES, min_size=6, max_size=6), SIZES, SIZES)
def test_linear_networks_follow_the_matrix_exponential(
    rates: dict[tuple[int, int], float], start: list[float], inflow: float, loss: float
) -> None:
    reactions = [f"R{i}{j}: x{i} -> x{j}; {rate!r}*x{i}" for (i, j), rate in rates.items()]
    reactions += [f"In: -> x0; {inflow!r}", f"Out: x5 -> ; {loss!r}*x5"]
    values = "; ".join(f"x{i} = {value!r}" for i, value in enumerate(start))
    names = [f"x{i}" for i in range(6)]
    text = sbml(f"model n\n substanceOnly species {', '.join(names)}\n {values}\n" + "\n".join(reactions) + "\nend")
    result = load(text, width=1).simulate(TIMES, outputs=names, rtol=1e-9)
    # the inflow as a seventh state that stays 1
    matrix = np.zeros((7, 7))
    for (i, j), rate in rates.items():
        matrix[j, i] += rate
        matrix[i, i] -= rate
    matrix[5, 5] -= loss
    matrix[0, 6] = inflow
    expected = np.stack([expm(matrix * time) @ [*start, 1.0] for time in TIMES], axis=-1)[:6]
    np.testing.assert_allclose([result[name][0] for name in names], expected, rtol=1e-6, atol=1e-8)


def test_a_long_chain_of_rules_needs_no_recursion() -> None:
    def rule(kind: str, name: str, first: str, second: str) -> str:
        return (
            f'<{kind}Rule variable="{name}"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/>'
            f"<ci>{first}</ci>{second}</apply></math></{kind}Rule>"
        )

    names = [f"y{i}" for i in range(1500)]
    parameters = "".join(f'<parameter id="{name}" value="0" constant="false"/>' for name in ["x", *names])
    rules = [rule("assignment", a, b, "<cn>1</cn>") for a, b in zip(names, ["x", *names[:-1]], strict=True)]
    text = (
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="n">'
        f"<listOfParameters>{parameters}</listOfParameters><listOfRules>{''.join(reversed(rules))}"
        f"{rule('rate', 'x', names[-1], '<cn>0</cn>')}</listOfRules></model></sbml>"
    )
    found = load(text, width=1).simulate([0, 1], outputs=["x"], rtol=1e-9)["x"][0]
    np.testing.assert_allclose(found, [0, 1500 * np.expm1(1)], rtol=1e-7)  # x' = x + 1500
