"""What was truly so while a scenario ran: an account of events and faults, as JSON lines.

The first line says what was run: scenario, seed, from when to when, with which devices. Each other
line is one truth: an event in the city, or a fault of what measures it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.errors import ConfigError
from core.times import from_micros, to_micros


class Nature(StrEnum):
    """Whether the city is at fault or the sensor."""

    EVENT = "event"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One event or fault from `start` to `end` (µs): what, where, what it shows in, and how bad.

    `severity` is that of alerts; `info` is what nobody has to be told. `details` are plain JSON.
    """

    id: str
    nature: Nature
    kind: str
    sites: tuple[str, ...]
    devices: tuple[str, ...]
    parameters: tuple[str, ...]
    start: int
    end: int
    severity: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that was true of one run, in order of time; `devices` are all that took part."""

    scenario: str
    seed: int
    start: int
    end: int
    devices: tuple[str, ...]
    truths: tuple[Truth, ...]


class _Head(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """The first line."""

    scenario: str
    seed: int
    start: datetime
    end: datetime
    devices: tuple[str, ...]


class _Line(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Any other line."""

    id: str
    nature: Nature
    kind: str
    sites: tuple[str, ...]
    devices: tuple[str, ...]
    parameters: tuple[str, ...]
    start: datetime
    end: datetime
    severity: str
    details: dict[str, Any]


_Struct = TypeVar("_Struct", _Head, _Line)


def lines(account: Account) -> Iterator[str]:
    """The account as JSON lines."""
    head = asdict(account) | _moments(account)
    del head["truths"]
    yield _text(_Head(**head))
    for truth in account.truths:
        yield _text(_Line(**(asdict(truth) | _moments(truth))))


def write(path: Path, account: Account) -> None:
    """Write the account to `path`.

    Raises:
        OSError: it cannot be written.
    """
    path.write_text("".join(lines(account)), encoding="utf-8")


def read(path: Path) -> Account:
    """The account that `write` wrote.

    Raises:
        ConfigError: it cannot be read, or a line is none of an account.
    """
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read as text: {error}"]) from error
    if not texts:
        raise ConfigError([f"{path}: is empty; its first line says which scenario was run"])
    head = _decoded(path, 1, texts[0], _Head)
    truths = [_decoded(path, n, text, _Line) for n, text in enumerate(texts[1:], 2)]
    return Account(
        **(msgspec.structs.asdict(head) | _micros(head)),
        truths=tuple(Truth(**(msgspec.structs.asdict(line) | _micros(line))) for line in truths),
    )


def _text(line: _Head | _Line) -> str:
    return msgspec.json.encode(line).decode() + "\n"


def _moments(lasting: Account | Truth) -> dict[str, datetime]:
    return {"start": from_micros(lasting.start), "end": from_micros(lasting.end)}


def _micros(line: _Head | _Line) -> dict[str, int]:
    return {"start": to_micros(line.start), "end": to_micros(line.end)}


def _decoded(path: Path, number: int, text: str, shape: type[_Struct]) -> _Struct:
    try:
        made = msgspec.json.decode(text, type=shape)
    except msgspec.MsgspecError as error:
        raise ConfigError([f"{path}:{number}: is no line of an account: {error}"]) from error
    if made.start.tzinfo is None or made.end.tzinfo is None:
        raise ConfigError([f"{path}:{number}: its times name no zone; write them with Z"])
    return made
