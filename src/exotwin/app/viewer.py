"""One page over the folder of a run: choose an observable and a reading, see the curves and the endpoints.

Everything is served from this computer; panel and bokeh come with the extra `app`.
"""

from __future__ import annotations

from collections.abc import Hashable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from exotwin.errors import ReportError, StudyError
from exotwin.report import arm_strokes
from exotwin.trial import bands

if TYPE_CHECKING:
    import pandas as pd
    import panel as pn
    import xarray as xr
    from bokeh.plotting import figure

_SHOWN = ("label", "day", "arm", "unit", "median", "p5", "p95", "share", "effect_kind", "effect", "low", "high")


def page(folder: Path) -> pn.Column:
    """The page for a folder that `exotwin run` wrote.

    Raises
    ------
    StudyError : the folder holds no finished results.
    ReportError : the extra is not installed.
    """
    panel = _panel()
    dataset, endpoints = _read(folder)
    labels = {str(v.attrs.get("label", name)): str(name) for name, v in dataset.data_vars.items()}
    observable = panel.widgets.Select(label="Observable", options=labels, width=280)
    reading = panel.widgets.RadioButtonGroup(align="end", options=[str(r) for r in dataset["reading"].values])
    comparators = endpoints.loc[endpoints["comparator"].fillna("") != "", "comparator"]
    comparator = str(comparators.iloc[0]) if len(comparators) else str(dataset["arm"].values[0])

    def curves(name: str, chosen: str) -> figure:
        return _curves(dataset, name, chosen, comparator)

    def table(name: str, chosen: str) -> pd.DataFrame:
        rows = endpoints[(endpoints["observable"] == name) & (endpoints["reading"] == chosen)]
        return rows.loc[:, [c for c in _SHOWN if rows[c].notna().any()]]

    title, digits = str(dataset.attrs["title"]), "{:.4g}".format
    view: pn.Column = panel.Column(
        panel.pane.HTML(f"<h1>{escape(title)}</h1><p>A simulation for research, not medical advice.</p>"),
        panel.Row(observable, reading),
        panel.panel(panel.bind(curves, observable, reading)),
        panel.pane.HTML("Lines: median between patients; bands: 5-95 % of patients. Table: 95 % intervals."),
        panel.pane.DataFrame(panel.bind(table, observable, reading), index=False, na_rep="", float_format=digits),
        sizing_mode="stretch_width",
    )
    return view


def serve(folder: Path, *, port: int = 0) -> None:
    """Show the page in the browser until stopped; ``port`` 0 picks a free one. Errors as in `page`."""
    panel = _panel()
    view = page(folder)
    panel.serve(view, port=port, address="localhost", title="exotwin", show=True)


def _panel() -> Any:
    try:
        import panel
    except ImportError as missing:
        raise ReportError(
            "exotwin app", found=f"no package {missing.name}", expected="the extra: pip install 'exotwin[app]'"
        ) from missing
    return panel


def _read(folder: Path) -> tuple[xr.Dataset, pd.DataFrame]:
    import pandas as pd
    import xarray as xr

    for name in ("results.zarr", "endpoints.csv"):
        if not (folder / name).exists():
            raise StudyError(
                f"folder {folder}", found=f"no {name}", expected="a folder that `exotwin run` has finished"
            )
    # Names stay text, also those that look like numbers or like nothing: an arm may be called 1 or NA.
    names: dict[Hashable, type] = dict.fromkeys(("reading", "observable", "label", "arm", "comparator"), str)
    endpoints = pd.read_csv(folder / "endpoints.csv", dtype=names, keep_default_na=False, na_values=[""])
    return xr.open_zarr(folder / "results.zarr", chunks=None), endpoints


def _curves(dataset: xr.Dataset, name: str, reading: str, comparator: str) -> figure:
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure

    found = bands(dataset.sel(reading=[reading]), name).isel(reading=0)
    about = dataset[name].attrs
    unit = str(about["units"])
    axis: Literal["log", "linear"] = "log" if about.get("log") else "linear"
    label = str(about["label"]) + ("" if unit == "dimensionless" else f", {unit}")
    plot = figure(height=420, sizing_mode="stretch_width", y_axis_type=axis, tools="pan,wheel_zoom,box_zoom,reset,save")
    plot.xaxis.axis_label, plot.yaxis.axis_label = "days after enrolment", label
    strokes = arm_strokes([str(a) for a in found["arm"].values], comparator=comparator)
    for arm, stroke in strokes.items():
        one = found.sel(arm=arm)
        columns: dict[str, Any] = {name: one[name].values for name in ("time", "median", "p5", "p95")}
        source = ColumnDataSource(columns)
        dashes = [round(4 * d) for d in stroke.dashes[1]]
        plot.varea("time", "p5", "p95", source=source, color=stroke.colour, alpha=0.12)
        line = plot.line(
            "time", "median", source=source, color=stroke.colour, line_width=2, line_dash=dashes, legend_label=arm
        )
        tips = [
            ("arm", arm),
            ("day", "@time{0}"),
            ("median", "@median{0.000}"),
            ("5-95 %", "@p5{0.000} to @p95{0.000}"),
        ]
        plot.add_tools(HoverTool(renderers=[line], tooltips=tips))
    plot.legend.click_policy = "hide"
    plot.legend.location = "top_right"
    return plot
