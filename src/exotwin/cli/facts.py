"""Facts: claims, record."""

from __future__ import annotations

from typing import Annotated

import typer

from exotwin import console
from exotwin.cli.root import Json, app


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
