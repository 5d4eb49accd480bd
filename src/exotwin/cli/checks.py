"""What stands behind the models: validate, parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exotwin import console
from exotwin.cli.given import check_page, check_read
from exotwin.cli.root import Json, app, stoppable
from exotwin.errors import EvidenceError, InputError


@app.command()
def validate(
    modules: Annotated[
        list[str] | None,
        typer.Argument(
            help="Modules, such as ageing cells, or parts, such as frailty; default: all.", show_default=False
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Page to write.", show_default=False)] = None,
    language: Annotated[str, typer.Option("--language", "--lang", help="Language of the page: en or zh.")] = "en",
    check: Annotated[
        list[str] | None, typer.Option("--check", help="Only the check of this id, with all of it.", show_default=False)
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="A file of checks instead of exotwin's own.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Hold the models against published records: every check with its verdict, and what no check covers."""
    from exotwin import validation

    for path in file or ():
        check_read(path, "a YAML file of checks", "yaml", "yml")
    if html is not None:
        from exotwin.report import catalogue

        check_page(html)
        catalogue(language)  # an unknown one is told before the work
    elif language != "en":
        raise InputError("exotwin validate", found=f"--language {language}", expected="--html PAGE beside it")
    with stoppable("nothing was written"), console.Bar() as bar:
        board = validation.validate(modules or (), checks=check or (), files=file or (), progress=bar)
    if html is not None:
        from exotwin.report import write_scoreboard

        write_scoreboard(board, html, language=language)
    if json:
        console.show_json(board.as_dict())
    elif check:
        for one in board.checks:
            console.show_table(one.check.id, ["", ""], validation.details(one))
    else:
        from exotwin.cli.board import show

        show(board)
        if html is not None:
            console.out.print(f"Page: {html}", soft_wrap=True, markup=False)
    for fault in board.faults:
        console.show_fault(fault)
    if board.faults:
        raise typer.Exit(EvidenceError.exit_code)


@app.command()
def parameters(
    module: Annotated[str, typer.Argument(help="Module, species table or condition.", show_default=False)],
    species: Annotated[str, typer.Option(help="Only rows that hold for human, mouse or rat.")] = "",
    json: Json = False,
) -> None:
    """List the numbers of a module with spread, basis, records and fits, and the share of each basis."""
    from exotwin import validation

    table = validation.table_of(module, species=species)
    if json:
        console.show_json({"module": table.name, "parameters": table.rows, "shares": table.shares})
        return
    from exotwin.cli.listing import show

    show(table)
