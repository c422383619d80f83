"""Killed again and again while readings come in, Andaman loses none, doubles none, and tells of
every alert what it would have told if nothing had happened.
"""

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from core.times import MINUTE, SECOND, iso
from storage import schema
from tests.mosquitto import has_mosquitto, running_mosquitto
from tests.past import Past
from tests.process import Andaman, andaman, free_port, wait_until
from tests.world import write_configuration

pytestmark = pytest.mark.network

DEATHS = 6  # one of them while it starts
STEPS, STEP_SECONDS = 209, 4  # 12 devices with 2 parameters each: a little more than 5,000 readings
PASSWORDS = {"ingest": "of-ingest", "gw": "of-the-gateway"}  # of mosquitto
LATENESS_MINUTES = 13  # the first readings are later than that: stored, but they tell nobody

CONFIGURATION = {
    "sites": """
sites:
  - {id: bay, kind: beach, name: {en: Bay, th: อ่าว}, latitude: 7.9, longitude: 98.3, district: d}
  - {id: hill, kind: air, name: {en: Hill, th: เขา}, latitude: 7.9, longitude: 98.3, district: d}
  - {id: lane, kind: bin, name: {en: Lane, th: ซอย}, latitude: 7.9, longitude: 98.3, district: d}
""",
    "devices": """
gateways:
  - {id: gw, name: {en: Gateway, th: เกตเวย์}}
devices:
"""
    + "".join(
        f"  - {{id: {site}-{number}, gateway: gw, site: {site}, since: 2026-01-01}}\n"
        for site in ("bay", "hill", "lane")
        for number in range(4)
    ),
    "rules": """
rules:
  - {id: full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     above: {warning: 80, critical: 95}, clear: 60}
  - {id: flat, kind: threshold, name: {en: Flat, th: หมด}, parameter: battery_level,
     below: {warning: 30, critical: 10}, clear: 35, for: 6s}
  - {id: haze, kind: threshold, name: {en: Haze, th: ฝุ่น}, parameter: pm25,
     above: {warning: 37.5}, clear: 30, for: 15s, clear_for: 10s}
  - {id: turbid, kind: threshold, name: {en: Turbid, th: ขุ่น}, parameter: turbidity,
     above: {warning: 25, critical: 90}, clear: 15, clear_for: 20s}
  - {id: oxygen, kind: threshold, name: {en: Oxygen, th: ออกซิเจน},
     parameter: dissolved_oxygen, below: {warning: 4}, clear: 4.5}
  - {id: storm, kind: threshold, name: {en: Storm, th: พายุ}, parameter: wind_speed,
     above: {warning: 20}, for: 1s}
""",
}
# Of each parameter the middle of its values, how far they swing, and a value that no sensor reads.
VALUES = {
    "lane": {"fill_level": (68, 31, 300), "battery_level": (50, 48, -1)},
    "hill": {"pm25": (38, 30, -5), "noise": (60, 20, 999)},
    "bay": {"turbidity": (50, 48, 9999), "dissolved_oxygen": (6, 4, 99)},
}

Key = tuple[str, str, int]  # device, parameter, measured_at


class Reports:
    """What the devices measured in the minutes before `now`, in the order in which it is sent."""

    def __init__(self, chance: random.Random, now: int) -> None:
        self.readings: dict[Key, float] = {}
        self.payloads: list[bytes] = []
        self._chance = chance
        begin = now - STEPS * STEP_SECONDS * SECOND
        devices = [
            (site, f"{site}-{n}", chance.uniform(60, 200)) for site in VALUES for n in range(4)
        ]
        for step in range(STEPS):
            for site, device, period in devices:
                at = begin + step * STEP_SECONDS * SECOND
                swing = math.sin(2 * math.pi * step * STEP_SECONDS / period)
                self._add(device, at, {p: self._value(p, site, swing) for p in VALUES[site]})
        for first in range(0, len(self.payloads) - 40, 40):  # some overtake others
            if chance.random() < 0.5:
                second = first + chance.randrange(40)
                pair = self.payloads[first], self.payloads[second]
                self.payloads[second], self.payloads[first] = pair

    def last_words(self) -> bytes:
        """A storm at a station that falls silent: only the clock can tell that it holds."""
        at = time.time_ns() // 1000
        self._add("hill-0", at, {"wind_speed": 33.0})
        return self.payloads.pop()

    def _value(self, parameter: str, site: str, swing: float) -> float:
        middle, most, impossible = VALUES[site][parameter]
        if self._chance.random() < 0.01:
            return float(impossible)
        return round(middle + most * swing + self._chance.uniform(-1, 1), 3)

    def _add(self, device: str, at: int, values: dict[str, float]) -> None:
        self.readings |= {(device, parameter, at): value for parameter, value in values.items()}
        body = {"device": device, "time": iso(at), "values": values}
        self.payloads.append(json.dumps(body).encode())


class Gateway:
    """It keeps what the broker has not acknowledged, and connects again and again."""

    def __init__(self, client: Client) -> None:
        self.sent: set[int] = set()
        self.acknowledged: set[int] = set()
        self._client = client
        client.on_publish = lambda _c, _u, mid, _r, _p: self.acknowledged.add(mid)

    def publish(self, payloads: Sequence[bytes]) -> None:
        topic = "andaman/v1/gw/up/readings"
        self.sent |= {self._client.publish(topic, payload, 1).mid for payload in payloads}


@contextmanager
def gateway(port: int, password: str) -> Iterator[Gateway]:
    """One with the broker's own credential for it."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="gw", clean_session=False)
    client.username_pw_set("gw", password)
    client.max_inflight_messages_set(200)
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield Gateway(client)
    finally:
        client.disconnect()
        client.loop_stop()


reasons_of_the_storm = select(schema.transitions.c.reason).where(
    schema.transitions.c.rule == "storm"
)


def stored(past: Past) -> int:
    return int(past.rows(select(func.count()).select_from(schema.readings))[0][0])


def live_and_die(system: Andaman, past: Past, chance: random.Random, share: int) -> None:
    """Be killed after some of the `share` readings of this life have been stored."""
    goal = stored(past) + chance.randint(1, share // 2)
    wait_until(lambda: stored(past) >= goal)
    time.sleep(chance.uniform(0, 0.05))
    system.kill()


def die_young(system: Andaman, chance: random.Random) -> None:
    """Be killed before it is ready."""
    system.start()
    time.sleep(chance.uniform(0.3, 1.5))
    system.kill()


@contextmanager
def broker_of(kind: str, folder: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """The broker's port, and the settings that it needs."""
    if kind == "nats-server":
        port = free_port()
        yield port, {"mqtt_port": port}
    elif has_mosquitto():
        with running_mosquitto(folder, PASSWORDS) as broker:
            url = f"mqtt://127.0.0.1:{broker.port}"
            yield broker.port, {"mqtt_url": url, "mqtt_password": PASSWORDS["ingest"]}
    else:
        pytest.skip("mosquitto is not on this machine")


def password_of_gateway(kind: str, system: Andaman) -> str:
    """What Andaman makes for it, or what the test gave to mosquitto."""
    return PASSWORDS["gw"] if kind == "mosquitto" else system.gateway_secrets()["gw"]


@pytest.mark.parametrize("kind", ["nats-server", "mosquitto"])
def test_it_is_killed_again_and_again_and_nobody_notices(kind: str, tmp_path: Path) -> None:
    chance = random.Random(20261122)
    reports = Reports(chance, time.time_ns() // 1000)
    share = len(reports.payloads) // DEATHS
    config = write_configuration(tmp_path / "config", **CONFIGURATION)
    common = {"config_dir": config, "lateness_minutes": LATENESS_MINUTES}
    with (
        broker_of(kind, tmp_path) as (port, settings),
        andaman(tmp_path, **common, **settings) as system,
    ):
        system.start()
        system.wait_ready()
        past = Past(system.data, LATENESS_MINUTES * MINUTE)
        with gateway(port, password_of_gateway(kind, system)) as sender:
            for life in range(DEATHS - 1):
                sender.publish(reports.payloads[life * share : (life + 1) * share])
                live_and_die(system, past, chance, 2 * share)
                if life == 2:
                    die_young(system, chance)
                system.start()
            sender.publish([*reports.payloads[(DEATHS - 1) * share :], reports.last_words()])
            wait_until(lambda: stored(past) == len(reports.readings))
            wait_until(lambda: sender.sent == sender.acknowledged)
            wait_until(lambda: ("held",) in past.rows(reasons_of_the_storm))
            stats = system.ask("/v1/stats").json()
        before = time.time_ns() // 1000
        assert system.stop()[0] == 0
        judge(past, reports, stats, before)
        past.close()


def judge(past: Past, reports: Reports, stats: dict[str, int], end: int) -> None:
    """Lost none, doubled none, invented none; counted all; told what a replay tells."""
    r, s = schema.readings.c, schema.series.c
    rows = past.rows(
        select(s.device, s.parameter, r.measured_at, r.value).join_from(
            schema.readings, schema.series, r.series == s.id
        )
    )
    assert len(rows) == len(reports.readings) > 5000
    assert {(d, p, at): value for d, p, at, value in rows} == reports.readings

    assert stats["stored"] == len(rows)
    assert stats["quarantined"] == 0
    assert stats["received"] == stats["stored"] + stats["duplicate"]

    recorded = past.recorded()
    replayed, engine = past.replayed(chunk=997)
    assert recorded == replayed
    assert engine.on_tick(end - 2 * SECOND).transitions == (), "a tick was left out"
    a = schema.alerts.c
    states = {alert: told[-1].after for alert, told in replayed.items()}
    assert dict(past.rows(select(a.id, a.state))) == states
    reasons = [t.reason for told in recorded.values() for t in told]
    assert len(recorded) > 60
    assert {"first-breach", "held", "worsened", "eased", "back-in-range"} <= set(reasons)
