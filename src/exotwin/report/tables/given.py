"""Tables of what was given: doses, and what the laboratory measured on each product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exotwin.quantities import Z95
from exotwin.report import facts

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.trial import TrialResult


def doses(result: TrialResult) -> pd.DataFrame:
    """One row an arm, product or comparator. ``amount`` in ``unit`` is each dose, or the level that is held.

    ``days`` after enrolment: of the doses, or of start and stop.
    """
    import pandas as pd

    rows: list[tuple[object, ...]] = []
    for name in facts.arms(result):
        arm, added = result.study.arms[name], result.added.get(name, ())
        if not arm.treated:
            rows.append((name, "", "", "", None, "", "", 0, ""))
        if arm.give is not None:
            amount, unit = arm.amount
            days = " ".join(f"{d:g}" for d in arm.days)
            rows.append((name, arm.product, arm.give, arm.route, amount, unit, arm.schedule, len(arm.days), days))
        for held in added:
            c, stop = held.comparator, () if held.stop is None else (held.stop,)
            days = " ".join(f"{d:g}" for d in (*held.days, *stop))
            rows.append((name, c.name, c.kind, "", held.level, c.unit, "", len(held.days), days))
    columns = ["arm", "product", "form", "route", "amount", "unit", "schedule", "n_doses", "days"]
    return pd.DataFrame(rows, columns=columns)


def markers(result: TrialResult) -> pd.DataFrame:
    """Surface markers: share of positive cells with Wilson 95 % interval."""
    import pandas as pd

    columns = [
        "product",
        "marker",
        "channel",
        "side",
        "positive",
        "low",
        "high",
        "threshold",
        "n_cells",
        "control",
        "file",
    ]
    rows = [
        (
            name,
            m.marker,
            m.channel,
            m.side,
            m.positive.value,
            m.positive.low,
            m.positive.high,
            m.threshold,
            m.n_cells,
            m.control,
            m.file,
        )
        for name, product in result.products.items()
        for m in (product.cells.markers if product.cells else ())
    ]
    return pd.DataFrame(rows, columns=columns)


def criteria(result: TrialResult) -> pd.DataFrame:
    """The verdicts, criterion by criterion; ``records`` are ids."""
    import pandas as pd

    rows = [
        (name, v.standard, v.outcome, c.name, c.rule, c.measured, c.outcome, " ".join(c.records))
        for name, product in result.products.items()
        for v in product.verdicts
        for c in v.criteria
    ]
    columns = ["product", "standard", "verdict", "criterion", "rule", "measured", "outcome", "records"]
    return pd.DataFrame(rows, columns=columns)


def sizes(result: TrialResult) -> pd.DataFrame:
    """Size distributions: particles/mL in each bin, in the vial (dilution undone); a column for each capture."""
    import pandas as pd

    frames = []
    for name, product in result.products.items():
        if product.vesicles is None:
            continue
        size = product.vesicles.size
        captures = {f"capture_{n}_per_mL": row * size.dilution for n, row in enumerate(size.concentration, 1)}
        mean = size.curve * size.dilution
        frames.append(pd.DataFrame({"product": name, "diameter_nm": size.diameter_nm, "mean_per_mL": mean, **captures}))
    if not frames:
        return pd.DataFrame(columns=["product", "diameter_nm", "mean_per_mL"])
    return pd.concat(frames, ignore_index=True)


def cargo(result: TrialResult) -> pd.DataFrame:
    """Every measured miRNA: copies per vesicle with the 95 % interval of what is not known, most abundant first."""
    import pandas as pd

    rows = []
    for name, product in result.products.items():
        if product.vesicles is None or product.vesicles.cargo is None:
            continue
        wanted = result.model.mediators
        for m in product.vesicles.cargo.mediators.values():
            factor = 10 ** (Z95 * m.log10_sd)
            copies = m.copies_per_vesicle
            row = (name, m.name, m.share, copies, copies / factor, copies * factor, m.name in wanted, m.measured)
            rows.append((*row, " ".join(m.joined_with)))
    columns = ["product", "mediator", "share_of_reads", "copies_per_vesicle", "low", "high", "in_model", "measured"]
    table = pd.DataFrame(rows, columns=[*columns, "joined_with"])
    return table.sort_values(
        ["product", "copies_per_vesicle"], ascending=[True, False], ignore_index=True, kind="stable"
    )


def proteins(result: TrialResult) -> pd.DataFrame:
    """Every measured amount of a protein: as given, where it is, and copies per particle with their 95 % interval."""
    import pandas as pd

    rows = []
    for name, product in result.products.items():
        brought = result.mechanisms[name].copies_per_vesicle
        for p in product.proteins():
            factor, copies = 10 ** (Z95 * p.log10_sd), p.copies_per_vesicle
            span = (copies / factor, copies * factor)
            rows.append((name, p.name, p.amount, p.where, copies, *span, p.limit, p.name in brought))
    columns = ["product", "protein", "amount", "where", "copies_per_vesicle", "low", "high", "limit", "in_model"]
    return pd.DataFrame(rows, columns=columns)


def files(result: TrialResult) -> pd.DataFrame:
    """The files that the products were read from."""
    import pandas as pd

    rows = [(n, f.path, f.kind, f.read, f.sha256) for n, product in result.products.items() for f in product.files]
    return pd.DataFrame(rows, columns=["product", "file", "kind", "read", "sha256"])
