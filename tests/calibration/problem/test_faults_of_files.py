"""Files that are missing, broken or ask for what is not there end in one message."""

from __future__ import annotations

import pytest

from exotwin.errors import InputError, ModelError, NotBuiltYet

P, C, S, M = "parameters.tsv", "conditions.tsv", "observables.tsv", "measurements.tsv"


@pytest.mark.parametrize("name", [P, C, S, M])
@pytest.mark.parametrize(("text", "found"), [("", "an empty file"), ("header|only\n", "a table without rows")])
def test_an_empty_table_is_refused(files, name, text, found):
    files.text[name] = text
    told = files.fault()
    assert (told.where, told.found) == (files.place(name), found)


def test_commas_between_cells_are_called_by_their_name(files):
    files.text[M] = files.text[M].replace("|", ",")
    told = files.fault()
    assert (told.where, told.found) == (files.place(M, 1), "commas between the cells")


@pytest.mark.parametrize("name", [P, C, S, M, "model.xml"])
def test_a_missing_file_is_named_with_its_neighbour(files, name):
    files.text[f"x{name}"] = files.text.pop(name)
    told = files.fault()
    assert (told.where, told.found, told.nearest) == (files.place(name), "no such file", f"x{name}")


def test_a_file_that_is_no_text_is_refused(files):
    files.write()
    (files.folder / M).write_bytes(b"observableId\t\xff\xfe\n1\t2")
    del files.text[M]
    assert files.fault().where == files.place(M)


def test_what_the_engine_says_of_a_model_comes_with_the_file(files):
    told = files.change("model.xml", "<ci>k2</ci><ci>B</ci>", "<ci>k9</ci><ci>B</ci>").fault(ModelError)
    assert told.where.startswith(files.place("model.xml"))
    assert '"k9"' in told.found


@pytest.mark.parametrize("text", ["", "<sbml", "A -> B; k1"])
def test_a_model_that_is_no_sbml_is_refused(files, text):
    files.text["model.xml"] = text
    assert files.fault(ModelError).where.startswith(files.place("model.xml"))


def test_what_petab_alone_objects_to_is_one_message_with_the_file(files):
    # the value of a compartment belongs into the condition table
    told = files.change(P, "start||lin|0|10|1.5|1", "start||lin|0|10|1.5|1||\ncell||lin|0|10|2|1").fault()
    assert told.where == files.place(P)
    assert "{'cell'}" in told.found
    assert told.expected == "tables that petab accepts"


YAML = {
    "no mapping": ("format_version: 1\n", "- a list\n", InputError, None, None),
    "a version that is missing": ("format_version: 1\n", "", InputError, "", 'no key "format_version"'),
    "version 2": (
        "format_version: 1\n",
        "format_version: 2.0.0\n",
        NotBuiltYet,
        "format_version",
        "version 2.0.0 of PEtab",
    ),
    "a version that is no number": (
        "version: 1\n",
        "version: one\n",
        InputError,
        "format_version",
        "version one of PEtab",
    ),
    "no problems": ("problems:\n", "problem:\n", InputError, "", 'no key "problems"'),
    "several problems": ("problems:\n", "problems:\n- {}\n", NotBuiltYet, "problems", "2 problems in one file"),
    "several models": ("[model.xml]", "[model.xml, b.xml]", NotBuiltYet, "problems, sbml_files", "2 SBML files"),
    "a key that is missing": ("condition_files:", "conditions:", InputError, "problems", 'no key "condition_files"'),
    "a file that is no name": ("[conditions.tsv]", "[3]", InputError, "problems, condition_files", "[3]"),
    "no file": ("[conditions.tsv]", "[]", InputError, "problems, condition_files", "[]"),
    "a file twice": ("[conditions.tsv]", "[a, a]", InputError, "problems, condition_files", '"a" twice'),
    "a file on the net": (
        "[conditions.tsv]",
        "['https://a.b/c']",
        NotBuiltYet,
        "problems, condition_files",
        '"https://a.b/c"',
    ),
    "a mapping table": (
        *("  measurement_files", "  mapping_files: [m.tsv]\n  measurement_files"),
        *(NotBuiltYet, "problems, mapping_files", "mapping tables"),
    ),
    "a model in PySB": (
        *("sbml_files: [model.xml]", "model_files: {m: {location: m.py, language: pysb}}"),
        *(NotBuiltYet, "problems, model_files", "models beside SBML"),
    ),
    "a required extension": (
        *("format_version: 1", "format_version: 1\nextensions: {other: {version: 1, required: true}}"),
        *(NotBuiltYet, "extensions", 'the extension "other"'),
    ),
    "a misspelled extension": (
        *("format_version: 1", "format_version: 1\nextensions: {exotwin_populations: {required: true}}"),
        *(NotBuiltYet, "extensions", 'the extension "exotwin_populations"'),
    ),
}


@pytest.mark.parametrize("fault", YAML)
def test_what_is_wrong_in_the_yaml_file_is_told_with_its_key(files, fault):
    old, new, kind, key, found = YAML[fault]
    told = files.change("problem.yaml", old, new).fault(kind)
    if key is not None:
        assert type(told) is kind
        assert told.where == ", ".join([files.place("problem.yaml"), *([key] if key else [])])
        assert told.found == found


def test_broken_yaml_names_the_line(files):
    told = files.change("problem.yaml", "[conditions.tsv]", "[conditions.tsv").fault()
    assert told.where == files.place("problem.yaml", 6)
    assert told.expected == "a YAML file"


def test_an_extension_that_is_not_required_is_a_remark(files):
    files.change("problem.yaml", "format_version: 1", "format_version: 1\nextensions: {other: {required: false}}")
    assert files.read().remarks == ('the extension "other" is not used',)
