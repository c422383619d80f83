from dataclasses import replace

import numpy as np
import pytest

from core.alerts import Reason, Severity, State, Transition
from core.readings import Cause, Columns, Flag, Revision
from core.registry import Series
from core.verdicts import FaultCause, Judged, Verdict, VerdictKind
from storage.lines import LineParts, encode_readings, encode_revisions, encode_transitions

AT = 1_795_305_600_000_000
NS = b"1795305600000000000"


def series(index: int, device: str, parameter: str, site: str = "patong") -> Series:
    return Series(
        index=index, device=device, parameter=parameter, site=site, kind="beach", district="Kathu"
    )


SERIES = (
    series(0, "probe-1", "ph"),
    series(1, "probe-2", "ph"),
    series(2, "probe-1", "turbidity"),  # born later: a device's series need not be neighbours
)
PARTS = LineParts.of(SERIES)
TRANSITION = Transition(
    alert="a1",
    rule="turbid-water",
    version="1",
    subject="probe-1/turbidity",
    site="patong",
    before=State.PENDING,
    after=State.FIRING,
    severity=Severity.WARNING,
    reason=Reason.HELD,
    at=AT,
    value=81.5,
)


def columns(*rows: tuple[int, int, float, int]) -> Columns:
    """From (series, measured_at, value, flag), sorted by series."""
    index, at, value, flag = zip(*rows, strict=True) if rows else ((), (), (), ())
    measured_at = np.array(at, np.int64)
    return Columns(
        series=np.array(index, np.int64),
        measured_at=measured_at,
        received_at=measured_at,
        value=np.array(value, np.float64),
        flag=np.array(flag, np.uint8),
        tests=np.zeros(len(rows), np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )


def test_it_writes_one_line_for_a_device_and_a_time() -> None:
    batch = columns((0, AT, 8.11, 1), (0, AT + 1, 8.12, 1), (1, AT, 7.9, 1), (2, AT, 4.5, 1))
    assert encode_readings(batch, PARTS) == (
        3,
        b"beach,device=probe-1,site=patong ph=8.11,turbidity=4.5 " + NS + b"\n"
        b"beach,device=probe-1,site=patong ph=8.12 1795305600000001000\n"
        b"beach,device=probe-2,site=patong ph=7.9 " + NS,
    )


def test_it_writes_a_flag_only_where_it_is_not_good() -> None:
    batch = columns((0, AT, 8.11, 1), (2, AT, 4.5, 4))
    _, lines = encode_readings(batch, PARTS)
    assert (
        lines == b"beach,device=probe-1,site=patong ph=8.11,turbidity=4.5,turbidity_flag=4i " + NS
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(30.0, b"30.0", id="whole numbers stay floats"),
        pytest.param(0.1 + 0.2, b"0.30000000000000004", id="all digits"),
        pytest.param(-0.5, b"-0.5", id="negative"),
        pytest.param(1e-7, b"1e-7", id="small"),
        pytest.param(1e22, b"1e22", id="large"),
    ],
)
def test_it_writes_values_exactly(value: float, text: bytes) -> None:
    _, lines = encode_readings(columns((0, AT, value, 1)), PARTS)
    assert lines == b"beach,device=probe-1,site=patong ph=" + text + b" " + NS


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_it_does_not_hide_a_value_that_is_no_number(value: float) -> None:
    points, lines = encode_readings(columns((0, AT, value, 1)), PARTS)
    assert (points, lines) == (1, b"beach,device=probe-1,site=patong ph=null " + NS)


def test_it_writes_nothing_for_an_empty_batch() -> None:
    assert encode_readings(columns(), PARTS) == (0, b"")
    assert encode_readings(columns(), LineParts.of([])) == (0, b"")
    assert encode_transitions([], {}) == (0, b"")


def test_it_writes_the_same_bytes_for_the_same_batch() -> None:
    batch = columns((0, AT, 8.11, 1), (1, AT, 7.9, 3))
    assert encode_readings(batch, PARTS) == encode_readings(batch, LineParts.of(SERIES))


def test_it_escapes_what_line_protocol_would_misread() -> None:
    odd = Series(index=0, device="a,b=c d", parameter="p h", site="", kind="", district="")
    _, lines = encode_readings(columns((0, AT, 1.5, 3)), LineParts.of([odd]))
    assert lines == rb"unknown,device=a\,b\=c\ d p\ h=1.5,p\ h_flag=3i " + NS


def test_it_writes_a_transition() -> None:
    points, lines = encode_transitions([TRANSITION], {})
    assert points == 1
    line, _, time = lines.rpartition(b" ")
    assert line == (
        b"alert,rule=turbid-water,severity=warning,site=patong "
        b'alert="a1",state="firing",reason="held",subject="probe-1/turbidity",'
        b'text="turbid-water firing at probe-1/turbidity: 81.5 (held)",value=81.5'
    )
    assert int(time) // 1000 == AT


@pytest.mark.parametrize(
    ("verdict", "fields"),
    [
        pytest.param(None, b"", id="not yet judged"),
        pytest.param(
            Verdict(kind=VerdictKind.EVENT, confidence=0.93),
            b',verdict="event",cause="",confidence=0.93',
            id="an event, which overwrites another's cause",
        ),
        pytest.param(
            Verdict(kind=VerdictKind.SENSOR_FAULT, cause=FaultCause.STUCK, confidence=1),
            b',verdict="sensor-fault",cause="stuck",confidence=1.0',
            id="a fault",
        ),
    ],
)
def test_a_transition_says_what_its_alert_is_judged_to_be(
    verdict: Verdict | None, fields: bytes
) -> None:
    bare = encode_transitions([TRANSITION], {})[1]
    judged = {"a1": Judged(verdict, None), "a2": Judged(Verdict(kind=VerdictKind.UNCLEAR), None)}
    assert encode_transitions([TRANSITION], judged)[1] == bare.replace(
        b",value=", fields + b",value="
    )


def test_it_keeps_transitions_of_one_moment_apart() -> None:
    other = replace(TRANSITION, alert="a2", subject="probe-2/turbidity")
    resolved = replace(TRANSITION, before=State.FIRING, after=State.RESOLVED)
    _, lines = encode_transitions([TRANSITION, other, resolved], {})
    times = [line.rpartition(b" ")[2] for line in lines.split(b"\n")]
    assert len(set(times)) == 3
    assert encode_transitions([TRANSITION, other, resolved], {})[1] == lines


def test_it_quotes_text_on_one_line() -> None:
    odd = replace(TRANSITION, subject='a"b\\c\nd', value=float("nan"))
    _, lines = encode_transitions([odd], {})
    assert rb'subject="a\"b\\c d"' in lines
    assert b"\n" not in lines
    assert b"value=" not in lines


def test_a_revision_writes_the_flag_alone_also_where_it_is_good() -> None:
    cleared = Revision(0, AT, AT + 9, Flag.SUSPECT, Flag.GOOD, 2, 1, Cause.NEXT_READING)
    confirmed = cleared._replace(series=2, flag=Flag.FAIL, tests=3)
    same = cleared._replace(flag=Flag.SUSPECT, tests=3)
    assert encode_revisions([cleared, same, confirmed], PARTS) == (
        2,
        b"beach,device=probe-1,site=patong ph_flag=1i " + NS + b"\n"
        b"beach,device=probe-1,site=patong turbidity_flag=4i " + NS,
    )
    assert encode_revisions([], PARTS) == (0, b"")
