from __future__ import annotations

import math
import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest
from scoreboard import boards as synthetic

from exotwin.errors import ReportError
from exotwin.report.scoreboard import rows, strip, write_scoreboard
from exotwin.report.scoreboard.axis import Axis, fitting
from exotwin.report.scoreboard.html import render
from exotwin.report.scoreboard.wording import catalogue
from exotwin.validation import check

VOID = {"meta", "link", "br", "img", "hr", "input", "col", "source", "wbr"}
LOADING = {"link", "iframe", "object", "embed", "img", "image", "base", "use", "audio", "video"}


class Reader(HTMLParser):
    """Tags with their attributes, text by tag, and every fault of nesting."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def having(self, css: str) -> list[dict[str, str | None]]:
        """Attributes of the tags with a class."""
        return [a for _, a in self.tags if css in (a.get("class") or "").split()]

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).replace("\u202f", " ").split())


@pytest.fixture(scope="module")
def boards():
    return {"full": synthetic.full(), "hostile": synthetic.hostile(), "opposed": synthetic.opposed()}


@pytest.fixture(scope="module")
def pages(boards):
    return {name: render(board) for name, board in boards.items()} | {
        f"{name} zh": render(board, language="zh") for name, board in boards.items()
    }


@pytest.fixture(scope="module")
def read(pages):
    return {name: Reader(page) for name, page in pages.items()}


@pytest.mark.parametrize("name", ["full", "hostile", "opposed", "full zh", "hostile zh", "opposed zh"])
def test_the_page_is_well_formed_and_its_links_resolve_inside(read, name):
    page = read[name]
    assert page.faults == []
    assert page.open == []
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for t, a in page.tags if t == "a" and (a["href"] or "").startswith("#")]
    assert targets
    assert [t for t in targets if t not in ids] == []


@pytest.mark.parametrize("name", ["full", "hostile"])
def test_every_check_has_one_point_and_one_row_and_the_point_leads_there(read, boards, name):
    tested = {s.check.id for s in boards[name].checks if s.check.sort}
    points, articles = read[name].having("point"), read[name].having("check")
    assert sorted(a["href"] for a in points) == sorted(f"#check-{i}" for i in tested)
    assert sorted(a["id"] for a in articles) == sorted(f"check-{i}" for i in tested)
    assert all(a["aria-label"] for a in points)


def test_what_cannot_be_tested_is_named_with_its_reason(read):
    page = read["full"].words
    assert page.count("transfer of whole bone marrow; no state stands for it") == 3
    assert "Ageing: 3 facts that cannot be tested" in page
    assert "Unaccounted in ageing: crp-healthy-decades" in page


def test_every_facet_that_differs_can_be_filtered_by_each_value_that_occurs(read, boards):
    selects = [a["name"] for t, a in read["full"].tags if t == "select"]
    assert selects == ["module", "sort", "basis", "verdict", "miss", "kind", "species"]
    offered = {a["value"] for t, a in read["full"].tags if t == "option"}
    for facet in selects:
        assert {a[f"data-{facet}"] for a in read["full"].having("check")} <= offered
    assert {s.species for s in boards["full"].tested} <= offered


def test_without_the_script_the_filters_are_hidden_and_all_rows_are_there(read):
    form = next(a for t, a in read["full"].tags if t == "form")
    assert "hidden" in form
    assert not any("off" in (a.get("class") or "").split() for _, a in read["full"].tags)


@pytest.mark.parametrize("name", ["full", "hostile", "full zh", "hostile zh"])
def test_the_page_loads_nothing_and_runs_its_own_script_alone(pages, read, name):
    for tag, attributes in read[name].tags:
        assert tag not in LOADING, tag
        for key, value in attributes.items():
            assert key not in ("src", "srcset", "data", "poster", "action", "background"), f"{tag} loads {value}"
            assert not key.startswith("on"), f"{tag} runs {value}"
            assert "url(" not in (value or "")
            if key == "href":
                assert tag == "a", f"{tag} loads {value}"
    assert "@import" not in pages[name]
    assert "url(" not in pages[name]
    policy = next(a["content"] for _, a in read[name].tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "script-src 'sha256-" in policy
    assert "'unsafe-eval'" not in policy
    assert sum(tag == "script" for tag, _ in read[name].tags) == 1


def test_hostile_words_stay_words(pages, read):
    assert "<script>alert" not in pages["hostile"]
    assert read["hostile"].words.count("<script>alert('x')</script>") >= 6
    assert "no-such-record" in read["hostile"].words
    assert "(no such record)" in read["hostile"].words


def test_the_page_is_the_same_to_the_byte_whatever_it_took(pages, tmp_path):
    first = write_scoreboard(synthetic.full(seconds=1.0), tmp_path / "a.html").read_bytes()
    second = write_scoreboard(synthetic.full(seconds=99.0), tmp_path / "b.html").read_bytes()
    assert first == second == pages["full"].encode()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(ReportError, match="no folder"):
        write_scoreboard(synthetic.full(), tmp_path / "none" / "a.html")


def test_the_counts_are_those_of_the_scoreboard(read, boards):
    predicted = boards["full"].count(sort="value", basis="predicted")
    said = f"Of {predicted.n} predicted values, {predicted.within} are within"
    assert said in read["full"].words
    assert read["full"].words.count("not medical advice") == 1


def test_each_miss_shows_its_reason_and_each_record_its_publication(read):
    page = read["full"].words
    assert page.count("Likeliest reason:") == sum(s.verdict == "outside" for s in synthetic.full().tested)
    links = {a["href"] for t, a in read["full"].tags if t == "a"}
    assert "https://doi.org/10.1038/s41467-019-13192-4" in links


def test_deviations_stand_on_the_scale_of_their_sort():
    assert rows.position(synthetic.value(1, -3.5)) == -3.5
    down = synthetic.effect(1, "direction", -0.4)  # published: down
    assert rows.position(down) == pytest.approx(0.4)
    assert "+40 % the published way" in rows.told_deviation(down).replace("\u202f", " ")
    assert rows.position(synthetic.effect(1, "null", 0.05)) == pytest.approx(0.5)
    assert math.isnan(rows.position(synthetic.value(1, math.nan)))


def test_points_that_would_cover_each_other_are_stacked():
    axis = Axis(-6, 6, 100, 700)
    marks = [strip.Mark(str(k), "value", 0.01 * k, True, "within", "") for k in range(5)]
    placed = strip.stacked([(m, axis) for m in marks])
    assert sorted(p.layer for p in placed) == [0, 1, 2, 3, 4]
    far = [strip.Mark(str(k), "value", 2.0 * k, True, "within", "") for k in range(-2, 3)]
    assert {p.layer for p in strip.stacked([(m, axis) for m in far])} == {0}


def test_points_beyond_the_axis_are_arrows_and_never_lie_on_it():
    marks = [
        strip.Mark("far", "value", 40.0, True, "outside", "far"),
        strip.Mark("near", "value", 0.0, True, "within", ""),
    ]
    drawn = str(strip.draw(marks, name="s", title="t"))
    paths = re.findall(r'<path d="M([\d.]+)', drawn)
    axis = Axis(-6, 6, strip.LEFT + 14, strip.WIDTH - strip.RIGHT - 14)
    assert max(map(float, paths)) > axis.end


@pytest.mark.parametrize(
    ("values", "log"), [((0.001, 5.0), True), ((1.0, 3.0), False), ((-1.0, 100.0), False), ((7.0,), False)]
)
def test_an_axis_shows_all_its_values_with_round_ticks(values, log):
    axis = fitting(values, 0, 200)
    assert axis.log is log
    assert all(axis.shows(v) for v in values)
    ticks = axis.ticks()
    assert 1 < len(ticks) <= 6
    assert [axis.at(t) for t in ticks] == sorted(axis.at(t) for t in ticks)


def test_a_contradiction_is_told_from_both_sides_and_the_shares_stay_as_they_are(pages, read, boards):
    page = read["opposed"].words
    assert "Two such records cannot both be right" in page
    assert "sides with lung-half-life" in page
    assert "1 of the 1 predicted values that fail stands against another record with which the model sides" in page
    rows_ = {a["id"]: a for a in read["opposed"].having("check")}
    assert rows_["check-ageing-value-9"]["data-miss"] == "sided"
    assert rows_["check-ageing-value-1"]["data-miss"] == ""
    for of, to in (("9", "1"), ("1", "9")):
        row = pages["opposed"].partition(f'id="check-ageing-value-{of}"')[2].partition("</article>")[0]
        assert f'href="#check-ageing-value-{to}"' in row
    assert boards["opposed"].count(sort="value").within == 1


@pytest.mark.parametrize(
    ("scored", "how"),
    [
        (synthetic.value(1, 1.9), ""),
        (synthetic.value(1, 3.9), "near"),
        (synthetic.value(1, -4.1), "far"),
        (synthetic.value(1, math.nan, verdict="outside", simulated=math.nan), "none"),
        (synthetic.value(1, math.nan, verdict="outside", simulated=None), "none"),
        (synthetic.effect(1, "direction", 0.3), "sign"),
        (synthetic.effect(1, "direction", -0.05), "small"),
        (synthetic.effect(1, "null", 0.3), "bound"),
    ],
)
def test_a_miss_is_told_by_how_it_misses(scored, how):
    assert rows.miss(scored, ()) == how
    assert rows.row(scored).facets["miss"] == how


def test_all_misses_stand_in_one_table_with_their_reasons(read, boards, pages):
    table = pages["full"].partition('<table class="missed">')[2].partition("</table>")[0]
    missed = [s for s in boards["full"].tested if s.verdict == "outside"]
    assert table.count("<tr") - 1 == len(missed)
    for s in missed:
        assert f'href="#check-{s.check.id}"' in table


def test_english_and_chinese_have_the_same_keys_and_places_to_fill_in():
    def places(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    open_ = "board_module."  # English shows modules as they are called
    english, chinese = ({k: t for k, t in catalogue(x).items() if not k.startswith(open_)} for x in ("en", "zh"))
    assert english.keys() == chinese.keys()
    differing = {key for key in english if places(english[key]) != places(chinese[key])}
    assert differing == set()
    assert [key for key, text in chinese.items() if text and not re.search("[\u4e00-\u9fff：。{]", text)] == []


def test_every_key_is_used_and_every_facet_has_its_words(read):
    source = "".join(
        path.read_text(encoding="utf-8")
        for pattern in ("*.py", "templates/*.html")
        for path in Path(strip.__file__).parent.glob(pattern)
    )
    composed = ("column_", "line_", "sided", "idle", "count", "lead", "study", "untested_", "minutes", "hours", "days")
    composed += ("months", "years", "both_")
    keys = [key for key in catalogue("en") if key.startswith("board.")]
    names = [key.partition(".")[2] for key in keys]
    assert [n for n in names if not n.startswith(composed) and f"board.{n}" not in source] == []
    for facet, values in {"sort": check.SORTS, "kind": check.KINDS}.items():
        assert all(f"board_{facet}.{value}" in catalogue(x) for x in ("en", "zh") for value in values)


def test_what_has_no_chinese_name_shows_its_english_one_and_says_so(pages, boards):
    named = [s for s in boards["opposed"].tested if s.check.observable_zh]
    assert len(named) == 1
    page = pages["opposed zh"]
    assert page.count('class="foreign"') == len(boards["opposed"].tested) - 1
    assert named[0].check.observable_zh in page
    assert "foreign" not in re.sub(r"<style>.*?</style>", "", pages["opposed"], flags=re.DOTALL)
