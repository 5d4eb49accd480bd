"""Models: model, simulate."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from exotwin import console
from exotwin.cli.given import assignment, even_times, names, write
from exotwin.cli.root import Json, app
from exotwin.errors import ExotwinError


@app.command()
def model(
    condition: Annotated[str, typer.Argument(help="Condition, such as poi.", show_default=False)],
    species: Annotated[str, typer.Option(help="human, mouse or rat.")] = "human",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File to write; .ant for Antimony, else SBML.")
    ] = None,
    json: Json = False,
) -> None:
    """Assemble a condition's model: write it as SBML or Antimony, or list its parameters with their sources."""
    from exotwin.biology import assemble

    built = assemble(condition, species)
    if out is not None:
        write(out, built.antimony if out.suffix == ".ant" else built.sbml)
    rows = list(built.parameters.values())
    if json:
        console.show_json(
            {"condition": built.condition, "species": built.species, "digest": built.digest, "parameters": rows}
        )
    elif out is not None:
        console.out.print(f"{built.summary()}\n{out}", markup=False, soft_wrap=True)
    else:
        columns = ["parameter", "value", "unit", "level", "basis", "record"]
        cells = [(p.name, f"{p.value:.6g}", p.unit, p.level, p.basis, p.record) for p in rows]
        console.show_table(built.summary(), columns, cells)


@app.command()
def simulate(
    model: Annotated[Path, typer.Argument(help="SBML file.", show_default=False)],
    duration: Annotated[float, typer.Option(help="Length of the run, in the model's unit of time.")],
    start: Annotated[float, typer.Option(help="Time of the model's initial values.")] = 0.0,
    steps: Annotated[int, typer.Option(min=1, max=10_000_000, help="Even intervals between rows.")] = 100,
    rtol: Annotated[float, typer.Option(help="Relative tolerance.")] = 1e-6,
    atol: Annotated[
        float | None, typer.Option(help="Absolute tolerance; default: by size.", show_default=False)
    ] = None,
    output: Annotated[
        str,
        typer.Option("-o", "--output", help="Names, as the model means them: a,b; default: all.", show_default=False),
    ] = "",
    amount: Annotated[str, typer.Option(help="Species whose amount is wanted: a,b.", show_default=False)] = "",
    concentration: Annotated[
        str, typer.Option(help="Species whose concentration is wanted: a,b.", show_default=False)
    ] = "",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value: k=0.3. May be repeated.", show_default=False)
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="File to write; default: print.", show_default=False)] = None,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps tried before the run is given up.")] = 1_000_000,
    json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON instead of the table.")] = False,
) -> None:
    """Simulate any SBML model: a table of time and of what the model names, as CSV."""
    from exotwin.engine import course, load

    began = time.perf_counter()
    compiled = load(model)
    loaded = time.perf_counter()
    found = course(
        compiled,
        even_times(start, duration, steps),
        outputs=names(output),
        amounts=names(amount),
        concentrations=names(concentration),
        given=dict(assignment(words) for words in set_ or ()),
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
    )
    done = time.perf_counter()
    if csv is not None:
        write(csv, "".join(found.csv()))
    if json:
        seconds = {"load": loaded - began, "simulate": done - loaded}
        summary = {name: getattr(found, name) for name in ("outcome", "failed_at", "steps", "rejected", "columns")}
        console.show_json({"model": compiled.title, **summary, "remarks": compiled.remarks, "seconds": seconds})
    elif csv is None:
        sys.stdout.writelines(found.csv())
    if not json:
        for remark in compiled.remarks:
            console.err.print(f"- {remark}", markup=False)
    if found.outcome != "ok":
        raise ExotwinError(
            f"{model}",
            found=f"{found.outcome} at time {found.failed_at:g}; what lies behind is nan",
            expected="a whole run",
        )
