"""The command line: each command reads, calls one room, prints or writes. Exit codes: 0 done, 1 failed, 2 bad input."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer

from exotwin import __version__, console
from exotwin.errors import ExotwinError, InputError, NotBuiltYet, StudyError, nearest

app = typer.Typer(
    name="exotwin",
    help="In-silico laboratory for MSC and MSC-exosome therapy against ageing. A research tool, not medical advice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"exotwin {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


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

    began = time.perf_counter()
    try:
        with console.Bar() as bar:
            result = run_study(study, out=out, language=language, n_threads=threads, progress=bar)
    except KeyboardInterrupt:
        console.err.print("stopped; finished chunks are kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    seconds = time.perf_counter() - began
    if json:
        console.show_json({"report": out / "report.html", "seconds": seconds, "endpoints": _records(result.endpoints)})
        return
    title, *lines = result.trial.summary()
    effects = result.trial.effects()
    cells = [(*names, *words) for names, words in zip(effects.index, effects.itertuples(index=False), strict=True)]
    against = f"Against {result.trial.study.comparator}: effect (95 % interval) and probability of being better."
    console.show_table(title, ["endpoint", "arm", *effects.columns], cells, caption=against)
    for line in lines:
        console.out.print(line, markup=False)
    console.out.print(f"{seconds:.1f} s. Report: {out / 'report.html'}", soft_wrap=True, markup=False)


@app.command()
def product(
    file: Annotated[Path, typer.Argument(help="Product file (TOML).", show_default=False)], json: Json = False
) -> None:
    """Read a product's instrument files and judge it against ISCT 2006 and MISEV2023."""
    from exotwin.product import Product

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
        _write(out, built.antimony if out.suffix == ".ant" else built.sbml)
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
def claims(
    claim: Annotated[
        str | None, typer.Argument(help="One claim, such as POI-2; default: all.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """List the claims with the module that holds each and its records, or `not modelled yet`."""
    from exotwin import evidence

    if claim is not None:
        one = evidence.claim(claim)
        facts = [evidence.record(r) for r in one.records]
        if json:
            console.show_json(one)
            return
        rows = [("says", one.text), ("", one.text_zh), ("status", one.status), ("module", one.module)]
        console.show_table(one.id, ["", ""], [*rows, ("how", one.how), ("missing", one.missing)])
        cells = [(r.id, r.kind, "yes" if r.seen else "no", r.what) for r in facts]
        console.show_table(f"Records ({len(facts)})", ["record", "kind", "seen", "what"], cells)
        return
    listed = evidence.claims()
    if json:
        console.show_json(listed)
        return
    cells4 = [(c.id, c.status, c.module, f"{len(c.records)}", c.text) for c in listed]
    held = sum(c.module != "not modelled yet" for c in listed)
    caption = f"{held} of {len(listed)} have a module. None is judged yet: supported or contradicted comes with checks."
    console.show_table("Claims", ["claim", "status", "module", "records", "what it says"], cells4, caption=caption)


@app.command()
def record(name: Annotated[str, typer.Argument(help="Record id.", show_default=False)], json: Json = False) -> None:
    """Show one evidence record with its source."""
    from exotwin import evidence

    found = evidence.record(name)
    if json:
        console.show_json(found.model_dump())
        return
    rows = [
        (key, str(value)) for key, value in found.model_dump(exclude={"source"}).items() if value not in ("", None, [])
    ]
    console.show_table(found.id, ["", ""], [*rows, ("source", evidence.bibliography([found.id])[0])])


@app.command()
def calibrate(
    name: Annotated[str | None, typer.Argument(help="Calibration; default: list them.", show_default=False)] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Refit all, or the one named; fail where a table differs.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Refit and show, but write no table.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the fit's page and tables.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Refit one of exotwin's own calibrations and write value, error and identifiability into the parameter table.

    Without a name, list them.
    """
    from exotwin import calibration

    if name is None and not check and (dry_run or out is not None):
        raise InputError("exotwin calibrate", found="no name of a calibration", expected="one of `exotwin calibrate`")
    if check and (dry_run or out is not None):
        raise InputError(
            "exotwin calibrate --check", found="--dry-run or -o", expected="--check alone: it writes nothing"
        )
    if out is not None:
        _check_folder(out)

    if check:
        with console.Bar() as bar:
            drifts = calibration.check(names=() if name is None else (name,), progress=bar)
        if json:
            console.show_json(drifts)
        else:
            for drift in drifts:
                console.out.print(str(drift), markup=False, soft_wrap=True)
            if not drifts:
                console.out.print("every fitted number is what its calibration gives")
        if drifts:
            raise ExotwinError("exotwin calibrate --check", found=f"{len(drifts)} that differ", expected="none")
        return
    if name is None:
        from exotwin.calibration.own import read_definition

        known = [read_definition(each) for each in calibration.calibrations()]
        if json:
            told = [{"name": k.name, "title": k.title, "writes": [t.label for t in k.targets]} for k in known]
            console.show_json(told)
        else:
            rows = [(k.name, k.title, ", ".join(t.name for t in k.targets)) for k in known]
            console.show_table("Calibrations", ["name", "what is fitted", "numbers that it writes"], rows)
        return
    try:
        with console.Bar() as bar:
            found = calibration.calibrate(name, progress=bar)
    except KeyboardInterrupt:
        console.err.print("stopped; nothing was written")
        raise typer.Exit(130) from None
    if out is not None:
        from exotwin.report import write_fit

        write_fit(found.fit, out)
    written = () if dry_run else found.write()
    if json:
        console.show_json({"estimates": found.estimates, "comparisons": found.comparisons, "written": written})
        return
    console.out.print(found.summary(), markup=False, soft_wrap=True)
    for path in written:
        console.out.print(f"written: {path}", markup=False, soft_wrap=True)


@app.command()
def example(folder: Annotated[Path, typer.Argument(help="New folder to write into.", show_default=False)]) -> None:
    """Write the example study and its (synthetic) product, to start from."""
    if folder.exists():
        raise StudyError(f"folder {folder}", found="something that exists already", expected="a new folder")
    with as_file(files("exotwin") / "examples") as source:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    study = shlex.quote(str(folder / "poi-umbilical.toml"))
    console.out.print(f"{folder}\nexotwin run {study} -o out", markup=False, soft_wrap=True)


@app.command(name="app")
def serve(
    folder: Annotated[Path, typer.Argument(help="Results of `exotwin run`.", show_default=False)],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this computer; 0 picks a free one.")] = 0,
) -> None:
    """Look at results in the browser (needs the extra `app`)."""
    from exotwin.app import serve as serve_folder

    serve_folder(folder, port=port)


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
        _even_times(start, duration, steps),
        outputs=_names(output),
        amounts=_names(amount),
        concentrations=_names(concentration),
        given=dict(_assignment(words) for words in set_ or ()),
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
    )
    done = time.perf_counter()
    if csv is not None:
        _write(csv, "".join(found.csv()))
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


@app.command()
def fit(
    problem: Annotated[Path, typer.Argument(help="PEtab problem (YAML).", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Folder for the results; what is finished is kept there, for the same command to go on."
        ),
    ] = None,
    evaluate: Annotated[bool, typer.Option("--evaluate", help="Only simulate, at the nominal parameters.")] = False,
    starts: Annotated[int, typer.Option(min=1, help="Local searches.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the starts and of the sampler.")] = 1,
    profiles: Annotated[str, typer.Option(help="Parameters to profile: all, none, or a,b.")] = "all",
    samples: Annotated[int, typer.Option(min=0, help="Draws from the posterior; 0: none.")] = 0,
    rtol: Annotated[float, typer.Option(help="Relative tolerance of simulations.")] = 1e-8,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps of a simulation before it counts as failed.")] = 10_000,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; default: all cores.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Fit a PEtab problem: many starts at once, profiles, a page; an interrupted fit goes on where it stopped."""
    from exotwin import calibration

    _check_problem(problem)
    if out is not None:
        _check_folder(out)
    wanted = None if profiles.strip() == "all" else [] if profiles.strip() == "none" else _names(profiles)
    if wanted == [] and profiles.strip() != "none":
        raise InputError("--profiles", found="no name", expected="all, none, or names of parameters: a,b")
    found = calibration.read(problem)
    if evaluate:
        _evaluate(found, out, json=json, rtol=rtol, max_steps=max_steps, n_threads=threads)
        return
    if out is None:
        raise InputError("exotwin fit", found="no folder for the results", expected="-o FOLDER, or --evaluate")
    try:
        with console.Bar() as bar:
            result = calibration.fit(
                found,
                starts=starts,
                seed=seed,
                profiles=wanted,
                draws=samples,
                rtol=rtol,
                max_steps=max_steps,
                n_threads=threads,
                folder=out,
                progress=bar,
            )
    except KeyboardInterrupt:
        console.err.print("stopped; what is finished is kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    from exotwin.report import write_fit

    write_fit(result, out)
    if json:
        sys.stdout.write((out / "fit.json").read_text("utf-8"))
    else:
        console.out.print(result.summary(), markup=False, soft_wrap=True)
        for remark in result.samples.remarks if result.samples else ():
            console.out.print(f"  samples: {remark}", markup=False, soft_wrap=True)
        console.out.print(
            f"{sum(result.seconds.values()):.1f} s. Page: {out / 'fit.html'}", soft_wrap=True, markup=False
        )
    if result.curvature is None:
        raise ExotwinError(f"{problem}", found=result.remarks[-1], expected="a start that can be simulated")


def _evaluate(problem: Any, out: Path | None, *, json: bool, **options: Any) -> None:
    from exotwin import calibration

    found = calibration.evaluate(problem, **options)
    if out is not None and found.outcome == "ok":
        from exotwin.report import write_simulation

        out.mkdir(parents=True, exist_ok=True)
        write_simulation(problem, found.evaluation, out / "simulation.tsv")
    if json:
        told = {"log_likelihood": found.log_likelihood, "simulations": found.simulations, "outcome": found.outcome}
        console.show_json(told)
    else:
        plural = "" if found.simulations == 1 else "s"
        words = f"log-likelihood {found.log_likelihood:.12g}, {found.simulations} simulation{plural}"
        console.out.print(words, markup=False)
    if found.outcome != "ok":
        raise ExotwinError(f"{problem.name}", found=found.outcome, expected="a likelihood at the nominal parameters")


@app.command()
def validate() -> None:
    """Hold every module against its records (not built yet)."""
    raise NotBuiltYet(
        "exotwin validate", found="no scoreboard in this version", expected="`exotwin claims` and each module's page"
    )


def main() -> None:
    """Entry point: an error becomes one message and an exit code, never a traceback."""
    try:
        app()
    except ExotwinError as error:
        console.show_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk, a folder without permission: nothing that a traceback would explain
        found = error.strerror or str(error)
        where = f"file or folder {error.filename}" if error.filename else "exotwin"
        console.show_error(ExotwinError(where, found=found, expected="a place that can be read and written, with room"))
        sys.exit(ExotwinError.exit_code)


def _names(words: str) -> list[str]:
    return [name.strip() for name in words.split(",") if name.strip()]


def _assignment(words: str) -> tuple[str, float]:
    name, sign, number = words.partition("=")
    expected = "a name and a number, such as k=0.3"
    if not (name.strip() and sign):
        raise InputError(f"--set {words}", found="no name" if sign else 'no "="', expected=expected)
    try:
        return name.strip(), float(number)
    except ValueError as error:
        raise InputError(f"--set {words}", found=f'the number "{number}"', expected=expected) from error


def _even_times(start: float, duration: float, steps: int) -> Any:
    import numpy as np

    if not (abs(start) < float("inf") and 0 < duration < float("inf")):
        raise InputError(
            f"--start {start:g} --duration {duration:g}", found="no span", expected="a duration above zero"
        )
    return np.linspace(start, start + duration, steps + 1)


def _check_folder(path: Path) -> None:
    """Of results: it may exist or be made, but nothing on the way to it may be a file."""
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        found = "a file" if there == path else f"{there.name}, which is a file"
        raise InputError(f"folder {path}", found=found, expected="a folder, or a new name")


def _check_problem(path: Path) -> None:
    """A folder, or a name that is missing, is told with the YAML files that lie there."""
    if path.is_file():
        return
    beside = path if path.is_dir() else path.parent
    there = sorted(each.name for each in (*beside.glob("*.yaml"), *beside.glob("*.yml")))
    near = nearest(path.name, there) or (there[0] if len(there) == 1 else None)
    found = "a folder" if path.is_dir() else "no such file"
    raise InputError(str(path), found=found, expected="the YAML file of a PEtab problem", nearest=near)


def _write(path: Path, text: str) -> None:
    if not path.parent.is_dir():
        folder = str(path.parent)
        raise InputError(f"file {path}", found=f"no folder {folder}", expected="a folder that exists")
    if path.is_dir():
        raise InputError(f"file {path}", found="a folder", expected="the name of a file in it")
    path = path.resolve()  # what a link points to is written, and the link stays
    if path.exists() and not path.is_file():  # a pipe or a device, such as /dev/stdout
        path.write_text(text, encoding="utf-8")
        return
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _records(table: Any) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict(orient="records")]
