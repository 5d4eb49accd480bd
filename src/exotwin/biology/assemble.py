"""Joins the modules of a condition into one flat model, for one species.

Conventions of the module files (``modules/NAME.ant``, ``conditions/NAME.ant``, ``species/physiology.ant``)

- ``model NAME`` … ``end``; the comment above it is the header and is kept. One or more statements a line, ``//`` before
  comments; an equation that goes on in the next line ends with a backslash (a newline ends it otherwise). No prefixes:
  a symbol means the same in all modules.
- ``// inputs`` opens the list of symbols that others own, one ``name = value unit;`` a line with its neutral value; the
  first blank line closes it. When another module, a table or the effect equations define the symbol, the line is
  dropped; otherwise it stays. A symbol that two modules define is an error.
- Numbers come from the table beside the module. In equations only 0, 1, 2 … of pure mathematics (``ln(2)``, exponents)
  and conversions with their unit (``time / 365.25 day_per_year``) may stand; a bare number is dimensionless.
- Units: ``symbol has unit_id;`` for everything that a rule or rate defines. An id is the unit's text with ``/`` as
  ``_per_``, ``*`` as ``_`` and powers without ``^``: ``1/day`` = ``per_day``, ``particle/mL/day`` =
  ``particle_per_mL_per_day``, ``cm^2`` = ``cm2``. Units of table rows need no ``has``. Definitions are written here.
- Counted amounts that flow (cells, vesicles) are ``substanceOnly species X in body; X = 0; X has cell;`` moved by
  ``label: A => B; rate;`` in items a day. ``compartment body`` is written here. Everything else with a rate of its own
  (hormones, burdens, follicles too where they are only counted) may be a parameter with ``x' = …; x has unit;``.
- ``// per mediator`` … ``// end per mediator`` is repeated for each miRNA of the condition with the word ``mediator``
  in symbols replaced by its id (``copies_mediator`` → ``copies_mir_21_5p``); ``// per tissue`` … ``// end per tissue``
  for each tissue (``vesicles_tissue`` → ``vesicles_ovary``); ``// per intracellular`` and ``// per extracellular`` for
  each protein that acts there (``copies_extracellular`` → ``copies_vegfa``). A block may stand within an equation, for
  sums. Table rows with such a word are repeated likewise; a row with the id itself takes the place of the repeated one.
  What stands between ``// with brain`` and ``// end with brain`` is kept where the condition follows that tissue.
- The word ``target`` in a symbol means the condition's target tissue: ``cells_target`` → ``cells_ovary``.
- Time is in days; 0 is enrolment. The input ``run_in`` (day) is filled from the condition's page. Organ volumes and
  flows and ``body_weight`` come from ``species/physiology``, masses and perfusions of tissues from ``species/tissues``.

The effect equations, and the rule by which mediators combine, stand in `effects`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from exotwin.biology import sbml_units
from exotwin.biology.comparators import check_comparators, read_comparators
from exotwin.biology.effects import SYSTEMIC_RESPONSE
from exotwin.biology.effects import effects as effect_equations
from exotwin.biology.model import Model, Noise, Observable
from exotwin.biology.module import Line, Module, Names, code, read_module
from exotwin.biology.observables import Condition, mediator_id, read_condition, species_in
from exotwin.biology.parameters import Parameter, Spread, read_parameters
from exotwin.biology.sbml import Translated, to_sbml
from exotwin.biology.sources import read_sources
from exotwin.errors import BiologyError, nearest

SHIPPED = Path(__file__).parent
_BODY = "compartment body = 1 litre;"
_PROTEINS = "proteins"
_SITES = {"inside": "intracellular", "outside": "extracellular"}  # where a protein acts -> word of its blocks
_NO_PROTEINS: Mapping[str, str] = MappingProxyType({})
_UNIT_AFTER_HAS = re.compile(r"\bhas\s+([A-Za-z]\w*)")
_UNIT_AFTER_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s+([A-Za-z]\w*)")
_SBML_NAMES = ("item", "litre", "dimensionless", "second", "metre", "mole", "gram", "kilogram")


def conditions(*, root: Path = SHIPPED) -> tuple[str, ...]:
    """Names of the conditions that can be assembled."""
    return tuple(sorted(p.stem for p in (root / "conditions").glob("*.toml")))


def species_of(condition: str, *, root: Path = SHIPPED) -> tuple[str, ...]:
    """Species for which a condition can be assembled.

    Raises
    ------
    BiologyError : a condition that does not exist.
    """
    return species_in(_page(condition, root))


def assemble(
    condition: str,
    species: str,
    *,
    modules: Sequence[str] = (),
    infused: Sequence[str] = (),
    proteins: Mapping[str, str] = _NO_PROTEINS,
    combination: str = "bliss",
    root: Path = SHIPPED,
) -> Model:
    """Join the modules of a condition into one checked model for a species.

    Parameters
    ----------
    condition, species : such as "poi" and "human".
    modules : join these alone ("ageing", "physiology", or the condition itself), with the numbers that they name, such
        as the target tissue's, from the condition's table. Such a part offers no observables, doses or endpoints.
    infused : states that the model itself fills, for those who read its SBML alone: each gets a rate that brings
        ``infused_STATE`` (0) between ``infusion_begin`` (day 0) and ``infusion_begin + infusion_time`` (0.01 day).
    proteins : gene symbol -> where it acts on a cell, "inside" or "outside": proteins that a product brings. With some,
        the module ``proteins`` is joined; without, the model has no equation for them.
    combination : how several mediators on one process combine: "bliss", "highest single" or "additive" (see `effects`).
    root : folder with ``modules``, ``conditions`` and ``species``; by default the package's own.

    Raises
    ------
    BiologyError : a condition, species, module or rule of combination that does not exist; a module, table or page that
        is inconsistent.
    """
    page = read_condition(_page(condition, root), species)
    names, acting = _with_proteins(page, proteins)
    own = root / "conditions" / condition
    bases = [root / "species" / "physiology", *(_module_base(m, page, root) for m in page.modules), own]
    if proteins:
        bases.insert(-1, _module_base(_PROTEINS, page, root))
    if modules:
        page = replace(
            page, processes=(), systemic=(), observables={}, dosing={}, exposures={}, inclusion=(), endpoints=()
        )
        known = {base.name: base for base in bases}
        bases = [known.get(m) or _module_base(m, page, root) for m in modules]
    joined = [read_module(base.with_suffix(".ant"), names) for base in bases]
    tables = {
        base.name: _expand(read_parameters(base.with_suffix(".csv"), species), names)
        for base in dict.fromkeys([*bases, own])
    }
    if proteins:  # the table may have rows of single proteins that this product lacks
        tables[_PROTEINS] = _named(tables[_PROTEINS], joined)
    tables["tissues"] = _named(_tissues(page, species, root), joined)
    if modules:
        tables = {name: _named(rows, joined) for name, rows in tables.items()}
    if any("run_in" in module.inputs for module in joined):
        tables["page"] = {"run_in": _input("run_in", page.run_in, "day", "run_in_days of the condition's page")}
    tables["effects"] = _gains(page, [*page.mediators.values(), *acting.values()])
    effects = effect_equations(
        page.processes,
        list(page.mediators.values()),
        proteins=list(acting.values()),
        systemic=page.systemic,
        combination=combination,
    )
    parameters = _merge(tables)
    _check_processes(page, joined)
    _check_owners(joined, effects, parameters)
    _check_used(joined, effects, parameters)

    name = f"{page.title}, {species}" + (f": {', '.join(modules)} alone" if modules else "")
    lines = _text(page, species, joined, tables, [*effects, *_infusions(infused, joined)])
    translated = to_sbml(lines, name=name)
    _check_page(page, translated)
    habits = next((base.with_suffix(".toml") for base in bases if base.name == "comparators"), None)
    comparators = read_comparators(habits, species) if habits else {}
    check_comparators(comparators, translated.states)
    return Model(
        condition=condition,
        species=species,
        title=page.title,
        title_zh=page.title_zh,
        antimony="\n".join(line.text for line in lines) + "\n",
        sbml=translated.sbml,
        digest=hashlib.sha256(translated.sbml.encode()).hexdigest(),
        parameters=parameters,
        observables=page.observables,
        processes=page.processes,
        mediators={**page.mediators, **acting},
        dosing=page.dosing,
        exposures=page.exposures,
        run_in=page.run_in,
        inclusion=page.inclusion,
        endpoints=page.endpoints,
        states=translated.states,
        files=(*(f"{b.parent.name}/{b.name}{s}" for b in bases for s in (".ant", ".csv")), "species/tissues.csv"),
        target=page.target,
        tissues=page.tissues,
        comparators=comparators,
        sources=read_sources(root / "modules" / "sources.csv", species, names=parameters),
        labels=read_sources(root / "modules" / "labels.csv", species, names=parameters, kind="label"),
        noises=_noises(joined, translated.states, parameters) if page.noise or modules else (),
    )


def _noises(joined: list[Module], states: tuple[str, ...], parameters: dict[str, Parameter]) -> tuple[Noise, ...]:
    found = tuple((noise, module.name) for module in joined for noise in module.noises)
    for noise, name in found:
        for symbol, known in (
            (noise.state, states),
            (noise.switch or noise.state, states),
            (noise.strength, tuple(parameters)),
            (noise.interval, tuple(parameters)),
        ):
            if symbol not in known:
                what = "a state" if known is states else "a number of a table"
                raise BiologyError(f"{name}.ant, // noise", found=f'"{symbol}"', expected=what)
    return tuple(noise for noise, _ in found)


def _named(rows: dict[str, Parameter], modules: list[Module]) -> dict[str, Parameter]:
    words = _words(modules)
    return {name: row for name, row in rows.items() if name in words}


def _words(modules: list[Module], more: Sequence[Line] = ()) -> set[str]:
    """Symbols that equations use, and those that say how strong noise is and how often it comes."""
    lines = [line for module in modules for line in module.lines]
    words = {word for line in [*lines, *more] for word in re.findall(r"[A-Za-z_]\w*", code(line.text))}
    return words | {symbol for m in modules for noise in m.noises for symbol in (noise.strength, noise.interval)}


def _infusions(states: Sequence[str], modules: list[Module]) -> list[Line]:
    if not states:
        return []
    text = [
        "",
        "// Infusions, for those who read this document alone",
        "infusion_begin = 0 day; infusion_time = 0.01 day;",
        "infusing := piecewise(1 / infusion_time, \\",
        "    (time >= infusion_begin) && (time < infusion_begin + infusion_time), 0 per_day);",
        "infusing has per_day;",
    ]
    for state in states:
        unit = next((u for m in modules if (u := _unit_of(state, m))), None)
        if unit is None:
            raise BiologyError("infused", found=f'"{state}"', expected="a species of the modules, with its unit")
        text += [f"infused_{state} = 0 {unit};", f"infusion_{state}: => {state}; infused_{state} * infusing;"]
    return [Line(line, "infusions") for line in text]


def _unit_of(state: str, module: Module) -> str | None:
    found = (re.search(rf"\b{re.escape(state)}\s+has\s+(\w+)", code(line.text)) for line in module.lines)
    return next((match[1] for match in found if match), None)


def _page(condition: str, root: Path) -> Path:
    known = conditions(root=root)
    if condition not in known:
        raise BiologyError(
            "condition",
            found=f'"{condition}"',
            expected="one of " + ", ".join(known),
            nearest=nearest(condition, known),
        )
    return root / "conditions" / f"{condition}.toml"


def _module_base(name: str, page: Condition, root: Path) -> Path:
    base = root / "modules" / name
    if not base.with_suffix(".ant").is_file():
        names = sorted(p.stem for p in (root / "modules").glob("*.ant"))
        raise BiologyError(
            f"{page.name}.toml, modules",
            found=f'"{name}"',
            expected="one of " + ", ".join(names),
            nearest=nearest(name, names),
        )
    return base


def _expand(rows: dict[str, Parameter], names: Names) -> dict[str, Parameter]:
    own = {names.aimed(name): row for name, row in rows.items() if not names.repeats(name)}
    repeated = {name: row for written, row in rows.items() if names.repeats(written) for name in names.of(written)}
    return {name: replace(row, name=name) for name, row in {**repeated, **own}.items()}


def _tissues(page: Condition, species: str, root: Path) -> dict[str, Parameter]:
    rows = read_parameters(root / "species" / "tissues.csv", species)
    known = sorted({name.split("_")[0] for name in rows})
    for tissue in page.tissues:
        if tissue not in known:
            raise BiologyError(
                f"{page.name}.toml, tissues",
                found=f'"{tissue}", of which nothing is known in the {species}',
                expected="one of " + ", ".join(known),
                nearest=nearest(tissue, known),
            )
    return {name: row for name, row in rows.items() if name.split("_")[0] in page.tissues}


def _with_proteins(page: Condition, proteins: Mapping[str, str]) -> tuple[Names, dict[str, str]]:
    """Words of the modules' blocks with the proteins among them, and the proteins' ids by symbol."""
    ids = {symbol: mediator_id(symbol) for symbol in proteins}
    for symbol, acts in proteins.items():
        if acts not in _SITES:
            raise BiologyError(
                f"proteins, {symbol}", found=f'"{acts}"', expected="inside or outside", nearest=nearest(acts, _SITES)
            )
    if not ids:
        return page.names, ids
    sites = {word: tuple(ids[p] for p, acts in proteins.items() if acts == site) for site, word in _SITES.items()}
    return replace(page.names, items={**page.names.items, **sites}), ids


def _gains(page: Condition, mediators: Sequence[str]) -> dict[str, Parameter]:
    note = "set by the trial from the mechanism of the product; 0 = the mediator does not move the process"
    names = [f"gain_{m}_{p}" for p in page.processes for m in mediators]
    return {name: _input(name, 0.0, "dimensionless", note) for name in names}


def _input(name: str, value: float, unit: str, note: str) -> Parameter:
    return Parameter(name, value, unit, Spread("fixed", value), "fixed", "input", "", "", note, "assemble.py")


def _merge(tables: dict[str, dict[str, Parameter]]) -> dict[str, Parameter]:
    merged: dict[str, Parameter] = {}
    for table in tables.values():
        for name, parameter in table.items():
            if name in merged:
                raise BiologyError(
                    parameter.where, found=f'"{name}", which stands in {merged[name].where} too', expected="one row"
                )
            merged[name] = parameter
    return merged


def _check_owners(modules: list[Module], effects: list[Line], parameters: dict[str, Parameter]) -> None:
    owners = {name: parameter.where for name, parameter in parameters.items()}
    claims = [(symbol, where) for module in modules for symbol, where in module.owned.items()]
    claims += [(line.text.split(":=")[0].strip(), line.where) for line in effects if ":=" in line.text]
    for symbol, where in claims:
        if symbol in owners:
            raise BiologyError(
                where, found=f'"{symbol}", which is defined at {owners[symbol]} too', expected="one owner a symbol"
            )
        owners[symbol] = where


def _check_used(modules: list[Module], effects: list[Line], parameters: dict[str, Parameter]) -> None:
    words = _words(modules, effects)
    for name, parameter in parameters.items():
        if name not in words and parameter.basis != "input":  # a study sets it, in every condition alike
            raise BiologyError(
                parameter.where,
                found=f'"{name}", which no equation uses',
                expected="a symbol of a module",
                nearest=nearest(name, words - parameters.keys()),
            )


def _check_processes(page: Condition, modules: list[Module]) -> None:
    moved = {symbol for module in modules for symbol in module.inputs}
    for process in page.processes:
        if process not in moved:
            raise BiologyError(
                f"{page.name}.toml, processes",
                found=f'"{process}", which no module takes as an input',
                expected="rate multipliers that the condition's module lists under // inputs",
                nearest=nearest(process, moved),
            )
    for process in page.systemic:
        if process not in page.processes:
            raise BiologyError(
                f"{page.name}.toml, systemic",
                found=f'"{process}"',
                expected="some of the processes: " + ", ".join(page.processes),
                nearest=nearest(process, page.processes),
            )
    if page.systemic and not any(SYSTEMIC_RESPONSE in module.owned for module in modules):
        raise BiologyError(
            f"{page.name}.toml, modules",
            found=f"systemic = {list(page.systemic)} without the macrophages on which it rests",
            expected='"macrophages" among the modules',
        )


def _text(
    page: Condition,
    species: str,
    modules: list[Module],
    tables: dict[str, dict[str, Parameter]],
    effects: list[Line],
) -> list[Line]:
    defined = {name for table in tables.values() for name in table}
    defined |= {symbol for module in modules for symbol in module.owned} | set(page.processes)
    bodies: list[Line] = []
    kept: dict[str, Line] = {}
    for module in modules:
        bodies += [Line("", ""), *(Line(f"  {text}", "") for text in module.header)]
        bodies += [_indented(line) for line in module.lines]
        kept |= {name: line for name, line in module.inputs.items() if name not in defined}
    if kept:
        bodies += [Line("", ""), Line("  // Inputs that nothing drives in this condition: neutral", "")]
        bodies += [_indented(line) for line in kept.values()]
    bodies += [Line("", ""), *map(_indented, effects)]

    numbers: list[Line] = []
    for name, table in tables.items():
        numbers += [Line("", ""), Line(f"  // Numbers of {name}", "")]
        numbers += [Line(f"  {_value(p)}", p.where) for p in table.values()]

    head = [f"// {page.title}", f"// Condition {page.name}, species {species}. Time in days, 0 is enrolment."]
    head.append("// Joined from " + ", ".join(f"{m.name}.ant" for m in modules) + " and the tables beside them.")
    units = ["  unit time_unit = 86400 second;", "  unit substance = item; unit extent = item; unit volume = litre;"]
    used = {sbml_units.unit_id(p.unit, where=p.where) for t in tables.values() for p in t.values()}
    used |= {unit for line in bodies for unit in _units_in(line, defined)}
    units += [f"  unit {u} = {sbml_units.definition(u, where=u)};" for u in sorted(used - set(_SBML_NAMES))]
    opening = [*head, f"model {page.name}_{species}", *units, f"  {_BODY}"]
    return [*(Line(text, "the head of the joined model") for text in opening), *numbers, *bodies, Line("end", "")]


def _indented(line: Line) -> Line:
    return Line(f"  {line.text.strip()}" if line.text[:1] != " " else line.text, line.where)


def _value(parameter: Parameter) -> str:
    unit = sbml_units.unit_id(parameter.unit, where=parameter.where)
    source = ", ".join(parameter.record.split())
    remark = "; ".join(part for part in (source, parameter.note) if part)
    return f"{parameter.name} = {parameter.value!r} {unit};  // {parameter.basis}: {remark}"


def _units_in(line: Line, symbols: set[str]) -> set[str]:
    text = code(line.text)
    found = set(_UNIT_AFTER_HAS.findall(text)) | set(_UNIT_AFTER_NUMBER.findall(text)) - symbols
    for name in found - set(_SBML_NAMES):
        sbml_units.unit_id(sbml_units.text_of(name), where=f"{line.where}, unit {name}")
    return found


def _check_page(page: Condition, model: Translated) -> None:
    def check(symbol: str, unit: str, where: str) -> None:
        if symbol not in model.units:
            raise BiologyError(
                where, found=f'"{symbol}"', expected="a symbol of the model", nearest=nearest(symbol, model.units)
            )
        if not sbml_units.same(model.units[symbol], unit, where=where):
            expected = f'"{model.units[symbol]}", the unit of {symbol}'
            raise BiologyError(where, found=f'the unit "{unit}"', expected=expected)

    file = f"{page.name}.toml"
    seen: list[Observable] = [*page.observables.values(), *page.exposures.values()]
    for observable in seen:
        check(observable.symbol, observable.unit, f"{file}, {observable.id}")
    for criterion in page.inclusion:
        check(criterion.symbol, criterion.unit, f"{file}, inclusion {criterion.id}")
    for key, dose in page.dosing.items():
        where = f"{file}, dosing {' '.join(key)}"
        if dose.state not in model.states:
            raise BiologyError(
                where,
                found=f'"{dose.state}"',
                expected="a state of the model",
                nearest=nearest(dose.state, model.states),
            )
        check(dose.state, dose.unit, where)
