"""Generator of the shipped example: a synthetic lot of umbilical-cord MSC and their vesicles, in genuine formats.

No cell, vesicle or instrument stands behind these files; they show what the formats look like and let every room run,
and each says so inside. ``python -m exotwin.product.example FOLDER`` writes them again, byte for byte: the seed is set
and the stream of NumPy's ``RandomState`` is frozen.

What the numbers follow, and what is free invention:

- share of positive cells: medians of lots in trials (lots-cd73, lots-cd90, lots-cd105, lots-cd45, lots-cd34, lots-cd14,
  lots-hla-dr); brightness, debris, doublets and spill-over are invented.
- mode of the vesicles and its spread: near that of marrow MSC vesicles (bm-msc-sev-nta); share between 30 and 150 nm
  and scatter of captures as in real exports (nta-share-30-150, nta-capture-cv). Concentration and protein are invented.
- miRNA: named shares from bm-msc-ev-mirna-percent and bm-msc-ev-mirna-rare; how much the leaders, the middle and the
  rest hold together from msc-ev-mirna-concentration. **Which** miRNAs lead, and the shares of miR-21-5p, miR-10a-5p,
  miR-146a-5p and miR-126-3p, are invented: no record gives them for vesicles of MSC.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from exotwin.product.example_files import LABEL, fcs_bytes, nanosight_text
from exotwin.product.nta import FloatArray

SEED = 20250601
N_EVENTS = 4000
DILUTION = 1000

_CHANNELS = ("Time", "FSC-A", "FSC-H", "SSC-A", "FITC-A", "PE-A", "APC-A")
_DYES = ("FITC-A", "PE-A", "APC-A")
# (dye, detector): FITC shines into PE as on any instrument with a blue laser.
_SPILL = np.array([[1.0, 0.17, 0.004], [0.012, 1.0, 0.006], [0.001, 0.003, 1.0]])
_TOP = 262143.0
_AUTOFLUORESCENCE = {"FITC-A": 190.0, "PE-A": 140.0, "APC-A": 90.0}

# tube -> dye -> (marker, share of positive cells, median brightness of those)
_TUBES: dict[str, dict[str, tuple[str, float, float]]] = {
    "isotype": {},
    "cd90_cd105_cd73": {
        "FITC-A": ("CD90", 0.9775, 42000.0),
        "PE-A": ("CD105", 0.998, 9000.0),
        "APC-A": ("CD73", 0.98965, 16000.0),
    },
    "cd45_cd34_cd14": {
        "FITC-A": ("CD45", 0.0011, 6000.0),
        "PE-A": ("CD34", 0.003, 5000.0),
        "APC-A": ("CD14", 0.005, 5000.0),
    },
    "hladr_cd19": {"FITC-A": ("HLA-DR", 0.004, 6000.0), "APC-A": ("CD19", 0.0026, 5000.0)},
}

# % of reads. bm-msc-ev-mirna-percent, then bm-msc-ev-mirna-rare.
_RECORDED = """
miR-27a-3p 0.843, miR-22-3p 0.816, miR-125b-5p 0.748, miR-222-3p 0.719, miR-221-3p 0.700, miR-29a-3p 0.623,
miR-145-5p 0.559, miR-23a-3p 0.451, miR-143-3p 0.436, miR-24-3p 0.360, miR-23b-3p 0.326, miR-199a-3p 0.316,
let-7a-5p 0.290, let-7i-5p 0.282, miR-100-5p 0.281, miR-31-5p 0.263, miR-27b-3p 0.252, miR-199a-5p 0.233,
miR-16-5p 0.219, miR-29b-3p 0.207, miR-125a-5p 0.196, let-7b-5p 0.186, let-7c-5p 0.181, miR-99a-5p 0.167,
miR-26a-5p 0.166, miR-138-5p 0.174,
miR-424-5p 0.062, miR-181b-5p 0.021, miR-17-5p 0.021, miR-101-3p 0.012, miR-155-5p 0.0071, miR-223-3p 0.0043,
miR-509-3p 0.0003
"""
# Invented, among the rest: that umbilical-cord vesicles hold them is reported, how much is not.
_INVENTED = {"miR-146a-5p": 0.045, "miR-126-3p": 0.030}
_LEADERS = """
miR-21-5p miR-191-5p miR-148a-3p miR-10b-5p miR-10a-5p let-7f-5p miR-92a-3p miR-146b-5p miR-423-5p miR-181a-5p
miR-30a-5p miR-151a-3p
"""
_LEADERS_PERCENT, _MIDDLE_PERCENT, _N_MIDDLE = 69.15, 22.05, 72  # msc-ev-mirna-concentration
_OTHERS = """
let-7d-3p let-7d-5p let-7e-5p let-7g-5p let-7i-3p miR-7-5p miR-9-5p miR-15a-5p miR-15b-5p miR-15b-3p miR-16-2-3p
miR-17-3p miR-18a-5p miR-18a-3p miR-19a-3p miR-19b-3p miR-20a-5p miR-20b-5p miR-21-3p miR-22-5p miR-23a-5p miR-23b-5p
miR-24-2-5p miR-25-3p miR-25-5p miR-26a-2-3p miR-26b-5p miR-26b-3p miR-27a-5p miR-27b-5p miR-28-3p miR-28-5p miR-29a-5p
miR-29b-1-5p miR-29c-3p miR-29c-5p miR-30a-3p miR-30b-5p miR-30b-3p miR-30c-5p miR-30c-2-3p miR-30d-5p miR-30d-3p
miR-30e-5p miR-30e-3p miR-31-3p miR-32-5p miR-33a-5p miR-33b-5p miR-34a-5p miR-34a-3p miR-34c-5p miR-92b-3p miR-93-5p
miR-93-3p miR-95-3p miR-96-5p miR-98-5p miR-98-3p miR-99a-3p miR-99b-5p miR-99b-3p miR-100-3p miR-103a-3p miR-106a-5p
miR-106b-5p miR-106b-3p miR-107 miR-122-5p miR-125a-3p miR-125b-1-3p miR-125b-2-3p miR-126-5p miR-127-3p miR-127-5p
miR-128-3p miR-129-5p miR-130a-3p miR-130b-3p miR-130b-5p miR-132-3p miR-132-5p miR-133a-3p miR-133b miR-134-5p
miR-135b-5p miR-136-3p miR-136-5p miR-137 miR-138-1-3p miR-139-5p miR-139-3p miR-140-3p miR-140-5p miR-141-3p
miR-142-3p miR-142-5p miR-143-5p miR-144-3p miR-144-5p miR-145-3p miR-146a-3p miR-146b-3p miR-148a-5p miR-148b-3p
miR-148b-5p miR-149-5p miR-150-5p miR-151a-5p miR-152-3p miR-153-3p miR-154-5p miR-155-3p miR-181a-2-3p miR-181a-3p
miR-181c-5p miR-181d-5p miR-182-5p miR-183-5p miR-184 miR-185-5p miR-186-5p miR-187-3p miR-188-5p miR-190a-5p
miR-192-5p miR-193a-3p miR-193a-5p miR-193b-3p miR-193b-5p miR-194-5p miR-195-5p miR-195-3p miR-196a-5p miR-196b-5p
miR-197-3p miR-199b-5p miR-200a-3p miR-200b-3p miR-200c-3p miR-203a-3p miR-204-5p miR-205-5p miR-206 miR-210-3p
miR-212-3p miR-214-3p miR-214-5p miR-215-5p miR-216a-5p miR-218-5p miR-219a-5p miR-221-5p miR-222-5p miR-224-5p
miR-296-5p miR-299-3p miR-299-5p miR-301a-3p miR-301b-3p miR-320a-3p miR-320b miR-320c miR-320d miR-323a-3p
miR-323b-3p miR-324-3p miR-324-5p miR-326 miR-328-3p miR-329-3p miR-330-3p miR-331-3p miR-335-3p miR-335-5p miR-337-3p
miR-337-5p miR-338-3p miR-339-3p miR-339-5p miR-340-3p miR-340-5p miR-342-3p miR-342-5p miR-345-5p miR-346 miR-361-3p
miR-361-5p miR-362-3p miR-362-5p miR-363-3p miR-365a-3p miR-369-3p miR-369-5p miR-370-3p miR-374a-3p miR-374a-5p
miR-374b-5p miR-375-3p miR-376a-3p miR-376b-3p miR-376c-3p miR-377-3p miR-378a-3p miR-378a-5p miR-379-5p miR-380-3p
miR-381-3p miR-382-5p miR-382-3p miR-383-5p miR-409-3p miR-409-5p miR-410-3p miR-411-5p miR-411-3p miR-421 miR-423-3p
miR-424-3p miR-425-5p miR-425-3p miR-431-5p miR-432-5p miR-433-3p miR-450a-5p miR-450b-5p miR-451a miR-452-5p
miR-454-3p miR-455-3p miR-455-5p miR-484 miR-485-3p miR-485-5p miR-486-5p miR-487a-3p miR-487b-3p miR-489-3p
miR-490-3p miR-491-5p miR-493-3p miR-493-5p miR-494-3p miR-495-3p miR-497-5p miR-499a-5p miR-500a-3p miR-501-3p
miR-502-3p miR-503-5p miR-504-5p miR-505-3p miR-505-5p miR-532-3p miR-532-5p miR-539-5p miR-542-3p miR-543 miR-548k
miR-551b-3p miR-570-3p miR-574-3p miR-574-5p miR-576-5p miR-582-3p miR-584-5p miR-589-5p miR-590-3p miR-590-5p
miR-597-5p miR-598-3p miR-615-3p miR-616-5p miR-624-5p miR-625-3p miR-627-5p miR-628-3p miR-629-5p miR-652-3p
miR-654-3p miR-656-3p miR-660-5p miR-664a-3p miR-664a-5p miR-671-3p miR-671-5p miR-708-5p miR-744-5p miR-758-3p
miR-769-5p miR-873-5p miR-874-3p miR-877-5p miR-889-3p miR-940 miR-941 miR-942-5p miR-1180-3p miR-1185-5p miR-1246
miR-1271-5p miR-1277-3p miR-1287-5p miR-1290 miR-1301-3p miR-1304-3p miR-1306-5p miR-1307-3p miR-1307-5p miR-1908-5p
miR-1976 miR-2110 miR-2355-3p miR-3065-5p miR-3074-5p miR-3158-3p miR-3613-5p miR-3615 miR-3928-3p miR-4326
miR-4429 miR-4454 miR-4677-3p miR-5010-5p miR-6126 miR-6516-3p miR-7641 miR-7706
"""

_PRODUCT = f"""# {LABEL}. An example of a product file: copy it, and put your own files in place of these.
# Written by exotwin.product.example; every key is explained in docs/modules/product.md.
name = "Umbilical-cord MSC and vesicles, example lot"
source_tissue = "umbilical cord"
species = "human"
synthetic = true
note = "computed from published ranges to show the formats; not a real lot, and no standard to compare with"

[cells]
passage = 4
viability = "95 %"
plastic_adherent = true
differentiation = ["osteoblast", "adipocyte", "chondroblast"]

[[cells.tubes]]
file = "cells/cd90_cd105_cd73.fcs"
control = "cells/isotype.fcs"
markers = {{ CD90 = "FITC-A", CD105 = "PE-A", CD73 = "APC-A" }}

[[cells.tubes]]
file = "cells/cd45_cd34_cd14.fcs"
control = "cells/isotype.fcs"
markers = {{ CD45 = "FITC-A", CD34 = "PE-A", CD14 = "APC-A" }}

[[cells.tubes]]
file = "cells/hladr_cd19.fcs"
control = "cells/isotype.fcs"
markers = {{ HLA-DR = "FITC-A", CD19 = "APC-A" }}

[vesicles]
volume = "1.5 mL"
protein = "10 ug/mL"

[vesicles.nta]
file = "vesicles/nta-ExperimentSummary.csv"
dilution = {DILUTION}

[vesicles.cargo]
counts = "vesicles/mirna_counts.csv"

[vesicles.reported]
starting_material = "conditioned medium of 2e9 cells, 48 h without serum (synthetic)"
separation = "tangential flow filtration, then size-exclusion chromatography (synthetic)"
preanalytics = "serum-free collection, cleared at 2000 g, stored at -80 C (synthetic)"
imaging = "transmission electron microscopy, wide field and close-up (synthetic)"
detection_limits = "tracking sizes from about 50 nm; blank below 1e7 particles/mL (synthetic)"

[vesicles.reported.proteins]
CD9 = "present"
CD63 = "present"
CD81 = "present"
TSG101 = "present"
calnexin = "absent"
albumin = "absent"
"""


def write_example(folder: Path) -> tuple[Path, ...]:
    """Write the example product into ``folder`` and give the paths, the product file first."""
    for name in ("cells", "vesicles"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    files = {"product.toml": _PRODUCT.encode()}
    for at, (tube, stains) in enumerate(_TUBES.items()):
        files[f"cells/{tube}.fcs"] = _tube(tube, stains, np.random.RandomState(SEED + at))
    files["vesicles/nta-ExperimentSummary.csv"] = _tracking(np.random.RandomState(SEED + 103)).encode("latin-1")
    files["vesicles/mirna_counts.csv"] = _counts(np.random.RandomState(SEED + 200)).encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in files)


def _tube(name: str, stains: dict[str, tuple[str, float, float]], random: np.random.RandomState) -> bytes:
    """One tube: 88 % single cells, 3 % doublets, 9 % debris; each detector sees each dye through the spill-over."""
    kind = random.choice(3, N_EVENTS, p=[0.88, 0.03, 0.09])
    doublet, debris = kind == 1, kind == 2
    area = np.where(debris, random.exponential(11000.0, N_EVENTS), random.normal(112000.0, 17000.0, N_EVENTS))
    area = np.where(doublet, area * random.normal(1.95, 0.08, N_EVENTS), area)
    height = area * random.normal(0.72, 0.02, N_EVENTS) * np.where(doublet, 0.55, 1.0)
    side = np.where(debris, 0.25, 1.0) * 70000.0 * np.exp(random.normal(0.0, 0.22, N_EVENTS))
    light = np.empty((N_EVENTS, len(_DYES)))
    for at, dye in enumerate(_DYES):
        own = _AUTOFLUORESCENCE[dye] * np.exp(random.normal(0.0, 0.35, N_EVENTS)) * np.where(debris, 0.3, 1.0)
        _, share, brightness = stains.get(dye, ("", 0.0, 0.0))
        stained = (random.random_sample(N_EVENTS) < share) & ~debris
        light[:, at] = own + stained * brightness * np.exp(random.normal(0.0, 0.45, N_EVENTS))
    seen = light @ _SPILL
    seen = seen + random.normal(0.0, 1.0, seen.shape) * np.sqrt(25.0**2 + 2.0 * seen)  # read-out noise and photon noise
    time = np.sort(random.random_sample(N_EVENTS)) * 3000.0
    events = np.column_stack([time, np.clip(np.column_stack([area, height, side, seen]), -500.0, _TOP)])
    markers = ["" if c not in stains else stains[c][0] for c in _CHANNELS]
    return fcs_bytes(
        np.round(events, 1),
        _CHANNELS,
        markers,
        spill_channels=_DYES,
        spill=_SPILL,
        sample=f"SYNTHETIC umbilical-cord MSC, tube {name}",
    )


def _tracking(random: np.random.RandomState) -> str:
    """Five captures: a lognormal with its mode at 100 nm, a small shoulder of pairs, and the wiggles of few tracks."""
    centres = np.arange(1000, dtype=np.float64) + 0.5
    captures = []
    for _ in range(5):
        shift = 1 + 0.02 * random.standard_normal()
        curve = _lognormal(centres, 100.0 * shift, 0.23) + 0.05 * _lognormal(centres, 190.0 * shift, 0.18)
        for _ in range(12):
            at, width, height = (
                60 + 180 * random.random_sample(),
                6 + 6 * random.random_sample(),
                random.standard_normal(),
            )
            curve = curve * (1 + 0.15 * height * np.exp(-(((centres - at) / width) ** 2) / 2))
        total = 4.0e8 * np.exp(0.11 * random.standard_normal())
        captures.append(np.round(np.clip(curve, 0, None) / curve.sum() * total))
    return nanosight_text(np.array(captures), sample="SYNTHETIC UC-EV d1000", diluent="PBS")


def _lognormal(diameter: FloatArray, mode: float, sigma: float) -> FloatArray:
    """Density of a lognormal by its mode."""
    density: FloatArray = np.exp(-((np.log(diameter / mode) - sigma**2) ** 2) / (2 * sigma**2)) / diameter
    density /= density.sum()
    return density


def _shares() -> dict[str, float]:
    """Share of reads by miRNA, adding up to 1."""
    recorded = {n: float(p) for n, p in (entry.split() for entry in _RECORDED.replace("\n", " ").split(","))}
    leaders = 0.82 ** np.arange(len(_LEADERS.split()))
    shares = dict(zip(_LEADERS.split(), _LEADERS_PERCENT * leaders / leaders.sum(), strict=True))
    shares |= recorded | _INVENTED
    others = _OTHERS.split()
    n_middle = _N_MIDDLE - sum(0.1 <= p <= 1 for p in recorded.values())
    middle_percent = _MIDDLE_PERCENT - sum(p for p in recorded.values() if 0.1 <= p <= 1)
    middle = 0.97 ** np.arange(n_middle)
    # In the middle stand names that follow each other in the list by an odd stride, so that no family lines up there.
    spread = [others[(7 * i) % len(others)] for i in range(len(others))]
    shares |= dict(zip(spread[:n_middle], middle_percent * middle / middle.sum(), strict=True))
    rest_percent = 100 - sum(shares.values())
    rest = 0.985 ** np.arange(len(others) - n_middle)
    shares |= dict(zip(spread[n_middle:], rest_percent * rest / rest.sum(), strict=True))
    return {name: percent / 100 for name, percent in shares.items()}


def _counts(random: np.random.RandomState) -> str:
    """Three samples with their own small deviations, drawn read by read."""
    shares = _shares()
    names = sorted(shares)
    base = np.array([shares[n] for n in names])
    columns = []
    for depth in (1_240_000, 1_510_000, 1_080_000):
        own = base * np.exp(0.12 * random.standard_normal(base.size))
        columns.append(random.multinomial(depth, own / own.sum()))
    rows = [f"hsa-{name},{','.join(str(column[i]) for column in columns)}" for i, name in enumerate(names)]
    return "\n".join([f"# {LABEL}", "mirna,UC_EV_1,UC_EV_2,UC_EV_3", *rows]) + "\n"


if __name__ == "__main__":
    for written in write_example(Path(sys.argv[1])):
        print(written)
