"""Bring a folder of dossiers into the package: `python tools/import_records.py FOLDER`.

Writes one file into src/exotwin/evidence/records/ per *.yaml of the folder, under the same name (other dossiers there
stay as they are). Every field of every record is kept; what changes is the form, so that two imports of the same facts
give the same bytes:

- comments go, each record has one shape, each item begins with its id;
- numbers are numbers as YAML 1.2 reads them (`1.0e6`), keys of tables are text;
- an empty entry of a source is left out, and so is a year that is not known.

Records that name no source are written too: the package refuses to load them and lists them (`evidence.rejected`).
Nothing is written unless every record of every dossier keeps the schema.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from exotwin.errors import EvidenceError
from exotwin.evidence import _yaml
from exotwin.evidence.record import Library
from exotwin.tables import read_text

TARGET = Path(__file__).parents[1] / "src" / "exotwin" / "evidence" / "records"


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or YAML 1.2 would take for something else, so that any reader agrees."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, _pattern, _first in _yaml.RESOLVERS:
    _Dumper.add_implicit_resolver(_tag, _pattern, _first)


def dump(records: list[dict[str, Any]]) -> str:
    """Records as the text of a dossier: the id first, tables on one line where they are flat."""
    ordered = [{"id": r["id"], **r} for r in records]
    items = (
        yaml.dump([r], Dumper=_Dumper, default_flow_style=None, sort_keys=False, allow_unicode=True, width=120)
        for r in ordered
    )
    return "\n".join(items)


def normalised(record: dict[str, Any]) -> dict[str, Any]:
    """The same record without the empty entries of its source."""
    return {**record, "source": {k: v for k, v in record["source"].items() if v not in ("", None)}}


def import_folder(folder: Path, target: Path) -> Library:
    """Write the dossiers of ``folder`` into ``target``.

    Raises
    ------
    EvidenceError : no dossier, or a record that does not keep the schema. Then nothing is written.
    """
    dossiers = sorted(folder.glob("*.yaml"))
    if not dossiers:
        raise EvidenceError(str(folder), found="no *.yaml", expected="a folder of dossiers")
    with tempfile.TemporaryDirectory() as aside:
        for path in dossiers:
            found = _yaml.load(read_text(path, error=EvidenceError), path=path)
            (Path(aside) / path.name).write_text(dump([normalised(r) for r in found]), encoding="utf-8")
        library = Library(Path(aside))
        library.all()
        for path in dossiers:
            (target / path.name).write_bytes((Path(aside) / path.name).read_bytes())
    return library


def main() -> int:
    """Import the folder named on the command line and say what came in and what will not load."""
    if len(sys.argv) != 2:
        print("usage: python tools/import_records.py FOLDER", file=sys.stderr)
        return 2
    try:
        library = import_folder(Path(sys.argv[1]), TARGET)
    except EvidenceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    rejected = library.rejected()
    print(f"{len(library.ids)} records, {len(library.all())} load, {len(rejected)} do not:")
    for entry in rejected:
        print(f"  {entry.dossier}: {entry.id}: {entry.reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
