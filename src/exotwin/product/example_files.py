"""Writers of genuine formats for the synthetic example: FCS 3.1 and a NanoSight experiment summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from exotwin.product.nta import FloatArray, SizeDistribution

LABEL = "SYNTHETIC: computed and not measured"  # without commas: it goes into comma-separated lines


def fcs_bytes(
    events: FloatArray,
    names: Sequence[str],
    markers: Sequence[str],
    *,
    spill_channels: Sequence[str],
    spill: FloatArray,
    sample: str,
) -> bytes:
    """An FCS 3.1 file: list mode, float32, little-endian, 18-bit scale.

    events : (event, channel). spill : (dye, detector). sample : what the tube is called in ``$SMNO``.
    """
    data = np.ascontiguousarray(events, dtype="<f4").tobytes()
    numbers = ",".join(f"{x:g}" for x in spill.ravel())
    keywords = {
        "$BEGINANALYSIS": "0",
        "$ENDANALYSIS": "0",
        "$BEGINSTEXT": "0",
        "$ENDSTEXT": "0",
        "$NEXTDATA": "0",
        "$MODE": "L",
        "$DATATYPE": "F",
        "$BYTEORD": "1,2,3,4",
        "$PAR": str(len(names)),
        "$TOT": str(len(events)),
        "$TIMESTEP": "0.01",
        "$CYT": "SYNTHETIC",
        "$COM": LABEL,
        "$SMNO": sample,
        "$SPILLOVER": f"{len(spill_channels)},{','.join(spill_channels)},{numbers}",
    }
    for n, (name, marker) in enumerate(zip(names, markers, strict=True), 1):
        keywords |= {f"$P{n}N": name, f"$P{n}B": "32", f"$P{n}E": "0,0", f"$P{n}R": "262144", f"$P{n}G": "1"}
        if marker:
            keywords[f"$P{n}S"] = marker
    text = _text(keywords, begin=0, end=0)
    begin = 58 + len(text)
    text = _text(keywords, begin=begin, end=begin + len(data) - 1)
    offsets = (58, begin - 1, begin, begin + len(data) - 1, 0, 0)
    header = "FCS3.1    " + "".join(f"{offset:>8}" for offset in offsets)
    return header.encode("ascii") + text + data


def _text(keywords: Mapping[str, str], *, begin: int, end: int) -> bytes:
    pairs = {"$BEGINDATA": f"{begin:08}", "$ENDDATA": f"{end:08}", **keywords}
    return ("|" + "".join(f"{key}|{value}|" for key, value in pairs.items())).encode("ascii")


def nanosight_text(concentration: FloatArray, *, sample: str, diluent: str) -> str:
    """An experiment summary as NTA 3.4 lays it out, number weighting, dilution not recorded.

    concentration : (capture, bin), particles/mL in bins of 1 nm from 0.5 nm, as measured.
    """
    n = len(concentration)
    centres = np.arange(concentration.shape[1], dtype=np.float64) + 0.5
    captures = [f"{sample} {i:02}" for i in range(n)]
    single = [SizeDistribution(centres, row[None, :], 1.0) for row in concentration]
    tracks = [1200 + 37 * i for i in range(n)]

    def line(label: str, *cells: object) -> str:
        return ",".join([label, *map(str, cells), ""])

    def statistic(label: str, values: Sequence[float], form: str) -> str:
        error = float(np.std(values, ddof=1) / np.sqrt(n))
        return line(label, *(format(v, form) for v in (*values, float(np.mean(values)), error)))

    lines = [
        "NTA Experiment Summary File,",
        f"Created with NTA 3.4 layout ({LABEL}),",
        ",",
        "[Experiment Details],,",
        line("Software Version", "NTA 3.4 layout (SYNTHETIC)"),
        line("Experiment Name", f"{sample}.nano"),
        line("Operator Name", "SYNTHETIC"),
        line("Sample Description", sample),
        line("Pre-treatment", ""),
        line("Diluent", diluent),
        line("Remarks", LABEL),
        ",,",
        line("Filename:", *captures),
        line("Processed", *["Yes"] * n),
        "",
        line("[Conditions]", *[""] * n),
        line("Camera Type", *["sCMOS"] * n),
        line("Camera Level", *["14"] * n),
        "",
        line("[Results]", *[""] * n, "Average", "Standard Error"),
        line("Dilution factor (concentrations adjusted for this factor)", *["Not recorded"] * n, "", ""),
        statistic("Concentration (Particles / ml)", [s.total() for s in single], ".2e"),
        line("Completed tracks", *(3 * t for t in tracks), "", ""),
        "",
        "[Concentration Warnings]",
        line("Validity of concentration measurement", *["OK"] * n),
        "",
        "[Information]",
        line("Concentration", *["OK"] * n),
        "",
        "[Data Included],",
        "Size distribution - Number weighting - With Percentiles,",
        ",",
        "[Size Data],,",
        line("Analysis Method", "FTLA"),
        line("Weighting", "Number"),
        line("Filename", *captures, "Average", "Standard Error"),
        statistic("Mean", [s.mean for s in single], ".1f"),
        statistic("Mode", [s.mode for s in single], ".1f"),
        statistic("SD", [s.sd for s in single], ".1f"),
        *(statistic(f"D{p}", [s.percentile(p) for s in single], ".1f") for p in (10, 50, 90)),
        line("Valid Tracks", *(f"{t:.1f}" for t in tracks), "", ""),
        "Graph Data,",
        line(
            "Bin centre (nm)",
            *["Concentration (particles / ml)"] * n,
            "Concentration average (particles / ml)",
            "Standard Error (particles / ml)",
        ),
        *(
            line(f"{centre:.1f}", *(f"{v:.0f}" for v in (*row, row.mean(), row.std(ddof=1) / np.sqrt(n))))
            for centre, row in zip(centres, concentration.T, strict=True)
        ),
        "",
        line("Percentile", *["Size (nm)"] * n),
        *(line(f"{p}", *(f"{s.percentile(p):.1f}" for s in single)) for p in range(101)),
    ]
    return "\n".join(lines) + "\n"
