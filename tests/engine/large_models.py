"""Large models, written as SBML: what grows in them is the network, never a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Network:
    """Species with amounts at the start and mass-action reactions between them, in one compartment of size one.

    reactions : (reactants, products, rate constant, rate constant of the way back or 0).
    """

    start: dict[str, float] = field(default_factory=dict)
    reactions: list[tuple[Sequence[str], Sequence[str], float, float]] = field(default_factory=list)

    def add(self, reactants: str, products: str, forward: float, backward: float = 0.0) -> None:
        """A reaction; the names of what takes part are divided by spaces. New names start at zero."""
        sides = reactants.split(), products.split()
        for name in (*sides[0], *sides[1]):
            self.start.setdefault(name, 0.0)
        self.reactions.append((*sides, forward, backward))

    def sbml(self, name: str) -> str:
        """The document. Rate constants are parameters "f0", "b0", … of the model."""
        lines = [
            '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
            f'<model id="{name}"><listOfCompartments>'
            '<compartment id="cell" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>'
            "<listOfSpecies>"
        ]
        lines += [
            f'<species id="{s}" compartment="cell" initialAmount="{value!r}" hasOnlySubstanceUnits="true"'
            ' boundaryCondition="false" constant="false"/>'
            for s, value in self.start.items()
        ]
        lines.append("</listOfSpecies><listOfParameters>")
        for r, (_, _, forward, backward) in enumerate(self.reactions):
            lines.append(f'<parameter id="f{r}" value="{forward!r}" constant="true"/>')
            if backward:
                lines.append(f'<parameter id="b{r}" value="{backward!r}" constant="true"/>')
        lines.append("</listOfParameters><listOfReactions>")
        for r, (reactants, products, _, backward) in enumerate(self.reactions):
            law = _product(f"f{r}", reactants)
            if backward:
                law = f"<apply><minus/>{law}{_product(f'b{r}', products)}</apply>"
            lines.append(
                f'<reaction id="r{r}" reversible="false" fast="false">{_side("Reactants", reactants)}'
                f'{_side("Products", products)}<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">{law}'
                "</math></kineticLaw></reaction>"
            )
        return "\n".join([*lines, "</listOfReactions></model></sbml>"])


def _product(constant: str, species: Sequence[str]) -> str:
    factors = "".join(f"<ci>{name}</ci>" for name in (constant, *species))
    return f"<apply><times/>{factors}</apply>"


def _side(kind: str, species: Sequence[str]) -> str:
    if not species:
        return ""
    references = "".join(
        f'<speciesReference species="{name}" stoichiometry="{species.count(name)}" constant="true"/>'
        for name in dict.fromkeys(species)
    )
    return f"<listOf{kind}>{references}</listOf{kind}>"


def random_network(n: int, *, seed: int = 0) -> str:
    """``n`` species, about 2 n reactions between any of them: the hardest to eliminate, since nothing is local."""
    rng, network = np.random.default_rng(seed), Network()
    network.start = {f"s{i}": float(rng.uniform(0.1, 1.0)) for i in range(n)}
    for i in range(n):
        a, b, c = (f"s{k}" for k in rng.choice(n, 3, replace=False))
        network.add(f"s{i}", a if a != f"s{i}" else b, float(rng.lognormal(-1, 1)))
        network.add(f"{a} {b}", c, float(rng.lognormal(-1, 1)), float(rng.lognormal(-1, 1)))
    return network.sbml("random")


def chain(n: int) -> str:
    """One species turns into the next, ``n`` of them, and the last one into the first."""
    network = Network({"s0": 1.0})
    for i in range(n):
        network.add(f"s{i}", f"s{(i + 1) % n}", 1.0 + i % 7, 0.3)
    return network.sbml("chain")


def cascade(receptors: int = 10, adaptors: int = 19) -> str:
    """A signalling model as Chen et al. (2009) built theirs: 2 · receptors · (4 + adaptors) + 2 · adaptors + 1 states.

    Receptors bind a ligand, pair, phosphorylate themselves and take up one adaptor after the other; every complex goes
    inside and comes back; adaptors of a complex are phosphorylated and let go. With the default 499 states, about 1100
    reactions, most of them reversible, constants over five decades.
    """
    rng, network = np.random.default_rng(1), Network({"L": 5.0})

    def constant(size: float) -> float:
        return float(size * rng.lognormal(0, 0.7))

    for a in range(adaptors):
        network.start[f"a{a}"] = float(rng.uniform(0.5, 2.0))
        network.add(f"a{a}p", f"a{a}", constant(0.05))
    for r in range(receptors):
        network.start[f"R{r}_o"] = float(rng.uniform(0.5, 2.0))
        for place, faster in (("o", 1.0), ("i", 0.1)):
            base, bound, pair, active = (f"{kind}{r}_{place}" for kind in ("R", "RL", "D", "P"))
            network.add(f"{base} L", bound, constant(faster), constant(0.03))
            network.add(f"{bound} {bound}", pair, constant(2.0), constant(0.1))
            network.add(pair, active, constant(1.0), constant(0.01))
            former = active
            for a in range(adaptors):
                complex_ = f"P{r}_{place}_{a}"
                network.add(f"{former} a{a}", complex_, constant(1.0), constant(0.2))
                network.add(complex_, f"{former} a{a}p", constant(0.02))
                former = complex_
        for kind in ("R", "RL", "D", "P"):
            network.add(f"{kind}{r}_o", f"{kind}{r}_i", constant(0.005), constant(0.001))
        for a in range(adaptors):
            network.add(f"P{r}_o_{a}", f"P{r}_i_{a}", constant(0.005), constant(0.001))
    return network.sbml("cascade")
