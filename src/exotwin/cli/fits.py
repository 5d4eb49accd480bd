"""Fits: fit, calibrate."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from exotwin import console
from exotwin.cli.given import check_folder, check_read, names
from exotwin.cli.root import Json, app, stoppable
from exotwin.errors import ExotwinError, InputError


@app.command()
def fit(
    context: typer.Context,
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

    check_read(problem, "the YAML file of a PEtab problem", "yaml", "yml")
    if out is not None:
        check_folder(out)
    wanted = None if profiles.strip() == "all" else [] if profiles.strip() == "none" else names(profiles)
    if wanted == [] and profiles.strip() != "none":
        raise InputError("--profiles", found="no name", expected="all, none, or names of parameters: a,b")
    found = calibration.read(problem)
    if evaluate:
        _refuse(context, "fit --evaluate", ("starts", "seed", "profiles", "samples"))
        _evaluate(found, out, json=json, rtol=rtol, max_steps=max_steps, n_threads=threads)
        return
    if out is None:
        raise InputError("exotwin fit", found="no folder for the results", expected="-o FOLDER, or --evaluate")
    with stoppable("what is finished is kept, and the same command goes on from there"), console.Bar() as bar:
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


def _refuse(context: typer.Context, command: str, options: Iterable[str]) -> None:
    """Options that were given and would do nothing."""
    sources = {option: context.get_parameter_source(option) for option in options}
    given = [option for option, source in sources.items() if source is not None and source.name != "DEFAULT"]
    if given:
        told = " and ".join(f"--{option}" for option in given)
        raise InputError(f"exotwin {command}", found=told, expected="only options that a simulation has use for")


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
        check_folder(out)

    if check:
        with stoppable("nothing was written"), console.Bar() as bar:
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
    with stoppable("nothing was written"), console.Bar() as bar:
        found = calibration.calibrate(name, progress=bar)
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
