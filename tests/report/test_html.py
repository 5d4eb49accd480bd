from __future__ import annotations

import dataclasses
import math
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from synthetic import HOSTILE

from exotwin.errors import ReportError
from exotwin.report import facts, write_report
from exotwin.report.blocks import csv_text
from exotwin.report.html import render
from exotwin.report.tables import Tables
from exotwin.report.wording import LANGUAGES

VOID = {"meta", "link", "br", "img", "hr", "input", "col", "source", "wbr"}


class Reader(HTMLParser):
    """Tags with their attributes, and every fault of nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"{tag} has an attribute twice")
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


@pytest.fixture(scope="module")
def read(pages):
    found = {}
    for language, page in pages.items():
        found[language] = Reader()
        found[language].feed(page)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_well_formed(read, language):
    assert read[language].faults == []
    assert read[language].open == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_loads_nothing(pages, read, language):
    for tag, attributes in read[language].tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "img", "base"), tag
        for name, value in attributes.items():
            if name in ("src", "srcset", "data", "poster", "action", "background"):
                pytest.fail(f"{tag} loads {value}")
            if name in ("href", "xlink:href") and not value.startswith(("#", "data:text/csv")):
                assert tag == "a", f"{tag} points to {value}"
            assert not name.startswith("on"), f"{tag} runs {value}"
    assert "@import" not in pages[language]
    assert set(re.findall(r"url\(([^)]*)\)", pages[language])) <= {
        f"#{i}" for i in re.findall(r'id="([^"]+)"', pages[language])
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_ids_stand_once_and_every_link_inside_has_its_goal(read, language):
    ids = [a["id"] for _, a in read[language].tags if "id" in a]
    assert len(ids) == len(set(ids))
    goals = {a["href"][1:] for t, a in read[language].tags if t == "a" and (a.get("href") or "").startswith("#")}
    assert goals <= set(ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_are_shown_and_never_run(pages, read, language):
    assert "<script" not in pages[language]
    assert HOSTILE in "".join(read[language].text)


def test_hostile_names_of_arms_and_products_are_escaped(result):
    study = result.study.model_copy(update={"title": HOSTILE})
    products = {k: dataclasses.replace(p, name=HOSTILE, remarks=(HOSTILE,)) for k, p in result.products.items()}
    page = render(dataclasses.replace(result, study=study, products=products))
    assert "<script" not in page
    reader = Reader()
    reader.feed(page)
    assert reader.faults == []
    assert "".join(reader.text).count(HOSTILE) >= 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_and_number_of_the_endpoints_is_there_as_exported(result, pages, language):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", pages[language], flags=re.DOTALL)
    exported = [set(" ".join(re.findall(r'data-value="([^"]*)"', row)).split()) for row in rows]
    columns = ["n", "median", "p5", "p95", "share", "share_low", "share_high", "effect", "low", "high", "low_patients",
               "high_patients", "p_better", "nnt", "nnt_low", "nnt_high"]  # fmt: skip
    for row in facts.dicts(result.endpoints):
        wanted = {repr(float(row[c])) for c in columns if not math.isnan(row[c])}
        assert any(wanted <= there for there in exported), (row["reading"], row["endpoint"], row["arm"], row["day"])


def test_what_can_be_saved_is_what_the_tables_hold(result, read):
    tables = Tables(result)
    links = [a for t, a in read["en"].tags if t == "a" and "download" in a]
    assert {a["download"] for a in links} >= {
        "endpoints.csv",
        "curves.csv",
        "differences.csv",
        "sizes.csv",
        "parameters.csv",
    }
    for link in links:
        _, _, text = link["href"].partition(",")
        assert unquote(text) == csv_text(tables[link["download"].removesuffix(".csv")])


def test_the_same_result_gives_the_same_bytes(result, pages, tmp_path):
    path = write_report(result, tmp_path / "report.html", language="zh")
    assert path.read_text(encoding="utf-8") == pages["zh"]
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_stays_below_three_megabytes(pages, language):
    assert len(pages[language].encode()) < 3e6


def test_long_names_may_break_and_stay_whole(pages, read):
    assert "amh_<wbr>per_<wbr>follicle" in pages["en"]
    assert "<wbr>" not in "".join(read["en"].text)


def test_the_notice_stands_once(pages):
    assert pages["en"].count("Research use only") == 1
    assert pages["zh"].count("仅供研究使用") == 1


def test_records_are_numbered_in_the_order_of_the_page(read):
    numbers = []
    for tag, attributes in read["en"].tags:
        if tag == "a" and (attributes.get("href") or "").startswith("#ref-"):
            numbers.append(int(attributes["href"].removeprefix("#ref-")))
    first = list(dict.fromkeys(numbers))
    # inside one cell numbers rise, so compare the highest so far: no number comes before all lower ones have come
    assert all(n <= max([0, *first[:k]]) + 4 for k, n in enumerate(first))
    assert sorted(first) == list(range(1, len(first) + 1))


def test_a_record_that_the_evidence_does_not_have_is_named(pages):
    assert "record phys-weight: no source found in this version" in pages["en"]


def test_a_product_without_vesicles_or_cells_says_so(result):
    bare = {k: dataclasses.replace(p, vesicles=None, cells=None, verdicts=()) for k, p in result.products.items()}
    page = render(dataclasses.replace(result, products=bare, mechanisms={}, plausibility={}))
    assert "UC-MSC lot 7 has no measured cells." in page
    assert "UC-MSC lot 7 has no measured vesicles." in page
    assert "No arm gives vesicles, so no copies are delivered." in page


def test_a_trial_in_which_no_treated_course_could_be_computed_still_gives_a_page(result):
    dataset, exposure = result.dataset.copy(deep=True), result.exposure.copy(deep=True)
    for name in dataset.data_vars:
        dataset[name].loc[{"arm": ["exosomes", "cells"]}] = math.nan
    for name in exposure.data_vars:
        exposure[name][:] = math.nan
    dataset["outcome"].loc[{"arm": ["exosomes", "cells"]}] = "not finite"
    table = result.endpoints.copy()
    numbers = table.select_dtypes("float").columns.drop("day")
    table.loc[table["comparator"] != "", numbers] = math.nan
    values = result.values.copy(deep=True)
    values.loc[{"arm": ["exosomes", "cells"]}] = math.nan
    page = render(dataclasses.replace(result, dataset=dataset, exposure=exposure, endpoints=table, values=values))
    assert "For Exosomes no comparison with no treatment could be computed." in page
    assert "(1440 not a number)" in page.replace("\u202f", " ")


def test_failed_courses_are_listed_with_their_reason(pages):
    assert re.search(r"<td[^>]*>too many steps</td><td[^>]*>1</td>", pages["en"])


def test_the_equations_are_in_the_page(result, pages):
    assert result.model.antimony.splitlines()[-1] in pages["en"]


def test_an_unknown_language_leaves_no_file(result, tmp_path):
    with pytest.raises(ReportError, match='nearest   "en"'):
        write_report(result, tmp_path / "report.html", language="eng")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named(result, tmp_path):
    with pytest.raises(ReportError, match="no folder"):
        write_report(result, tmp_path / "none" / "report.html")
