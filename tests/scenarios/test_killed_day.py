"""A scripted day tells the same however often it is killed; `make killed` kills it often."""

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.day import killed, live, points

DEATHS = 5


@pytest.mark.timeout(300)  # six processes, each with a start of its own
def test_a_day_that_is_killed_tells_what_it_would_have_told(tmp_path: Path) -> None:
    chance = random.Random(22)
    undisturbed = live(tmp_path / "undisturbed")
    assert killed(tmp_path / "killed", points(DEATHS, chance), chance) == undisturbed
    reasons = Counter(row.reason for row in undisturbed)
    seldom = {"eased", "flapping", "not-held", "out-of-schedule", "reopened", "rule-changed"}
    assert seldom | {"data-stopped", "held", "shelved", "storm-over", "unshelved"} <= set(reasons)
