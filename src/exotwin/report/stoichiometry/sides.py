"""What is on record for and against vesicles acting by the copies that they bring: both sides of the quarrel."""

from __future__ import annotations

AGAINST: tuple[tuple[str, str], ...] = (
    ("copies-per-exosome", "More than a hundred vesicles to one copy of an abundant miRNA; no source was MSC."),
    ("single-mirna-scarce", "Far below one copy a vesicle in three kinds of preparation, counted anew."),
    ("plasma-mirna-in-exosomes", "Vesicles hold a small minority of the miRNA of plasma."),
    ("mirna-outside-vesicles", "28 to 50 % of what is counted may sit on the outside."),
    (
        "vesicles-needed-per-cell",
        "35 000 to 120 000 vesicles a cell for a thousand copies, if every one were delivered.",
    ),
    ("ev-fusion-very-low", "Vesicles hardly fuse: fusogenic activity very low."),
    ("ev-ettd-assay", "Delivery into the cytosol rises once a viral fusion protein is added: little without."),
    ("mirna-only-abundant-act", "More than 60 % of the miRNA that cells hold do nothing measurable."),
    ("mirna-competition-bosson", "Targets have thousands of sites: tens of copies more cannot shift an active family."),
    ("mirna-halflife-kingston", "A cell makes up to 110 copies of one miRNA a minute by itself."),
    ("plasma-endogenous-turnover", "The body puts as many vesicles into plasma within a minute as a large dose holds."),
    ("ev-null-secretome-does-it", "Soluble VEGF formed the vessels, vesicles none; vesicles did raise phagocytosis."),
)
FOR: tuple[tuple[str, str], ...] = (
    (
        "ev-cargo-release-acid-fusion",
        "A part of what is taken up was seen to reach the cytosol, by fusion in acid endosomes.",
    ),
    (
        "mir644-p53",
        "The effect on granulosa cells was lost after RNase and after silencing one miRNA; other papers name others.",
    ),
    ("ev-meta-2024-hormones", "Ovary, animals pooled: vesicles move AMH and oestradiol by three standard deviations."),
    ("sc-ev-meta-deng2024", "Alzheimer's disease, animals pooled: near two standard deviations."),
    ("add-ev-stroke-meta-strata-null", "Stroke, rodents pooled: near two again, as in bone, ovary and brain."),
    (
        "ev-sirna-effect",
        "Vesicles loaded with siRNA silence half of their target: entry as such works, at far more copies.",
    ),
    ("ev-endothelial-senescence-dose", "An effect that needed miR-200a in a dish, at 10¹⁰ particles/mL."),
    (
        "huc-exo-14-3-3-sirt1",
        "A protein of vesicles, 14-3-3 zeta, is named for what they did to irradiated skin; no copies were counted.",
    ),
    (
        "pdmsc-ovx-rat-vegf",
        "A protein of the fluid acts: VEGF on ovaries in a dish, at 50 ng/mL (2600 pmol/L) and less than cells do.",
    ),
    ("add-age-usc-ev", "Two proteins, PLAU and TIMP1, are named for what vesicles did to old mice; none was counted."),
    ("dorronsoro2021", "Vesicles lengthened the life of progeroid mice about as much as the cells they came from."),
)
READ = (
    "Both can be right. Animals respond to something, and pools of small studies overstate it; that a counted copy of "
    "one miRNA does it is another claim. Proteins, lipids and receptors of the surface act without reaching the "
    "cytosol, many miRNA may act together, and a few cells may take up most. This page counts single miRNA and, where "
    "the product's table holds them, the few proteins of which a record names an effect; nothing else."
)
