from dataclasses import replace

import pytest

from exotwin.errors import EvidenceError
from exotwin.evidence import records
from exotwin.validation.check import NotTestable
from exotwin.validation.coverage import ACCOUNTABLE, coverage, parameters_of


def test_each_accountable_record_of_a_dossier_is_counted_once(read, tiny_root):
    found = coverage([read()], {"toy": [read()]}, root=tiny_root)["toy"]
    ids = [*found.checked, *found.parameter, *found.not_testable, *found.unaccounted]
    expected = {r.id for r in records(seen=True).values() if r.dossier == "ageing" and r.kind in ACCOUNTABLE}
    assert len(ids) == len(set(ids)) == found.n
    assert set(ids) == expected
    assert found.checked == ("karin2019-burden-ratio",)  # the others' kinds need no account
    assert found.not_testable == ("bmt-partial-null",)


def test_a_check_of_another_module_counts_as_well(read, tiny_root):
    other = replace(read(), name="other", module="other", checks=(), not_testable=())
    found = coverage([read(), other], {"other": [other]}, root=tiny_root)["other"]
    assert found.checked == ("karin2019-burden-ratio",)
    assert found.not_testable == ("bmt-partial-null",)


def test_a_number_of_a_table_counts_unless_it_is_input(tiny_root):
    used = parameters_of(tiny_root)
    assert "karin2019-halflife" in used
    assert "sr-mouse-ml" not in used


def test_what_the_shipped_models_rest_on_includes_fits_and_no_fit_as_a_record():
    used = parameters_of()
    assert "msc-meta-2023-e2" in used
    assert not any(name.startswith("calibration:") for name in used)


def test_what_is_called_not_testable_has_no_check(read, tiny_root):
    entry = NotTestable(("karin2019-burden-ratio",), "toy")
    with pytest.raises(EvidenceError, match="not testable") as fault:
        coverage([replace(read(), not_testable=(entry,))], {}, root=tiny_root)
    assert "a check on it" in str(fault.value)


def test_a_dossier_that_does_not_exist_is_told_with_the_nearest(read, tiny_root):
    wrong = replace(read(), dossiers=("agein",))
    with pytest.raises(EvidenceError, match='nearest   "ageing"'):
        coverage([wrong], {"toy": [wrong]}, root=tiny_root)
