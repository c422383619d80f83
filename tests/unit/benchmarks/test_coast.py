"""Scenarios happen elsewhere as their seed says, and their scores make one table."""

from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import app
import simulation
from benchmarks import coast
from benchmarks.coast import SCENARIOS, SEEDS, elsewhere
from core.times import HOUR
from simulators.scoring import Alert, score
from simulators.truth import Account, Nature, Truth

CITY = app.read_configuration(Path(__file__).resolve().parents[3] / "config")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_happens_elsewhere_at_places_of_the_same_kind(name: str) -> None:
    found = simulation.scenario_of(name, CITY, SEEDS[0])
    moved = elsewhere(found)
    assert elsewhere(found) == moved
    assert not moved.events or moved.events != found.events or name == "haze"  # haze is everywhere
    at = {device.id: device.site for device in found.devices}
    for before, after in zip(found.events, moved.events, strict=True):
        assert len(set(after.sites)) == len(before.sites)
        assert _kinds(before.sites) == _kinds(after.sites)
    for fault, other in zip(found.faults, moved.faults, strict=True):
        assert len(set(other.devices)) == len(fault.devices)
        assert _kinds(at[d] for d in fault.devices) == _kinds(at[d] for d in other.devices)


def _kinds(sites: Iterable[str]) -> set[str]:
    return {CITY.registry.sites[site].kind for site in sites}


def test_scores_of_a_scenario_are_taken_together() -> None:
    spill = Truth(
        id="spill-1",
        nature=Nature.EVENT,
        kind="spill",
        sites=("patong-beach",),
        devices=("patong-probe-1",),
        parameters=("turbidity",),
        start=0,
        end=2 * HOUR,
        severity="warning",
    )
    account = Account(
        scenario="spill",
        seed=1,
        start=0,
        end=24 * HOUR,
        devices=("patong-probe-1",),
        truths=(spill,),
    )
    seen = Alert(
        id="a",
        rule="beach-turbid",
        subject="patong-probe-1/turbidity",
        fired_at=HOUR,
        says=Nature.EVENT,
    )
    shown = StringIO()
    console = Console(width=200, file=shown)
    for table in coast.tables([score(account, [seen]), score(account, [])]):
        console.print(table)
    (row,) = [line for line in shown.getvalue().splitlines() if "all events" in line]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        "2",
        "1 (50%)",
        "1 (50%)",
        "0 (0%)",
        "1:00:00",
        "1",
        "0",
    ]
