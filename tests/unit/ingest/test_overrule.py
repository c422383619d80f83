"""What officers say of readings: which readings are meant, and who has the last word."""

from dataclasses import replace

import numpy as np
import pytest

from core.annotations import Annotation, Service, Work
from core.readings import Cause, Flag, Revision
from core.registry import Series
from ingest.arrange import columns_of
from ingest.overrule import FOREVER, Overrule, series_of, windows
from ingest.quality.check import check
from ingest.quality.settings import QualitySettings, ServiceWindow
from ingest.quality.state import State

SERIES = [
    Series(index=n, device=device, parameter=p, site="s", kind="beach", district="x")
    for n, (device, p) in enumerate(
        [("a", "ph"), ("a", "salinity"), ("b", "ph"), ("a", "battery_level"), ("a", "gone")]
    )
]


def said(flag: Flag, start: int, end: int, *parameters: str, device: str = "a") -> Annotation:
    return Annotation(id=1, device=device, parameters=parameters, start=start, end=end, flag=flag)


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        pytest.param([], [1, 1, 1, 1], id="nobody says anything"),
        pytest.param([said(Flag.FAIL, 10, 30)], [4, 4, 1, 1], id="all of a device"),
        pytest.param([said(Flag.FAIL, 10, 30, "salinity")], [1, 4, 1, 1], id="one parameter"),
        pytest.param([said(Flag.FAIL, 11, 20)], [1, 1, 1, 1], id="the end is not included"),
        pytest.param([said(Flag.FAIL, 20, 21)], [1, 4, 1, 1], id="the start is"),
        pytest.param([said(Flag.FAIL, 0, 99, device="b")], [1, 1, 4, 4], id="another device"),
        pytest.param([said(Flag.FAIL, 0, 99, device="c")], [1, 1, 1, 1], id="an unknown device"),
        pytest.param(
            [said(Flag.FAIL, 0, 99), said(Flag.SUSPECT, 15, 99)], [4, 3, 1, 1], id="the later one"
        ),
        pytest.param(
            [said(Flag.SUSPECT, 15, 99), said(Flag.FAIL, 0, 99)], [4, 4, 1, 1], id="said later"
        ),
    ],
)  # fmt: skip
def test_it_puts_flags_on_the_readings_that_are_meant(
    annotations: list[Annotation], expected: list[int]
) -> None:
    series, at = np.array([0, 1, 2, 2]), np.array([10, 20, 10, 30])
    flags = Overrule(annotations, SERIES).flags(series, at, np.ones(4, np.uint8))
    assert flags.tolist() == expected


def test_it_leaves_the_flags_of_the_tests_as_they_were() -> None:
    flag = np.ones(1, np.uint8)
    overruled = Overrule([said(Flag.FAIL, 0, 99)], SERIES)
    assert overruled.flags(np.array([0]), np.array([10]), flag).tolist() == [4]
    assert flag.tolist() == [1]
    assert overruled.flags(np.empty(0, np.int64), np.empty(0, np.int64), flag[:0]).tolist() == []


def test_a_revision_of_what_an_officer_spoke_of_changes_the_tests_alone() -> None:
    revision = Revision(0, 10, 11, 1, 3, 0b01, 0b10, Cause.NEXT_READING)
    checked = check(columns_of(), State(len(SERIES)), QualitySettings.of(SERIES))
    checked = replace(checked, revisions=[revision, revision._replace(measured_at=50)])
    (spoken, other) = Overrule([said(Flag.FAIL, 0, 20)], SERIES).applied(checked).revisions
    assert spoken == revision._replace(flag_before=4, flag=4)
    assert other == revision._replace(measured_at=50)


def test_work_concerns_what_a_device_reports_of_its_place() -> None:
    done = Service(id=1, device="a", work=Work.CLEANING, start=5, end=9)
    goes_on = Service(id=2, device="b", work=Work.RETRIEVAL, start=7, end=None)
    assert windows([done, goes_on], SERIES) == [
        ServiceWindow(0, 5, 9, Flag.SUSPECT),
        ServiceWindow(1, 5, 9, Flag.SUSPECT),
        ServiceWindow(4, 5, 9, Flag.SUSPECT),
        ServiceWindow(2, 7, FOREVER, Flag.FAIL),
    ]


def test_no_parameter_stands_for_all() -> None:
    assert series_of(SERIES, "a", []).tolist() == [0, 1, 3, 4]
    assert series_of(SERIES, "a", ["ph", "co"]).tolist() == [0]
    assert series_of(SERIES, "c", []).tolist() == []
