import pytest
from hypothesis import given
from hypothesis import strategies as st

from exotwin.errors import StudyError
from exotwin.units import parse_amount, registry

registry()  # its first load takes longer than hypothesis allows an example
DOSES = {"vesicles": "particle", "vesicles per kg": "particle/kg", "volume": "mL"}


def read(text: str) -> tuple[float, str]:
    return parse_amount(text, where="study.toml, arms.x.dose", kinds=DOSES, example="1e11 particles", error=StudyError)


@given(st.floats(min_value=0, max_value=1e15, allow_nan=False))
def test_an_amount_comes_back_as_it_was_written(amount):
    assert read(f"{amount!r} particles") == (amount, "vesicles")


def test_the_unit_decides_the_kind_and_is_converted():
    assert read("2e9 particles/kg") == (2e9, "vesicles per kg")
    value, kind = read("1.5 L")
    assert kind == "volume"
    assert value == pytest.approx(1500)


@pytest.mark.parametrize(
    "text", ["0.2 1/day", "0.2 /day", "0.2/day", "0.2 1 / day", "2.3148148e-6 1/second", "73.05 1/year"]
)
def test_a_rate_is_a_number_per_unit(text):
    rate, _ = parse_amount(text, where="here", kinds={"rate": "1/day"}, example="0.1 1/day", error=StudyError)
    assert rate == pytest.approx(0.2)


def test_only_a_signed_number_may_lie_below_zero():
    shift = {"where": "here", "kinds": {"x": "dimensionless"}, "example": "0.1 dimensionless", "error": StudyError}
    assert parse_amount("-0.3 dimensionless", **shift, signed=True) == (-0.3, "x")
    with pytest.raises(StudyError, match="zero or more"):
        parse_amount("-0.3 dimensionless", **shift)


def test_cells_do_not_pass_for_vesicles():
    with pytest.raises(StudyError, match=r"1e6 cells.*\[cell\]"):
        read("1e6 cells")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1e11 particels", 'nearest   "particles"'),
        ("-1 particles", "zero or more"),
        ("particles", "a number and a unit"),
        ("1e11", "a number and a unit"),
        ("nan particles", "a number and a unit"),
        ("1e11 parti)cles", "the unit"),
        ("1e999 particles", "finite"),
        ("1e308 L", "finite"),
        ("1 2/day", "the unit"),
        ("1 //day", "the unit"),
        ("1 1", "the unit"),
        ("1e11 __import__('os')", "the unit"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_place(text, message):
    with pytest.raises(StudyError, match=r"^study.toml, arms.x.dose") as refused:
        read(text)
    assert message in str(refused.value)


def test_a_particle_is_a_vesicle_and_no_share_of_a_mole():
    assert read("1 particle") == read("1 vesicle") == (1.0, "vesicles")
    with pytest.raises(StudyError, match="substance"):
        read("1 mol")


def test_there_is_one_registry():
    assert registry() is registry()
