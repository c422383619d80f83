"""What would become of one message: each reading and each refusal as a line. Pure.

It goes the way of `ingest.gather` and the bounds of time of `ingest.arrange`, item by item, without
a ledger: whether a reading is a duplicate or in conflict it cannot say. Of a device that is not
registered it tells what was read, under the network's own names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from core.catalogue import CATALOGUE
from core.errors import ConfigError, DecodeError
from core.messages import Message, Refusal
from core.readings import Reading
from core.times import DAY, MINUTE, iso
from ingest.decode import decode
from ingest.dialects.shape import Item, Raw, Refused
from ingest.dialects.table import DIALECTS
from ingest.registry import Registry
from ingest.sources import NATIVE, Source, Sources
from ingest.translate import translate

Line: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who is said to have sent a message: a source by its id, or a dialect, else its topic tells;
    `gateway` where none of them does.
    """

    source: str = ""
    dialect: str = ""
    gateway: str = ""


def source_of(message: Message, sources: Sources, speaker: Speaker) -> tuple[Source, str]:
    """The source of a message, and the gateway that it counts for.

    Raises:
        ConfigError: there is no such source or dialect.
        DecodeError: nothing is said of the speaker, and no source takes the topic.
    """
    if speaker.source:
        named = {source.id: source for source in sources.all}
        if speaker.source not in named:
            words = f"sources.yaml has no source {speaker.source}, only {', '.join(named)}"
            raise ConfigError([words])
        found = named[speaker.source]
        return found, speaker.gateway or found.gateway
    if speaker.dialect:
        if speaker.dialect not in DIALECTS:
            words = f"{speaker.dialect} is no dialect; write one of {', '.join(DIALECTS)}"
            raise ConfigError([words])
        return replace(NATIVE, id="plain", dialect=speaker.dialect), speaker.gateway
    found, gateway = sources.of(message.topic)
    return found, speaker.gateway or gateway


def explain(
    message: Message, registry: Registry, sources: Sources, speaker: Speaker
) -> Iterator[Line]:
    """The lines of one message; those with the key `refused` are refusals.

    Raises:
        ConfigError: there is no such source or dialect.
    """
    try:
        source, gateway = source_of(message, sources, speaker)
        items = decode(message, source).items
    except DecodeError as error:
        yield _refusal(Refused(error.reason, error.detail))
        return
    for item in items:
        yield from _of_item(item, message.received_at, source, gateway, registry)


def _of_item(
    item: Item, received_at: int, source: Source, gateway: str, registry: Registry
) -> Iterator[Line]:
    if isinstance(item, Refused):
        yield _refusal(item)
        return
    device = registry.device_of(item.device)
    refusal = registry.refuse(device, gateway)
    if refusal is not None:
        yield _refusal(Refused(*refusal)) | {"item": _read(item)}
        return
    for found in translate(item, device, registry.devices[device].profile):
        if isinstance(found, Refused):
            yield _refusal(found) | {"item": _read(item)}
        elif late := _out_of_time(found, received_at, source):
            yield _refusal(late) | {"item": _reading(found)}
        else:
            yield _reading(found) | {
                "site": registry.devices[device].place.site_at(found.measured_at)
            }


def _out_of_time(reading: Reading, received_at: int, source: Source) -> Refused | None:
    age = received_at - reading.measured_at
    if age > source.max_age:
        return Refused(Refusal.TIME_TOO_OLD, f"more than {source.max_age / DAY:g} days old")
    if -age > source.max_ahead:
        ahead = f"more than {source.max_ahead / MINUTE:g} minutes ahead"
        return Refused(Refusal.TIME_IN_FUTURE, ahead)
    return None


def _reading(reading: Reading) -> dict[str, Any]:
    """A reading in the city's own words."""
    return {
        "device": reading.device,
        "parameter": reading.parameter,
        "measured_at": iso(reading.measured_at),
        "value": reading.value,
        "unit": CATALOGUE[reading.parameter].unit,
    }


def _read(item: Reading | Raw) -> dict[str, Any]:
    """What the dialect read, as the network says it; unit null where it says none."""
    common = {"device": item.device, "measured_at": iso(item.measured_at)}
    if isinstance(item, Reading):
        return common | {"key": item.parameter, "value": item.value, "unit": item.unit}
    decoded = [_read(i) for i in item.decoded if not isinstance(i, Refused)]
    return common | {"port": item.port, "bytes": item.data.hex(), "decoded": decoded}


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"refused": refused.reason.value, "detail": refused.detail}
