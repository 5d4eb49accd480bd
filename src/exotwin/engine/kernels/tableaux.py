"""Coefficients of the methods.

Rosenbrock methods stand in the form that needs no product with the Jacobian. A step from (t, y) with width h solves,
for stage i = 1..s,

    (I/(h γ) − J) k_i = f(t + c_i h, y + Σ_{j<i} a_ij k_j) + Σ_{j<i} (C_ij/h) k_j + h d_i ∂f/∂t
    y_new = y + Σ m_j k_j,   error = k_s

and one of an explicit Runge-Kutta method

    k_i = h f(t + c_i h, y + Σ_{j<i} a_ij k_j),   y_new = y + Σ a_sj k_j,   error = Σ e_j k_j.

Between the ends of the step, with 0 <= θ <= 1, both have

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


@dataclass(frozen=True)
class Explicit:
    """An explicit Runge-Kutta pair whose last stage stands at the end of the step and is the first one of the next.

    a : rows of the strictly lower triangle, first row empty; the last row is the solution. c, error : (stage,).
    dense : (3, stage), the rows H_r above. order, error_order : of the solution and of the embedded one.
    """

    name: str
    order: int
    error_order: int
    a: tuple[tuple[float, ...], ...]
    c: tuple[float, ...]
    error: tuple[float, ...]
    dense: tuple[tuple[float, ...], ...]

    @property
    def stages(self) -> int:
        """Number of stages; one of them costs nothing."""
        return len(self.c)


def _between(*polynomials: tuple[float, float, float]) -> tuple[tuple[float, ...], ...]:
    """Rows H_r from the weights of the stages within the step, b_j(θ) = b_j1 θ + b_j2 θ² + b_j3 θ³ + b_j4 θ⁴.

    polynomials : (stage,) of (b_j2, b_j3, b_j4).
    """
    return tuple(tuple(-sum(polynomial[power:]) for polynomial in polynomials) for power in range(3))


_END = (
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
)

# Tsitouras (2011), "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption",
# Computers & Mathematics with Applications 62: order 5(4), dense output of order 4.
TSIT5 = Explicit(
    name="Tsit5",
    order=5,
    error_order=4,
    a=(
        (),
        (0.161,),
        (-0.008480655492356989, 0.335480655492357),
        (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
        (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
        (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
        _END,
    ),
    c=(0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0),
    error=(
        -0.0017800110522257714,
        -0.0008164344596567469,
        0.007880878010261995,
        -0.1447110071732629,
        0.5823571654525552,
        -0.45808210592918697,
        0.015151515151515152,
    ),
    dense=_between(
        (-2.763706197274826, 2.9132554618219126, -1.0530884977290216),
        (0.1317, -0.2234, 0.1017),
        (3.930296236894752, -5.941033872131505, 2.490627285651253),
        (-12.411077166933676, 30.33818863028232, -16.548102889244902),
        (37.50931341651104, -88.1789048947664, 47.37952196281928),
        (-27.896526289197286, 65.09189467479366, -34.87065786149661),
        (1.5, -4.0, 2.5),
    ),
)
