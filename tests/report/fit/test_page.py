from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from exotwin.report.fit import facts
from exotwin.report.fit.html import render
from exotwin.report.fit.page import Page, spoken
from exotwin.report.fit.summary import paragraph

VOID = {"meta", "link", "br", "img", "hr", "input", "col", "source", "wbr"}
NAMES = ["small", "large", "hopeless", "hostile"]
HOSTILE = "<script>alert('x')</script> & \"co\" $5_{a}"


class Reader(HTMLParser):
    """Tags with their attributes, text, and every fault of nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

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
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def pages(folders):
    return {name: (folders[name] / "fit.html").read_text(encoding="utf-8") for name in NAMES}


@pytest.fixture(scope="module")
def read(pages):
    found = {}
    for name, page in pages.items():
        found[name] = Reader()
        found[name].feed(page)
    return found


def _words(reader: Reader) -> str:
    return " ".join("".join(reader.text).replace("\u202f", " ").split())


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_well_formed(read, name):
    assert read[name].faults == []
    assert read[name].open == []
    ids = [a["id"] for _, a in read[name].tags if "id" in a]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_the_page_loads_nothing(pages, read, name):
    for tag, attributes in read[name].tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "img", "image", "base"), tag
        for key, value in attributes.items():
            assert key not in ("src", "srcset", "data", "poster", "action", "background"), f"{tag} loads {value}"
            assert not key.startswith("on"), f"{tag} runs {value}"
            if key in ("href", "xlink:href"):
                assert value.startswith(("#", "data:text/csv")), value
    assert "@import" not in pages[name]
    assert {a for a in re.findall(r"https?://[^\"' <]+", pages[name]) if "www.w3.org" not in a} == set()


def test_names_are_shown_and_never_run(pages, read, folders):
    assert "<script" not in pages["hostile"]
    assert HOSTILE in "".join(read["hostile"].text)
    assert "<script" not in (folders["hostile"] / "figures" / "fits.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_sentence_on_research_stands_once(read, name):
    assert _words(read[name]).count("research tool") == 1


def test_the_answer_tells_of_starts_agreement_and_parameters(read):
    words = _words(read["small"])
    assert "Of 12 starts, 8 converged, 1 stopped at the iteration limit and 3 failed." in words
    assert "The best objective is −20; 5 starts reached it (within 0.1)." in words
    assert "Of the 3 of 4 parameters that were profiled, 1 is identifiable (95 % limits on both sides), " in words
    assert (
        "1 has only an upper limit and for 1 the profile failed. One parameter stands at a bound of the search."
        in words
    )


def test_the_answer_warns_where_one_start_alone_found_the_best(small):
    alone = replace(small, starts=tuple(s for s in small.starts if s.number in (1, 5, 7)))
    assert "only the best start reached it (within 0.1), so a better optimum may exist" in paragraph(alone)
    assert "nothing tells whether there is a better optimum" in paragraph(replace(small, starts=(small.best,)))


def test_the_answer_counts_searches_that_crept_and_says_how_the_best_one_ended(small):
    crept = replace(small.best, found=replace(small.best.found, outcome="creeping"))
    starts = tuple(crept if s is small.best else s for s in small.starts)
    words = paragraph(replace(small, starts=starts))
    assert "7 converged, 1 crept (ended as the objective hardly fell any more), 1 stopped at the iteration" in words
    assert "The best objective is −20 (by a start that ended: creeping); 5 starts reached it" in words


@pytest.mark.parametrize(
    ("label", "name", "said"),
    [
        ("k_{exp,hetero}", "k_exp_hetero", ""),
        ("{K_1}", "K_1", ""),
        (r"\sigma_{pSTAT5A,rel}", "sd_pSTAT5A_rel", "sigma pSTAT5A,rel"),
        ("dose that leaves half, mg/kg", "ed50", "dose that leaves half, mg/kg"),
        ("", "k", ""),
    ],
)
def test_labels_in_tex_are_told_in_plain_letters_and_only_where_they_say_more(label, name, said):
    assert spoken(label, name) == said


def test_a_remark_of_the_problem_that_the_fit_repeats_is_told_once(small):
    twice = replace(small, problem=replace(small.problem, remarks=("one",)), remarks=("one", "another"))
    assert facts.remarks(twice) == ("one", "another")


def test_a_fit_without_a_value_says_so_and_why(pages, read):
    words = _words(read["hopeless"])
    assert "No start found a point where the model could be simulated, so nothing was fitted." in words
    assert re.search(r"failed: model does not move</th><td[^>]*>12</td>", pages["hopeless"])


def test_without_profiles_nothing_is_claimed_of_identifiability(small):
    assert "is not known" in paragraph(replace(small, profiles=()))


def test_every_parameter_has_its_row_with_the_numbers_of_the_table(pages, small, folders):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", pages["small"], flags=re.DOTALL)
    for name, value in zip(small.problem.names, small.problem.unscaled(small.best.found.point), strict=True):
        own = [r for r in rows if name.replace("_", "_<wbr>") in r]
        assert any(f'data-value="{float(value)!r}"' in r for r in own), name


def test_tables_to_save_hold_no_infinities_and_every_start(read):
    links = {a["download"]: unquote(a["href"].partition(",")[2]) for t, a in read["large"].tags if "download" in a}
    assert links.keys() >= {"starts.csv", "parameters.csv", "profiles.csv", "simulation.csv", "correlations.csv"}
    assert len(links["starts.csv"].splitlines()) == 151
    assert "inf" not in links["parameters.csv"]


def test_many_parameters_are_told_by_their_strongest_pairs(pages, read):
    assert 'id="figure-correlations"' not in pages["large"]
    assert 'id="table-pairs"' in pages["large"]
    assert 'id="figure-correlations"' in pages["small"]


def test_a_page_of_a_large_fit_stays_below_three_megabytes(pages):
    assert len(pages["large"].encode()) < 3e6


def test_records_that_the_measurements_name_are_listed_as_sources(small):
    m = small.problem.measurements
    table = m.table.assign(record=["mouse-pf-counts-c57"] * 7 + ["no-such-record"] * 7)
    page = render(Page(replace(small, problem=replace(small.problem, measurements=replace(m, table=table)))))
    assert "Sources of the measurements" in page
    assert re.search(r'<li id="ref-1"[^>]*>.*<code>mouse-pf-counts-c57</code>', page)
    assert "record no-such-record: no source found in this version" in page
    assert "Sources of the measurements" not in render(Page(small))


def test_starts_that_are_not_drawn_are_counted(read):
    assert "Of 12 starts, 3 failed; not drawn, without a value: 2." in _words(read["small"])


def test_residuals_beyond_the_edge_are_counted(read):
    assert "Beyond ± 5: 1, drawn at the edge." in _words(read["large"])
