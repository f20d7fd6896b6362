"""The planted faults can all be planted: none has lost its place, its file or its tests."""

import pytest

from tests.mutation.fault import ROOT, Fault, PlaceGone
from tests.mutation.faults import AREAS


def test_every_fault_has_its_place_and_its_tests() -> None:
    for faults in AREAS.values():
        for fault in faults:
            assert fault.planted() != (ROOT / fault.file).read_text(), fault.what
            assert fault.tests, fault.what
            assert [file for file in fault.tests if not (ROOT / file).is_file()] == [], fault.what


def test_no_fault_is_told_twice() -> None:
    everything = [fault for faults in AREAS.values() for fault in faults]
    assert len({fault.what for fault in everything}) == len(everything)


def test_a_fault_whose_place_is_gone_says_so() -> None:
    with pytest.raises(PlaceGone, match="found 0 times"):
        Fault("nothing", "core/clock.py", "no such line", "", ()).planted()
