"""References, the paragraph for a methods section, versions and hashes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from exotwin.report import answer, facts
from exotwin.report.blocks import Cell, Table, text
from exotwin.report.numbers import number
from exotwin.report.sections.answer import given
from exotwin.report.wording import as_text

if TYPE_CHECKING:
    from exotwin.report.page import Page


def build(page: Page) -> dict[str, Any]:
    """To be called after all other sections, so that every record that they cite has been noted."""
    page.references.close()
    return {
        "references": page.references.entries,
        "unknown": [page.words("sources.not_found", id=name) for name in page.references.unknown],
        "methods": _methods(page),
        "versions": _versions(page),
    }


def _methods(page: Page) -> str:
    words, result = page.words, page.result
    study, model = result.study, result.model
    arms = []
    for arm in page.arms:
        key = "methods_arm" if study.arms[arm].treated else "methods_untreated"
        arms.append(words(f"sources.{key}", arm=words.arm(arm), gives=given(page, arm)))
    readings = [words("word.quoted", text=words(f"reading.{r}")) for r in facts.readings(result)]
    return words(
        "sources.methods_text",
        version=result.lock.get("exotwin", words("word.unknown")),
        condition=model.title_zh if words.language == "zh" and model.title_zh else model.title,
        species=words.known(f"species.{study.species}", study.species),
        digest=model.digest[:12],
        files=len(model.files),
        parameters=len(model.parameters),
        counts=words.counts(model.bases, "basis"),
        patients=number(result.screening.n_enrolled),
        screened=number(result.screening.n_screened),
        draws=study.population.n_draws,
        knowledge=sum(p.level == "knowledge" for p in model.parameters.values()),
        arms=words("word.semicolon").join(arms),
        readings=words.list(readings),
        main=readings[0],
        comparator=answer.comparator_name(result, words),
        times=words.list(words.time(d) for d in sorted({float(d) for d in result.endpoints["day"]})),
        rtol=number(study.solver.rtol),
        atol=words("sources.atol", atol=number(study.solver.atol)) if study.solver.atol else words("sources.atol_rule"),
        seed=study.seed,
    )


def _versions(page: Page) -> Table:
    words = page.words
    rows = tuple((text(name, head=True), Cell(value, kind="code")) for name, value in _flat(page.result.lock, words))
    columns = (words("sources.item"), words("sources.content"))
    return Table("versions", words("sources.versions_caption"), columns, rows)


def _flat(lock: Mapping[str, Any], words: Any, prefix: str = "") -> list[tuple[str, str]]:
    """The lock's entries, one a line, with the names of the tables that they stand in."""
    found: list[tuple[str, str]] = []
    for key, value in lock.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += _flat(value, words, f"{name}, ")
        else:
            found.append((name, as_text(value, words)))
    return found
