"""What alerts are about, told from their subjects."""

from typing import NamedTuple

import pytest

from core.alerts import Mark, Severity
from storage.labels import Places, mutes_others

PLACES = Places({"patong": ("beach", "kathu")}, {"probe": "gw"})


class Row(NamedTuple):
    subject: str
    site: str = ""
    rule: str = "r"
    severity: int = 2
    marks: str = ""


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            Row("probe/ph", "patong"), ("probe", "ph", "gw", "kathu", "beach"), id="a series"
        ),
        pytest.param(Row("probe", "patong"), ("probe", "", "gw", "kathu", "beach"), id="a device"),
        pytest.param(Row("gateway/gw"), ("", "", "gw", "", ""), id="a gateway"),
        pytest.param(Row("site/patong", "patong"), ("", "", "", "kathu", "beach"), id="a site"),
        pytest.param(Row("district/kathu"), ("", "", "", "kathu", ""), id="a district"),
        pytest.param(Row("city"), ("", "", "", "", ""), id="the city"),
        pytest.param(
            Row("gone/ph", "patong"),
            ("gone", "ph", "", "kathu", "beach"),
            id="a device that is gone",
        ),
        pytest.param(Row("gone/ph", "gone"), ("gone", "ph", "", "", ""), id="a site that is gone"),
        pytest.param(Row("device/probe"), ("probe", "", "gw", "", ""), id="a device of the system"),
    ],
)
def test_it_tells_what_an_alert_is_about(row: Row, expected: tuple[str, ...]) -> None:
    found = PLACES.labels("a", row)
    told = (found.device, found.parameter, found.gateway, found.district, found.kind)
    assert told == expected
    assert (found.alert, found.severity, found.shelved) == ("a", Severity.WARNING, False)


def test_a_shelved_alert_says_so() -> None:
    assert PLACES.labels("a", Row("city", marks="stale shelved")).shelved


@pytest.mark.parametrize(
    ("subject", "marks", "mutes"),
    [
        pytest.param("probe/ph", (), True, id="any"),
        pytest.param("probe/ph", (Mark.STALE, Mark.FOLDED), True, id="marked"),
        pytest.param("probe/ph", (Mark.SHADOW,), False, id="on trial"),
        pytest.param("storm", (), False, id="a storm is about no place"),
    ],
)
def test_who_may_mute_others(subject: str, marks: tuple[Mark, ...], mutes: bool) -> None:
    assert mutes_others(subject, marks) is mutes
