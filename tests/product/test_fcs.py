from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.errors import ProductError
from exotwin.product.example_files import fcs_bytes
from exotwin.product.fcs import parse_fcs, read_fcs

REFUSED = {
    "fcs/corrupted_10_bytes.fcs": "an FCS file, which starts with FCS2.0",
    "fcs/truncated_cytek_nl2000.fcs": r"2160000 bytes of events claimed \(\$TOT\), 0 present",
}
REPAIRED = {
    "fcs/lsrii_phospho_offset.fcs": "one byte past its last",
    "fcs/macsquant_duplicate_names.fcs": "one byte past its last",
    "fcs/macsquant_fcs31_offset.fcs": "one byte past its last",
    "fcs/noncompliant_data_start.fcs": "TEXT fits the number of events",
    "fcs/header_offsets_blank_large.fcs": "HEADER holds no offsets of DATA",
    "fcs/gvhd_0877408774.B08": "empty values",
}
SPILL = np.array([[1.0, 0.2], [0.0, 1.0]])


def tube(n: int = 50) -> bytes:
    events = np.arange(n * 3, dtype=float).reshape(n, 3)
    return fcs_bytes(events, ["FSC-A", "A", "B"], ["", "CD73", ""], spill_channels=["A", "B"], spill=SPILL, sample="t")


def with_header(raw: bytes, begin: str, end: str) -> bytes:
    return raw[:26] + begin.rjust(8).encode() + end.rjust(8).encode() + raw[42:]


def test_every_readable_file_gives_the_events_names_and_scaled_values_of_an_independent_reader(
    shared_data: Path, readings: dict[str, Any]
) -> None:
    n_files = 0
    for name, expected in readings.items():
        if expected.get("kind") != "fcs" or name in REFUSED:
            continue
        n_files += 1
        read = read_fcs(shared_data / name, name=name)
        assert read.n_events == expected["events"], name
        assert list(read.names) == [c["name"] for c in expected["channels"]], name
        assert list(read.markers) == [str(c["marker"]) for c in expected["channels"]], name
        # the readings are printed with nine digits, one more than float32 holds
        for got, key in ((read.stored[0], "first_event_stored"), (read.stored[-1], "last_event_stored")):
            np.testing.assert_allclose(got, expected[key], rtol=1e-6, atol=1e-7, err_msg=name)
        np.testing.assert_allclose(read.scaled[0], expected["first_event_scaled"], rtol=1e-6, atol=1e-7, err_msg=name)
        medians = np.median(read.stored, axis=0)
        np.testing.assert_allclose(medians, expected["column_medians_stored"], rtol=1e-6, atol=1e-7, err_msg=name)
    assert n_files == 24


@pytest.mark.parametrize(("name", "wording"), REPAIRED.items())
def test_a_known_defect_is_repaired_and_named(shared_data: Path, name: str, wording: str) -> None:
    assert any(wording in remark for remark in read_fcs(shared_data / name).remarks)


def test_a_sound_file_gives_no_remark(shared_data: Path) -> None:
    assert read_fcs(shared_data / "fcs/k562_cd298_apc.fcs").remarks == ()


@pytest.mark.parametrize(("name", "wording"), REFUSED.items())
def test_a_corrupt_or_truncated_file_is_refused_with_its_reason(shared_data: Path, name: str, wording: str) -> None:
    with pytest.raises(ProductError, match=wording):
        read_fcs(shared_data / name)


def test_a_gvhd_column_carries_its_own_name_though_text_holds_empty_values(shared_data: Path) -> None:
    read = read_fcs(shared_data / "fcs/gvhd_0877408774.B08")
    # FlowIO names seven of the eight columns and gives the FL1-A column for "FL4-H"
    assert read.stored[0, read.column("FL4-H")] == 286
    assert read.stored[0, read.column("FL1-A")] == 55


def test_an_unknown_channel_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(ProductError, match='nearest   "FSC-A"'):
        parse_fcs(tube(), "tube").column("FSC-H")


def test_a_channel_answers_to_its_marker_too() -> None:
    read = parse_fcs(tube(), "tube")
    assert read.column("CD73") == read.column("A") == 1


def test_blank_header_offsets_are_taken_from_text() -> None:
    read = parse_fcs(with_header(tube(), "", ""), "tube")
    np.testing.assert_array_equal(read.stored[7], [21, 22, 23])
    assert "HEADER holds no offsets" in read.remarks[0]


def test_an_end_one_byte_past_the_last_is_repaired_and_two_are_not() -> None:
    raw = tube()
    end = int(raw[34:42])
    begin = raw[26:34].decode()
    texts = [raw.replace(f"$ENDDATA|{end:08}".encode(), f"$ENDDATA|{end + n:08}".encode()) for n in (1, 2)]
    read = parse_fcs(with_header(texts[0], begin, str(end + 1)) + b"\n", "tube")
    np.testing.assert_array_equal(read.stored[-1], [147, 148, 149])
    assert "one byte past" in read.remarks[0]
    with pytest.raises(ProductError, match="neither of which spans"):
        parse_fcs(with_header(texts[1], begin, str(end + 2)) + b"\n\n", "tube")


@pytest.mark.parametrize(
    ("old", "new", "wording"),
    [
        (b"$MODE|L", b"$MODE|C", r"\$MODE C"),
        (b"$DATATYPE|F", b"$DATATYPE|A", r"\$DATATYPE A"),
        (b"$BYTEORD|1,2,3,4", b"$BYTEORD|3,4,1,2", r"\$BYTEORD 3,4,1,2"),
        (b"$P2B|32", b"$P2B|16", r"\$PnB 16 with \$DATATYPE F"),
        (b"$P3N|B", b"$Q3N|B", r"no \$P3N"),
        (b"$TOT|50", b"$TOT|51", "612 bytes of events claimed"),
        (b"$TOT|50", b"$TOT|0", r"\$TOT 0"),
        (b"$PAR|3", b"$PAR|9" + b"9" * 5000, r"no usable \$PAR"),
        (b"FCS3.1", b"FCS3.2", "FCS3.2"),
    ],
)
def test_what_is_not_read_is_refused_by_name(old: bytes, new: bytes, wording: str) -> None:
    raw = tube()
    assert old in raw
    with pytest.raises(ProductError, match=wording):
        parse_fcs(raw.replace(old, new), "tube")


def test_a_second_data_set_in_the_file_is_refused() -> None:
    raw = tube()
    next_at = len(raw)
    raw = raw.replace(b"$NEXTDATA|0|$MODE|L", f"$NEXTDATA|{next_at}|$MODE|L".encode())
    shift = len(raw) - next_at
    # TEXT grew by the digits of the offset: move DATA, HEADER and the offset itself with it
    raw = raw.replace(f"$NEXTDATA|{next_at}|".encode(), f"$NEXTDATA|{next_at + shift}|".encode())
    begin, end = int(raw[26:34]) + shift, int(raw[34:42]) + shift
    raw = raw[:18] + f"{begin - 1:>8}".encode() + raw[26:]
    raw = raw.replace(f"|{begin - shift:08}|".encode(), f"|{begin:08}|".encode())
    raw = raw.replace(f"|{end - shift:08}|".encode(), f"|{end:08}|".encode())
    with pytest.raises(ProductError, match="a second data set at byte"):
        parse_fcs(with_header(raw, str(begin), str(end)) + tube(), "tube")


@settings(max_examples=200, deadline=None)
@given(raw=st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda b: b"FCS3.1    " + b)))
def test_random_bytes_give_a_product_error_and_nothing_else(raw: bytes) -> None:
    with pytest.raises(ProductError):
        parse_fcs(raw, "noise")


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, len(tube()) - 1))
def test_a_file_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ProductError):
        parse_fcs(tube()[:length], "cut")


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 1200), byte=st.integers(0, 255))
def test_a_changed_byte_gives_a_whole_table_or_a_product_error(at: int, byte: int) -> None:
    raw = bytearray(tube())
    raw[at % len(raw)] = byte
    try:
        read = parse_fcs(bytes(raw), "spoilt")
    except ProductError:
        return
    assert read.stored.shape == read.scaled.shape == (read.n_events, len(read.names))
    assert all(read.names)
