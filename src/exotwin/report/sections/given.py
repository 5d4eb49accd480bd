"""What was given: doses, the products as measured, their verdicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from exotwin.report import facts
from exotwin.report.blocks import Cell, Fact, Picture, Table, figure, text
from exotwin.report.figures import size
from exotwin.report.numbers import number, rough, tick
from exotwin.report.tables.given import doses

if TYPE_CHECKING:
    from exotwin.product import Product, Verdict
    from exotwin.quantities import Estimate
    from exotwin.report.page import Page
    from exotwin.report.wording import Words
    from exotwin.trial import Held

_MANY_DOSES = 6  # of a course, more than which are not listed
N_CARGO = 12  # rows of the cargo table on the page; the CSV has all


def build(page: Page) -> dict[str, Any]:
    """The doses, and for each product its facts, verdicts, markers, sizes, cargo, remarks and files."""
    return {"doses": _doses(page), "products": [_product(page, key, p) for key, p in page.result.products.items()]}


def _doses(page: Page) -> Table:
    words = page.words
    rows: list[tuple[Cell, ...]] = []
    before = ""
    for row in facts.rows(doses(page.result)):
        head = text(words.arm(row.arm) if row.arm != before else "", head=True)
        before = row.arm
        if not row.product:
            rows.append((head, text(words("given.nothing_given")), text(""), text(""), text("")))
        elif row.form in ("held", "course"):
            rows.append((head, *_comparator(page, row)))
        else:
            rows.append((head, *_of_product(page, row)))
    columns = tuple(words(f"given.dose_{c}") for c in ("arm", "product", "each", "route", "schedule"))
    return Table("doses", words("given.doses"), columns, tuple(rows), page.downloads("doses"), numeric=frozenset({2}))


def _of_product(page: Page, row: Any) -> tuple[Cell, ...]:
    words = page.words
    name, form = page.result.products[row.product].name, words(f"form.{row.form}")
    days = row.days.replace(" ", words("word.comma"))
    said, listed = words("answer.schedule", schedule=row.schedule, days=days), words("given.on_days", days=days)
    schedule = text(said, note=listed if listed != said else "")
    route = text(words.known(f"route.{row.route}", row.route))
    amount = figure(words.number(row.amount, row.unit), row.amount)
    return (text(name, note=form), amount, route, schedule)


def _comparator(page: Page, row: Any) -> tuple[Cell, ...]:
    words = page.words
    (held,) = (h for h in page.result.added[row.arm] if h.comparator.name == row.product and _days(h) == row.days)
    cited = page.references.cite(held.comparator.records)
    name = text(words.label(held.comparator), note=words(f"form.{row.form}"), records=cited)
    level = figure(words.with_unit(tick(row.amount), row.unit), row.amount)
    return (name, level, text(""), text(lasting(words, held)))


def _days(held: Held) -> str:
    return " ".join(f"{d:g}" for d in (*held.days, *(() if held.stop is None else (held.stop,))))


def lasting(words: Words, held: Held) -> str:
    """``from day 0 to day 183``, ``from day 0 on``, or the days of a course: first and last where they are many."""
    if held.comparator.kind == "course" and len(held.days) > _MANY_DOSES:
        first, last = number(held.days[0]), number(held.days[-1])
        return words("given.many_doses", n=len(held.days), first=first, last=last)
    if held.comparator.kind == "course":
        return words("given.on_days", days=words("word.comma").join(number(d) for d in held.days))
    start = number(held.days[0])
    return words("given.held", start=start, stop=number(held.stop)) if held.stop else words("given.on", start=start)


def _product(page: Page, key: str, product: Product) -> dict[str, Any]:
    words = page.words
    missing = []
    if product.cells is None:
        missing.append(words("given.no_cells", name=product.name))
    if product.vesicles is None:
        missing.append(words("given.no_vesicles", name=product.name))
    elif product.vesicles.cargo is None:
        missing.append(words("given.no_cargo", name=product.name))
    unmeasured = page.result.mechanisms[key].unmeasured if key in page.result.mechanisms else ()
    if unmeasured and not missing:
        missing.append(words("given.unmeasured", name=product.name, names=words.list(unmeasured)))
    return {
        "name": product.name,
        "facts": _facts(page, product),
        "verdicts": [_verdict(page, v) for v in product.verdicts],
        "markers": _markers(page, key, product),
        "sizes": _sizes(page, key, product),
        "cargo": _cargo(page, key, product),
        "proteins": _proteins(page, key, product),
        "missing": missing,
        "remarks": [page.prose(r) for r in product.remarks],
        "files": _files(page, product),
    }


def _facts(page: Page, product: Product) -> list[Fact]:
    words, vesicles, cells = page.words, product.vesicles, product.cells
    undeclared = words("given.not_declared")
    found = [
        Fact(
            words("given.tissue"),
            words(
                "given.source",
                tissue=words.known(f"tissue.{product.source_tissue}", product.source_tissue),
                species=words.known(f"donor.{product.species}", product.species),
            ),
        )
    ]
    if product.synthetic:
        found.append(Fact(words("given.synthetic"), words("given.synthetic_text")))
    if cells is not None:
        found.append(Fact(words("given.passage"), undeclared if cells.passage is None else str(cells.passage)))
        viability = undeclared if cells.viability is None else _share(page, cells.viability)
        found.append(Fact(words("given.viability"), viability))
    if vesicles is not None:
        per_mL, window, size_ = vesicles.particles_per_mL, vesicles.fraction_30_150, vesicles.size
        shown = words.estimate(per_mL.value, per_mL.low, per_mL.high)
        found.append(Fact(words("given.per_mL"), shown, values=(per_mL.value,)))
        per_vial = vesicles.particles_per_vial
        found.append(Fact(words("given.per_vial"), undeclared if per_vial is None else number(per_vial)))
        found.append(Fact(words("given.window"), _share(page, window)))
        diameters = " / ".join(number(d) for d in (size_.d10, size_.d50, size_.d90))
        found.append(Fact(words("given.diameters"), words.with_unit(diameters, "nm")))
        protein = vesicles.protein_ug_per_mL
        found.append(Fact(words("given.protein"), undeclared if protein is None else words.number(protein, "µg/mL")))
        purity = vesicles.particles_per_ug
        found.append(Fact(words("given.purity"), undeclared if purity is None else number(purity)))
        if vesicles.cargo is not None:
            found.append(Fact(words("given.reads"), number(vesicles.cargo.n_reads)))
    return found


def _share(page: Page, estimate: Estimate) -> str:
    return page.words.percent_estimate(estimate.value, estimate.low, estimate.high)


def _verdict(page: Page, verdict: Verdict) -> dict[str, Any]:
    words = page.words
    rows = tuple(
        (
            text(c.name, head=True),
            text(page.prose(c.rule)),
            text(page.prose(c.measured)),
            Cell(words(f"outcome_word.{c.outcome}"), kind=f"outcome {_slug(c.outcome)}"),
            Cell("", records=page.references.cite(c.records), kind="records"),
        )
        for c in verdict.criteria
    )
    columns = (*(words(f"given.{c}") for c in ("criterion", "rule", "found", "outcome")), words("page.source"))
    outcome = words(f"outcome_word.{verdict.outcome}")
    caption = words(
        "given.verdict_caption",
        standard=verdict.standard,
        outcome=outcome,
        summary=words.first(page.prose(verdict.summary)),
    )
    table = Table(f"verdict-{_slug(verdict.standard)}", caption, columns, rows, page.downloads("criteria"))
    return {"standard": verdict.standard, "outcome": outcome, "kind": _slug(verdict.outcome), "table": table}


def _markers(page: Page, key: str, product: Product) -> Table | None:
    if product.cells is None or not product.cells.markers:
        return None
    words = page.words
    rows = tuple(
        (
            text(m.marker, head=True),
            text(words(f"given.{m.side}")),
            figure(
                _share(page, m.positive),
                m.positive.value,
                *(v for v in (m.positive.low, m.positive.high) if v is not None),
            ),
            figure(number(m.n_cells), m.n_cells),
            text(m.channel),
            figure(number(m.threshold), m.threshold),
            text(m.file, note=words("given.against", control=m.control)),
        )
        for m in product.cells.markers
    )
    columns = tuple(
        words(f"given.{c}") for c in ("marker", "wanted", "share", "events", "channel", "threshold", "file")
    )
    return Table(
        f"markers-{key}",
        words("given.marker_caption"),
        columns,
        rows,
        page.downloads("markers"),
        numeric=frozenset({2, 3, 5}),
    )


def _sizes(page: Page, key: str, product: Product) -> Picture | None:
    if product.vesicles is None:
        return None
    vesicles = product.vesicles
    caption = page.words(
        "given.size_caption",
        name=product.name,
        instrument=vesicles.size.instrument or page.words("word.unknown"),
        captures=vesicles.size.n_captures,
        fraction=_share(page, vesicles.fraction_30_150),
    )
    return page.picture(size.draw(key, product, page.words, page.tables["sizes"]), caption, "sizes")


def _cargo(page: Page, key: str, product: Product) -> Table | None:
    if product.vesicles is None or product.vesicles.cargo is None:
        return None
    words, cargo = page.words, product.vesicles.cargo
    table = page.tables["cargo"]
    table = table[(table["product"] == key) & table["measured"]]
    shown = table.sort_values("in_model", ascending=False, kind="stable").head(N_CARGO)
    rows = tuple(
        (
            text(r.mediator, head=True, note=words("given.joined", names=r.joined_with) if r.joined_with else ""),
            figure(words.percent(r.share_of_reads), r.share_of_reads),
            figure(words.estimate(r.copies_per_vesicle, r.low, r.high), r.copies_per_vesicle, r.low, r.high),
            figure(_per_copy(r.copies_per_vesicle), r.copies_per_vesicle),
            text(words("word.yes") if r.in_model else ""),
        )
        for r in facts.rows(shown)
    )
    columns = tuple(words(f"given.{c}") for c in ("mediator", "reads_share", "copies", "vesicles_per_copy", "in_model"))
    caption = words(
        "given.cargo_caption",
        name=product.name,
        n=len(rows),
        total=len(table),
        unknown=len(cargo.unknown),
        basis=page.prose(cargo.basis),
    )
    return Table(f"cargo-{key}", caption, columns, rows, page.downloads("cargo"), numeric=frozenset({1, 2, 3}))


def _proteins(page: Page, key: str, product: Product) -> Table | None:
    if product.vesicles is None or product.vesicles.proteins is None:
        return None
    words, held = page.words, product.vesicles.proteins
    table = page.tables["proteins"]
    table = table[table["product"] == key]
    shown = table.sort_values("in_model", ascending=False, kind="stable").head(N_CARGO)
    rows = tuple(
        (
            text(r.protein, head=True),
            text(r.amount),
            text(words(f"given.place_{r.where.replace(' ', '_')}")),
            figure(_protein_copies(page, r), r.copies_per_vesicle, r.low, r.high),
            text(words("word.yes") if r.in_model else ""),
        )
        for r in facts.rows(shown)
    )
    columns = tuple(words(f"given.{c}") for c in ("protein_name", "amount", "place", "copies", "in_model"))
    caption = words(
        "given.proteins_caption",
        name=product.name,
        n=len(rows),
        total=len(table),
        unknown=len(held.unknown),
        basis=page.prose(held.basis),
    )
    return Table(f"proteins-{key}", caption, columns, rows, page.downloads("proteins"), numeric=frozenset({3}))


def _protein_copies(page: Page, row: Any) -> str:
    if row.copies_per_vesicle == 0:
        below = "" if math.isnan(row.limit) else f" (< {number(row.limit, digits=2)})"
        return page.words("given.none_found") + below
    return page.words.estimate(row.copies_per_vesicle, row.low, row.high)


def _per_copy(copies: float) -> str:
    return rough(1 / copies) if copies > 0 and not math.isnan(copies) else number(math.nan)


def _files(page: Page, product: Product) -> Table:
    words = page.words
    rows = tuple(
        (text(f.path, head=True), text(f.kind), text(f.read), Cell(f.sha256[:12], kind="code")) for f in product.files
    )
    columns = tuple(words(f"given.{c}") for c in ("file", "kind", "read", "digest"))
    caption = words("given.files_caption", name=product.name)
    return Table("files", caption, columns, rows, page.downloads("files"))


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
