"""The tool that brings dossiers in keeps every fact and writes nothing that does not load."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exotwin.errors import EvidenceError
from exotwin.evidence import _yaml
from exotwin.evidence.record import Library, shipped

TOOL = Path(__file__).parents[2] / "tools" / "import_records.py"
RECORDS = Path(_yaml.__file__).with_name("records")


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("import_records", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Words that YAML 1.1 or 1.2 takes for something else, and characters that its punctuation uses
_AWKWARD = st.sampled_from(
    ["no", "1.0e6", "1e5", "null", "~", "2001-01-01", "1:30", "0x1F", "010", "- a", "a: b", "# x", "", " ", "a\nb", "%"]
)
_TEXT = _AWKWARD | st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30)
_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_SOURCE = st.fixed_dictionaries(
    {"title": _TEXT.filter(bool)},
    optional={"year": st.integers(1900, 2030), "journal": _TEXT, "doi": st.just("10.1000/a(b)<c>"), "url": _TEXT},
)
_RECORD = st.fixed_dictionaries(
    {
        "claims": st.lists(st.sampled_from(["POI-1", "AD-2"]), min_size=1, max_size=2),
        "kind": st.sampled_from(["definition", "parameter", "natural-history"]),
        "what": _TEXT.filter(bool),
        "value": _VALUE,
        "unit": _TEXT,
        "context": _TEXT,
        "source": _SOURCE,
        "where": _TEXT,
        "seen": st.booleans(),
    },
    optional={"note": _TEXT, "process": st.lists(_TEXT, max_size=3), "mirna": _TEXT, "derived": st.booleans()},
)


@given(records=st.lists(_RECORD, min_size=1, max_size=3))
def test_a_record_comes_back_as_it_was_written(tool, tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("dossier")
    named = [{**r, "id": f"fact-{n}"} for n, r in enumerate(records)]
    (folder / "d.yaml").write_text(tool.dump(named), encoding="utf-8")
    back = Library(folder).all()
    for given_record in named:
        found = back[given_record["id"]].model_dump(exclude_unset=True)
        assert found.pop("dossier") == "d"
        found = {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}
        assert found == given_record


def test_an_import_of_the_shipped_dossiers_changes_no_byte(tool, tmp_path):
    tool.import_folder(RECORDS, tmp_path)
    for path in RECORDS.glob("*.yaml"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_nothing_is_written_if_one_record_is_wrong(tool, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    fact = {"id": "a-b", "claims": ["X-1"], "kind": "model", "what": "w", "value": 1, "unit": "", "context": ""}
    good = {**fact, "source": {"title": "T"}, "where": "", "seen": True}
    (source / "a.yaml").write_text(yaml.safe_dump([good]), encoding="utf-8")
    (source / "b.yaml").write_text(yaml.safe_dump([{**good, "id": "c-d", "kind": "guess"}]), encoding="utf-8")
    with pytest.raises(EvidenceError, match="guess"):
        tool.import_folder(source, target)
    assert list(target.iterdir()) == []


def test_the_shipped_records_say_what_the_dossiers_said(shared_data):
    # The oracle reads every scalar as the characters that stand there (CBaseLoader), so no rule on numbers enters.
    folder = shared_data.parent / "evidence"
    if not folder.is_dir():
        pytest.skip(f"the folder of dossiers is not here ({folder})")
    library, n = shipped(), 0
    refused = {entry.id for entry in library.rejected()}
    for path in sorted(folder.glob("*.yaml")):
        for written in yaml.load(path.read_text(encoding="utf-8"), yaml.CBaseLoader):
            n += 1
            assert written["id"] in library.ids
            if written["id"] in refused:
                continue
            found = library.get(written["id"]).model_dump(exclude_unset=True)
            assert found.pop("dossier") == path.stem
            source = written["source"] = {k: v for k, v in written["source"].items() if v not in ("", "null", "~")}
            assert set(found["source"]) == set(source)
            assert set(found) == set(written)
            assert _same(found, written), written["id"]
    assert n == len(library.ids)


def _same(value: Any, text: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == set(text) and all(_same(v, text[k]) for k, v in value.items())
    if isinstance(value, list | tuple):
        return len(value) == len(text) and all(_same(v, t) for v, t in zip(value, text, strict=True))
    if isinstance(value, bool):
        return str(value).lower() == text
    if value is None:
        return text in ("", "null", "~")
    if isinstance(value, int | float):
        return float(text) == value
    return str(value) == text
