"""A served ledger for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import Service, service


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    """An empty ledger behind the API."""
    with service(tmp_path) as made:
        yield made
