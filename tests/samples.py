"""Real messages beside the repository, and the shape in which tests hand messages to dialects.

The samples are data of others: they are read where they lie, and tests that need them are skipped
where they are missing. Each of those tests has a sibling with a table of our own.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.readings import Reading
from ingest.dialects.shape import Dialect, Incoming, Item, Raw

SAMPLES = Path(__file__).resolve().parents[2] / "shared/samples"
RECEIVED_AT = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z
BANGKOK = ZoneInfo("Asia/Bangkok")

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/samples is not here")


def sample(name: str) -> Any:
    """The JSON of one sample file."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def incoming(
    message: object,
    *,
    topic: str = "",
    zone: ZoneInfo | None = None,
    headers: Mapping[str, str] | None = None,
) -> Incoming:
    """A message to decode: bytes as they are, anything else as JSON."""
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Incoming(topic, payload, RECEIVED_AT, zone, headers or {})


def items(dialect: Dialect, message: object, **context: Any) -> list[Item]:
    """What the dialect makes of a message."""
    return list(dialect(incoming(message, **context)).items)


def readings(found: list[Item]) -> dict[str, tuple[float, str | None]]:
    """The values and units by key; no key may come twice."""
    taken = [item for item in found if isinstance(item, Reading)]
    by_key = {item.parameter: (item.value, item.unit) for item in taken}
    assert len(by_key) == len(taken)
    return by_key


def raw(found: list[Item]) -> Raw:
    """The only raw payload."""
    (payload,) = [item for item in found if isinstance(item, Raw)]
    return payload


def times(found: list[Item]) -> set[int]:
    """The distinct times of all readings and payloads."""
    return {item.measured_at for item in found if isinstance(item, Reading | Raw)}


def devices(found: list[Item]) -> set[str]:
    """The distinct devices of all readings and payloads."""
    return {item.device for item in found if isinstance(item, Reading | Raw)}
