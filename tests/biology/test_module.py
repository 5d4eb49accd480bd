from __future__ import annotations

from pathlib import Path

import pytest

from exotwin.biology.model import Noise
from exotwin.biology.module import Names, owned_symbols, read_module
from exotwin.errors import BiologyError

NAMES = Names({"mediator": ("mir_21_5p", "let_7a_5p"), "tissue": ("ovary", "brain")}, "ovary")
NONE = Names({"mediator": ()})
TEXT = """// Header, line one.
// Line two.
model part
  // inputs
  drive = 1 dimensionless;   // from elsewhere
  // a remark between them
  age = 30 year;

  level = start; level has ng_per_mL;
  level' = drive * made - ln(2) / half_life * level;
  // per mediator
  copies_mediator = 0;
  copies_mediator' = gain_mediator_of * copies_mediator;   // intermediator stays
  // end per mediator
end
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "part.ant"
    path.write_text(text, encoding="utf-8")
    return path


def test_header_inputs_and_body_are_told_apart(tmp_path):
    module = read_module(_write(tmp_path, TEXT), NONE)
    assert module.header == ("// Header, line one.", "// Line two.")
    assert list(module.inputs) == ["drive", "age"]
    assert module.inputs["age"].where == "part.ant, line 7"
    assert module.owned == {"level": "part.ant, line 9"}
    assert not any("drive = 1" in line.text for line in module.lines)


def test_the_block_of_a_mediator_is_written_once_for_each(tmp_path):
    module = read_module(_write(tmp_path, TEXT), NAMES)
    text = "\n".join(line.text for line in module.lines)
    assert {"copies_mir_21_5p", "copies_let_7a_5p"} <= module.owned.keys()
    assert "gain_mir_21_5p_of * copies_mir_21_5p;   // intermediator stays" in text
    assert "_mediator" not in text


def test_the_block_of_a_mediator_vanishes_without_mediators(tmp_path):
    assert read_module(_write(tmp_path, TEXT), NONE).owned.keys() == {"level"}


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("half_life_mediator", ["half_life_mir_21_5p", "half_life_let_7a_5p"]),
        ("gain_mediator_growth", ["gain_mir_21_5p_growth", "gain_let_7a_5p_growth"]),
        ("intermediator_rate", ["intermediator_rate"]),
        ("tissue_mass", ["ovary_mass", "brain_mass"]),
        ("homing_target", ["homing_ovary"]),
        (
            "tissue_mediator",
            ["ovary_mir_21_5p", "brain_mir_21_5p", "ovary_let_7a_5p", "brain_let_7a_5p"],
        ),
    ],
)
def test_table_rows_are_named_likewise(name, names):
    assert sorted(NAMES.of(name)) == sorted(names)


def test_blocks_may_stand_within_an_equation_within_each_other_and_among_the_inputs(tmp_path):
    text = """model part
  // inputs
  // per tissue
  tissue_flow = 0 mL_per_day;
  // end per tissue

  total := \\
  // per tissue
      + tissue_flow \\
  // end per tissue
      + 0 mL_per_day;
  // per tissue
  // per mediator
  copies_mediator_tissue = 0;
  // end per mediator
  // end per tissue
  seen := vesicles_target;  // the target of the therapy
end
"""
    module = read_module(_write(tmp_path, text), NAMES)
    assert list(module.inputs) == ["ovary_flow", "brain_flow"]
    assert {"copies_mir_21_5p_ovary", "copies_let_7a_5p_brain"} <= module.owned.keys()
    lines = [line.text.strip() for line in module.lines]
    assert lines[:4] == ["total := \\", "+ ovary_flow \\", "+ brain_flow \\", "+ 0 mL_per_day;"]
    assert lines[-1] == "seen := vesicles_ovary;  // the target of the therapy"


@pytest.mark.parametrize(("tissue", "kept"), [("brain", True), ("skin", False)])
def test_a_block_with_a_tissue_is_kept_where_the_condition_follows_it(tmp_path, tissue, kept):
    text = TEXT.replace(
        "  // per mediator\n", f"  // with {tissue}\n  nose = 0;\n  // end with {tissue}\n  // per mediator\n"
    )
    assert ("nose" in read_module(_write(tmp_path, text), NAMES).owned) == kept


def test_a_line_of_noise_names_state_strength_and_interval(tmp_path):
    text = TEXT.replace("  // per mediator\n", "  // noise level strength shaking every pause\n  // per mediator\n")
    assert read_module(_write(tmp_path, text), NAMES).noises == (Noise("level", "shaking", "pause"),)
    assert read_module(_write(tmp_path, TEXT), NAMES).noises == ()


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("x = 3 mL;  // y = 4", ["x"]),
        ("x := a + b; x has mL;", ["x"]),
        ("x' = -k * x;", ["x"]),
        ("loss: A => B; k * A;", ["loss"]),
        ("substanceOnly species A in body, B in body;", ["A", "B"]),
        ("const rate = 3;", ["rate"]),
        ("A has cell; B has cell;", []),
        ("// nothing = here", []),
        ("x = 0; x' = 1; x has mL;", ["x"]),
        ("    + more * terms;", []),
    ],
)
def test_what_a_line_defines_is_found(text, symbols):
    assert owned_symbols(text) == symbols


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model part", "model other", "model part, as the file"),
        ("model part", "part", "no model"),
        ("\nend\n", "\n", "no model"),
        ("drive = 1 dimensionless;", "drive := 2 * x;", "an input"),
        ("  // end per mediator\n", "", "without end"),
        ("level has ng_per_mL;", "level has ng_per_mL; level = 3;", 'a second value of "level"'),
        ("  // per mediator\n", "  level' = 0;\n  // per mediator\n", 'a second rate of "level"'),
    ],
)
def test_a_module_that_is_not_in_form_is_refused(tmp_path, old, new, message):
    assert old in TEXT
    with pytest.raises(BiologyError, match=r"part\.ant") as caught:
        read_module(_write(tmp_path, TEXT.replace(old, new)), NAMES)
    assert message in str(caught.value)
