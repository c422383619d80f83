"""Andaman's own format: one report, or an array of them, in JSON.

    {"epoch": "b7", "seq": 4711, "device": "patong-probe-1", "time": "2026-11-22T08:00:00+07:00",
     "values": {"water_temperature": 29.8, "ph": 8.11}, "units": {"water_temperature": "Cel"}}

`readings` carries several reports of one message; a missing `time` means when it was received.
`epoch` and `seq` number the messages of a gateway and earn it receipts.
Fields that we do not know are ignored, so that a newer gateway is still heard.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from core.times import to_micros
from ingest.dialects.shape import Decoded, Incoming, Item, Snapshot

Time = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]


class Report(Struct):
    """What one device measured at one time."""

    device: Name
    values: dict[Name, float]
    time: Time | None = None
    units: dict[Name, str] | None = None


class Envelope(Struct):
    """One message: a report of its own, or several under `readings`."""

    device: Name | None = None
    values: dict[Name, float] | None = None
    time: Time | None = None
    units: dict[Name, str] | None = None
    readings: list[Report] | None = None
    epoch: Annotated[str, Meta(max_length=64)] | None = None
    seq: Annotated[int, Meta(ge=0, le=2**53)] | None = None


_decoder = msgspec.json.Decoder(Envelope | list[Envelope])


def native(incoming: Incoming) -> Decoded:
    """The readings of one native message, in order of time. In an array, the last envelope that
    has a number gives the message's.

    Raises:
        msgspec.MsgspecError: the JSON is broken or of another shape.
        DecodeError: an envelope names no device.
    """
    message = _decoder.decode(incoming.payload)
    received_at = incoming.received_at
    if isinstance(message, Envelope):
        if message.readings is None and message.device is not None and message.values is not None:
            found = _expand(
                message.device, message.time, message.values, message.units, received_at
            )
            return Decoded(found, message.epoch, message.seq)
        message = [message]
    readings: list[Item] = []
    epoch, seq = None, None
    for envelope in message:
        readings += _readings(envelope, received_at)
        if envelope.seq is not None:
            epoch, seq = envelope.epoch, envelope.seq
    readings.sort(key=attrgetter("measured_at"))
    return Decoded(readings, epoch, seq)


def _readings(envelope: Envelope, received_at: int) -> list[Item]:
    found: list[Item] = []
    if envelope.device is not None and envelope.values is not None:
        found += _expand(
            envelope.device, envelope.time, envelope.values, envelope.units, received_at
        )
    elif envelope.readings is None or envelope.device or envelope.values:
        raise _nameless()
    for report in envelope.readings or ():
        found += _expand(report.device, report.time, report.values, report.units, received_at)
    return found


def _expand(
    device: str,
    time: datetime | None,
    values: dict[str, float],
    units: dict[str, str] | None,
    received_at: int,
) -> Sequence[Item] | Snapshot:
    at = received_at if time is None else to_micros(time)
    if units is None:
        return Snapshot(device, at, values)
    return [Reading(device, name, at, value, units.get(name)) for name, value in values.items()]


def _nameless() -> DecodeError:
    return DecodeError(
        Refusal.WRONG_SHAPE, "a report needs device and values, or readings with a list of reports"
    )
