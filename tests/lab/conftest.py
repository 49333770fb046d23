"""Fleets for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fleet import LabFleet, lab_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LabFleet]:
    """An empty fleet for one test."""
    with lab_fleet(tmp_path) as fleet:
        yield fleet
