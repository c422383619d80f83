"""InfluxDB line protocol."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.influx_line import influx_line
from ingest.dialects.shape import MOST_ITEMS, Refused
from tests.samples import RECEIVED_AT, incoming, items

AT = 1_732_262_400_000_000


def reading(
    key: str, value: float, unit: str | None = None, at: int = RECEIVED_AT, device: str = "p1"
) -> Reading:
    """A reading of device p1, now."""
    return Reading(device, key, at, value, unit)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("w,device=p1 ph=8.11", [reading("ph", 8.11)], id="no time"),
        pytest.param("w,device=p1 ph=8 1732262400", [reading("ph", 8, at=AT)], id="seconds"),
        pytest.param(
            "w,device=p1 ph=8 1732262400000", [reading("ph", 8, at=AT)], id="milliseconds"
        ),
        pytest.param(
            "w,device=p1 ph=8 1732262400000000", [reading("ph", 8, at=AT)], id="microseconds"
        ),
        pytest.param(
            "w,device=p1 ph=8 1732262400000000123", [reading("ph", 8, at=AT)], id="nanoseconds"
        ),
        pytest.param(
            "w,device=p1,site=x a=1,b=-2.5e1,c=3i,d=4u,e=.5",
            [
                reading("a", 1),
                reading("b", -25),
                reading("c", 3),
                reading("d", 4),
                reading("e", 0.5),
            ],
            id="kinds of numbers",
        ),
        pytest.param(
            "w,device=p1 a=t,b=FALSE",
            [reading("a", 1, "{flag}"), reading("b", 0, "{flag}")],
            id="flags",
        ),
        pytest.param(
            'w,device=p1 s="a, b=c \\" \n x y=1",a=1', [reading("a", 1)], id="texts are passed over"
        ),
        pytest.param("pm25,device=p1 value=7", [reading("pm25", 7)], id="named by the measurement"),
        pytest.param(
            r"my\ water,device=p\ 1\,a\=b p\ h\=x=8",
            [reading("p h=x", 8, device="p 1,a=b")],
            id="escapes",
        ),
        pytest.param(r"w\x,device=p1 a\b=1", [reading(r"a\b", 1)], id="a backslash of its own"),
        pytest.param(
            "# hello\n\n  \nw,device=p1 a=1\r\nw,device=p2 a=2\n",
            [reading("a", 1), reading("a", 2, device="p2")],
            id="comments, blank lines, ends of lines",
        ),
        pytest.param("", [], id="empty"),
    ],
)
def test_it_reads_lines(text: str, meant: list[Reading]) -> None:
    assert items(influx_line, text.encode()) == meant


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("w,host=p1 a=1", Refusal.WRONG_SHAPE, id="no device"),
        pytest.param("w,device= a=1", Refusal.WRONG_SHAPE, id="an empty device"),
        pytest.param("w,device=p1", Refusal.WRONG_SHAPE, id="no fields"),
        pytest.param("w,device=p1 a", Refusal.WRONG_SHAPE, id="a field without a value"),
        pytest.param("w,device=p1 a=", Refusal.WRONG_SHAPE, id="a field with an empty value"),
        pytest.param("w,device=p1 a=1,", Refusal.WRONG_SHAPE, id="a comma at the end"),
        pytest.param("w,device=p1  a=1 x", Refusal.WRONG_SHAPE, id="a time that is a word"),
        pytest.param("w,device=p1 a=1 2026-11-22T00:00:00Z", Refusal.WRONG_SHAPE, id="ISO 8601"),
        pytest.param(",device=p1 a=1", Refusal.WRONG_SHAPE, id="no measurement"),
        pytest.param(" w,device=p1 a=1", Refusal.WRONG_SHAPE, id="a space before it"),
        pytest.param('{"device": "p1"}', Refusal.WRONG_SHAPE, id="JSON"),
        pytest.param("w,device=p1 a=1 -5", Refusal.TIME_INVALID, id="before 1970"),
        pytest.param("w,device=p1 a=NaN", Refusal.NOT_A_NUMBER, id="NaN"),
        pytest.param("w,device=p1 a=inf", Refusal.NOT_A_NUMBER, id="inf"),
        pytest.param("w,device=p1 a=1e999", Refusal.NOT_A_NUMBER, id="1e999"),
        pytest.param("w,device=p1 a=1.5i", Refusal.NOT_A_NUMBER, id="a broken integer"),
        pytest.param("w,device=p1 a=๑", Refusal.NOT_A_NUMBER, id="a Thai digit"),
        pytest.param("w,device=p1 a=" + "9" * 5000, Refusal.NOT_A_NUMBER, id="5,000 digits"),
    ],
)
def test_it_refuses_a_line_and_takes_the_next(line: str, reason: Refusal) -> None:
    refused, taken = items(influx_line, f"{line}\nw,device=p1 b=2".encode())
    assert isinstance(refused, Refused)
    assert refused.reason is reason
    assert taken == reading("b", 2)


def test_it_says_which_line() -> None:
    found = items(influx_line, b'w,device=p1 s="two\nlines",a=1\n\nbroken\n')
    assert found[0] == Refused(
        Refusal.WRONG_SHAPE, "line 4: not of the form measurement,tag=value field=value time"
    )


def test_it_refuses_what_is_no_text() -> None:
    with pytest.raises(DecodeError) as refused:
        influx_line(incoming(b"w,device=p1 a=\xff"))
    assert refused.value.reason is Refusal.WRONG_SHAPE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("w,device=p1 " + ",".join(["a=1"] * (MOST_ITEMS + 1)), id="fields"),
        pytest.param("w,device=p1 a=1\n" * (MOST_ITEMS + 1), id="lines"),
        pytest.param("x\n" * (MOST_ITEMS + 1), id="lines that are none"),
    ],
)
def test_it_refuses_more_values_than_make_sense(text: str) -> None:
    with pytest.raises(DecodeError) as refused:
        influx_line(incoming(text.encode()))
    assert refused.value.reason is Refusal.TOO_LARGE


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("w" + ",a=b" * 16_000, id="tags without fields"),
        pytest.param("w,device=p1 " + "a=1," * 16_000, id="fields with a comma at the end"),
        pytest.param("w,device=p1 " + "\\" * 64_000, id="backslashes"),
        pytest.param("w,device=p1 a=1" + " " * 64_000 + "x", id="spaces"),
        pytest.param('w,device=p1 a="' + "x" * 64_000, id="a text without an end"),
        pytest.param('w,device=p1 a="\n' * 4_000, id="many texts without an end"),
        pytest.param('w,device=p1 a="\\"' * 4_000, id="escaped ends"),
        pytest.param("w,device=p1 a=" + "1" * 64_000 + "x", id="digits"),
    ],
)
@pytest.mark.timeout(10)
def test_it_does_not_run_away(line: str) -> None:
    """64 kB take milliseconds; an expression that goes back on itself would take hours."""
    found = items(influx_line, line.encode())
    assert all(isinstance(item, Refused) for item in found)
