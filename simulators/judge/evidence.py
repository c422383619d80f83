"""What became of a run: the ledger as a file, what people got, what the logs say.

The ledger is read with SQL of our own, so that a mistake in Andaman's does not judge itself.
"""

import csv
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from core.times import to_micros
from simulators.judge.city import KINDS
from simulators.judge.oracle import Key
from simulators.judge.stage import Stage
from simulators.judge.watch import Look
from simulators.servers.influxd import InfluxServer
from simulators.stand_ins.influx import Influx

_READINGS = """
SELECT device, parameter, measured_at, value FROM readings JOIN series ON series = series.id
"""
_DELIVERIES = """
SELECT deliveries.channel, address, parcel, deliveries.state FROM deliveries
"""
_NEWS = """
SELECT address, alert, rule, parcel, notice_alerts.state FROM notice_alerts
JOIN alerts ON alert = alerts.id JOIN parcels ON parcels.notice = notice_alerts.notice
JOIN deliveries ON parcel = parcels.id
WHERE deliveries.state = 'sent' AND notice_alerts.state IN ('firing', 'resolved')
"""


class Delivery(NamedTuple):
    """A message that was planned for somebody."""

    channel: str
    address: str
    parcel: str
    state: str


class News(NamedTuple):
    """What a message that was sent told somebody of an alert."""

    address: str
    alert: str
    rule: str
    parcel: str
    state: str


class Arrival(NamedTuple):
    """A message that somebody got, and when (s); a mail may have arrived without our hearing so."""

    channel: str
    address: str
    parcel: str
    at: float
    text: str
    answered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the judges look at. `counts` are what the API counted; `rejected` the reasons in
    receipts; `verified` what `andaman db verify` found; `trouble` what did not come about in time;
    `excused` are devices' parameters that InfluxDB cannot take.
    """

    issued: Mapping[Key, float]
    owed: Mapping[Key, float]
    rejected: Mapping[tuple[str, int], str]
    stored: Sequence[tuple[Key, float]]
    counts: Mapping[str, int]
    transitions: int
    verified: Sequence[str]
    parcels: frozenset[str]
    deliveries: Sequence[Delivery]
    news: Sequence[News]
    arrivals: Sequence[Arrival]
    full: Sequence[str]
    people: Mapping[str, Sequence[str]]
    crashes: int
    looks: Sequence[Look]
    logs: Mapping[str, bytes]
    secrets: frozenset[str]
    influx: Mapping[Key, float] | None = None
    refusable: frozenset[str] = frozenset()
    excused: frozenset[tuple[str, str]] = frozenset()
    trouble: Sequence[str] = field(default_factory=tuple)


def rows(data: Path, query: str) -> list[Any]:
    """What a reader of the ledger finds."""
    with closing(sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True)) as ledger:
        return ledger.execute(query).fetchall()


def stored(data: Path) -> list[tuple[Key, float]]:
    """Every reading in the ledger."""
    return [((device, p, at), value) for device, p, at, value in rows(data, _READINGS)]


def parcels(data: Path) -> frozenset[str]:
    """The id of every message, also of those that a digest replaced."""
    return frozenset(identifier for (identifier,) in rows(data, "SELECT id FROM parcels"))


def deliveries(data: Path) -> list[Delivery]:
    """Every message that was planned for anybody."""
    return [Delivery(*row) for row in rows(data, _DELIVERIES)]


def news(data: Path) -> list[News]:
    """What those that were sent told of alerts."""
    return [News(*row) for row in rows(data, _NEWS)]


def arrivals(stage: Stage) -> list[Arrival]:
    """What people got."""
    lines = [
        Arrival("line", one.to, one.key, one.at, json.dumps(one.messages, ensure_ascii=False))
        for one in stage.line.received
    ]
    mails = [
        Arrival(
            "email",
            to,
            mail.message["Message-ID"][1:].partition("@")[0],
            mail.at / 1e6,
            mail.text,
            mail.answered,
        )
        for mail in stage.post.mailbox.mails()
        for to in mail.recipients
    ]
    return lines + mails


def logs(stage: Stage) -> dict[str, bytes]:
    """Every log, and the command lines."""
    files = [*stage.folder.glob("*.log"), *stage.folder.glob("*/*.log")]
    files += (stage.andaman.data / "broker").glob("log*")
    found = {str(file.relative_to(stage.folder)): file.read_bytes() for file in files}
    return found | {"command lines": b"\n".join(stage.watch.lines)}


def verified(stage: Stage) -> list[str]:
    """What Andaman itself finds wrong with its ledger."""
    done = stage.andaman.command("db", "verify")
    if done.returncode == 0:
        return []
    said = done.stdout + done.stderr
    (stage.folder / "verify.txt").write_text(said, encoding="utf-8")
    return said.splitlines() or ["it said nothing"]


def in_influx(stage: Stage) -> dict[Key, float] | None:
    """Every reading in InfluxDB; None where there is none on the stage."""
    if stage.influx is None:
        return None
    if isinstance(stage.influx, Influx):
        return dict(_of_stand_in(stage.influx))
    return dict(_of_server(stage.influx))


def _of_stand_in(influx: Influx) -> Iterator[tuple[Key, float]]:
    for (head, at), fields in influx.points.items():
        kind, *tags = head.decode().split(",")
        device = dict(tag.split("=") for tag in tags).get("device")
        if device and kind in KINDS.values():
            for parameter, value in fields.items():
                yield (device, parameter, at // 1000), value


def _of_server(influx: InfluxServer) -> Iterator[tuple[Key, float]]:
    measurements = " or ".join(f'r._measurement == "{kind}"' for kind in set(KINDS.values()))
    flux = (
        f'from(bucket: "{influx.bucket}") |> range(start: -1d, stop: 1d)'
        f" |> filter(fn: (r) => {measurements})"
        ' |> filter(fn: (r) => r._field !~ /_flag$/) |> keep(columns: ["_time", "_value",'
        ' "_field", "device"])'
    )
    answer = httpx.post(
        f"{influx.url}/api/v2/query",
        params={"org": influx.org},
        headers={"Authorization": f"Token {influx.token}", "Accept": "application/csv"},
        json={"query": flux},
        timeout=60,
    )
    header: list[str] = []
    for row in csv.reader(answer.raise_for_status().text.splitlines()):
        if not row:  # between two tables
            header = []
        elif not header:
            header = row
        else:
            cells = dict(zip(header, row, strict=True))
            if cells.get("device"):
                at = to_micros(datetime.fromisoformat(cells["_time"]))
                yield (cells["device"], cells["_field"], at), float(cells["_value"])
