from __future__ import annotations

import pytest

from exotwin.product.names import canonical, parse_mirna


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("hsa-miR-21-5p", ("miR-21-5p",)),
        ("miR-21-5p", ("miR-21-5p",)),
        ("hsa-let-7a-2-3p", ("let-7a-2-3p",)),
        ("hsa-miR-451a", ("miR-451a",)),
        ("miR-1", ("miR-1-3p",)),
        ("hsa-let-7a-5p/7c-5p", ("let-7a-5p", "let-7c-5p")),
        ("hsa-miR-320a/b/c/d", ("miR-320a", "miR-320b", "miR-320c", "miR-320d")),
        ("hsa-miR-107/103a-3p/103b", ("miR-107", "miR-103a-3p", "miR-103b")),
        ("hsa-miR-486-3p/486-5p", ("miR-486-3p", "miR-486-5p")),
    ],
)
def test_a_mature_name_is_read_without_its_species(text: str, names: tuple[str, ...]) -> None:
    read = parse_mirna(text, "human")
    assert (read.kind, read.names) == ("mature", names)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hsa-mir-378c", "hairpin"),
        ("hsa-let-7a-1", "hairpin"),
        ("hsa-let-7b", "hairpin"),
        ("hsa-miR-16-1", "hairpin"),
        ("mmu-miR-21a-5p", "other species"),
        ("Human U6 snRNA", "not a miRNA"),
        ("NT5E", "not a miRNA"),
        ("hsa-miR-21-5p;hsa-miR-590-5p", "not a miRNA"),
        ("", "not a miRNA"),
    ],
)
def test_a_name_that_is_no_mature_mirna_says_what_it_is(text: str, kind: str) -> None:
    assert parse_mirna(text, "human").kind == kind


def test_the_species_of_the_donor_decides_which_prefix_is_its_own() -> None:
    assert parse_mirna("mmu-miR-21a-5p", "mouse").names == ("miR-21a-5p",)
    assert parse_mirna("hsa-miR-21-5p", "mouse").kind == "other species"


@pytest.mark.parametrize("text", ["HLA-DR", "hladr", "HLA DR", "HLA-DRA"])
def test_spelling_of_a_marker_does_not_matter(text: str) -> None:
    assert canonical(text, {"HLA-DR": ["HLA-DRA"], "CD79a": ["CD79 alpha"]}) == "HLA-DR"


def test_greek_letters_read_as_latin_and_strangers_as_none() -> None:
    aliases = {"CD79a": []}
    assert canonical("CD79α", aliases) == "CD79a"
    assert canonical("CD79b", aliases) is None
