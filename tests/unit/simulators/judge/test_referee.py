"""Each judge sees the one thing that is wrong, and none sees anything in a run that went well."""

from dataclasses import replace
from typing import Any

import pytest

from simulators.judge.evidence import Arrival, Delivery, Evidence, News
from simulators.judge.referee import judge
from simulators.judge.watch import Look

KEY, OTHER = ("told-1", "fill_level", 1_000_000), ("hill-0", "pm25", 2_000_000)
PLANNED = [Delivery("line", "U1", "p1", "sent"), Delivery("email", "a@b", "p2", "sent")]
ARRIVED = [
    Arrival("line", "U1", "p1", 1.0, "told-1 is full"),
    Arrival("email", "a@b", "p2", 1.0, "told-1 is full"),
]
WELL = Evidence(
    issued={KEY: 97.0, OTHER: 12.5},
    owed={KEY: 97.0, OTHER: 12.5},
    rejected={},
    stored=[(KEY, 97.0), (OTHER, 12.5)],
    counts={"received": 4, "stored": 2, "duplicate": 1, "quarantined": 1},
    transitions=1,
    verified=[],
    parcels=frozenset({"p1", "p2"}),
    deliveries=PLANNED,
    news=[News("U1", "alert-1", "told-1-full", "p1", "firing")],
    arrivals=ARRIVED,
    full=["told-1"],
    people={"line": ["U1"], "email": ["a@b"]},
    crashes=1,
    looks=[Look(float(n), 7, 100.0, 40, 12) for n in range(120)],
    logs={"andaman.log": b"INFO all well"},
    secrets=frozenset({"s3cret"}),
    influx={KEY: 97.0, OTHER: 12.5},
)


def test_they_see_nothing_in_a_run_that_went_well() -> None:
    assert judge(WELL) == {}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        pytest.param(
            "J1", {"stored": [(KEY, 97.0)], "counts": {"received": 1, "stored": 1}}, id="lost"
        ),
        pytest.param("J1", {"rejected": {("gw", 4): "not-json"}}, id="refused what was right"),
        pytest.param("J1", {"influx": {KEY: 97.0}}, id="not in InfluxDB"),
        pytest.param(
            "J2",
            {"stored": [*WELL.stored, (KEY, 97.0)], "counts": {"received": 3, "stored": 3}},
            id="doubled",
        ),
        pytest.param("J3", {"issued": {KEY: 97.0}}, id="never sent"),
        pytest.param("J4", {"issued": {KEY: 97.0, OTHER: 12.6}}, id="altered"),
        pytest.param("J4", {"influx": {KEY: 97.0, OTHER: 12.6}}, id="altered in InfluxDB"),
        pytest.param("J5", {"trouble": ["nothing moves"]}, id="stuck"),
        pytest.param("J6", {"counts": {**WELL.counts, "received": 5}}, id="miscounted"),
        pytest.param("J6", {"verified": ["5 items were received, but"]}, id="so the product says"),
        pytest.param("J7", {"verified": ["alert a: on record nothing"]}, id="not as a replay"),
        pytest.param("J8", {"arrivals": ARRIVED[:1]}, id="a mail is missing"),
        pytest.param("J8", {"arrivals": [*ARRIVED, ARRIVED[0]]}, id="LINE twice"),
        pytest.param("J8", {"arrivals": [*ARRIVED, *ARRIVED[1:] * 2]}, id="a mail for no crash"),
        pytest.param("J8", {"parcels": frozenset({"p1"})}, id="nobody planned it"),
        pytest.param(
            "J8", {"deliveries": [PLANNED[0], PLANNED[1]._replace(state="dead")]}, id="given up"
        ),
        pytest.param(
            "J8",
            {"arrivals": [a._replace(text="told-10") for a in ARRIVED], "news": []},
            id="not of this bin",
        ),
        pytest.param(
            "J8",
            {"news": [News("U1", "alert-1", "told-1-full", "p1", "resolved")]},
            id="over before it fired",
        ),
        pytest.param("J9", {"looks": [Look(0.0, 7, 999.0, 40, 12)]}, id="too large"),
        pytest.param(
            "J9", {"looks": [Look(float(n), 7, 100.0, 40 + n, 12) for n in range(120)]}, id="leaks"
        ),
        pytest.param("J10", {"logs": {"andaman.log": b"token s3cret"}}, id="tells a secret"),
    ],
)
def test_one_of_them_sees(name: str, changed: dict[str, Any]) -> None:
    assert list(judge(replace(WELL, **changed))) == [name]


def test_a_mail_may_come_once_more_for_a_crash() -> None:
    assert judge(replace(WELL, arrivals=[*ARRIVED, ARRIVED[1]])) == {}
