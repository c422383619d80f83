"""What alerts are worth, set against what was true."""

from dataclasses import replace
from typing import Any

import pytest

from core.times import DAY, HOUR, MINUTE, iso
from simulators.scoring import LINGER, Alert, Score, alert_of, plain, score
from simulators.truth import Account, Nature, Truth

START = 1_795_323_600_000_000
SPILL = Truth(
    id="spill-1",
    nature=Nature.EVENT,
    kind="spill",
    sites=("patong-beach",),
    devices=("patong-probe-1",),
    parameters=("turbidity", "dissolved_oxygen"),
    start=START + 10 * HOUR,
    end=START + 12 * HOUR,
    severity="warning",
)
STUCK = Truth(
    id="stuck-1",
    nature=Nature.FAULT,
    kind="stuck",
    sites=("karon-beach",),
    devices=("karon-probe-1",),
    parameters=("turbidity",),
    start=START + 20 * HOUR,
    end=START + 40 * HOUR,
    severity="warning",
)
OUTAGE = Truth(
    id="outage-1",
    nature=Nature.FAULT,
    kind="outage",
    sites=("patong-beach", "patong-air"),
    devices=("patong-probe-1", "patong-air-1"),
    parameters=(),
    start=START + 60 * HOUR,
    end=START + 62 * HOUR,
    severity="critical",
    details={"gateway": "gw-patong"},
)
DYING = replace(STUCK, id="battery-1", kind="battery", parameters=("battery_voltage",))


def item(
    subject: str, fired_at: int | None, says: str | None = None, **more: Any
) -> dict[str, Any]:
    """An alert as the API tells it, as far as the score looks."""
    fired = None if fired_at is None else iso(fired_at)
    made = {"id": f"{subject}@{fired_at}", "rule": "a-rule", "subject": subject, "marks": []}
    verdict = {} if says is None else {"verdict": {"kind": says, "cause": "", "confidence": 0.9}}
    return made | {"fired_at": fired} | verdict | more


def scored(*items: dict[str, Any], truths: tuple[Truth, ...] = (SPILL,)) -> Score:
    account = Account(
        scenario="a-week",
        seed=1,
        start=START,
        end=START + 7 * DAY,
        devices=("patong-probe-1", "karon-probe-1", "patong-air-1"),
        truths=truths,
    )
    return score(account, [alert for one in items if (alert := alert_of(one)) is not None])


@pytest.mark.parametrize(
    ("subject", "fired_at", "raised"),
    [
        pytest.param("patong-probe-1/turbidity", SPILL.start, True, id="as it begins"),
        pytest.param("patong-probe-1/turbidity", SPILL.end + LINGER, True, id="soon after it"),
        pytest.param("patong-probe-1/turbidity", SPILL.start - 1, False, id="before it"),
        pytest.param("patong-probe-1/turbidity", SPILL.end + LINGER + 1, False, id="long after it"),
        pytest.param("karon-probe-1/turbidity", SPILL.start, False, id="elsewhere"),
        pytest.param("patong-probe-1/ph", SPILL.start, False, id="of what it does not touch"),
        pytest.param("patong-probe-1", SPILL.start, True, id="of the device as a whole"),
        pytest.param("site/patong-beach", SPILL.start, True, id="a composite of the site"),
        pytest.param("site/karon-beach", SPILL.start, False, id="a composite of another site"),
        pytest.param("city", SPILL.start, False, id="a composite of the city alone"),
    ],
)
def test_an_alert_is_about_a_truth_at_its_place_parameter_and_time(
    subject: str, fired_at: int, raised: bool
) -> None:
    found = scored(item(subject, fired_at))
    assert found.total(Nature.EVENT).raised == raised
    assert len(found.false) == (not raised)


def test_a_composite_of_the_city_is_about_what_was_raised_meanwhile() -> None:
    first = item("patong-probe-1/turbidity", SPILL.start)
    assert scored(first, item("city", SPILL.start + HOUR)).false == []


def test_a_silent_gateway_is_about_its_own_outage_alone() -> None:
    at = OUTAGE.start + 20 * MINUTE
    items = (item("gateway/gw-patong", at), item("gateway/gw-karon", at))
    found = scored(*items, truths=(OUTAGE,))
    assert [alert.subject for alert in found.false] == ["gateway/gw-karon"]
    assert found.total(Nature.FAULT).right == 1


def test_a_level_is_not_about_what_leaves_values_as_they_are() -> None:
    found = scored(item("patong-probe-1/turbidity", OUTAGE.start), truths=(OUTAGE,))
    assert (found.total(Nature.FAULT).raised, len(found.false)) == (0, 1)


def test_an_alert_that_never_fired_is_on_trial_or_about_andaman_itself_is_none() -> None:
    pending = item("karon-probe-1/ph", None)
    shadow = item("karon-probe-1/ph", START, marks=["shadow"])
    disk = item("disk", START, rule="system-disk")
    assert scored(pending, shadow, disk).alerts == 0


def test_the_delay_is_from_the_beginning_to_the_first_alert() -> None:
    late, early = (item("patong-probe-1/turbidity", SPILL.start + n * MINUTE) for n in (50, 20))
    assert scored(late, early).total(Nature.EVENT).delay == 20 * MINUTE


@pytest.mark.parametrize(
    ("truth", "subject", "says", "right", "mistaken"),
    [
        pytest.param(SPILL, "patong-probe-1/turbidity", None, 1, 0, id="a level of an event"),
        pytest.param(SPILL, "patong-probe-1/turbidity", "event", 1, 0, id="an event, and it is"),
        pytest.param(SPILL, "patong-probe-1/turbidity", "sensor-fault", 0, 1, id="a sensor blamed"),
        pytest.param(SPILL, "patong-probe-1/turbidity", "unclear", 0, 0, id="nobody knows"),
        pytest.param(STUCK, "karon-probe-1/turbidity", None, 0, 1, id="a level of a fault"),
        pytest.param(STUCK, "karon-probe-1/turbidity", "sensor-fault", 1, 0, id="a fault, it is"),
        pytest.param(STUCK, "karon-probe-1/turbidity", "event", 0, 1, id="a fault told as event"),
        pytest.param(OUTAGE, "patong-air-1", None, 1, 0, id="silence is a fault"),
        pytest.param(OUTAGE, "device/patong-air-1", None, 1, 0, id="a wrong clock is one"),
        pytest.param(DYING, "karon-probe-1/battery_voltage", None, 1, 0, id="a low battery is one"),
    ],
)
def test_a_truth_is_called_what_it_is_or_the_other(
    truth: Truth, subject: str, says: str | None, right: int, mistaken: int
) -> None:
    found = scored(item(subject, truth.start + HOUR, says), truths=(truth,)).total(truth.nature)
    assert (found.raised, found.right, found.mistaken) == (1, right, mistaken)


def test_one_right_call_is_enough() -> None:
    at = STUCK.start + HOUR
    items = (item("karon-probe-1/turbidity", at), item("karon-probe-1", at + HOUR))
    found = scored(*items, truths=(STUCK,)).total(Nature.FAULT)
    assert (found.right, found.mistaken) == (1, 0)


@pytest.mark.parametrize(
    ("says", "events", "faults"),
    [
        pytest.param("event", 1, 0, id="of the event"),
        pytest.param("sensor-fault", 0, 1, id="of the fault"),
        pytest.param("unclear", 1, 1, id="of either"),
    ],
)
def test_where_both_go_on_an_alert_is_about_what_it_says(
    says: str, events: int, faults: int
) -> None:
    stuck = replace(SPILL, id="stuck-2", nature=Nature.FAULT, kind="stuck")
    found = scored(item("patong-probe-1/turbidity", SPILL.start, says), truths=(SPILL, stuck))
    assert found.total(Nature.EVENT).raised == events
    assert found.total(Nature.FAULT).raised == faults


def test_what_nobody_has_to_be_told_of_is_listed_and_not_missed() -> None:
    quiet = replace(STUCK, kind="duplicate", severity="info")
    found = scored(item("karon-probe-1/turbidity", STUCK.start), truths=(quiet,))
    assert found.total(Nature.FAULT).count == 0
    assert found.kinds()[Nature.FAULT, "duplicate"].count == 1
    assert found.missed() == []
    assert found.false == []


def test_it_counts_false_alerts_per_sensor_and_month() -> None:
    found = scored(*(item("karon-probe-1/ph", START + n * DAY) for n in range(7)))
    assert found.false_per_sensor_month == pytest.approx(7 / 3 / (7 / 30))


def test_alerts_from_outside_the_run_do_not_count() -> None:
    found = scored(item("karon-probe-1/ph", START - 1), item("karon-probe-1/ph", START + 9 * DAY))
    assert found.alerts == 0


CHANGE = {
    "type": "transition",
    "device": "patong-probe-1",
    "parameter": "turbidity",
    "rule": "beach-turbid",
    "alert": "a1",
    "after": "firing",
    "time": iso(SPILL.start),
    "marks": [],
}


def test_it_reads_the_changes_of_a_replay() -> None:
    assert alert_of(CHANGE) == Alert(
        id="a1",
        rule="beach-turbid",
        subject="patong-probe-1/turbidity",
        fired_at=SPILL.start,
        says=Nature.EVENT,
    )
    assert alert_of(CHANGE | {"after": "pending"}) is None
    assert alert_of(CHANGE | {"marks": ["shadow"]}) is None
    assert alert_of({"type": "reading", "device": "patong-probe-1"}) is None


def test_an_alert_that_fires_again_is_the_same_one() -> None:
    found = scored(CHANGE | {"time": iso(SPILL.start + HOUR)}, CHANGE)
    assert (found.alerts, found.total(Nature.EVENT).delay) == (1, 0)


def test_its_plain_form_says_recall_delay_kinds_and_what_was_missed() -> None:
    found = scored(
        item("patong-probe-1/turbidity", SPILL.start + 5 * MINUTE),
        item("karon-probe-1/ph", START, rule="beach-ph-low"),
        truths=(SPILL, STUCK),
    )
    said = plain(found)
    assert (said["events"]["recall"], said["faults"]["recall"]) == (1.0, 0.0)
    assert said["events"]["median_delay_seconds"] == 300
    assert [kind["kind"] for kind in said["kinds"]] == ["spill", "stuck"]
    assert said["missed"] == ["stuck-1"]
    assert said["false_alerts"]["by_rule"] == {"beach-ph-low": 1}


def test_a_run_without_truths_and_alerts_has_a_score() -> None:
    said = plain(scored(truths=()))
    assert said["events"]["recall"] is None
    assert said["false_alerts"]["per_sensor_and_month"] == 0
