"""Hop 2 over a batch: messages become rows, and what cannot be taken becomes refusals.

A reading of a device that speaks the catalogue's own words takes the short way: two look-ups. All
else goes through address, profile and unit. Nothing here touches the ledger or a clock.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.errors import DecodeError
from core.messages import Message, Quarantined, Refusal, RefusedItem
from core.readings import IntColumn, Reading
from core.registry import Series, Status
from ingest.decode import decode
from ingest.dialects.shape import Decoded, Item, Refused, Snapshot
from ingest.registry import NOTHING, Known, Registry
from ingest.sources import Source, Sources
from ingest.status import read_status, speaker
from ingest.translate import translate

_MOST_DEVICES = 16  # told apart in one message: each entry keeps a copy of its bytes
_LONGEST_NAME = 64
_NO_ITEMS = Decoded(items=())


@dataclass(slots=True)
class Rows:
    """The readings of a batch as they came: the series and value of each. Those of one message and
    time that follow each other are a part: of each part its message's number, its time, its length.
    """

    message: list[int] = field(default_factory=list)
    measured_at: list[int] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    _whole: tuple[IntColumn, IntColumn, IntColumn] | None = None

    def whole(self) -> tuple[IntColumn, IntColumn, IntColumn]:
        """`message`, `series` and `measured_at` of each reading, made once, when all are there."""
        if self._whole is None:
            message, measured_at = (
                np.array(of_parts, np.int64).repeat(self.length)
                for of_parts in (self.message, self.measured_at)
            )
            self._whole = message, np.array(self.series, np.int64), measured_at
        return self._whole

    def add(
        self, message: int, measured_at: int, series: Sequence[int], values: Collection[float]
    ) -> None:
        """A part."""
        self.message.append(message)
        self.measured_at.append(measured_at)
        self.length.append(len(series))
        self.series += series
        self.value += values


@dataclass(slots=True)
class Refusals:
    """What is refused: item by item, and `found`, grouped by message, reason and device (empty
    where it is not known): the first detail, and how many items.
    """

    each: list[RefusedItem] = field(default_factory=list)
    found: dict[tuple[int, Refusal, str], tuple[str, int]] = field(default_factory=dict)
    _apart: Counter[tuple[int, Refusal]] = field(default_factory=Counter)

    def add(
        self, message: int, item: int | None, reason: Refusal, detail: str, device: str = ""
    ) -> None:
        """Refuse one item of a message, by their numbers; None when it could not be decoded."""
        self.each.append(RefusedItem(message, item, reason, detail))
        key = self._group(message, reason, device)
        first, items = self.found.get(key, (detail, 0))
        self.found[key] = (first, items + 1)

    def _group(self, message: int, reason: Refusal, device: str) -> tuple[int, Refusal, str]:
        key = (message, reason, device)
        if not device or key in self.found:
            return key
        if len(device) > _LONGEST_NAME or self._apart[message, reason] == _MOST_DEVICES:
            return (message, reason, "")
        self._apart[message, reason] += 1
        return key

    @property
    def items(self) -> int:
        """How many in all."""
        return len(self.each)


@dataclass(slots=True)
class Gathered:
    """A batch after decoding. Of each message by number: its source (None when it has none), its
    gateway, and the number that the gateway gave it, where it counts. `series` is the registry's;
    `statuses` are what gateways say of themselves, each with the number of its message.
    """

    messages: Sequence[Message]
    series: Sequence[Series]
    sources: list[Source | None] = field(default_factory=list)
    gateways: list[str] = field(default_factory=list)
    numbers: dict[int, tuple[str, int]] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    refusals: Refusals = field(default_factory=Refusals)
    statuses: list[tuple[int, Status]] = field(default_factory=list)
    indexes: dict[int, int] = field(default_factory=dict)  # row → item, where they differ

    def refuse_row(self, row: int, reason: Refusal, detail: str) -> None:
        """Refuse the reading in a row of `rows`."""
        messages, *_ = self.rows.whole()
        message = int(messages[row])
        first = int(np.searchsorted(messages, message))
        device = self.series[self.rows.series[row]].device
        self.refusals.add(message, self.indexes.get(row, row - first), reason, detail, device)

    def quarantined(self) -> list[Quarantined]:
        """One entry for each message, reason and device, in order of arrival."""
        return [
            quarantined(self.messages[number], self.gateways[number], reason, detail, items, device)
            for (number, reason, device), (detail, items) in sorted(self.refusals.found.items())
        ]


def gather(
    messages: Sequence[Message], registry: Registry, sources: Sources, at: int | None = None
) -> Gathered:
    """Decode every message; total: what goes wrong with one stops no other. What is new in the
    registry is so since its message was received, or `at`.
    """
    gathered = Gathered(messages, registry.series)
    rows, devices = gathered.rows, registry.devices
    for number, message in enumerate(messages):
        source, gateway = None, ""
        try:
            gateway = speaker(message.topic) or ""
            if gateway:
                gathered.statuses.append((number, read_status(message, gateway)))
                items, epoch, seq = _NO_ITEMS
            else:
                source, gateway = sources.of(message.topic)
                items, epoch, seq = decode(message, source)
        except DecodeError as error:
            gathered.refusals.add(number, None, error.reason, error.detail)
            items, epoch, seq = _NO_ITEMS
        gathered.sources.append(source)
        gathered.gateways.append(gateway)
        if epoch is not None and seq is not None:
            gathered.numbers[number] = (epoch, seq)
        if isinstance(items, Snapshot):
            series = _series_of(items, gateway, devices)
            if series is not None:
                rows.add(number, items.measured_at, series, items.values.values())
                continue
        quick = _quick(items, gateway, devices)
        if quick is not None:
            for one, measured_at, value in quick:
                rows.add(number, measured_at, [one], [value])
            continue
        for index, item in enumerate(items):
            _place(
                item, number, index, registry, gathered, message.received_at if at is None else at
            )
    return gathered


def _series_of(snapshot: Snapshot, gateway: str, devices: Mapping[str, Known]) -> list[int] | None:
    """The series of each value; None when one of them needs more than two look-ups."""
    known = devices.get(snapshot.device)
    if known is None or known.gateway != gateway:
        return None
    plain = known.plain
    try:
        return list(map(plain.__getitem__, snapshot.values))
    except KeyError:
        return None


def _quick(
    items: Iterable[Item], gateway: str, devices: Mapping[str, Known]
) -> list[tuple[int, int, float]] | None:
    """Series, time and value of each item; None when one of them needs more than two look-ups."""
    found: list[tuple[int, int, float]] = []
    plain, last = NOTHING, None
    for item in items:
        if type(item) is not Reading or item.unit is not None:
            return None
        device, parameter, measured_at, value, _ = item
        if device is not last:  # most messages speak of one device
            known, last = devices.get(device), device
            plain = known.plain if known is not None and known.gateway == gateway else NOTHING
        series = plain.get(parameter)
        if series is None:
            return None
        found.append((series, measured_at, value))
    return found


def _place(
    item: Item, number: int, index: int, registry: Registry, gathered: Gathered, at: int
) -> None:
    """An item off the beaten track: find its device, translate it, find or bear its series."""
    refusals, rows = gathered.refusals, gathered.rows
    if isinstance(item, Refused):
        refusals.add(number, index, *item)
        return
    device = registry.device_of(item.device)
    refusal = registry.refuse(device, gathered.gateways[number], at)
    if refusal is not None:
        refusals.add(number, index, *refusal, device)
        return
    for found in translate(item, device, registry.devices[device].profile):
        if isinstance(found, Refused):
            refusals.add(number, index, *found, device)
            continue
        series = registry.series_of(device, found.parameter, at)
        if series is None:
            words = f"its gateway may begin no more series today; {found.parameter} is new"
            refusals.add(number, index, Refusal.QUOTA, words, device)
            continue
        gathered.indexes[len(rows.series)] = index
        rows.add(number, found.measured_at, [series], [found.value])


def quarantined(
    message: Message, gateway: str, reason: Refusal, detail: str, items: int, device: str = ""
) -> Quarantined:
    """The entry that keeps a message, or some items of it."""
    return Quarantined(
        received_at=message.received_at,
        gateway=gateway,
        topic=message.topic.decode("utf-8", "replace"),
        reason=reason,
        detail=detail,
        payload=message.payload,
        items=items,
        device=device or None,
    )
