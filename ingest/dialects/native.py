"""Andaman's own format: one report, or an array of them, in JSON.

    {"epoch": "b7", "seq": 4711, "device": "patong-probe-1", "time": "2026-11-22T08:00:00+07:00",
     "values": {"water_temperature": 29.8, "ph": 8.11}, "units": {"water_temperature": "Cel"}}

`readings` carries several reports of one message; a missing `time` means when it was received.
Fields that we do not know are ignored, so that a newer gateway is still heard.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.errors import DecodeError
from core.model import Reading, Refusal, to_micros

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
    epoch: str | None = None
    seq: int | None = None


_decoder = msgspec.json.Decoder(Envelope | list[Envelope])


def native(payload: bytes, received_at: int) -> list[Reading]:
    """The readings of one native message, each report's own in order of time.

    Raises:
        msgspec.MsgspecError: the JSON is broken or of another shape.
        DecodeError: an envelope names no device.
    """
    message = _decoder.decode(payload)
    if isinstance(message, Envelope) and message.readings is None:
        if message.device is None or message.values is None:
            raise _nameless()
        return _expand(message.device, message.time, message.values, message.units, received_at)
    found: list[Reading] = []
    for envelope in message if isinstance(message, list) else [message]:
        found += _readings(envelope, received_at)
    found.sort(key=_measured_at)
    return found


def _readings(envelope: Envelope, received_at: int) -> list[Reading]:
    found: list[Reading] = []
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
) -> list[Reading]:
    at = received_at if time is None else to_micros(time)
    if units is None:
        return [Reading(device, name, at, value) for name, value in values.items()]
    return [Reading(device, name, at, value, units.get(name)) for name, value in values.items()]


def _measured_at(reading: Reading) -> int:
    return reading.measured_at


def _nameless() -> DecodeError:
    return DecodeError(
        Refusal.WRONG_SHAPE, "a report needs device and values, or readings with a list of reports"
    )
