"""What simulated gateways write: Andaman's own format, and one encoder for each other dialect.

Native messages are numbered and earn receipts. The others are what the servers and devices of other
makers publish: of a message that the broker has acknowledged they know no more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from core.times import from_micros, iso

NATIVE = "native"
_GATEWAY_LEVEL = "{gateway}"
_RADIO = ("rssi", "snr")  # what a network server says of an uplink, the device does not
_SPREADING = 7
_FREQUENCY = 923_200_000  # Hz, one of the AS923 channels that Thailand uses
_ENDINGS = {"tasmota": "SENSOR"}  # of a topic, where its filter leaves the end open


class Sample(NamedTuple):
    """What one device sends at one time (µs): parameter → value in the catalogue's unit."""

    device: str
    time: int
    values: Mapping[str, float]


class Key(NamedTuple):
    """What a device calls a parameter, and what it makes of a value in the catalogue's unit."""

    name: str
    of: Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a device calls itself and what it measures: a parameter as here, or by its own name."""

    name: str
    keys: Mapping[str, Key] = field(default_factory=dict)

    def of(self, values: Mapping[str, float]) -> dict[str, float]:
        """The values as the device gives them."""
        found = {}
        for parameter, value in values.items():
            key = self.keys.get(parameter)
            found[key.name if key else parameter] = key.of(value) if key else value
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a gateway speaks: in which dialect, on which topic (an MQTT filter, `{gateway}` being its
    id), and in which zone it writes times that state none.
    """

    dialect: str = NATIVE
    topic: str = f"andaman/v1/{_GATEWAY_LEVEL}/up/readings"
    zone: tzinfo = UTC

    @property
    def has_receipts(self) -> bool:
        """Whether Andaman answers to its numbers."""
        return self.dialect == NATIVE

    def topic_of(self, gateway: str, device: str) -> str:
        """Where `gateway` publishes what `device` measured: the last `+` is the device.

        >>> Manner(dialect="tasmota", topic="tele/+/SENSOR").topic_of("gw", "probe")
        'tele/probe/SENSOR'
        >>> Manner(dialect="ttn", topic="v3/+/devices/+/up").topic_of("gw", "probe")
        'v3/gw/devices/probe/up'
        """
        levels = self.topic.replace(_GATEWAY_LEVEL, gateway).split("/")
        if levels[-1] == "#":
            levels[-1:] = ["+", _ENDINGS.get(self.dialect, "up")]
        places = [place for place, level in enumerate(levels) if level == "+"]
        for place in places:
            levels[place] = device if place == places[-1] else gateway
        return "/".join(levels)


def native(samples: Sequence[Sample], epoch: str, seq: int) -> bytes:
    """One message of Andaman's own format, in the catalogue's words.

    >>> native([Sample("probe", 1_500_000, {"ph": 8.1})], "b7", 1)
    b'{"epoch":"b7","seq":1,"device":"probe","time":"1970-01-01T00:00:01.500000Z","values":{"ph":8.1}}'
    """
    reports = [{"device": s.device, "time": iso(s.time), "values": s.values} for s in samples]
    content = reports[0] if len(reports) == 1 else {"readings": reports}
    return msgspec.json.encode({"epoch": epoch, "seq": seq} | content)


class Said(NamedTuple):
    """One report that another maker's server or device is to write; `number` counts them."""

    sample: Sample
    device: Words
    gateway: str
    number: int
    zone: tzinfo


Encoder: TypeAlias = Callable[[Said], dict[str, Any]]


def chirpstack(said: Said) -> dict[str, Any]:
    """An uplink event of ChirpStack 4, its values decoded by the server."""
    at = from_micros(said.sample.time).isoformat(timespec="microseconds")
    radio, values = _apart(said.sample.values)
    return {
        "deduplicationId": str(UUID(int=said.number << 64 | said.sample.time)),
        "time": at,
        "deviceInfo": {
            "tenantName": "Phuket",
            "applicationName": said.gateway,
            "deviceName": said.sample.device,
            "devEui": said.device.name,
        },
        "adr": True,
        "dr": 12 - _SPREADING,
        "fCnt": said.number,
        "fPort": 2,
        "confirmed": False,
        "object": said.device.of(values),
        "rxInfo": [{"gatewayId": said.gateway, "nsTime": at} | radio],
        "txInfo": {"frequency": _FREQUENCY},
    }


def ttn(said: Said) -> dict[str, Any]:
    """An uplink of The Things Stack 3, its values decoded by the server; zeros are left out."""
    at = from_micros(said.sample.time).isoformat(timespec="microseconds").replace("+00:00", "000Z")
    radio, values = _apart(said.sample.values)
    return {
        "end_device_ids": {
            "device_id": said.sample.device.lower(),
            "application_ids": {"application_id": said.gateway.lower()},
            "dev_eui": said.device.name,
        },
        "received_at": at,
        "uplink_message": {
            "f_port": 2,
            "f_cnt": said.number,
            "decoded_payload": said.device.of(values),
            "rx_metadata": [{"gateway_ids": {"gateway_id": said.gateway}} | radio],
            "settings": {"frequency": str(_FREQUENCY)},
            "received_at": at,
        },
    }


def tasmota(said: Said) -> dict[str, Any]:
    """Telemetry of a Tasmota device; its clock shows local time, and whole seconds."""
    local = from_micros(said.sample.time).astimezone(said.zone)
    message: dict[str, Any] = {"Time": local.strftime("%Y-%m-%dT%H:%M:%S")}
    for name, value in said.device.of(said.sample.values).items():
        sensor, _, quantity = name.partition(".")
        if quantity:
            message.setdefault(sensor, {})[quantity] = value
        else:
            message[name] = value
    return message | {"PressureUnit": "hPa", "TempUnit": "C"}


ENCODERS: Mapping[str, Encoder] = {
    "chirpstack": chirpstack,
    "tasmota": tasmota,
    "ttn": ttn,
}
DIALECTS = (NATIVE, *ENCODERS)  # what a gateway can speak


def _apart(values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """What the network server says of the radio, and what the device says."""
    radio = {name: values[name] for name in _RADIO if values.get(name)}
    return radio, {name: value for name, value in values.items() if name not in _RADIO}
