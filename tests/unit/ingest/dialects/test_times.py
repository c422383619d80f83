"""Times as devices write them."""

from zoneinfo import ZoneInfo

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.times import iso
from ingest.dialects.times import epoch_micros, iso_micros, measured_at, seconds_micros
from tests.samples import BANGKOK, RECEIVED_AT, incoming

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        pytest.param("2026-11-22T08:00:00Z", None, "2026-11-22T08:00:00Z", id="UTC"),
        pytest.param("2026-11-22t08:00:00z", None, "2026-11-22T08:00:00Z", id="small letters"),
        pytest.param("2026-11-22 08:00:00Z", None, "2026-11-22T08:00:00Z", id="a space"),
        pytest.param("2026-11-22T08:00Z", None, "2026-11-22T08:00:00Z", id="no seconds"),
        pytest.param("2026-11-22T08:00:00+07:00", None, "2026-11-22T01:00:00Z", id="an offset"),
        pytest.param("2026-11-22T08:00:00-0330", None, "2026-11-22T11:30:00Z", id="no colon"),
        pytest.param("2026-11-22T08:00:00+07", None, "2026-11-22T01:00:00Z", id="hours alone"),
        pytest.param("2026-11-22T08:00:00.5Z", None, "2026-11-22T08:00:00.500000Z", id="tenths"),
        pytest.param(
            "2023-06-20T14:34:32.869542824Z",
            None,
            "2023-06-20T14:34:32.869542Z",
            id="nanoseconds are cut, never rounded",
        ),
        pytest.param(
            "2026-11-22T23:59:59.999999999Z",
            None,
            "2026-11-22T23:59:59.999999Z",
            id="nanoseconds do not reach the next day",
        ),
        pytest.param("2024-02-29T00:00:00Z", None, "2024-02-29T00:00:00Z", id="a leap day"),
        pytest.param(
            "2026-03-07T12:54:34", BANGKOK, "2026-03-07T05:54:34Z", id="the source's zone"
        ),
        pytest.param(
            "2026-03-07T12:54:34+01:00", BANGKOK, "2026-03-07T11:54:34Z", id="its own offset wins"
        ),
        pytest.param(
            "2026-10-25T02:30:00", BERLIN, "2026-10-25T00:30:00Z", id="first of two hours"
        ),
    ],
)
def test_it_reads_iso_8601(text: str, zone: ZoneInfo | None, meant: str) -> None:
    assert iso(iso_micros(text, zone)) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("2026-06-30T23:59:60Z", "leap second", id="leap second"),
        pytest.param("2026-11-22T24:00:00Z", "24:00 is 00:00 of the next day", id="24:00"),
        pytest.param("2026-02-30T00:00:00Z", "is no time: day", id="30 February"),
        pytest.param("2023-02-29T00:00:00Z", "is no time: day", id="no leap year"),
        pytest.param("2026-13-01T00:00:00Z", "is no time: month", id="13th month"),
        pytest.param("0000-01-01T00:00:00Z", "is no time: year", id="year 0"),
        pytest.param("2026-11-22T08:61:00Z", "is no time: minute", id="minute 61"),
        pytest.param("2026-11-22T08:00:00", "names no zone", id="naive"),
        pytest.param("2026-11-22T08:00:00+25:00", "no zone is +25:00", id="a zone of 25 hours"),
        pytest.param("2026-11-22T08:00:00+07:75", "no zone is +07:75", id="75 minutes"),
        pytest.param("1969-12-31T23:59:59Z", "before 1970", id="before 1970"),
        pytest.param("0001-01-01T00:00:00+14:00", "is no time: date", id="before the year 1"),
        pytest.param("2026-11-22", "no ISO 8601 date and time", id="a date alone"),
        pytest.param("22/11/2026 08:00", "no ISO 8601 date and time", id="another order"),
        pytest.param("๒๐๒๖-11-22T08:00:00Z", "no ISO 8601", id="Thai digits"),
        pytest.param("2026-11-22T08:00:00.0123456789Z", "no ISO 8601", id="ten decimals"),
        pytest.param("", "no ISO 8601", id="empty"),
        pytest.param("now", "no ISO 8601", id="a word"),
    ],
)
def test_it_refuses_what_cannot_be_placed_and_says_why(text: str, words: str) -> None:
    with pytest.raises(DecodeError) as refused:
        iso_micros(text)
    assert refused.value.reason is Refusal.TIME_INVALID
    assert words in refused.value.detail


def test_it_refuses_an_hour_that_the_zone_skipped() -> None:
    with pytest.raises(DecodeError, match="was skipped by the clocks of Europe/Berlin"):
        iso_micros("2026-03-29T02:30:00", BERLIN)


def test_it_refuses_a_naive_time_at_the_edge_of_the_calendar() -> None:
    with pytest.raises(DecodeError, match="time-invalid"):
        iso_micros("0001-01-01T00:00:00", BANGKOK)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(1_732_262_400, id="seconds"),
        pytest.param(1_732_262_400.0, id="seconds, as a float"),
        pytest.param(1_732_262_400_000, id="milliseconds"),
        pytest.param(1_732_262_400_000_000, id="microseconds"),
        pytest.param(1_732_262_400_000_000_000, id="nanoseconds"),
    ],
)
def test_it_tells_the_scales_of_an_epoch_apart(number: float) -> None:
    assert iso(epoch_micros(number)) == "2024-11-22T08:00:00Z"


@pytest.mark.parametrize(
    ("number", "micros"),
    [
        pytest.param(0, 0, id="a clock that was never set"),
        pytest.param(1_320_067_464.25, 1_320_067_464_250_000, id="parts of a second"),
        pytest.param(1_732_262_400_123, 1_732_262_400_123_000, id="thousandths"),
        pytest.param(1_732_262_400_123_456_789, 1_732_262_400_123_456, id="exact to the digit"),
    ],
)
def test_it_keeps_the_digits_of_an_epoch(number: float, micros: int) -> None:
    assert epoch_micros(number) == micros


@pytest.mark.parametrize(
    "number",
    [
        -1,
        -0.5,
        10**20,
        pytest.param(10**400, id="400 digits"),
        1e300,
        float("nan"),
        float("inf"),
    ],
)
def test_it_refuses_numbers_that_are_no_time(number: float) -> None:
    with pytest.raises(DecodeError, match="time-invalid"):
        epoch_micros(number)


@pytest.mark.parametrize("seconds", [-1.0, 1e12, 1e300, float("nan"), float("inf")])
def test_it_refuses_seconds_out_of_reach(seconds: float) -> None:
    with pytest.raises(DecodeError, match="time-invalid"):
        seconds_micros(seconds)


def test_it_takes_the_time_of_reception_where_none_is_stated() -> None:
    assert measured_at(None, incoming(b"")) == RECEIVED_AT
