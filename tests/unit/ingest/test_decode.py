"""Whatever arrives on the native topic becomes readings, or a reason from the closed list."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DecodeError
from core.messages import Message, Refusal
from core.readings import Reading
from core.times import DAY, HOUR
from ingest.decode import PAYLOAD_LIMIT, decode
from ingest.sources import NATIVE

RECEIVED_AT = 1_795_309_200_000_000  # 2026-11-22T01:00:00Z


def message(payload: bytes, *, retain: bool = False) -> Message:
    return Message(b"andaman/v1/gw/up/readings", payload, RECEIVED_AT, retain=retain)


def readings(payload: bytes) -> list[Reading]:
    items = decode(message(payload), NATIVE).items
    return [item for item in items if isinstance(item, Reading)]


def refusal(payload: bytes) -> Refusal:
    with pytest.raises(DecodeError) as caught:
        decode(message(payload), NATIVE)
    return caught.value.reason


def of_value(text: bytes) -> bytes:
    return b'{"device": "d", "time": "2026-11-22T08:00:00+07:00", "values": {"ph": %s}}' % text


def of_time(text: bytes) -> bytes:
    return b'{"device": "d", "time": %s, "values": {"ph": 8}}' % text


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(of_value(b"8.1"), [("d", "ph", 0, 8.1)], id="one report"),
        pytest.param(of_value(b"8"), [("d", "ph", 0, 8.0)], id="a whole number"),
        pytest.param(of_value(b"-1e3"), [("d", "ph", 0, -1000.0)], id="an exponent"),
        pytest.param(
            b'{"device": "d", "values": {"ph": 8, "redox": 200}}',
            [("d", "ph", 0, 8.0), ("d", "redox", 0, 200.0)],
            id="no time: when it was received",
        ),
        pytest.param(of_time(b"null"), [("d", "ph", 0, 8.0)], id="a time of null is none"),
        pytest.param(
            of_time(b'"2026-11-22T02:00:00.25Z"'),
            [("d", "ph", HOUR + 250_000, 8.0)],
            id="a fraction of a second",
        ),
        pytest.param(
            of_time(b'"2026-11-21T16:30:00-09:30"'),
            [("d", "ph", HOUR, 8.0)],
            id="another time zone",
        ),
        pytest.param(
            b'{"readings": [{"device": "b", "time": "2026-11-22T02:00:00Z", "values": {"ph": 2}},'
            b' {"device": "a", "time": "2026-11-22T01:00:00Z", "values": {"ph": 1}}]}',
            [("a", "ph", 0, 1.0), ("b", "ph", HOUR, 2.0)],
            id="many reports, in order of time",
        ),
        pytest.param(
            b'[{"device": "a", "values": {"ph": 1}}, {"device": "b", "values": {"ph": 2}}]',
            [("a", "ph", 0, 1.0), ("b", "ph", 0, 2.0)],
            id="an array of reports",
        ),
        pytest.param(
            b'{"device": "d", "values": {"ph": 1}, "readings": [{"device": "e",'
            b' "time": "2026-11-21T01:00:00Z", "values": {"ph": 2}}]}',
            [("e", "ph", -DAY, 2.0), ("d", "ph", 0, 1.0)],
            id="a report of its own beside others",
        ),
        pytest.param(
            b'{"device": "d", "values": {"ph": 1}, "firmware": {"a": [1, null]}}',
            [("d", "ph", 0, 1.0)],
            id="fields that a newer gateway sends",
        ),
        pytest.param(
            b'{"device": "d", "values": {"ph": 1, "ph": 2}}',
            [("d", "ph", 0, 2.0)],
            id="a key twice: the last counts",
        ),
        pytest.param(
            '{"device": "ป่าตอง", "values": {"ph": 1}}'.encode(),
            [("ป่าตอง", "ph", 0, 1.0)],
            id="a name that no device can have is the registry's business",
        ),
    ],
)
def test_it_reads(payload: bytes, expected: list[tuple[str, str, int, float]]) -> None:
    found = readings(payload)
    assert [
        (r.device, r.parameter, r.measured_at - RECEIVED_AT, r.value) for r in found
    ] == expected


def test_it_keeps_a_unit_where_one_is_stated() -> None:
    payload = b'{"device": "d", "values": {"ph": 8, "redox": 1}, "units": {"ph": "[pH]"}}'
    assert [reading.unit for reading in readings(payload)] == ["[pH]", None]


def test_it_tells_the_number_that_the_gateway_gave() -> None:
    payload = b'{"epoch": "b7", "seq": 4711, "device": "d", "values": {"ph": 8}}'
    _, epoch, seq = decode(message(payload), NATIVE)
    assert (epoch, seq) == ("b7", 4711)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"", "not-json", id="nothing"),
        pytest.param(b"online", "not-json", id="a word"),
        pytest.param(of_value(b"8")[:-1], "not-json", id="cut off"),
        pytest.param(of_value(b"8") + b"}", "not-json", id="more after the end"),
        pytest.param(of_value(b"NaN"), "not-json", id="NaN is no JSON"),
        pytest.param(of_value(b"-Infinity"), "not-json", id="Infinity is no JSON"),
        pytest.param(b"\xef\xbb\xbf" + of_value(b"8"), "not-json", id="a byte order mark"),
        pytest.param(of_value(b"8").decode().encode("utf-16"), "not-json", id="UTF-16"),
        pytest.param(b'{"device": "\xff", "values": {"ph": 8}}', "not-json", id="no UTF-8"),
        pytest.param(b'{"device": "\\ud800", "values": {"ph": 8}}', "not-json", id="half a pair"),
        pytest.param(gzip.compress(bytes(1_000_000)), "not-json", id="a compressed bomb"),
        pytest.param(of_value(b"1e999"), "not-a-number", id="beyond a float"),
        pytest.param(of_value(b"9" * 5000), "not-a-number", id="5,000 digits"),
        pytest.param(of_value(b'"8.1"'), "not-a-number", id="a number as text"),
        pytest.param(of_value(b"true"), "not-a-number", id="true"),
        pytest.param(of_value(b"null"), "not-a-number", id="null"),
        pytest.param(of_value(b"[" * 30_000), "not-a-number", id="a value 30,000 deep"),
        pytest.param(of_time(b'"2026-11-22T08:00:00"'), "time-invalid", id="no time zone"),
        pytest.param(of_time(b"1795309200"), "time-invalid", id="seconds since 1970"),
        pytest.param(of_time(b'"2026-11-22T24:00:00Z"'), "time-invalid", id="hour 24"),
        pytest.param(of_time(b'"2026-12-31T23:59:60Z"'), "time-invalid", id="a leap second"),
        pytest.param(of_time(b'"2026-02-29T00:00:00Z"'), "time-invalid", id="no such day"),
        pytest.param(of_time(b'"2026-11-22T08:00:00+25:00"'), "time-invalid", id="no such zone"),
        pytest.param(b"[" * 60_000, "wrong-shape", id="60,000 brackets"),
        pytest.param(b"{}", "wrong-shape", id="an empty object"),
        pytest.param(b"[]", "wrong-shape", id="an empty array"),
        pytest.param(b"7", "wrong-shape", id="a number alone"),
        pytest.param(b'{"readings": []}', "wrong-shape", id="no report"),
        pytest.param(b'{"values": {"ph": 8}}', "wrong-shape", id="no device"),
        pytest.param(b'{"device": "d", "values": {}}', "wrong-shape", id="no value"),
        pytest.param(b'{"device": "", "values": {"ph": 8}}', "wrong-shape", id="no name"),
        pytest.param(b'{"device": "d", "values": {"": 8}}', "wrong-shape", id="an unnamed value"),
        pytest.param(
            b'{"device": "%s", "values": {"ph": 8}}' % (b"d" * 65), "wrong-shape", id="a long name"
        ),
        pytest.param(
            b'{"device": "d", "values": {"ph": 8}, "x": %s1%s}' % (b"[" * 30_000, b"]" * 30_000),
            "too-deep",
            id="an unknown field 30,000 deep",
        ),
        pytest.param(b" " * (PAYLOAD_LIMIT + 1), "too-large", id="more than 64 KiB"),
    ],
)
def test_it_says_why_it_cannot_read(payload: bytes, reason: str) -> None:
    assert refusal(payload) == reason


def test_a_retained_message_is_no_reading_however_good_it_is() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(message(of_value(b"8"), retain=True), NATIVE)
    assert caught.value.reason is Refusal.RETAINED


def test_it_takes_as_much_as_the_limit_allows() -> None:
    payload = of_value(b"8")
    assert len(readings(payload + b" " * (PAYLOAD_LIMIT - len(payload)))) == 1


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_else_escapes(payload: bytes) -> None:
    try:
        told: object = decode(message(payload), NATIVE).items
    except DecodeError as error:
        told = error.detail
    assert told
