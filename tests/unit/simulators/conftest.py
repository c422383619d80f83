"""The shipped coast, for tests of the simulators."""

from pathlib import Path

import pytest

from core.configuration import load
from simulators.chance import Chance
from simulators.coast import Coast, coast_of

CONFIG = Path(__file__).resolve().parents[3] / "config"


@pytest.fixture(scope="session")
def coast() -> Coast:
    city = load(CONFIG)
    return coast_of(city.sites, city.devices.values(), Chance(83))
