"""No content of a cell leads to anything but a problem or one message."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exotwin.calibration.problem import Problem
from exotwin.errors import InputError

TABLES = ("parameters.tsv", "conditions.tsv", "observables.tsv", "measurements.tsv")
JUNK = st.one_of(
    st.sampled_from(
        ["", "nan", "inf", "-1", "0", "1e400", "k1", "A", "total", "time", ";", "1;2", "low", "obs_A", "2 *", '"']
    ),
    st.text(max_size=8),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(TABLES), row=st.integers(0, 8), column=st.integers(0, 9), junk=JUNK)
def test_whatever_stands_in_a_cell_ends_in_a_problem_or_one_message(files, name, row, column, junk):
    changed = files.another(files.folder.name)
    rows = [line.split("|") for line in changed.text[name].strip().split("\n")]
    cells = rows[row % len(rows)]
    cells[column % len(cells)] = junk.replace("|", "")
    changed.text[name] = "\n".join("|".join(cells) for cells in rows)
    try:
        found: object = changed.read()
    except InputError as told:
        found = told.where
    assert isinstance(found, Problem) or str(changed.folder) in str(found)
