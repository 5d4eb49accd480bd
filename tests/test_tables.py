import pytest

from exotwin.errors import BiologyError
from exotwin.tables import check_keys, read_csv, read_text, read_toml


def table(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_rows_know_their_line_and_comments_do_not_shift_it(tmp_path):
    path = table(tmp_path, '# idea\nname, value\n\na, 1\n"b, c", 2\n')
    rows = read_csv(path, ["name", "value"], error=BiologyError)
    assert [(r["name"], r["value"]) for r in rows] == [("a", "1"), ("b, c", "2")]
    assert [r.where.rpartition(" ")[2] for r in rows] == ["4", "5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty table"),
        ("name, valeu\na, 1\n", 'nearest   "value"'),
        ("name\na\n", "no column value"),
        ("name, value\na\n", "1 cells"),
        (b"name, value\n\xff\xfe, 1\n", "UTF-8"),
        ("name, name\na, 1\n", '"name" twice'),
        ('name, value\n"a\nb", 1\n', "runs over lines"),
        (f"name, value\n{'a' * 200_000}, 1\n", "cannot be parsed"),
    ],
)
def test_a_broken_table_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(BiologyError, match=r"t\.csv") as refused:
        read_csv(table(tmp_path, text), ["name", "value"], error=BiologyError)
    assert message in str(refused.value)


def test_a_missing_file_is_told_with_its_nearest_neighbour(tmp_path):
    table(tmp_path, "x = 1", "study.toml")
    with pytest.raises(BiologyError, match=r'nearest   "study.toml"'):
        read_toml(tmp_path / "stud.toml", error=BiologyError)


@pytest.mark.parametrize(
    ("name", "found"), [("", "a folder"), ("a\0b", "null byte"), ("x" * 300, "File name too long")]
)
def test_what_is_no_file_is_refused_with_what_it_is(tmp_path, name, found):
    with pytest.raises(BiologyError, match=found):
        read_toml(tmp_path / name, error=BiologyError)


def test_line_ends_of_any_system_are_line_ends(tmp_path):
    assert read_text(table(tmp_path, b"\xef\xbb\xbfa\r\nb\rc\n"), error=BiologyError) == "a\nb\nc\n"


def test_a_syntax_fault_in_toml_names_the_line(tmp_path):
    with pytest.raises(BiologyError, match="line 2"):
        read_toml(table(tmp_path, "a = 1\nb = = 2\n", "x.toml"), error=BiologyError)


def test_unknown_and_missing_keys_are_told():
    with pytest.raises(BiologyError, match=r'nearest   "dose"'):
        check_keys({"dosee": 1}, ["dose", "route"], where="x.toml, arms.a", error=BiologyError)
    with pytest.raises(BiologyError, match=r'^x.toml, arms.a\n.*no key "route"'):
        check_keys({"dose": 1}, ["dose", "route"], where="x.toml, arms.a", error=BiologyError, required=["route"])
