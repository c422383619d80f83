"""What Andaman says to InfluxDB of itself: how it is, and what its places, devices and rules are
called, so that a dashboard needs to ask nobody else.

An entry that is the same as last time is said again only once in a while.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.times import HOUR
from storage.lines import escaped, quoted
from storage.queries import DeviceRow, SiteRow

AGAIN = HOUR
LEVELS = ("unknown", "ok", "info", "warning", "critical")
"""How a site stands, as the number that stands for it in `andaman_site`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One point: integers stay integers, other numbers are floats."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, float | int | str]


class Bulletin:
    """Remembers what was said, and when."""

    def __init__(self) -> None:
        self._said: dict[bytes, tuple[bytes, int]] = {}

    def lines(self, entries: Iterable[Entry], at: int) -> tuple[int, bytes]:
        """How many of these are news at `at` (µs), or were said an hour ago; as line protocol."""
        due = [_encoded(entry) for entry in entries]
        due = [(key, body) for key, body in due if self._is_due(key, body, at)]
        self._said |= {key: (body, at) for key, body in due}
        return _joined(due, at)

    def _is_due(self, key: bytes, body: bytes, at: int) -> bool:
        before = self._said.get(key)
        return before is None or before[0] != body or at - before[1] >= AGAIN


def encode_entries(entries: Iterable[Entry], at: int) -> tuple[int, bytes]:
    """All of them, as line protocol at `at` (µs)."""
    return _joined([_encoded(entry) for entry in entries], at)


def of_site(row: SiteRow, state: str) -> Entry:
    """A place, and how it stands: one of `LEVELS`."""
    fields: dict[str, float | int | str] = {
        "name_en": row.name_en,
        "name_th": row.name_th,
        "kind": row.kind,
        "district": row.district,
        "owner": row.owner,
        "latitude": float(row.latitude),
        "longitude": float(row.longitude),
        "level": LEVELS.index(state),
        "open": row.open_alerts,
    }
    return Entry(measurement="andaman_site", tags={"site": row.id}, fields=fields)


def of_device(row: DeviceRow, interval: int | None) -> Entry:
    """A device, and how often it is expected to report, µs; None where nobody knows."""
    fields: dict[str, float | int | str] = {
        "site": row.site,
        "gateway": row.gateway,
        "model": row.model,
    }
    if interval:
        fields["interval"] = interval / 1_000_000
    return Entry(measurement="andaman_device", tags={"device": row.id}, fields=fields)


def of_rule(rule: str, name: Mapping[str, str]) -> Entry:
    """What a rule is called."""
    fields = {f"name_{language}": text for language, text in sorted(name.items())}
    return Entry(measurement="andaman_rule", tags={"rule": rule}, fields=fields)


def of_metrics(samples: Iterable[tuple[str, Mapping[str, str], float]]) -> list[Entry]:
    """Samples of Prometheus (name, labels, value): one entry for all that share their labels, the
    name without `andaman_` the field.
    """
    found: dict[tuple[tuple[str, str], ...], dict[str, float | int | str]] = {}
    for name, labels, value in samples:
        if math.isfinite(value):
            fields = found.setdefault(tuple(sorted(labels.items())), {})
            fields[name.removeprefix("andaman_")] = float(value)
    return [Entry(measurement="andaman", tags=dict(t), fields=f) for t, f in found.items()]


def _joined(points: list[tuple[bytes, bytes]], at: int) -> tuple[int, bytes]:
    return len(points), b"\n".join(b"%s %s %d" % (key, body, at * 1000) for key, body in points)


def _encoded(entry: Entry) -> tuple[bytes, bytes]:
    tags = "".join(f",{escaped(k)}={escaped(v)}" for k, v in entry.tags.items() if v)
    fields = ",".join(f"{escaped(k)}={_value(v)}" for k, v in entry.fields.items())
    return f"{entry.measurement}{tags}".encode(), fields.encode()


def _value(value: float | int | str) -> str:
    if isinstance(value, str):
        return quoted(value)
    return f"{value}i" if isinstance(value, int) else repr(value)
