"""SenML in JSON (RFC 8428): a list of records, whose base fields hold for those after them.

The name of a resolved record is its base name and its name, joined. The device is the base name
without its last separator and the key is the name; where only the unit tells records apart, the
unit is the key. Without a base name a device URN (`urn:dev:mac:0024befffe804ff1:temperature`) ends
after its fourth part, and any other name at its last slash or colon.

A time below 2^28 s is relative to now, which is when the message was received; above it is seconds
since 1970. Flags are 0 and 1; texts and data are no readings and are passed over. A sum beside a
value is passed over, since it integrates the same quantity; a record that has nothing but a sum is
refused. Records with base fields alone say something of the records after them only.
"""

from typing import NamedTuple

import msgspec
from msgspec import Struct

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from core.times import SECOND
from ingest.dialects.shape import (
    FLAG,
    MOST_ITEMS,
    Decoded,
    Incoming,
    Item,
    Refused,
    in_order,
    parse,
    too_many,
)
from ingest.dialects.times import seconds_micros, within_reach
from ingest.dialects.values import finite

NEWEST_VERSION = 10
RELATIVE_BELOW = 2.0**28

# SenML's own units where UCUM has another code; `%` is a ratio there, not a percentage.
_UCUM = {
    "%": "1",
    "%EL": "%",
    "%RH": "%",
    "/": "1",
    "/100": "%",
    "lat": "deg",
    "lon": "deg",
    "pH": "[pH]",
    "ppb": "[ppb]",
    "ppm": "[ppm]",
}


class Record(Struct):
    """One record, under the RFC's labels."""

    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    bs: float | None = None
    bver: int | None = None
    n: str = ""
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None
    vd: str | None = None
    s: float | None = None
    t: float = 0.0
    ut: float | None = None


class Base(NamedTuple):
    """What the base fields say so far."""

    name: str = ""
    time: float = 0.0
    unit: str | None = None
    value: float = 0.0

    def after(self, record: Record) -> "Base":
        """What they say from this record on."""
        return Base(
            self.name if record.bn is None else record.bn,
            self.time if record.bt is None else record.bt,
            self.unit if record.bu is None else record.bu,
            self.value if record.bv is None else record.bv,
        )


_decoder = msgspec.json.Decoder(list[Record])
_labels_decoder = msgspec.json.Decoder(list[dict[str, object]])


def senml(incoming: Incoming) -> Decoded:
    """The readings of one pack; a record that cannot be taken is refused alone.

    Raises:
        msgspec.MsgspecError: the JSON is broken or no list of records.
        DecodeError: it is of a newer version, has a field that must be understood and is not, or
            too many records.
    """
    records = parse(_decoder, incoming.payload)
    if len(records) > MOST_ITEMS:
        raise too_many()
    if b'_"' in incoming.payload:
        _refuse_what_must_be_understood(incoming.payload)
    base = Base()
    items: list[Item] = []
    for record in records:
        if record.bver is not None and record.bver > NEWEST_VERSION:
            words = f"SenML of a version above {NEWEST_VERSION}, the newest that we know"
            raise DecodeError(Refusal.WRONG_SHAPE, words)
        base = base.after(record)
        try:
            items += _readings(record, base, incoming.received_at)
        except DecodeError as error:
            items.append(Refused(error.reason, f"{base.name + record.n:.64}: {error.detail}"))
    return Decoded(in_order(items))


def _refuse_what_must_be_understood(payload: bytes) -> None:
    """A label that ends in an underscore forbids to use the pack unless it is understood."""
    for record in parse(_labels_decoder, payload):
        for label in record:
            if label.endswith("_"):
                words = f"the field {label:.40} must be understood, and is not"
                raise DecodeError(Refusal.WRONG_SHAPE, words)


def _readings(record: Record, base: Base, now: int) -> list[Reading]:
    stated = [value for value in (record.v, record.vs, record.vb, record.vd) if value is not None]
    if len(stated) > 1:
        raise DecodeError(Refusal.WRONG_SHAPE, "a record has one value at most")
    if record.v is not None:
        unit = record.u or base.unit
        value, code = finite(base.value + record.v), _UCUM.get(unit or "", unit)
    elif record.vb is not None:
        value, code = float(record.vb), FLAG
    elif record.s is not None and not stated:
        raise DecodeError(Refusal.WRONG_SHAPE, "a sum over time is no reading")
    else:
        return []
    device, key = _names(record, base)
    return [Reading(device, key, _time(base.time + record.t, now), value, code)]


def _time(seconds: float, now: int) -> int:
    if -RELATIVE_BELOW < seconds < RELATIVE_BELOW:
        return within_reach(now + round(seconds * SECOND))
    return seconds_micros(seconds)


def _names(record: Record, base: Base) -> tuple[str, str]:
    unit = record.u or base.unit or ""
    if base.name:
        device, key = base.name.rstrip("/:._-"), record.n.lstrip("/:._-")
    elif record.n.startswith("urn:dev:"):
        parts = record.n.split(":")
        device, key = ":".join(parts[:4]), ":".join(parts[4:])
    else:
        cut = max(record.n.rfind("/"), record.n.rfind(":"))
        device, key = record.n[: max(cut, 0)], record.n[cut + 1 :]
    if not device or not (key or unit):
        raise DecodeError(Refusal.WRONG_SHAPE, "names no device and quantity: bn and n are due")
    return device, key or unit
