from __future__ import annotations

import re
import string

import pytest

from exotwin.errors import ReportError
from exotwin.report.numbers import THIN
from exotwin.report.wording import LANGUAGES, MONTH, Words, catalogue, readable

# Sections whose keys are names that other rooms or users give; a language names those that it has a word for.
OPEN = {"arm"}


def keys(language):
    return {key for key in catalogue(language) if key.partition(".")[0] not in OPEN}


def test_english_and_chinese_have_the_same_keys():
    assert keys("en") == keys("zh")


def test_each_text_of_a_key_has_the_same_places_to_fill_in():
    def places(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    free = {"answer.schedule"}  # English keeps the study's words, Chinese lists the days
    differing = {key for key in keys("en") - free if places(catalogue("en")[key]) != places(catalogue("zh")[key])}
    assert differing == set()


def test_chinese_texts_are_chinese():
    untranslated = {
        key
        for key, text in catalogue("zh").items()
        if text == catalogue("en").get(key) and re.search(r"[a-z]{4,}", re.sub(r"\{\w+\}", "", text))
    }
    assert untranslated == set()


def test_an_unknown_language_names_the_nearest():
    with pytest.raises(ReportError, match='found     "zn"\n  expected  "en" or "zh"\n  nearest   "zh"'):
        Words("zn")


@pytest.mark.parametrize(
    ("day", "said"),
    [(1, "1 day"), (5, "5 days"), (21, "3 weeks"), (MONTH, "1 month"), (182.6, "6 months"), (730.5, "24 months"),
     (1826.25, "5 years"), (100, "100 days")],
)  # fmt: skip
def test_a_time_is_told_in_the_unit_in_which_it_is_whole(day, said):
    assert Words("en").time(day) == said


def test_a_list_ends_with_and():
    assert [Words("en").list(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("share", "said"), [(0.5, "50"), (0.0, "0"), (1.0, "100"), (0.996, "99.6"), (0.0012, "0.12"), (0.073, "7")]
)
def test_a_share_gets_more_digits_where_they_matter(share, said):
    assert Words("en").percent(share) == f"{said}{THIN}%"


def test_an_estimate_without_limits_shows_none():
    assert Words("en").estimate(0.5, None, None, "IU/L") == f"0.500{THIN}IU/L"
    assert Words("en").estimate(float("nan"), None, None, "IU/L") == "–"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_filled_in(language):
    words = Words(language)
    for key, text in catalogue(language).items():
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        filled = words(key, **dict.fromkeys(names, "7"))
        assert "{" not in filled, key


def test_numbers_in_the_text_of_other_rooms_are_made_readable():
    said = readable("4.11e+10 particles/ug, 1e5 cells, CD11e5 and 3e-04x stay")
    assert said == f"4.11{THIN}×{THIN}10¹⁰ particles/ug, 10⁵ cells, CD11e5 and 3e-04x stay"
