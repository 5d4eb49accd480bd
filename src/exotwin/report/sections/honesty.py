"""The model, and what it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exotwin.report import answer, facts
from exotwin.report.blocks import Cell, Fact, Table, figure, prose, text
from exotwin.report.numbers import number, tick

if TYPE_CHECKING:
    from exotwin.report.page import Page

N_INFLUENCE = 12
_BASES = ("measured", "derived", "fitted", "assumed", "input")
_LEVELS = ("fixed", "patient", "knowledge")


def build(page: Page) -> dict[str, Any]:
    """Numbers by basis, what moves the answer, processes, links, failures, overrides, all parameters, equations."""
    words, model = page.words, page.result.model
    counts = words.counts(model.bases, "basis")
    total = len(model.parameters)
    return {
        "lead": words("honesty.lead", total=total, counts=counts),
        "counts": _counts(page),
        "influence": _influence(page),
        "processes": _processes(page),
        "edges": [_edges(page, key) for key in page.result.mechanisms],
        "mechanism_remarks": [page.prose(r) for m in page.result.mechanisms.values() for r in m.remarks],
        "misses": [Fact(r.module, page.prose(r.misses)) for r in facts.rows(page.tables["misses"])],
        "failures": _failures(page),
        "overrides": _overrides(page),
        "remarks": [page.prose(r) for r in page.result.remarks],
        "parameters": _parameters(page),
        "parameters_title": words("honesty.all_parameters", n=total),
        "equations": model.antimony,
        "equations_note": words("honesty.equations_note", condition=model.condition, species=model.species),
    }


def _counts(page: Page) -> Table:
    words, table = page.words, page.tables["parameters"]
    rows = []
    bases = [b for b in _BASES if (table["basis"] == b).any()]
    for basis in bases:
        own = table[table["basis"] == basis]
        cells = [figure(number(n), n) for n in ((own["level"] == level).sum() for level in _LEVELS)]
        rows.append((text(words(f"basis.{basis}"), head=True), *cells, figure(number(len(own)), len(own))))
    sums = [int((table["level"] == level).sum()) for level in _LEVELS]
    rows.append(
        (
            text(words("honesty.total"), head=True),
            *(figure(number(n), n) for n in sums),
            figure(number(len(table)), len(table)),
        )
    )
    columns = (words("honesty.basis"), *(words(f"level.{level}") for level in _LEVELS), words("honesty.total"))
    return Table("counts", words("honesty.counts_caption"), columns, tuple(rows), numeric=frozenset({1, 2, 3, 4}))


def _influence(page: Page) -> Table | None:
    """Numbers that are not known, those that move the first endpoint most on top, then the other assumed ones."""
    words, table = page.words, page.tables["influence"]
    if table.empty:
        return None
    first = str(page.result.endpoints["endpoint"].iloc[0])
    own = table[table["endpoint"] == first]
    strongest = own.loc[own.groupby("parameter")["correlation"].apply(lambda r: r.abs().idxmax())]
    ordered = strongest.reindex(strongest["correlation"].abs().sort_values(ascending=False).index).head(N_INFLUENCE)
    rows = tuple(
        _influence_row(page, str(r.parameter), float(r.correlation), float(r.noise)) for r in facts.rows(ordered)
    )
    shown = facts.main_rows(page.result)
    row = dict(shown[shown["endpoint"] == first].iloc[0])
    caption = words(
        "honesty.influence_caption",
        draws=page.result.study.population.n_draws,
        label=answer.label(row, words),
        time=words.time(float(row["day"])),
        noise=number(float(own["noise"].iloc[0]), digits=2),
    )
    columns = tuple(words(f"honesty.{c}") for c in ("parameter", "correlation", "value", "basis_column", "note"))
    return Table(
        "influence",
        caption,
        (*columns, words("page.source")),
        rows,
        page.downloads("influence"),
        numeric=frozenset({1, 2}),
        wide=True,
    )


def _influence_row(page: Page, name: str, correlation: float, noise: float) -> tuple[Cell, ...]:
    words, parameter = page.words, page.result.model.parameters.get(name)
    values = np.unique(facts.drawn(page.result)[name])
    middle, low, high = (float(q) for q in np.quantile(values, [0.5, 0.025, 0.975]))
    unit = parameter.unit if parameter else ""
    shown = figure(words.estimate(middle, low, high, unit), middle, low, high)
    strength = Cell(
        f"{correlation:+.2f}".replace("-", "−"),
        (correlation,),
        "number" + (" faint" if abs(correlation) < noise else ""),
    )
    if parameter is None:
        return _of_product(page, name, strength, shown)
    cited = Cell("", records=page.references.cite(parameter.records), kind="records")
    basis = Cell(words(f"basis.{parameter.basis}"), kind=f"basis {parameter.basis}")
    return (
        text(name, note=parameter.spread.text, head=True),
        strength,
        shown,
        basis,
        prose(page.prose(parameter.note)),
        cited,
    )


def _of_product(page: Page, name: str, strength: Cell, shown: Cell) -> tuple[Cell, ...]:
    """The row of a number that is not known of a product, such as ``umbilical:gain:miR-21-5p:angiogenesis``."""
    words = page.words
    key, _, quantity = name.partition(":")
    kind, _, rest = quantity.partition(":")
    mediator, _, process = rest.partition(":")
    product = page.result.products[key].name if key in page.result.products else key
    if kind == "source":
        return _of_source(page, key, mediator, strength)
    edges = [
        e
        for e in (page.result.mechanisms[key].edges if key in page.result.mechanisms else ())
        if kind == "gain" and (e.mediator, e.process) == (mediator, process)
    ]
    title = " → ".join(filter(None, (mediator, words.known(f"process.{process}", process))))
    what = words.known(f"quantity.{kind}", kind)
    basis = words.list(dict.fromkeys(words(f"basis.{e.basis}") for e in edges)) or words("honesty.of_product")
    note = words("word.sentence").join(dict.fromkeys(page.prose(e.note) for e in edges))
    cited = page.references.cite(r for e in edges for r in e.records)
    head = text(title or what, note=f"{what}, {product}" if title else product, head=True)
    return (head, strength, shown, text(basis), prose(note), Cell("", records=cited, kind="records"))


def _of_source(page: Page, key: str, name: str, strength: Cell) -> tuple[Cell, ...]:
    """The row of a number of the tissue that the cells come from, in place of the model's own."""
    words, product = page.words, page.result.products[key]
    own = page.result.model.sources[product.source_tissue][name]
    values = np.unique(facts.drawn(page.result)[f"{key}:source:{name}"])
    middle, low, high = (float(q) for q in np.quantile(values, [0.5, 0.025, 0.975]))
    tissue = words.known(f"tissue.{product.source_tissue}", product.source_tissue)
    return (
        text(name, note=tissue, head=True),
        strength,
        figure(words.estimate(middle, low, high, own.unit), middle, low, high),
        Cell(words(f"basis.{own.basis}"), kind=f"basis {own.basis}"),
        prose(page.prose(own.note)),
        Cell("", records=page.references.cite(own.records), kind="records"),
    )


def _processes(page: Page) -> Table:
    words, table = page.words, page.tables["processes"]
    products = list(page.result.mechanisms)
    rows = []
    for process in page.result.model.processes:
        own = {r.reading: r for r in facts.rows(table[table["process"] == process])}
        cells: list[Cell] = []
        for reading in ("animal", *(f"copies: {p}" for p in products)):
            r = own.get(reading)
            if r is None:
                cells.append(text(words("honesty.not_reached")))
                continue
            note = words.list(r.through.split()) if r.through else words.known(f"basis.{r.basis}", r.basis)
            page.references.cite(r.record.split())
            cells.append(figure(words.estimate(r.factor, r.low, r.high), r.factor, r.low, r.high, note=note))
        rows.append((text(words.known(f"process.{process}", process), note=process, head=True), *cells))
    names = [page.result.products[p].name for p in products]
    columns = (
        words("honesty.process"),
        words("honesty.animal"),
        *(words("honesty.by_copies", product=n) for n in names),
    )
    return Table("processes", words("honesty.processes_caption"), columns, tuple(rows), page.downloads("processes"))


def _edges(page: Page, key: str) -> Table | None:
    words, table = page.words, page.tables["edges"]
    table = table[table["product"] == key]
    if table.empty:
        return None
    rows = tuple(
        (
            text(r.mediator, head=True),
            text(r.target),
            text(words.known(f"process.{r.process}", r.process)),
            figure(words.estimate(r.factor, r.low, r.high), r.factor, r.low, r.high),
            Cell(words(f"basis.{r.basis}"), kind=f"basis {r.basis}"),
            prose(page.prose(r.note)),
            Cell("", records=page.references.cite(r.records.split()), kind="records"),
        )
        for r in facts.rows(table)
    )
    counts = page.result.mechanisms[key].counts()
    caption = words("honesty.edges_caption", product=page.result.products[key].name, **counts)
    columns = ("mediator_", "target", "process", "factor", "basis_column", "note")
    return Table(
        f"edges-{key}",
        caption,
        (*(words(f"honesty.{c}") for c in columns), words("page.source")),
        rows,
        page.downloads("edges"),
        numeric=frozenset({3}),
        wide=True,
    )


def _failures(page: Page) -> Table | str:
    words, table = page.words, page.tables["failures"]
    if table.empty:
        n = page.result.dataset.sizes
        counts = {"patients": n["patient"], "arms": n["arm"], "readings": n["reading"]}
        return words("honesty.failed_none", total=number(n["patient"] * n["arm"] * n["reading"]), **counts)
    rows = tuple(
        (
            text(words(f"reading.{r.reading}"), head=True),
            text(words.arm(r.arm)),
            text(words.known(f"stop.{r.reason}", r.reason)),
            figure(number(r.n), r.n),
        )
        for r in facts.rows(table)
    )
    columns = (words("honesty.reading"), words("outcome.arm"), words("honesty.reason"), words("honesty.number"))
    return Table(
        "failures", words("honesty.failed_caption"), columns, rows, page.downloads("failures"), numeric=frozenset({3})
    )


def _overrides(page: Page) -> Table | str:
    words, table = page.words, page.tables["overrides"]
    if table.empty:
        return words("honesty.overrides_none")
    rows = tuple(
        (text(r.parameter, head=True), text(r.value), figure(words.number(r.own_value, r.own_unit), r.own_value))
        for r in facts.rows(table)
    )
    columns = (words("honesty.parameter"), words("honesty.value"), words("honesty.own"))
    return Table(
        "overrides",
        words("honesty.overrides_caption"),
        columns,
        rows,
        page.downloads("overrides"),
        numeric=frozenset({1, 2}),
    )


def _parameters(page: Page) -> Table:
    words, model = page.words, page.result.model
    rows = tuple(
        (
            text(p.name, note=p.spread.text, head=True),
            figure(words.with_unit(tick(p.value), p.unit), p.value),
            text(words(f"level.{p.level}")),
            Cell(words(f"basis.{p.basis}"), kind=f"basis {p.basis}"),
            prose(page.prose(p.note)),
            Cell("", records=page.references.cite(p.records), kind="records"),
        )
        for p in model.parameters.values()
        if p.basis != "input"
    )
    columns = (
        *(words(f"honesty.{c}") for c in ("parameter", "value", "level", "basis_column", "note")),
        words("page.source"),
    )
    return Table(
        "parameters",
        words("honesty.parameters_caption", n=len(model.parameters) - len(rows)),
        columns,
        rows,
        page.downloads("parameters"),
        numeric=frozenset({1}),
        wide=True,
    )
