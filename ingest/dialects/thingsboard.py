"""Telemetry in ThingsBoard's gateway format: many devices, each with a list of reports.

    {"Device A": [{"ts": 1732262400000, "values": {"temperature": 29.8}}]}

Devices are named as the gateway names them. `ts` is in milliseconds, though seconds, microseconds
and nanoseconds are told apart as well; without it a report is of now.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.errors import DecodeError
from ingest.dialects.shape import Decoded, Incoming, Item, Refused, in_order, parse
from ingest.dialects.times import measured_at
from ingest.dialects.values import readings


class Report(Struct):
    """What one device measured at one time."""

    values: dict[str, object]
    ts: int | float | None = None


_decoder = msgspec.json.Decoder(dict[Annotated[str, Meta(min_length=1)], list[Report]])


def thingsboard(incoming: Incoming) -> Decoded:
    """The readings of all reports; a report whose time cannot be placed is refused alone.

    Raises:
        msgspec.MsgspecError: the JSON is broken or of another shape.
        DecodeError: it is no UTF-8, or nested too deep.
    """
    items: list[Item] = []
    for device, reports in parse(_decoder, incoming.payload).items():
        for report in reports:
            try:
                at = measured_at(report.ts, incoming)
                items += readings(device, at, report.values)
            except DecodeError as error:
                items.append(Refused(error.reason, f"{device:.64}: {error.detail}"))
    return Decoded(in_order(items))
