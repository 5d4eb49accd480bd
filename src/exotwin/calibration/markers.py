"""Fit of what the clinic reads in healthy women by age: antral follicles and AMH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.calibration.ensemble import run
from exotwin.calibration.measurements import Measurement, measurements
from exotwin.calibration.result import Calibration, Fitted
from exotwin.errors import CalibrationError
from exotwin.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

_NAME = "human-markers"
_START, _AGES = 22.0, (25.0, 30.0, 35.0, 40.0)  # the start lies a growth time before the first age and more


def human_markers(*, progress: Progress) -> Calibration:
    """Competition of antral follicles from their number at 30 y; the power between AMH and follicles from its course.

    AMH by age: ``amh-quadratic-lee2012``. The number of antral follicles at 30 y is assumed; their loss by age
    (``afc-slopes``) is not used and stands as check.

    Raises
    ------
    CalibrationError : no competition between 0.001 and 0.1 gives that number.
    """
    import numpy as np
    from scipy.optimize import brentq

    from exotwin.biology import assemble
    from exotwin.engine import load

    progress.start(_NAME, 1)
    model = assemble("poi", "human")
    compiled = load(model.sbml)
    rows = measurements(_NAME)
    times = [0.0, *((age - _START) * 365.25 for age in _AGES)]
    woman = {"pool_survival": 1.0, "growing_survival": 1.0, "damage_after_injury": 0.0, "run_in": 0.0}

    def follicles(competition: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        values = woman | {"age_start": _START, "competition": competition}
        result = run(compiled, times, values, ["preantral", "antral"])
        antral = result["antral"].to_numpy()[0, 1:]
        return antral, antral + result["preantral"].to_numpy()[0, 1:]

    level = next(m for m in rows if m.quantity == "afc")
    at = _AGES.index(level.at)
    try:
        competition = float(brentq(lambda c: follicles(c)[0][at] - level.value, 1e-3, 0.1, xtol=1e-6))
    except ValueError as fault:
        raise CalibrationError(
            f"calibration {_NAME}", found=str(fault), expected="a competition that gives the antral count"
        ) from fault
    antral, makers = follicles(competition)
    progress.advance()

    amh = [m for m in rows if m.quantity == "amh"]
    x = np.log([makers[_AGES.index(m.at)] / makers[at] for m in amh])
    reference = model.parameters["amh_reference"].value
    y = np.log([m.value / reference for m in amh])
    exponent = float(x @ y / (x @ x))
    error = float(np.sqrt(np.sum((y - exponent * x) ** 2) / (len(amh) - 1) / (x @ x)))
    slope = float(antral[_AGES.index(30.0)] - antral[_AGES.index(40.0)]) / 10

    def simulated(m: Measurement) -> float:
        given: dict[str, Callable[[], float]] = {
            "afc": lambda: float(antral[_AGES.index(m.at)]),
            "afc_slope": lambda: slope,
            "amh": lambda: float(reference * (makers[_AGES.index(m.at)] / makers[at]) ** exponent),
        }
        return given[m.quantity]()

    found: dict[str, tuple[float, float | None]] = {
        "competition": (competition, None),
        "amh_reference_follicles": (float(makers[at]), None),
        "amh_exponent": (exponent, error),
    }
    return Calibration(
        name=_NAME,
        values=tuple(
            Fitted(n, "human", value, se, model.parameters[n].unit, model.parameters[n].value)
            for n, (value, se) in found.items()
        ),
        comparisons=tuple(m.beside(simulated(m)) for m in rows),
        identifiability=(
            "Competition rests on one assumed number, so its error is that of the assumption. The exponent rests on "
            "one formula with rounded coefficients; a cohort with a slower fall of AMH (note of "
            "afc-amh-percent-loss-rosen) would make it about half as large."
        ),
        settings="one woman without injury from 22 to 40 years of age",
    )
