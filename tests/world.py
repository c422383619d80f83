"""Scripted days: a system built by the production wiring, on virtual time and without a network.

world.at("00:05").publish("patong-1", turbidity=81.0)
world.at("00:20").expect("firing", "beach-turbid")
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import app
from alerts.notify.table import NOTIFIERS, ChannelEntry
from core.messages import Message
from core.notices import Channel
from core.settings import Settings
from core.times import HOUR, MINUTE, SECOND, iso

MIDNIGHT = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z


class World:
    """A city of one gateway whose clock stands still until it is told."""

    def __init__(
        self, settings: Settings, channels: Mapping[Channel, ChannelEntry] = NOTIFIERS
    ) -> None:
        self.now = MIDNIGHT - SECOND
        self.acknowledged: list[Message] = []
        self.system = app.build(settings, self.clock, channels)
        self.now = MIDNIGHT
        self.system.pipeline.connected(self.now)

    def clock(self) -> int:
        """The virtual present, µs."""
        return self.now

    def at(self, time: str) -> "World":
        """Let time pass, second by second as the system's tick does, until `time` (HH:MM[:SS])."""
        return self.pass_to(self.moment(time))

    def moment(self, time: str) -> int:
        """When the clock shows it (HH:MM[:SS]), µs."""
        hours, minutes, *rest = time.split(":")
        return (
            MIDNIGHT
            + int(hours) * HOUR
            + int(minutes) * MINUTE
            + (int(rest[0]) * SECOND if rest else 0)
        )

    def pass_to(self, until: int) -> "World":
        """Let time pass, second by second, until a moment (µs)."""
        assert until >= self.now, "time goes forward"
        while self.now < until:
            self.now = min(self.now + SECOND, until)
            self.system.pipeline.tick(self.now)
        return self

    def publish(
        self, device: str, *, measured: int | None = None, gateway: str = "gw", **values: float
    ) -> "World":
        """One native message from `gateway`, measured now or at `measured` (µs)."""
        at = self.now if measured is None else measured
        body = {"device": device, "time": iso(at), "values": values}
        return self.send(json.dumps(body).encode(), gateway=gateway)

    def send(
        self, payload: bytes, *, gateway: str = "gw", topic: str = "", retain: bool = False
    ) -> "World":
        """Raw bytes as they might come from `gateway`, on its native topic or on `topic`."""
        self.now += 1  # no two messages in one microsecond
        topic = topic or f"andaman/v1/{gateway}/up/readings"
        message = Message(topic.encode(), payload, self.now, qos=1, retain=retain)
        self.system.pipeline.settle([message])
        self.acknowledged.append(message)
        return self

    def review(self) -> "World":
        """Let all that people asked for be done, as it is beside the messages."""
        while self.system.by_people.review():
            pass
        return self

    def rows(self, query: str) -> list[Any]:
        """What a reader of the ledger sees."""
        with self.system.readers.connect() as connection:
            return list(connection.exec_driver_sql(query))

    def counters(self) -> Mapping[str, int]:
        """The conservation counters."""
        found = dict(self.rows("SELECT name, value FROM counters"))
        return {k: found.get(k, 0) for k in ("received", "stored", "duplicate", "quarantined")}

    def transitions(self) -> list[tuple[str, str, str]]:
        """(rule, after, reason), in the order in which they were recorded."""
        query = "SELECT rule, after, reason FROM transitions ORDER BY id"
        return [(rule, after, reason) for rule, after, reason in self.rows(query)]

    def restart(self) -> "World":
        """The process dies without a word, and starts again on the same folder."""
        self.reopen()
        self.system.pipeline.connected(self.now)
        return self

    def reopen(self) -> None:
        """Build the system again on the same folder; it has not heard the broker yet."""
        self.system.close()
        self.system = app.build(self.system.settings, self.clock, self.system.channels)


CONFIGURATION = {
    "sites.yaml": """
sites:
  - {id: patong, kind: beach, name: {en: Patong, th: ป่าตอง}, latitude: 7.8965,
     longitude: 98.2955, district: kathu}
  - {id: town, kind: air, name: {en: Town, th: เมือง}, latitude: 7.885,
     longitude: 98.391, district: mueang}
  - {id: bin, kind: bin, name: {en: Bin, th: ถัง}, latitude: 7.88,
     longitude: 98.39, district: mueang}
""",
    "devices.yaml": """
gateways:
  - {id: gw, name: {en: Gateway, th: เกตเวย์}}
  - {id: other, name: {en: Other, th: อื่น}}
devices:
  - {id: patong-1, gateway: gw, site: patong, since: 2026-01-01}
  - {id: air-1, gateway: gw, site: town, since: 2026-01-01}
  - {id: bin-1, gateway: gw, site: bin, since: 2026-01-01}
  - {id: bin-2, gateway: other, site: bin, since: 2026-01-01}
""",
    "rules.yaml": """
rules:
  - {id: bin-full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     above: {warning: 80, critical: 95}, clear: 60}
  - {id: haze, kind: threshold, name: {en: Haze, th: ฝุ่น}, parameter: pm25,
     above: {warning: 37.5}, clear: 30, for: 5m, clear_for: 5m}
  - {id: low-oxygen, kind: threshold, name: {en: Oxygen, th: ออกซิเจน},
     parameter: dissolved_oxygen, below: {warning: 4, critical: 2}, clear: 4.5}
""",
}


def write_configuration(folder: Path, **changed: str) -> Path:
    """A small city's configuration in `folder`; `rules="…"` and the like replace or add a file."""
    folder.mkdir(parents=True, exist_ok=True)
    files = CONFIGURATION | {f"{key}.yaml": text for key, text in changed.items()}
    for name, text in files.items():
        path = folder / ("rules" if name == "rules.yaml" else "") / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@contextmanager
def small_world(
    folder: Path,
    files: Mapping[str, str] | None = None,
    channels: Mapping[Channel, ChannelEntry] = NOTIFIERS,
    **settings: Any,
) -> Iterator[World]:
    """A world in `folder`, closed at the end; `files` of the configuration are others."""
    configuration = write_configuration(folder / "config", **(files or {}))
    made = Settings(config_dir=configuration, data_dir=folder / "data", **settings)
    world = World(made, channels)
    try:
        yield world
    finally:
        world.system.close()
