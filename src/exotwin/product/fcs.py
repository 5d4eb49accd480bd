"""FCS file → events, with the known defects of real files repaired by name and everything else refused.

The open retry ladder: a file is read as it stands; where that cannot be right, one repair after another is tried, each
of them is named in ``FcsFile.remarks``, and the last rung is a refusal. FlowIO decodes the events; HEADER and TEXT are
parsed here as well, because FlowIO loads files with an empty value in TEXT under fewer names than columns, in silence.

Scale of a stored value v (FCS 3.1): ``$PnE`` = d,f with d > 0 on integers: f * 10**(d * v / $PnR), f = 0 read as 1;
else ``$PnG`` = g: v / g; Time: v * ``$TIMESTEP``, in seconds, without gain. All else: arbitrary instrument units.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exotwin.errors import ProductError, nearest
from exotwin.product.nta import FloatArray
from exotwin.tables import read_bytes

VERSIONS = ("FCS2.0", "FCS3.0", "FCS3.1")
_LITTLE, _BIG = ("1,2,3,4", "1,2"), ("4,3,2,1", "2,1")
_TEXT, _DATA = (10, 18), (26, 34)  # where HEADER holds begin and end of the two segments, 8 bytes each
_LARGEST_IN_HEADER = 99_999_999
_MOST_CHANNELS = 1000  # more is a damaged $PAR


@dataclass(frozen=True, eq=False)
class FcsFile:
    """One tube as the cytometer wrote it.

    names : $PnN. markers : $PnS, "" where the file has none.
    stored : (event, channel), as in the file. scaled : (event, channel), on the linear scale (see the module).
    ranges : $PnR, the top of each channel's scale; NaN where unusable.
    keywords : TEXT, keys in upper case, "$" kept.
    remarks : every repair, and what a careful reader should know.
    """

    file: str
    version: str
    names: tuple[str, ...]
    markers: tuple[str, ...]
    stored: FloatArray
    scaled: FloatArray
    ranges: tuple[float, ...]
    keywords: Mapping[str, str]
    remarks: tuple[str, ...]

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.stored.shape[0])

    def column(self, channel: str) -> int:
        """Position of a channel by its $PnN, or by its $PnS where that is unique.

        Raises
        ------
        ProductError : no such channel; names the nearest.
        """
        if self.names.count(channel) == 1:
            return self.names.index(channel)
        if self.markers.count(channel) == 1:
            return self.markers.index(channel)
        known = [n for n in (*self.names, *self.markers) if n]
        raise ProductError(
            self.file,
            found=f'the channel "{channel}"',
            expected="one of " + ", ".join(self.names),
            nearest=nearest(channel, known),
        )


def read_fcs(path: Path, *, name: str | None = None) -> FcsFile:
    """Read an FCS 2.0, 3.0 or 3.1 file in list mode.

    Parameters
    ----------
    path : the file.
    name : how messages call it; default: its path.

    Raises
    ------
    ProductError : not FCS; corrupt, truncated or of a kind that is not read (histograms, ASCII, odd bit widths).
    """
    where = name or str(path)
    return parse_fcs(read_bytes(path, error=ProductError, where=where, expected="a readable FCS file"), where)


def parse_fcs(raw: bytes, where: str) -> FcsFile:
    """Events and names from the bytes of one FCS file; ``where`` names it in messages. Raises as ``read_fcs``."""
    version = raw[:6].decode("latin-1")
    if version not in VERSIONS:
        found = f"{version!r} at its start" if raw else "an empty file"
        raise ProductError(where, found=found, expected="an FCS file, which starts with " + " or ".join(VERSIONS))
    keywords, names, remarks = _read_text(raw, where)
    layout = _Layout.of(keywords, len(names), where)
    stored = _read_events(raw, layout, keywords, version, where, remarks)
    markers = tuple(keywords.get(f"$P{n}S", "").strip() for n in range(1, len(names) + 1))
    ranges = tuple(_number(keywords.get(f"$P{n}R")) for n in range(1, len(names) + 1))
    scaled = _scale(stored, names, ranges, layout.datatype, keywords, remarks)
    bad = int(np.count_nonzero(~np.isfinite(scaled).all(axis=1)))
    if bad:
        remarks.append(f"{bad} of {len(scaled)} events hold a value that is not finite; gates leave them out")
    return FcsFile(where, version, names, markers, stored, scaled, ranges, keywords, tuple(remarks))


# TEXT -----------------------------------------------------------------------------------------------------------------


def _read_text(raw: bytes, where: str) -> tuple[dict[str, str], tuple[str, ...], list[str]]:
    """Keywords, channel names and the remarks that reading them gave rise to."""
    begin, end = (_offset(raw, at) for at in _TEXT)
    if begin is None or end is None or not 10 <= begin < end < len(raw):
        raise ProductError(
            where,
            found=f"a HEADER that puts TEXT at bytes {begin} to {end} of {len(raw)}",
            expected="offsets inside the file (is it cut off, or not FCS?)",
        )
    segment = raw[begin : end + 1]
    try:
        text = segment.decode("utf-8")
    except UnicodeDecodeError:  # CellQuest leaves MacRoman in CREATOR; the keys that matter are ASCII
        text = segment.decode("latin-1")
    remarks: list[str] = []
    keywords = _pairs(text, empty_values=False)
    with_empty = _pairs(text, empty_values=True)
    # The wrong reading takes keys for values and so loses keywords of the standard, which begin with "$".
    if sum(k.startswith("$") for k in with_empty) > sum(k.startswith("$") for k in keywords):
        keywords = with_empty
        remarks.append("TEXT holds empty values, which look like escaped delimiters; it was parsed with them allowed")
    names = _names(keywords)
    if names is None:
        n = min(_whole(keywords.get("$PAR")) or 0, _MOST_CHANNELS)
        missing = [f"$P{i}N" for i in range(1, n + 1) if not keywords.get(f"$P{i}N", "").strip()] or ["usable $PAR"]
        raise ProductError(
            where,
            found=f"{n} channels but no {', '.join(missing[:5])}",
            expected="a name for each channel: with fewer names than columns none can be trusted",
        )
    return keywords, names, remarks


def _offset(raw: bytes, at: int) -> int | None:
    field = raw[at : at + 8].strip()
    return int(field) if field.isdigit() else None


def _pairs(text: str, *, empty_values: bool) -> dict[str, str]:
    """Keys and values. A doubled delimiter stands for the character itself, or, if allowed, for an empty value."""
    delimiter, body = text[0], text[1:].rstrip("\r\n \x00")
    body = body.removesuffix(delimiter)
    if empty_values:
        parts = body.split(delimiter)
    else:
        d = re.escape(delimiter)
        parts = [p.replace(delimiter * 2, delimiter) for p in re.split(f"(?<!{d}){d}(?!{d})", body)]
    return {k.strip().upper(): v for k, v in zip(parts[::2], parts[1::2], strict=False)}


def _names(keywords: Mapping[str, str]) -> tuple[str, ...] | None:
    """The channels' names in order, or None unless each of $PAR channels has one."""
    n = _whole(keywords.get("$PAR"))
    if not n or n > _MOST_CHANNELS:
        return None
    names = tuple(keywords.get(f"$P{i}N", "").strip() for i in range(1, n + 1))
    return names if all(names) else None


# DATA -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    """How one event lies in the file."""

    datatype: str
    bits: tuple[int, ...]
    n_events: int

    @property
    def n_bytes(self) -> int:
        return self.n_events * sum(self.bits) // 8

    @classmethod
    def of(cls, keywords: Mapping[str, str], n_channels: int, where: str) -> _Layout:
        def required(key: str) -> str:
            if key not in keywords:
                raise ProductError(where, found=f"no {key}", expected="the keywords that FCS requires")
            return keywords[key].strip().upper()

        for key, allowed in (("$MODE", ("L",)), ("$DATATYPE", ("I", "F", "D")), ("$BYTEORD", (*_LITTLE, *_BIG))):
            if required(key) not in allowed:
                raise ProductError(
                    where, found=f"{key} {keywords[key].strip()}", expected="one of " + " | ".join(allowed)
                )
        events, widths = required("$TOT"), [required(f"$P{n}B") for n in range(1, n_channels + 1)]
        datatype = required("$DATATYPE")
        possible = {"I": ("8", "16", "32"), "F": ("32",), "D": ("64",)}[datatype]
        wrong = [w for w in widths if w not in possible]
        n_events = _whole(events)
        if wrong or not n_events:
            found = f"$PnB {wrong[0]} with $DATATYPE {datatype}" if wrong else f"$TOT {events}"
            raise ProductError(where, found=found, expected=f"{' or '.join(possible)} bits, and at least one event")
        return cls(datatype, tuple(int(w) for w in widths), n_events)


def _read_events(
    raw: bytes, layout: _Layout, keywords: Mapping[str, str], version: str, where: str, remarks: list[str]
) -> FloatArray:
    """(event, channel) as stored; climbs the ladder and names the rung it stopped on."""
    header = (_offset(raw, _DATA[0]), _offset(raw, _DATA[1]))
    text = (_whole(keywords.get("$BEGINDATA")), _whole(keywords.get("$ENDDATA")))
    if version == "FCS2.0":  # 2.0 knows the HEADER only; where TEXT names offsets too they are not part of the standard
        text = header
    begin, rung = _locate(header, text, layout.n_bytes, len(raw), where)
    if rung:
        remarks.append(rung)
    following = _whole(keywords.get("$NEXTDATA")) or 0
    if following and raw[following : following + 3] == b"FCS":
        raise ProductError(
            where,
            found=f"a second data set at byte {following}",
            expected="one tube a file: export the wells one by one",
        )
    end = begin + layout.n_bytes - 1
    if end <= _LARGEST_IN_HEADER:
        # The located segment goes into HEADER, so that FlowIO reads what was located and nothing else.
        raw = b"".join([raw[: _DATA[0]], f"{begin:>8}{end:>8}".encode(), raw[_DATA[1] + 8 :]])
    return _decode(raw, layout, use_header=end <= _LARGEST_IN_HEADER, where=where)


def _whole(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if stripped.isdecimal() and len(stripped) <= 20 else None


def _locate(
    header: tuple[int | None, int | None], text: tuple[int | None, int | None], needed: int, size: int, where: str
) -> tuple[int, str]:
    """First byte of DATA, and the rung: how it was found, "" if all agree.

    Of several offsets those count whose span is that of $TOT events. One byte too many is the widespread slip of giving
    the first byte behind the segment.
    """
    places = {"HEADER": header, "TEXT": text}
    for surplus in (0, 1):
        for name in ("TEXT", "HEADER"):
            begin, end = places[name]
            if not begin or end is None or end - begin + 1 != needed + surplus or begin + needed > size:
                continue
            other = "HEADER" if name == "TEXT" else "TEXT"
            rungs = []
            if surplus:
                rungs.append("the end of DATA is given one byte past its last; begin and number of events were trusted")
            if not any(places[other]):
                rungs.append(f"{other} holds no offsets of DATA (blank or 0); those of {name} were used")
            elif places[other] != places[name]:
                rungs.append(
                    f"{other} puts DATA at {places[other][0]}-{places[other][1]}, {name} at {begin}-{end}; "
                    f"{name} fits the number of events and was used"
                )
            return begin, "; ".join(rungs)
    begin = text[0] or header[0] or 0
    present = max(0, size - begin)
    raise ProductError(
        where,
        found=f"{needed} bytes of events claimed ($TOT), {min(present, needed)} present"
        if present < needed
        else f"DATA at {header} in HEADER and {text} in TEXT, neither of which spans {needed} bytes",
        expected="a complete file (was it cut off while copying?)",
    )


def _decode(raw: bytes, layout: _Layout, *, use_header: bool, where: str) -> FloatArray:
    from flowio import FlowData

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what FlowIO warns of, we refuse or have named ourselves
            data = FlowData(io.BytesIO(raw), use_header_offsets=use_header, nextdata_offset=0)
    except Exception as fault:  # FlowIO lets bare ValueError, KeyError, EOFError … through for damaged files
        raise ProductError(
            where, found=f"{type(fault).__name__}: {fault}", expected="an FCS file that FlowIO can decode"
        ) from fault
    values = np.asarray(data.events, dtype=np.float64)
    shape = (layout.n_events, len(layout.bits))
    if values.size != shape[0] * shape[1]:
        raise ProductError(
            where,
            found=f"{values.size} values",
            expected=f"{shape[0]} events x {shape[1]} channels as $TOT and $PAR say",
        )
    return values.reshape(shape)


# Scale ----------------------------------------------------------------------------------------------------------------


def _number(text: str | None) -> float:
    try:
        return float((text or "").strip())
    except ValueError:
        return float("nan")


def _scale(
    stored: FloatArray,
    names: tuple[str, ...],
    ranges: tuple[float, ...],
    datatype: str,
    keywords: Mapping[str, str],
    remarks: list[str],
) -> FloatArray:
    scaled = stored.copy()
    for at, name in enumerate(names):
        key = f"$P{at + 1}"
        decades, _, offset = keywords.get(f"{key}E", "0,0").partition(",")
        gain = _number(keywords.get(f"{key}G", "1"))
        if name.lower() == "time":
            if "$TIMESTEP" in keywords:
                step = _number(keywords["$TIMESTEP"])
                if step > 0 and np.isfinite(step):
                    scaled[:, at] *= step
                else:
                    remarks.append(f"$TIMESTEP is {keywords['$TIMESTEP']!r}: Time is left as stored")
        elif datatype == "I" and _number(decades) > 0:
            if not ranges[at] > 0:
                remarks.append(f"{name}: log amplified, but $PnR is unusable; left as stored")
                continue
            start = _number(offset)
            with np.errstate(over="ignore", invalid="ignore"):
                scaled[:, at] = (start if start > 0 else 1.0) * 10 ** (_number(decades) * stored[:, at] / ranges[at])
        elif gain > 0 and np.isfinite(gain) and gain != 1:
            scaled[:, at] /= gain
    return scaled
