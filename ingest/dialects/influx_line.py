"""InfluxDB line protocol, as Telegraf and many loggers write it.

    water,device=patong-probe-1 water_temperature=29.8,ph=8.11 1732262400000000000

The device is the tag `device`. The key is the field's, or the measurement's where the only thing
that a field is called is `value`. Times are told apart by their size, from seconds to nanoseconds;
without one it is of now. Numbers are floats, integers (`1i`, `1u`) or flags; texts are no readings
and are passed over. The form is strict: a line that is not of it is refused, the others are taken.
"""

import re
from collections.abc import Iterator
from itertools import islice

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import (
    FLAG,
    MOST_ITEMS,
    Decoded,
    Incoming,
    Item,
    Refused,
    in_order,
    too_many,
)
from ingest.dialects.times import measured_at
from ingest.dialects.values import Quantity, finite

# A backslash escapes a separator and is itself otherwise, so each character is read in one way
# only; the possessive `++` says so, and the expressions neither go back nor remember.
_NAME = r"(?:[^\\,= \n]++|\\[,= ]|\\)++"
_MEASUREMENT = r"(?!#)(?:[^\\, \n]++|\\[, ]|\\)++"
_FIELD_VALUE = r'(?:"(?:[^"\\]++|\\.)*+"|[^", \r\n]++)'
_LINE = re.compile(
    rf"(?P<measurement>{_MEASUREMENT})(?P<tags>(?:,{_NAME}={_NAME})*+)"
    rf" ++(?P<fields>{_NAME}={_FIELD_VALUE}(?:,{_NAME}={_FIELD_VALUE})*+)"
    r"(?: ++(?P<time>-?[0-9]{1,20}))?[ \r]*+(?:\n|\Z)",
    re.DOTALL,
)
_BLANK = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
_TAG = re.compile(rf",({_NAME})=({_NAME})")
_FIELD = re.compile(rf",?({_NAME})=({_FIELD_VALUE})", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?[0-9]{1,20}[iu]")
_FLAGS = dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0) | dict.fromkeys(
    ("f", "F", "false", "False", "FALSE"), 0.0
)
_ESCAPED = re.compile(r"\\([,= ])")


def influx_line(incoming: Incoming) -> Decoded:
    """The readings of all lines; a line or a field that cannot be taken is refused alone.

    Raises:
        DecodeError: it is no UTF-8 text, or has too many values.
    """
    try:
        text = incoming.payload.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(Refusal.WRONG_SHAPE, f"no UTF-8 text: {error}") from error
    items: list[Item] = []
    for place, line in _lines(text):
        try:
            items += _readings(line, incoming)
        except DecodeError as error:
            items.append(Refused(error.reason, f"line {place}: {error.detail}"))
        if len(items) > MOST_ITEMS:
            raise too_many()
    return Decoded(in_order(items))


def _lines(text: str) -> Iterator[tuple[int, re.Match[str] | None]]:
    """Each line with its number, None where it is none; a text in quotes may span several."""
    at, place = 0, 1
    while at < len(text):
        match = _BLANK.match(text, at)
        if match is None:
            match = _LINE.match(text, at)
            yield place, match
        end = match.end() if match else (text.find("\n", at) + 1 or len(text))
        place += text.count("\n", at, end)
        at = end


def _readings(line: re.Match[str] | None, incoming: Incoming) -> list[Item]:
    if line is None:
        words = "not of the form measurement,tag=value field=value time"
        raise DecodeError(Refusal.WRONG_SHAPE, words)
    device = next((value for tag, value in _TAG.findall(line["tags"]) if tag == "device"), None)
    if device is None:
        raise DecodeError(Refusal.WRONG_SHAPE, "has no tag device")
    at = measured_at(None if line["time"] is None else int(line["time"]), incoming)
    found: list[Item] = []
    for field, stated in _fields(line["fields"]):
        key = _plain(line["measurement"] if field == "value" else field)
        try:
            quantity = _quantity(stated)
        except DecodeError as error:
            found.append(Refused(error.reason, f"{key:.64}: {error.detail}"))
            continue
        if quantity is not None:
            found.append(Reading(_plain(device), key, at, quantity.value, quantity.unit))
    return found


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each field, and one more than is allowed at most."""
    for match in islice(_FIELD.finditer(text), MOST_ITEMS + 1):
        yield match[1], match[2]


def _quantity(stated: str) -> Quantity | None:
    if stated.startswith('"'):
        return None
    if stated in _FLAGS:
        return Quantity(_FLAGS[stated], FLAG)
    if _INTEGER.fullmatch(stated):
        stated = stated[:-1]
    elif not _NUMBER.fullmatch(stated):
        raise DecodeError(Refusal.NOT_A_NUMBER, f"{stated:.40} is no number")
    return Quantity(finite(float(stated)))


def _plain(name: str) -> str:
    return _ESCAPED.sub(r"\1", name)
