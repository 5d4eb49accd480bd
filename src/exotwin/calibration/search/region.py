"""fides' trust region with two additions: a Hessian that learns, and an end that rounding cannot hide."""

from __future__ import annotations

from typing import Any

import numpy as np
from fides import Optimizer
from fides.constants import ExitFlag, Options
from fides.hessian_approximation import BFGS, HybridFixed, broyden_class_update
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Secant(HybridFixed):  # type: ignore[misc]  # fides is untyped; it knows by this class that the information is wanted
    """The information, or the information plus a correction, whichever foretold the last change of the gradient better.

    Information alone leaves out the curvature that comes with residuals. Where they are small, it makes searches fast;
    where they are large (far from the minimum, or with a model that does not fit), steps overshoot and searches swing
    from side to side of a valley. The correction makes the sum agree with what gradients have shown. It is carried
    along while the information is new at each point (a structured secant method, with the choice between two models
    of NL2SOL): shrunk first as far as the last step shows it too large, then until the sum is positive semidefinite,
    and updated by BFGS.
    """

    def __init__(self) -> None:
        super().__init__(BFGS())

    def _init_mat(self, dim: int, hess: Floats | None = None) -> None:
        super()._init_mat(dim, hess)
        self._information = np.zeros((dim, dim)) if hess is None else hess.copy()
        self._correction = np.zeros((dim, dim))
        self._hess = self._information

    def update(self, s: Floats, y: Floats, hess: Floats, iter_since_tr_update: int) -> None:
        """After a step ``s`` over which the gradient changed by ``y``, to where the information is ``hess``."""
        missed = y - self._information @ s
        corrected = bool(np.linalg.norm(missed - self._correction @ s) < np.linalg.norm(missed))
        total = self._updated(s, y, hess)
        self._information, self._correction = hess.copy(), total - hess
        self._hess = total if corrected else self._information

    def _updated(self, s: Floats, y: Floats, hess: Floats) -> Floats:
        """The new information and the correction, so that the sum, times ``s``, is ``y``, if that can be."""
        bent, missed = float(s @ self._correction @ s), float(s @ (y - hess @ s))
        share = 1.0 if bent == 0.0 else min(1.0, abs(missed / bent))
        for factor in (share, share / 2, share / 4, 0.0):
            total = np.asarray(hess + factor * self._correction)
            eigenvalues = np.linalg.eigvalsh(total)
            if eigenvalues[0] >= -1e-10 * eigenvalues[-1]:
                break
        if s @ y > 1e-8 * np.linalg.norm(s) * np.linalg.norm(y) and s @ total @ s > 0.0:
            total = total + broyden_class_update(y, s, total)
        return total


class Region(Optimizer):  # type: ignore[misc]  # fides is untyped
    """Converges also where a step inside the region is foreseen to gain less than the tolerance of the objective.

    fides waits for a step that is accepted and changes little. After one that met the minimum to the last digit there
    is none, and all others are rejected until the region has vanished.
    """

    converged: bool

    def check_convergence(self, step: Any, funout: Any) -> None:
        """After each step; sets ``converged``."""
        super().check_convergence(step, funout)
        inside = np.linalg.norm(step.ss + step.ss0) < 0.9 * self.delta_iter
        if not self.converged and inside and 0.0 <= -step.qpval < self.get_option(Options.FATOL):
            self.converged, self.exitflag = True, ExitFlag.FTOL
