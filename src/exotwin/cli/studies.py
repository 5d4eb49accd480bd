"""Studies and products: run, product, example, app."""

from __future__ import annotations

import shlex
import shutil
import time
from importlib.resources import as_file, files
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

import typer

from exotwin import console
from exotwin.cli.given import check_page, check_read
from exotwin.cli.root import Json, Out, app, stoppable
from exotwin.errors import StudyError


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).", show_default=False)],
    out: Out,
    language: Annotated[str, typer.Option(help="Language of the report: en or zh.")] = "en",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; default: all cores.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Simulate a study and write results, report and figures; an interrupted run goes on where it stopped."""
    from exotwin.result import run as run_study

    check_read(study, "the TOML file of a study", "toml")
    began = time.perf_counter()
    with stoppable("finished chunks are kept, and the same command goes on from there"), console.Bar() as bar:
        result = run_study(study, out=out, language=language, n_threads=threads, progress=bar)
    seconds = time.perf_counter() - began
    if json:
        console.show_json({"report": out / "report.html", "seconds": seconds, "endpoints": _records(result.endpoints)})
        return
    from exotwin.cli.effects import show

    show(result.trial)
    console.out.print(f"{seconds:.1f} s. Report: {out / 'report.html'}", soft_wrap=True, markup=False)


@app.command()
def product(
    file: Annotated[Path, typer.Argument(help="Product file (TOML).", show_default=False)], json: Json = False
) -> None:
    """Read a product's instrument files and judge it against ISCT 2006 and MISEV2023."""
    from exotwin.product import Product

    check_read(file, "the TOML file of a product", "toml")
    lot = Product.from_toml(file)
    if json:
        console.show_json(lot.as_dict())
        return
    console.out.print(lot.summary(), markup=False)
    for verdict in lot.verdicts:
        rows = [(c.outcome, c.name, c.rule, c.measured) for c in verdict.criteria]
        console.show_table(f"{verdict.standard}: {verdict.outcome}", ["outcome", "criterion", "rule", "measured"], rows)
    for remark in lot.remarks:
        console.out.print(f"- {remark}", markup=False)


@app.command(epilog='Example: exotwin stoichiometry start/umbilical/product.toml --dose "1e11 particles" -o page.html')
def stoichiometry(
    product: Annotated[Path, typer.Argument(help="Product file (TOML).", show_default=False)],
    dose: Annotated[
        str | None,
        typer.Option(
            help='Such as "1e11 particles", "1e9 particles/kg", "0.5 mL"; default: the whole vial.', show_default=False
        ),
    ] = None,
    route: Annotated[str, typer.Option(help="By which the condition takes vesicles.")] = "intravenous",
    condition: Annotated[str, typer.Option(help="Whose target cells and mediators.")] = "poi",
    species: Annotated[str, typer.Option(help="human, mouse or rat.")] = "human",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Page to write (HTML).", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Count the copies of each miRNA that a dose of vesicles brings to a cell, against the copies that it needs."""
    from exotwin.product import Product
    from exotwin.report.stoichiometry import as_document, as_text, write_page
    from exotwin.report.stoichiometry import stoichiometry as count

    check_read(product, "the TOML file of a product", "toml")
    if out is not None:
        check_page(out)
    with stoppable("nothing was written"), console.Bar() as bar:
        bar.start("reading the product", 2 if out is None else 3)
        lot = Product.from_toml(product)
        bar.advance()
        bar.note("counting copies")
        found = count(lot, dose=dose, route=route, condition=condition, species=species)
        bar.advance()
        if out is not None:
            bar.note("writing the page")
            write_page(found, out)
    if json:
        console.show_json(as_document(found))
        return
    console.out.print(as_text(found), markup=False, soft_wrap=True)
    if out is not None:
        console.out.print(f"Page: {out}", markup=False, soft_wrap=True)


@app.command()
def example(folder: Annotated[Path, typer.Argument(help="New folder to write into.", show_default=False)]) -> None:
    """Write the example studies and their (synthetic) product, to start from."""
    if folder.exists():
        raise StudyError(f"folder {folder}", found="something that exists already", expected="a new folder")
    with as_file(files("exotwin") / "examples") as source:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for study in sorted(folder.glob("*.toml"), reverse=True):
        command = f"exotwin run {shlex.quote(str(study))} -o {shlex.quote(str(folder / 'out' / study.stem))}"
        console.out.print(f"{study}\n  {_about(study)}\n  {command}", markup=False, soft_wrap=True)
    product = shlex.quote(str(folder / "umbilical" / "product.toml"))
    console.out.print(f"Their product: exotwin product {product}", markup=False, soft_wrap=True)


def _about(study: Path) -> str:
    """What a study of the examples shows: its first comment, to the line of how to run it."""
    lines = study.read_text(encoding="utf-8").splitlines()
    return " ".join(line.lstrip("# ") for line in takewhile(lambda line: "Run it:" not in line, lines))


@app.command(name="app")
def serve(
    folder: Annotated[Path, typer.Argument(help="Results of `exotwin run`.", show_default=False)],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this computer; 0 picks a free one.")] = 0,
) -> None:
    """Look at results in the browser (needs the extra `app`)."""
    from exotwin.app import serve as serve_folder

    serve_folder(folder, port=port)


def _records(table: Any) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict(orient="records")]
