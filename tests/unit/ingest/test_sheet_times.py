"""How tables write times: the quick way of whole columns and the careful way of single cells."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.times import iso
from ingest.sheet_times import UNREADABLE, Clock, Order, ZonelessError, order_of

BANGKOK, CHICAGO, LORD_HOWE = map(
    ZoneInfo, ("Asia/Bangkok", "America/Chicago", "Australia/Lord_Howe")
)


def clock(zone: ZoneInfo | None = BANGKOK, order: Order = Order.UNKNOWN) -> Clock:
    return Clock(zone, lambda: order)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-11-22 07:00", "2026-11-22T00:00:00Z", id="minutes"),
        pytest.param("2026-11-22T07:00:30.25", "2026-11-22T00:00:30.250000Z", id="a fraction"),
        pytest.param("2026-11-22T07:00:00Z", "2026-11-22T07:00:00Z", id="Z"),
        pytest.param("2026-11-22 07:00:00-05:30", "2026-11-22T12:30:00Z", id="an offset"),
        pytest.param("2026-11-22T07:00:00+0700", "2026-11-22T00:00:00Z", id="a bare offset"),
        pytest.param(" 2026-11-22 07:00 ", "2026-11-22T00:00:00Z", id="blanks"),
        pytest.param("2026-11-22", "2026-11-21T17:00:00Z", id="a date"),
        pytest.param("2026 3 1 0", "2026-02-28T17:00:00Z", id="numbers of four columns"),
        pytest.param("2026/3/1 7:05", "2026-03-01T00:05:00Z", id="slashes, year first"),
        pytest.param("1763769600", "2025-11-22T00:00:00Z", id="seconds"),
        pytest.param("1763769600.5", "2025-11-22T00:00:00.500000Z", id="seconds with a fraction"),
        pytest.param("1763769600000", "2025-11-22T00:00:00Z", id="milliseconds"),
    ],
)
def test_it_reads_a_time(text: str, moment: str) -> None:
    (at,), words = clock().micros([text])
    assert (iso(int(at)), words) == (moment, {})


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        pytest.param("08/30/2013 08:00:00 AM", Order.MONTH, "2013-08-30T13:00:00Z", id="morning"),
        pytest.param("08/30/2013 12:00:00 AM", Order.MONTH, "2013-08-30T05:00:00Z", id="midnight"),
        pytest.param("08/30/2013 12:30 pm", Order.MONTH, "2013-08-30T17:30:00Z", id="noon"),
        pytest.param("3/4/2013 23:59", Order.MONTH, "2013-03-05T05:59:00Z", id="month first"),
        pytest.param("3.4.2013 23:59", Order.DAY, "2013-04-04T04:59:00Z", id="day first"),
    ],
)
def test_it_reads_a_date_whose_year_is_last(text: str, order: Order, moment: str) -> None:
    (at,), _ = clock(CHICAGO, order).micros([text])
    assert iso(int(at)) == moment


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        pytest.param(["3/4/2016", "12/31/2016"], Order.MONTH, id="a month first"),
        pytest.param(["3/4/2016", "31/12/2016"], Order.DAY, id="a day first"),
        pytest.param(["3/4/2016", "12/12/2016", "x"], Order.UNKNOWN, id="nobody knows"),
    ],
)
def test_the_other_dates_tell_what_comes_first(texts: list[str], order: Order) -> None:
    assert order_of(texts) is order


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "there is no time", id="empty"),
        pytest.param("22 Nov 2026", "22 Nov 2026 is no time", id="words"),
        pytest.param("2026-11-31 00:00", "is no time", id="no such day"),
        pytest.param("2026-11-30 24:00", "is past the day's end", id="24:00"),
        pytest.param("2026-11-30 13:00 pm", "has no hour 13", id="an hour too many"),
        pytest.param("3/4/2016", "no date of the file tells", id="month or day"),
        pytest.param("2025-03-09 02:30", "was skipped by the clocks", id="an hour that is not"),
        pytest.param("1912-01-01 00:00", "before 1970", id="too old"),
    ],
)
def test_it_says_why_a_time_is_none(text: str, words: str) -> None:
    times, found = clock(CHICAGO).micros([text])
    assert times.tolist() == [UNREADABLE]
    assert words in found[0]


@pytest.mark.parametrize("text", ["2026-11-22 07:00", "11/22/2026", "2026 11 22"])
def test_a_time_without_any_zone_is_not_guessed(text: str) -> None:
    with pytest.raises(ZonelessError, match="2026"):
        clock(None, Order.MONTH).micros([text])


def test_one_strange_cell_does_not_change_how_the_others_are_read() -> None:
    texts = ["2026-11-22 07:00", "2026-11-22 07:05", "2026-11-22 07:1"]
    times, words = clock().micros(texts)
    assert [iso(int(at)) for at in times[:2]] == ["2026-11-22T00:00:00Z", "2026-11-22T00:05:00Z"]
    assert list(words) == [2]


# From an hour before to an hour after each change of 2025, and any other time of that year.
CHANGES = [
    "2025-03-09T01:",
    "2025-03-09T02:",
    "2025-11-02T00:",
    "2025-11-02T01:",
    "2025-04-06T01:",
    "2025-10-05T02:",
]
near = st.builds(
    lambda hour, minute: f"{hour}{minute:02}:00", st.sampled_from(CHANGES), st.integers(0, 59)
)
any_time = st.builds(
    lambda month, day, hour: f"2025-{month:02}-{day:02}T{hour:02}:30:00",
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
)


@given(
    st.lists(near | any_time, min_size=1, max_size=30),
    st.sampled_from([BANGKOK, CHICAGO, LORD_HOWE]),
)
def test_whole_columns_and_single_cells_give_the_same(texts: list[str], zone: ZoneInfo) -> None:
    together, words = clock(zone).micros(texts)
    alone = [clock(zone).micros([f"{text} "]) for text in texts]  # a blank: not the plain form
    assert together.tolist() == np.concatenate([times for times, _ in alone]).tolist()
    assert len(words) == sum(len(why) for _, why in alone)
