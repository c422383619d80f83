"""What ships can be, what cannot be is refused with its line, and what is true of a scenario."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.times import DAY, HOUR
from simulators.coast import Coast
from simulators.events import EVENTS, EventKind
from simulators.faults import FAULTS, FaultKind
from simulators.scenario import Scenario
from simulators.scenario_files import SHIPPED, load, path_of
from simulators.truth import Nature

MONDAY = 1_795_366_800_000_000  # 2026-11-23 00:00 in Phuket
HEAD = """\
name: a-week
description: For a test.
start: 2026-11-23T00:00:00+07:00
duration: 7d
seed: 1
"""
EVENT = "  - {kind: spill, sites: [patong-beach], start: 2026-11-24T08:00:00+07:00, duration: 4h}\n"
FAULT = (
    "  - {kind: stuck, device: patong-probe-1, parameters: [ph], "
    "start: 2026-11-24T08:00:00+07:00, duration: 4h}\n"
)
SILENT = "  - {kind: outage, gateway: gw-moon, start: 2026-11-24, duration: 4h}\n"
LOSSY = (
    "  - {kind: drop, device: patong-probe-1, size: 0.5, "
    "start: 2026-11-24T00:00:00+00:00, duration: 1d}\n"
)
SHIPS = sorted(SHIPPED.glob("*.yaml"))


def scenario(
    folder: Path, coast: Coast, *, events: str = "", faults: str = "", head: str = HEAD
) -> Scenario:
    path = folder / "a.yaml"
    text = "events:\n" + events if events else "events: []\n"
    text += "faults:\n" + faults if faults else "faults: []\n"
    path.write_text(head + text, encoding="utf-8")
    return load(path, coast.sites, coast.devices)


@pytest.mark.parametrize("path", SHIPS, ids=lambda path: path.stem)
def test_each_that_ships_can_be(path: Path, coast: Coast) -> None:
    made = load(path, coast.sites, coast.devices)
    assert made.name == path.stem
    assert made.devices
    account = made.account()
    assert len({truth.id for truth in account.truths}) == len(made.events) + len(made.faults)
    assert all(truth.devices for truth in account.truths)


def test_what_ships_has_every_kind_of_event_and_fault_and_a_quiet_month(coast: Coast) -> None:
    made = [load(path, coast.sites, coast.devices) for path in SHIPS]
    assert {event.kind for one in made for event in one.events} == set(EventKind)
    assert {fault.kind for one in made for fault in one.faults} == set(FaultKind)
    assert any(not one.events and not one.faults and one.end - one.start > 28 * DAY for one in made)


def test_the_year_has_dozens_of_events_and_faults_and_long_quiet_stretches(coast: Coast) -> None:
    year = load(path_of("a-year"), coast.sites, coast.devices)
    assert year.end - year.start == 365 * DAY
    assert len(year.events) >= 60
    assert len(year.faults) >= 50
    quiet, over = [], year.start
    for truth in year.account().truths:
        quiet.append(truth.start - over)
        over = max(over, truth.end)
    assert sum(length > 9 * DAY for length in quiet) >= 4


def without(line: str) -> str:
    return HEAD.replace(line, "")


@pytest.mark.parametrize(
    ("head", "events", "faults", "line", "words"),
    [
        pytest.param(without("seed: 1\n"), "", "", 1, "seed is missing", id="no seed"),
        pytest.param(HEAD.replace("7d", "-7d"), "", "", 4, "duration: write", id="negative"),
        pytest.param(HEAD.replace("7d", "0s"), "", "", 4, "greater than 0", id="no time at all"),
        pytest.param(HEAD.replace("+07:00", ""), "", "", 3, "write a zone", id="no zone"),
        pytest.param(
            HEAD + "devices: [nobody]\n", "", "", 6, "nobody is not one", id="unknown device"
        ),
        pytest.param(
            HEAD, EVENT.replace("patong-beach", "atlantis"), "", 7, "atlantis is not", id="site"
        ),
        pytest.param(
            HEAD,
            EVENT.replace("patong-beach", "patong-air"),
            "",
            7,
            "spill happens to beach",
            id="a spill in the street",
        ),
        pytest.param(
            HEAD + "devices: [patong-air-1]\n",
            EVENT,
            "",
            8,
            "no device of this scenario stands at patong-beach",
            id="where nothing measures",
        ),
        pytest.param(HEAD, EVENT.replace("4h", "-4h"), "", 7, "duration: write", id="ends first"),
        pytest.param(
            HEAD, EVENT.replace("11-24", "11-22"), "", 7, "before the scenario", id="too early"
        ),
        pytest.param(HEAD, EVENT.replace("4h", "9d"), "", 7, "after the scenario", id="too long"),
        pytest.param(
            HEAD, EVENT.replace("spill", "flood"), "", 7, "write one of bin-fire", id="no event"
        ),
        pytest.param(
            HEAD,
            EVENT + EVENT.replace("T08", "T10"),
            "",
            8,
            "spill patong-beach is taken by line 7",
            id="one spill in another",
        ),
        pytest.param(HEAD, "", FAULT.replace("stuck", "sad"), 8, "write one of atten", id="fault"),
        pytest.param(
            HEAD, "", FAULT.replace("probe-1", "probe-9"), 8, "takes no part", id="no device"
        ),
        pytest.param(
            HEAD, "", FAULT.replace("[ph]", "[pm25]"), 8, "not of pm25", id="not measured"
        ),
        pytest.param(
            HEAD, "", FAULT.replace(" parameters: [ph],", ""), 8, "needs parameters", id="of what"
        ),
        pytest.param(
            HEAD, "", FAULT.replace("4h}", "4h, size: 3}"), 8, "means nothing", id="size of stuck"
        ),
        pytest.param(
            HEAD,
            "",
            FAULT.replace("stuck", "bias"),
            8,
            "size: between -1000 and 1000",
            id="no size",
        ),
        pytest.param(
            HEAD,
            "",
            FAULT.replace("stuck", "attenuation").replace("4h}", "4h, size: 1.2}"),
            8,
            "size: between 0 and 1",
            id="more than all",
        ),
        pytest.param(
            HEAD,
            "",
            LOSSY.replace("size", "parameters: [ph], size"),
            8,
            "has none; remove them",
            id="parameters",
        ),
        pytest.param(
            HEAD,
            "",
            FAULT.replace("stuck", "unit-change"),
            8,
            "unit-change of patong-probe-1 can be of",
            id="pH has no other unit",
        ),
        pytest.param(
            HEAD,
            "",
            FAULT.replace("stuck", "fouling").replace(
                "patong-probe-1, parameters: [ph]", "patong-air-1"
            ),
            8,
            "reads nothing in which fouling shows",
            id="growth in the air",
        ),
        pytest.param(
            HEAD,
            "",
            SILENT.replace("gateway: gw-moon", "device: patong-probe-1"),
            8,
            "outage has gateway:",
            id="who",
        ),
        pytest.param(
            HEAD,
            "",
            SILENT,
            8,
            "behind gw-moon",
            id="unknown gateway",
        ),
        pytest.param(
            HEAD,
            "",
            "  - {kind: swap, devices: [patong-probe-1, patong-air-1], "
            "start: 2026-11-24, duration: 4h}\n",
            8,
            "of one kind of site",
            id="sea and air",
        ),
        pytest.param(
            HEAD,
            "",
            FAULT + FAULT.replace("stuck", "unit-change").replace("ph", "salinity") + FAULT,
            10,
            "patong-probe-1 ph is taken by line 8",
            id="stuck twice",
        ),
        pytest.param(
            HEAD,
            "",
            SILENT.replace("moon", "patong") + LOSSY,
            9,
            "patong-probe-1 sending is taken by line 8",
            id="lost while the gateway is gone",
        ),
    ],
)
def test_it_refuses_what_cannot_be_with_file_and_line(
    tmp_path: Path, coast: Coast, head: str, events: str, faults: str, line: int, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        scenario(tmp_path, coast, head=head, events=events, faults=faults)
    (problem,) = refused.value.problems
    assert problem.startswith(f"{tmp_path / 'a.yaml'}:{line}: ")
    assert words in problem


def test_it_tells_every_mistake_at_once(tmp_path: Path, coast: Coast) -> None:
    events = EVENT.replace("patong-beach", "atlantis")
    faults = FAULT.replace("stuck", "bias") + FAULT.replace("probe-1", "probe-9")
    with pytest.raises(ConfigError) as refused:
        scenario(tmp_path, coast, events=events, faults=faults)
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(FAULT + FAULT.replace("T08", "T12"), id="one after the other"),
        pytest.param(FAULT + FAULT.replace("[ph]", "[salinity]"), id="of another parameter"),
        pytest.param(
            FAULT + LOSSY,
            id="wrong, and lost on the way",
        ),
    ],
)
def test_faults_that_do_not_contradict_each_other_may_be(
    tmp_path: Path, coast: Coast, faults: str
) -> None:
    assert len(scenario(tmp_path, coast, faults=faults).faults) == 2


def test_a_scenario_is_found_by_its_name_or_its_file(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.touch()
    assert path_of("spill") == SHIPPED / "spill.yaml"
    assert path_of(str(own)) == own
    with pytest.raises(ConfigError, match=r"write a file, or one of .*spill"):
        path_of("flood")


# --- what is true of one ---


def test_an_event_is_true_where_it_is_felt_until_nothing_is_left_of_it(
    tmp_path: Path, coast: Coast
) -> None:
    (spill,) = scenario(tmp_path, coast, events=EVENT).account().truths
    assert (spill.id, spill.nature, spill.sites) == ("spill-1", Nature.EVENT, ("patong-beach",))
    assert spill.devices == ("patong-probe-1",)
    assert {"turbidity", "dissolved_oxygen"} <= set(spill.parameters)
    assert spill.start == MONDAY + 32 * HOUR
    assert spill.end == MONDAY + 36 * HOUR + EVENTS[EventKind.SPILL].fall


def test_haze_is_true_everywhere_and_a_strong_one_is_critical(tmp_path: Path, coast: Coast) -> None:
    text = EVENT.replace("spill", "haze").replace("patong-beach", "patong-air")
    (haze,) = (
        scenario(tmp_path, coast, events=text.replace("4h", "4h, strength: 1.5")).account().truths
    )
    assert len(haze.sites) == 6
    assert haze.severity == "critical"


def test_a_fault_is_true_of_its_device_and_parameters(tmp_path: Path, coast: Coast) -> None:
    text = FAULT.replace("stuck", "drift").replace("4h}", "4h, size: -0.5}")
    (drift,) = scenario(tmp_path, coast, faults=text).account().truths
    assert (drift.nature, drift.sites) == (Nature.FAULT, ("patong-beach",))
    assert (drift.devices, drift.parameters) == (("patong-probe-1",), ("ph",))
    assert drift.details == {"size": -0.5}


def test_an_outage_is_true_of_all_behind_its_gateway(tmp_path: Path, coast: Coast) -> None:
    faults = SILENT.replace("moon", "karon")
    (outage,) = scenario(tmp_path, coast, faults=faults).account().truths
    behind = [device.id for device in coast.devices if device.gateway == "gw-karon"]
    assert list(outage.devices) == behind
    assert outage.details == {"gateway": "gw-karon"}
    assert outage.parameters == (), "what is read is right"


def test_what_a_network_does_by_itself_nobody_has_to_be_told() -> None:
    kinds = {kind for kind, traits in FAULTS.items() if traits.severity.label == "info"}
    assert kinds == {FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.REORDER}
