"""Coefficients of the Rosenbrock method, in the form that needs no product with the Jacobian.

A step from (t, y) with width h solves, for stage i = 1..s,

    (I/(h γ) − J) k_i = f(t + c_i h, y + Σ_{j<i} a_ij k_j) + Σ_{j<i} (C_ij/h) k_j + h d_i ∂f/∂t
    y_new = y + Σ m_j k_j,   error = k_s

and between the ends of the step, with 0 <= θ <= 1,

    y(t + θh) = (1−θ) y + θ (y_new + (1−θ)(D_1 + θ (D_2 + θ D_3))),   D_r = Σ_j H_rj k_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Rosenbrock:
    """A stiffly accurate Rosenbrock method whose last stage is its own error estimate.

    gamma : diagonal coefficient. a, C : rows of the strictly lower triangles, first row empty. c, d : (stage,).
    dense : (3, stage), the rows H_r above. order, error_order : of the solution and of the embedded one.
    """

    name: str
    order: int
    error_order: int
    gamma: float
    a: tuple[tuple[float, ...], ...]
    C: tuple[tuple[float, ...], ...]
    c: tuple[float, ...]
    d: tuple[float, ...]
    dense: tuple[tuple[float, ...], ...]

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.c)

    @property
    def m(self) -> tuple[float, ...]:
        """Weights of the stages: the last stage is evaluated at the embedded solution, so its own weight is one."""
        return (*self.a[-1], 1.0)

    def classical(self) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """The same method as in textbooks: α (stage, stage), Γ (stage, stage), b and the embedded b̂ (stage,).

        Order conditions are written in these.
        """
        n = self.stages
        a, inverse = np.zeros((n, n)), np.eye(n) / self.gamma
        for i in range(n):
            a[i, :i] = self.a[i]
            inverse[i, :i] = [-x for x in self.C[i]]
        big_gamma: Matrix = np.asarray(np.linalg.inv(inverse), np.float64)
        weights: Matrix = np.array([self.m, [*self.a[-1], 0.0]]) @ big_gamma
        return np.asarray(a @ big_gamma), big_gamma, weights[0], weights[1]


_SIXTH = (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946)

# Steinebach (2023), "Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia
# Differential Equations package", BIT Numerical Mathematics 63: order 5(4), L-stable, dense output of order 4.
RODAS5P = Rosenbrock(
    name="Rodas5P",
    order=5,
    error_order=4,
    gamma=0.21193756319429014,
    a=(
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        _SIXTH,
        (*_SIXTH, 1.0),
        (*_SIXTH, 1.0, 1.0),
    ),
    C=(
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ),
    ),
    c=(0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0),
    d=(
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ),
    dense=(
        (
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ),
        (
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ),
        (
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ),
    ),
)
