"""Maintenance windows: when they are open by the clock on the wall, and what is no window."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.maintenance import WindowEntry, following, load, opening
from core.errors import ConfigError
from core.times import HOUR, from_micros, to_micros

BANGKOK, BERLIN = ZoneInfo("Asia/Bangkok"), ZoneInfo("Europe/Berlin")


def window(**changed: Any) -> WindowEntry:
    asked = {
        "id": "w",
        "matchers": ["site=x"],
        "reason": "cleaning",
        "from": "22:00",
        "to": "02:00",
    }
    return WindowEntry.model_validate(asked | changed)


def at(text: str, zone: ZoneInfo = BANGKOK) -> int:
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=zone))


MONDAYS = window(days=["mon"])
WHOLE_MONDAYS = window(days=["mon"], **{"from": "00:00", "to": "24:00"})
FIRST_AND_LAST = window(month_days=[1, "last"], **{"from": "08:00", "to": "09:00"})
DAYS_31 = window(month_days=[31], **{"from": "08:00", "to": "09:00"})


@pytest.mark.parametrize(
    ("entry", "moment", "is_open"),
    [
        pytest.param(MONDAYS, "2026-11-23T21:59:59", False, id="before"),
        pytest.param(MONDAYS, "2026-11-23T22:00:00", True, id="at the beginning"),
        pytest.param(MONDAYS, "2026-11-24T01:59:59", True, id="after midnight"),
        pytest.param(MONDAYS, "2026-11-24T02:00:00", False, id="at the end"),
        pytest.param(MONDAYS, "2026-11-23T01:00:00", False, id="the night before"),
        pytest.param(MONDAYS, "2026-11-24T22:30:00", False, id="another day"),
        pytest.param(WHOLE_MONDAYS, "2026-11-23T00:00:00", True, id="whole day"),
        pytest.param(WHOLE_MONDAYS, "2026-11-23T23:59:59", True, id="its last second"),
        pytest.param(WHOLE_MONDAYS, "2026-11-24T00:00:00", False, id="the day after"),
        pytest.param(FIRST_AND_LAST, "2026-12-01T08:30:00", True, id="first of the month"),
        pytest.param(FIRST_AND_LAST, "2026-11-30T08:30:00", True, id="last of the month"),
        pytest.param(FIRST_AND_LAST, "2028-02-29T08:30:00", True, id="last of a leap February"),
        pytest.param(FIRST_AND_LAST, "2026-11-29T08:30:00", False, id="last but one"),
        pytest.param(DAYS_31, "2026-11-30T08:30:00", False, id="a month without a 31st"),
    ],
)
def test_it_is_open_by_the_clock_of_the_city(
    entry: WindowEntry, moment: str, is_open: bool
) -> None:
    assert (opening(entry, at(moment), BANGKOK) is not None) is is_open


def test_a_window_is_of_the_zone_and_not_of_utc() -> None:
    sunday_in_utc = at("2026-11-22T15:30:00", ZoneInfo("UTC"))  # Sunday 22:30 in Bangkok
    assert opening(window(days=["sun"]), sunday_in_utc, BANGKOK)
    assert not opening(window(days=["sun"]), sunday_in_utc, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param("2026-03-28", 3, id="clocks go forward"),
        pytest.param("2026-10-24", 5, id="clocks go back"),
        pytest.param("2026-11-21", 4, id="neither"),
    ],
)
def test_it_begins_and_ends_by_the_clock_also_when_that_is_changed(day: str, hours: int) -> None:
    entry = window(days=["sat"], **{"from": "23:00", "to": "03:00"})
    found = opening(entry, at(f"{day}T23:30:00", BERLIN), BERLIN)
    assert found is not None
    assert found.end - found.start == hours * HOUR


@pytest.mark.parametrize(
    ("entry", "moment", "begins"),
    [
        pytest.param(MONDAYS, "2026-11-22T12:00:00", "2026-11-23T22:00", id="tomorrow"),
        pytest.param(MONDAYS, "2026-11-23T22:00:00", "2026-11-30T22:00", id="in a week"),
        pytest.param(DAYS_31, "2027-01-31T08:00:00", "2027-03-31T08:00", id="in two months"),
    ],
)
def test_it_knows_when_it_opens_next(entry: WindowEntry, moment: str, begins: str) -> None:
    found = following(entry, at(moment), BANGKOK)
    assert from_micros(found.start).astimezone(BANGKOK).isoformat()[:16] == begins


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("days: [monday], from: '22:00', to: '02:00'", "mon", id="no day"),
        pytest.param("from: '22:00', to: '02:00'", "days or month_days", id="never"),
        pytest.param(
            "days: [mon], month_days: [1], from: '22:00', to: '02:00'",
            "days or month_days",
            id="both",
        ),
        pytest.param("month_days: [32], from: '22:00', to: '02:00'", "31", id="no such day"),
        pytest.param("days: [mon], from: 22:00, to: '02:00'", "in quotes", id="not quoted"),
        pytest.param("days: [mon], from: '25:00', to: '02:00'", "in quotes", id="no time"),
        pytest.param("days: [mon], from: '22:00', to: '22:00'", "let the window last", id="none"),
        pytest.param("days: [mon], from: '22:00', to: '00:00'", "24:00", id="to midnight"),
        pytest.param(
            "days: [mon], from: '22:00', to: '02:00', matchers: ['site=~\".*\"']",
            "everything",
            id="matches everything",
        ),
        pytest.param("days: [mon], from: '1:00', to: '02:00'", "in quotes", id="short time"),
    ],
)
def test_it_names_file_and_line_of_what_is_wrong(tmp_path: Path, line: str, words: str) -> None:
    matching = "" if "matchers" in line else "matchers: [site=x], "
    text = f"windows:\n  - {{id: w, reason: r, {matching}{line}}}\n"
    (tmp_path / "maintenance.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path)
    assert any("maintenance.yaml:2: " in p and words in p for p in refused.value.problems)


def test_two_windows_have_two_names(tmp_path: Path) -> None:
    line = "  - {id: w, reason: r, matchers: [site=x], days: [mon], from: '01:00', to: '02:00'}\n"
    (tmp_path / "maintenance.yaml").write_text(f"windows:\n{line}{line}", encoding="utf-8")
    with pytest.raises(ConfigError, match="two windows are called w"):
        load(tmp_path)


def test_there_need_be_no_file(tmp_path: Path) -> None:
    assert load(tmp_path) == ()
