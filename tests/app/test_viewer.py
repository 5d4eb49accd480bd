import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from exotwin.app import page
from exotwin.errors import ReportError, StudyError

pytest.importorskip("panel", reason="the extra `app` is not installed")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(1)
    dims = ("reading", "arm", "patient", "time")
    about = {"units": "IU/L", "label": "FSH", "log": 1}
    xr.Dataset(
        {"fsh": (dims, rng.lognormal(3, 0.3, (2, 2, 40, 5)), about)},
        coords={
            "reading": ["animal", "copies"],
            "arm": ["untreated", "msc"],
            "time": np.arange(5.0),
            "draw": ("patient", np.repeat(np.arange(4), 10)),
        },
        attrs={"title": "A trial"},
    ).to_zarr(tmp_path / "results.zarr", zarr_format=2)
    row = {
        "observable": "fsh", "reading": "animal", "label": "FSH", "day": 4.0, "arm": "msc", "comparator": "untreated",
        "unit": "IU/L", "median": 20.0, "p5": 10.0, "p95": 40.0, "share": np.nan, "effect_kind": "difference of means",
        "effect": -1.5, "low": -2.0, "high": -1.0,
    }  # fmt: skip
    pd.DataFrame([row]).to_csv(tmp_path / "endpoints.csv", index=False)
    return tmp_path


def test_the_page_shows_title_curves_and_the_endpoints_of_what_is_chosen(folder):
    view = page(folder)
    curves, table = view[2][0], view[4]
    assert "A trial" in view[0].object
    lines = [r for r in curves.object().renderers if type(r.glyph).__name__ == "Line"]
    assert len(lines) == 2
    assert curves.object().yaxis[0].axis_label == "FSH, IU/L"
    assert table.object["effect"].tolist() == [-1.5]
    assert "share" not in table.object.columns


def test_the_curves_are_medians_between_patients_of_a_draw(folder):
    line = [r for r in page(folder)[2][0].object().renderers if type(r.glyph).__name__ == "Line"][1]
    values = xr.open_zarr(folder / "results.zarr", chunks=None)["fsh"].sel(reading="animal", arm="msc").values
    expected = np.median(values.reshape(4, 10, 5), axis=1).mean(axis=0)
    np.testing.assert_allclose(line.data_source.data["median"], expected, rtol=1e-12)


def test_a_folder_without_finished_results_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"no results\.zarr"):
        page(tmp_path)


def test_without_the_extra_the_message_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "panel", None)
    with pytest.raises(ReportError, match=r"exotwin\[app\]"):
        page(folder)


def test_arms_whose_names_look_like_numbers_or_like_nothing_keep_them(folder):
    rows = pd.read_csv(folder / "endpoints.csv").assign(arm="NA", comparator="1")
    rows.to_csv(folder / "endpoints.csv", index=False)
    xr.open_zarr(folder / "results.zarr").load().assign_coords(arm=["1", "NA"]).to_zarr(
        folder / "results.zarr", mode="w", zarr_format=2
    )
    view = page(folder)
    lines = [r for r in view[2][0].object().renderers if type(r.glyph).__name__ == "Line"]
    assert len(lines) == 2
    assert view[4].object["arm"].tolist() == ["NA"]
