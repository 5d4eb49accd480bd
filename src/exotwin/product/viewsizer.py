"""ViewSizer 3000: a folder is one run.

``Videos.dat`` lists every diameter of every video, so no table of bins is needed; ``recording.xml`` holds the volume
that a video sees. Concentration of a video = particles / volume. Its ``Dilution`` is 1 when nobody entered one.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from exotwin.errors import ProductError
from exotwin.product.nta import NtaReading, SizeDistribution, capture_remarks, settle_dilution
from exotwin.tables import read_text

VIDEOS, _RECORDING = "Videos.dat", "recording.xml"
_BIN_NM = 1.0


def read(folder: Path, *, dilution: float | None, where: str) -> NtaReading:
    """Size distribution of a run in bins of 1 nm. Raises ProductError for a folder that is damaged."""
    videos = _videos(folder / VIDEOS, f"{where}/{VIDEOS}")
    volume, recorded, version = _recording(folder / _RECORDING, f"{where}/{_RECORDING}")
    factor = settle_dilution(recorded, dilution, where)
    remarks = []
    if recorded is not None and recorded != factor:
        remarks.append(f"{where}: the recording says dilution {recorded:g}; the product file's {factor:g} was used")
    empty = [i for i, sizes in enumerate(videos, 1) if not sizes]
    if empty:
        remarks.append(f"{where}: video {', '.join(map(str, empty))} is empty and was left out")
    filled = [np.array(v) for v in videos if v]
    if not filled:
        raise ProductError(f"{where}/{VIDEOS}", found="no particle in any video", expected="a measured sample")
    top = np.ceil(max(v.max() for v in filled) / _BIN_NM) * _BIN_NM
    edges = np.arange(0.0, top + 1.5 * _BIN_NM, _BIN_NM)
    concentration = np.array([np.histogram(v, edges)[0] for v in filled]) / volume
    size = SizeDistribution(edges[:-1] + _BIN_NM / 2, concentration, factor, {}, f"ViewSizer 3000 {version}".strip())
    remarks += capture_remarks(size.per_capture(), where)
    return NtaReading(size, "ViewSizer 3000", (folder / VIDEOS, folder / _RECORDING), tuple(remarks))


def _videos(path: Path, where: str) -> list[list[float]]:
    """Diameters in nm, one list a video."""
    videos = []
    for number, line in enumerate(read_text(path, error=ProductError).splitlines(), 1):
        if line.startswith("/") or not line.strip():
            continue
        try:
            cells = [float(c) for c in line.split()]
        except ValueError as fault:
            raise ProductError(f"{where}, line {number}", found=str(fault), expected="numbers") from fault
        sizes = cells[4:]
        if len(cells) < 2 or len(sizes) != cells[1]:
            raise ProductError(
                f"{where}, line {number}", found=f"{len(sizes)} diameters", expected=f"{cells[1]:g}, as the line says"
            )
        if any(not 0 < s < 100_000 for s in sizes):
            raise ProductError(f"{where}, line {number}", found="a diameter that is none", expected="nm above 0")
        videos.append(sizes)
    return videos


def _recording(path: Path, where: str) -> tuple[float, float | None, str]:
    """Volume of a video in mL, recorded dilution, software version."""
    text = read_text(path, error=ProductError)
    try:
        root = ET.fromstring(text)
    except ET.ParseError as fault:
        raise ProductError(where, found=str(fault), expected="the recording's XML") from fault

    def number(tag: str) -> float | None:
        found = root.find(f".//{tag}")
        try:
            return float(found.text or "") if found is not None else None
        except ValueError as fault:
            raise ProductError(f"{where}, {tag}", found=str(fault), expected="a number") from fault

    volume = number("Volume")
    if volume is None or not volume > 0:
        raise ProductError(where, found=f"Volume {volume}", expected="the volume that a video sees, in mL")
    version = root.find(".//RecordingSoftwareVersion")
    return volume, number("Dilution"), (version.text or "") if version is not None else ""
