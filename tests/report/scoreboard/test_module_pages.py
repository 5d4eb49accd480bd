from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from scoreboard import boards

TOOL = Path(__file__).parents[3] / "tools" / "module_checks.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("module_checks", TOOL)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_block_of_a_page_has_a_row_for_each_check_and_a_reason_for_each_miss(tool):
    board = boards.full()
    mine = board.of("ageing")
    text = tool.checks_text(board, mine, "ageing")
    tested = [s for s in mine if s.verdict != "not testable"]
    assert sum(line.startswith(("| ✓", "| ✗")) for line in text.splitlines()) == len(tested)
    missed = [s for s in tested if s.verdict == "outside"]
    assert sum(line.startswith("- *") for line in text.splitlines()) == len(missed)
    assert "1 unaccounted for" in text


def test_words_of_a_check_cannot_break_the_table(tool):
    board = boards.hostile()
    text = tool.checks_text(board, board.checks, "ageing")
    row = next(line for line in text.splitlines() if line.startswith("| ✗"))
    assert row.count("|") == 8
    assert "<script>" not in text


def test_a_page_keeps_all_but_what_stands_between_the_markers(tool):
    page = "before\n<!-- checks -->\nold\n<!-- end checks -->\nafter\n"
    once = tool.filled(page, "checks", "new\n")
    assert once == "before\n<!-- checks -->\n\nnew\n\n<!-- end checks -->\nafter\n"
    assert tool.filled(once, "checks", "new\n") == once
    assert tool.filled("no markers", "checks", "new") == "no markers"


def test_rounding_does_not_make_a_page_stale_but_another_number_or_word_does(tool):
    assert tool.same("| 12.3 days |", "| 12.4 days |")
    assert not tool.same("| 12.3 days |", "| 13.3 days |")
    assert not tool.same("| ✓ 12.3 |", "| ✗ 12.3 |")


@pytest.mark.slow
def test_checks_and_bases_on_the_pages_of_the_modules_are_those_of_the_models(tool, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["module_checks.py"])
    assert tool.main(["--check"]) == 0
