import pickle

from exotwin.errors import StudyError, nearest


def test_a_message_tells_where_what_was_found_what_was_expected_and_the_nearest_name():
    error = StudyError(
        "study.toml, arms.msc.dose", found='the unit "cels"', expected='such as "1e6 cells"', nearest="cells"
    )
    assert str(error).splitlines() == [
        "study.toml, arms.msc.dose",
        '  found     the unit "cels"',
        '  expected  such as "1e6 cells"',
        '  nearest   "cells"',
    ]


def test_without_a_near_name_the_message_has_no_such_line():
    assert "nearest" not in str(StudyError("x", found="a", expected="b"))


def test_an_error_survives_the_way_home_from_a_worker():
    error = StudyError("here", found="a", expected="b", nearest="c")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is StudyError
    assert str(again) == str(error)
    assert again.nearest == "c"


def test_nearest_ignores_letter_case_and_gives_nothing_for_what_resembles_nothing():
    assert nearest("Untreted", ["untreated", "msc"]) == "untreated"
    assert nearest("AMH", ["amh", "fsh"]) == "amh"
    assert nearest("qqqq", ["amh", "fsh"]) is None
