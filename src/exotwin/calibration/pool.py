"""Fit of the mouse's loss law: the human form, on counts of resting follicles between 40 and 365 days of age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.calibration.ensemble import run
from exotwin.calibration.measurements import measurements
from exotwin.calibration.result import Calibration, Fitted
from exotwin.errors import CalibrationError
from exotwin.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NAME = "mouse-pool"
_FREE = ("pool_loss_extra", "pool_loss_half", "pool_anchor")


def mouse_pool(*, progress: Progress) -> Calibration:
    """Least squares on the logarithm of the counts (``mouse-pf-counts-c57``), three numbers free.

    The floor of the loss stays where the table holds it: with it free the fit drives it to zero.

    Raises
    ------
    CalibrationError : a search that does not converge.
    """
    import numpy as np
    from scipy.optimize import least_squares

    from exotwin.biology import assemble
    from exotwin.engine import load

    progress.start(_NAME, 1)
    model = assemble("poi", "mouse")
    compiled = load(model.sbml)
    counts = measurements(_NAME)
    days = np.array([m.at for m in counts])
    observed = np.array([m.value for m in counts])
    start = model.parameters["pool_anchor_age"].value
    times = np.unique(days - days.min())
    index = np.searchsorted(times, days - days.min())
    healthy = {"pool_survival": 1.0, "growing_survival": 1.0, "damage_after_injury": 0.0, "run_in": 0.0}

    def course(logs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        values = healthy | {"age_start": start} | dict(zip(_FREE, np.exp(logs).tolist(), strict=True))
        pool = run(compiled, times, values, ["primordial"])["primordial"].to_numpy()[0]
        return np.asarray(pool[index], dtype=np.float64)

    shipped = [model.parameters[name].value for name in _FREE]
    fit = least_squares(lambda logs: np.log(course(logs) / observed), np.log(shipped), diff_step=1e-3)
    if not fit.success:
        raise CalibrationError(f"calibration {_NAME}", found=str(fit.message), expected="a search that converges")
    spread = float(np.sqrt(2 * fit.cost / (len(counts) - len(_FREE))))
    covariance = spread**2 * np.linalg.inv(fit.jac.T @ fit.jac)
    errors = np.exp(fit.x) * np.sqrt(np.diag(covariance))
    simulated = course(fit.x)
    progress.advance()
    link = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    return Calibration(
        name=_NAME,
        values=tuple(
            Fitted(n, "mouse", float(v), float(e), model.parameters[n].unit, s)
            for n, v, e, s in zip(_FREE, np.exp(fit.x), errors, shipped, strict=True)
        ),
        comparisons=tuple(m.beside(float(s)) for m, s in zip(counts, simulated, strict=True)),
        identifiability=(
            f"The 24 counts hold the curve, not each number of it: pool_loss_extra and pool_loss_half go together "
            f"(correlation {link:.2f}). Scatter about the curve: SD of the logarithm {spread:.2f}."
        ),
        settings="least squares on logarithms, one mouse from 40 to 365 days of age",
    )
