from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from exotwin.errors import ReportError
from exotwin.report import figure, write_figures
from exotwin.report.files import chinese_font
from exotwin.report.numbers import tick
from exotwin.report.palette import arm_strokes
from exotwin.report.tables import Tables

SVG = "{http://www.w3.org/2000/svg}"


def test_what_is_plotted_is_what_is_exported(result):
    made = figure(result, "amh")
    table = Tables(result)["curves"]
    upper = made.axes[0]
    drawn = [line.get_ydata() for line in upper.get_lines() if line.get_linewidth() > 1]
    for arm, line in zip(("untreated", "exosomes", "cells"), drawn, strict=True):
        own = table[(table["observable"] == "amh") & (table["arm"] == arm)]
        np.testing.assert_array_equal(line, own["middle"].to_numpy())


def test_a_share_is_plotted_in_per_cent(result):
    upper = figure(result, "cycling").axes[0]
    table = Tables(result)["curves"]
    own = table[(table["observable"] == "cycling") & (table["arm"] == "untreated")]
    np.testing.assert_allclose(upper.get_lines()[0].get_ydata(), 100 * own["middle"].to_numpy())
    assert upper.get_title(loc="left") == "Women who cycle"


def test_an_unknown_observable_names_the_nearest(result):
    with pytest.raises(ReportError, match=r'found     "ahm"\n.*\n  nearest   "amh"'):
        figure(result, "ahm")


def test_the_normal_range_is_always_in_view(result):
    for name, (low, high) in {"amh": (1.0, 4.0), "fsh": (3.5, 12.5), "afc": (8.0, 25.0)}.items():
        bottom, top = figure(result, name).axes[0].get_ylim()
        assert bottom < high, name
        assert top > low, name


def test_figures_are_files_that_stand_alone_and_are_the_same_each_time(result, tmp_path):
    first, second = write_figures(result, tmp_path / "a"), write_figures(result, tmp_path / "b")
    assert {p.stem for p in first} >= {"curves", "readings", "exposure", "obstruction", "copies", "sizes-umbilical"}
    assert {f"curve-{o}" for o in ("amh", "fsh", "e2", "afc", "primordial", "cycling")} <= {p.stem for p in first}
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        root = ET.fromstring(one.read_text(encoding="utf-8"))
        assert root.tag == f"{SVG}svg"
        assert root.find(f"{SVG}title").text
        text = one.read_text(encoding="utf-8")
        assert root.findall(f".//{SVG}text"), "text must stay text"
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', text)) <= set(ids)
        assert not re.search(r"\d{4}-\d{2}-\d{2}", text), "a date would change the bytes"


def test_chinese_labels_need_no_chinese_font_in_svg(result, tmp_path, recwarn):
    paths = write_figures(result, tmp_path, language="zh")
    curves = next(p for p in paths if p.stem == "curves").read_text(encoding="utf-8")
    assert "抗缪勒管激素" in curves
    assert "入组后月数" in curves
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_a_figure_for_other_formats_is_chinese_only_with_a_font_for_it(result, monkeypatch):
    monkeypatch.setattr("exotwin.report.files.chinese_font", lambda: None)
    assert figure(result, "amh", language="zh").axes[0].get_title(loc="left") == "Anti-Müllerian hormone (AMH)"
    monkeypatch.undo()
    if chinese_font() is None:
        pytest.skip("no Chinese font is installed")
    assert figure(result, "amh", language="zh").axes[0].get_title(loc="left") == "抗缪勒管激素（AMH）"


def test_names_with_dollars_are_no_mathematics(result, tmp_path):
    import dataclasses

    model = result.model
    seen = model.observables["amh"]
    named = dataclasses.replace(
        model, observables=model.observables | {"amh": dataclasses.replace(seen, label="$a_1$ & <b>")}
    )
    made = figure(dataclasses.replace(result, model=named), "amh")
    assert made.axes[0].get_title(loc="left") == "$a_1$ & <b>"
    made.savefig(tmp_path / "a.svg")


def test_arms_differ_by_dashes_too():
    strokes = arm_strokes(["none", "a", "b", "c", "d"], comparator="none")
    assert len({s.dashes for s in strokes.values()}) == 5
    assert len({s.colour for s in strokes.values()}) == 5


@pytest.mark.parametrize(
    ("value", "shown"), [(0.1, "0.1"), (1.25, "1.25"), (20000.0, "20 000"), (-0.05, "−0.05"), (0, "0")]
)
def test_ticks_read_like_the_text(value, shown):
    assert tick(value).replace("\u202f", " ") == shown
