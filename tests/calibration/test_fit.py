"""What a fit asks of a problem before it begins the search."""

from __future__ import annotations

import pytest
import small_problems as small

from exotwin.calibration import evaluate, fit
from exotwin.errors import CalibrationError


def test_a_range_without_end_is_refused_before_the_search_and_evaluated_all_the_same(tmp_path):
    made = small.problem(
        tmp_path,
        small.CONVERSION,
        parameters=f"{small.PARAMETERS}|initializationPriorType|initializationPriorParameters\n"
        "k1|lin|0|inf|0.8|1|uniform|0.1;1",
        observables=f"{small.OBSERVABLES}\na|A|0.1",
        measurements=f"{small.MEASUREMENTS}\na|c0|0.5|1",
    )
    with pytest.raises(CalibrationError, match="finite bounds") as fault:
        fit(made, starts=1_000_000)  # a search would not end
    assert '"k1"' in str(fault.value)
    assert evaluate(made).outcome == "ok"
