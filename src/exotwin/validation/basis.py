"""Calibrated or predicted: whether anything that feeds a study's model has used the record of a check.

A record is used by a row of the model's tables that names it, by a calibration that fits such a row (as a measurement),
and by whatever fed that calibration in turn. Nobody declares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from exotwin.biology import SHIPPED, Model, Parameter, assemble
from exotwin.calibration import calibrations
from exotwin.calibration.own import read_definition
from exotwin.errors import EvidenceError
from exotwin.tables import read_text


class Uses:
    """What uses which record, for models over one folder of biology."""

    def __init__(self, root: Path = SHIPPED) -> None:
        self._root = root
        self._known = frozenset(calibrations(root=root))
        self._of_fits: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._of_models: dict[tuple[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]] = {}

    def by(
        self, model: Model, sources: Iterable[str] = (), labels: Iterable[str] = ()
    ) -> Mapping[str, tuple[str, ...]]:
        """Record -> what uses it of a model, its ``sources`` and ``labels``: "lung_half_life", "calibration NAME"."""
        kept = tuple(sorted(set(sources) & model.sources.keys())) + tuple(sorted(set(labels) & model.labels.keys()))
        key = (model.digest, kept)
        if key not in self._of_models:
            known = {**model.sources, **model.labels}
            rows = [*model.parameters.values(), *(p for name in kept for p in known[name].values())]
            self._of_models[key] = self._by(rows, ())
        return self._of_models[key]

    def measured(self, calibration: str) -> frozenset[str]:
        """Records that a calibration holds its model against while it fits."""
        path = self._root / "calibrations" / calibration / "measurements.tsv"
        header, *rows = (line.split("\t") for line in read_text(path, error=EvidenceError).splitlines() if line.strip())
        if "record" not in header:
            raise EvidenceError(str(path), found="no column record", expected="ids of records, for every measurement")
        column = header.index("record")
        return frozenset(name for row in rows for name in row[column].split())

    def _by(self, rows: Iterable[Parameter], above: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        fits: dict[str, None] = {}
        for row in rows:
            if row.basis == "input":
                continue
            for name in row.records:
                found[name] = (*found.get(name, ()), row.name)
            fits |= dict.fromkeys(fit for fit in (row.calibration, row.spread_calibration) if fit)
        for fit in fits:
            if fit not in above:
                for name, uses in self._by_fit(fit, above).items():
                    found[name] = tuple(dict.fromkeys((*found.get(name, ()), *uses)))
        return found

    def _by_fit(self, name: str, above: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        if (
            name not in self._known
        ):  # a row of a table names a fit that is not there; the calibrations' own tests say so
            return {}
        if name not in self._of_fits:
            told = read_definition(name, root=self._root)
            model = assemble(told.condition, told.species, modules=told.modules, root=self._root)
            fed = self._by(model.parameters.values(), (*above, name))
            found = dict.fromkeys((*fed, *self.measured(name)), (f"calibration {name}",))
            self._of_fits[name] = found
        return self._of_fits[name]
