"""A city that does not exist and what its devices say: the same load for every contender."""

import json
import random
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

from core.catalogue import CATALOGUE
from core.times import SECOND, iso

GATEWAY = "gw-load"
TOPIC = f"andaman/v1/{GATEWAY}/up/readings"
PASSWORDS = {"ingest": "of-the-listener", GATEWAY: "of-the-gateway"}
# The first of each may leap: no test of quality takes it for a spike.
PARAMETERS = {
    "air": ("noise", "pm25", "pm10", "no2", "o3", "humidity"),
    "beach": (
        "wave_period",
        "water_temperature",
        "ph",
        "dissolved_oxygen",
        "turbidity",
        "salinity",
    ),
    "bin": ("fill_level", "weight", "tilt", "bin_temperature", "methane", "battery_voltage"),
}
VALUES = 6  # of each message
RULES = 50
_KINDS = sorted(PARAMETERS)
_PUBLISH_SECONDS = 10
_UNDER_WAY = 500  # messages that wait for their acknowledgement: more only slow paho down


def write_configuration(folder: Path, devices: int, hold: bool) -> None:
    """Sites, devices and rules; with `hold`, every second rule waits `for` five minutes.

    Ordinary values keep 10 % of the usual span away from its ends; all rules lie beyond that.
    """
    folder.mkdir(parents=True)
    sites, found = [], []
    for number in range(devices):
        kind, device = _KINDS[number % 3], device_name(number)
        place = {"latitude": 7.9, "longitude": 98.3, "district": "kathu"}
        name = {"en": f"Place {number}", "th": f"ที่ {number}"}
        sites.append({"id": f"site-{number}", "kind": kind, "name": name, **place})
        found.append({"id": device, "gateway": GATEWAY, "site": f"site-{number}"})
    gateway = {"id": GATEWAY, "name": {"en": "Load", "th": "โหลด"}, "series_per_day": 1_000_000}
    since = [device | {"since": "@"} for device in found]
    text = yaml.safe_dump({"gateways": [gateway], "devices": since}).replace("'@'", "2026-01-01")
    (folder / "devices.yaml").write_text(text, encoding="utf-8")
    _dump(folder / "sites.yaml", {"sites": sites})
    (folder / "rules").mkdir(exist_ok=True)
    _dump(
        folder / "rules" / "load.yaml", {"rules": [_rule(number, hold) for number in range(RULES)]}
    )


def device_name(number: int) -> str:
    """The id of the `number`-th device."""
    return f"{_KINDS[number % 3]}-station-{number:04d}"


def payload(number: int, devices: int, at: int, spike: bool) -> bytes:
    """The native message `number`, measured at `at` (µs): about 360 bytes with its topic's fields.

    Each device has a level for each parameter, and some noise. A spike puts one value beyond the
    rules that watch for too much of it.
    """
    dice = random.Random(number)
    device = number % devices
    kind = _KINDS[device % 3]
    level = 0.2 + 0.6 * (device * 7 % 11) / 10
    values = {name: _value(name, level + dice.uniform(-0.01, 0.01)) for name in PARAMETERS[kind]}
    if spike:
        name = PARAMETERS[kind][0]
        values[name] = _value(name, 0.999)
    report = {
        "epoch": "b7f3c1",
        "seq": number + 1,
        "device": device_name(device),
        "model": "coastal-station-mk2",
        "firmware": "2.14.3+build.20260901",
        "battery": {"volts": 3.912, "charging": True},
        "signal": {"rssi": -71, "snr": 9.5},
        "time": iso(at),
        "values": values,
    }
    return json.dumps(report, separators=(",", ":")).encode()


def backlog(messages: int, devices: int, until: int, spike_every: int) -> Iterator[bytes]:
    """Messages of all devices in turn, ten seconds apart for each, the last one at `until`."""
    step = 10 * SECOND // devices
    for number in range(messages):
        at = until - (messages - 1 - number) * step
        yield payload(number, devices, at, spike=number % spike_every == spike_every - 1)


def publish(port: int, password: str, payloads: Iterable[bytes]) -> None:
    """Hand everything to the broker at QoS 1 and wait until it has taken the last one.

    Raises:
        TimeoutError: it did not.
    """
    client = gateway_client(port, password)
    under_way: deque[MQTTMessageInfo] = deque()
    for one in payloads:
        under_way.append(client.publish(TOPIC, one, qos=1))
        if len(under_way) > _UNDER_WAY:
            under_way.popleft().wait_for_publish(_PUBLISH_SECONDS)
    for info in under_way:
        info.wait_for_publish(_PUBLISH_SECONDS)
    client.disconnect()
    client.loop_stop()
    if under_way and not under_way[-1].is_published():
        raise TimeoutError("the broker did not take the load")


def gateway_client(port: int, password: str) -> Client:
    """The gateway's connection, up and served by a thread of its own."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=GATEWAY)
    client.username_pw_set(GATEWAY, password)
    client.max_inflight_messages_set(2 * _UNDER_WAY)
    up = threading.Event()
    client.on_connect = lambda *_: up.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    if not up.wait(10):
        raise TimeoutError("the broker does not take the gateway's connection")
    return client


def _value(parameter: str, part: float) -> float:
    low, high = CATALOGUE[parameter].usual
    return round(low + part * (high - low), 4)


def _rule(number: int, hold: bool) -> dict[str, object]:
    every = [name for names in PARAMETERS.values() for name in names]
    parameter = every[number % len(every)]
    turn = number // len(every)
    above = turn != 1
    part = 0.92 + turn / 100 if above else 0.08
    rule = {
        "id": f"rule-{number}",
        "kind": "threshold",
        "name": {"en": f"Rule {number}", "th": f"กฎ {number}"},
        "parameter": parameter,
        "above" if above else "below": {"warning": _value(parameter, part)},
        "clear": _value(parameter, 0.9 if above else 0.1),
    }
    return rule | ({"for": "5m"} if hold and number % 2 else {})


def _dump(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
