"""What uplinks of all LoRaWAN network servers have in common."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from core.readings import Reading
from ingest.dialects.shape import Decoded, Raw
from ingest.dialects.values import readings


class Heard(NamedTuple):
    """How one gateway heard the uplink, in dBm and dB. Servers leave out an `snr` of 0; an `rssi`
    of 0 does not happen, so a missing one is missing.
    """

    rssi: float | None
    snr: float | None


def uplink(
    device: str,
    measured_at: int,
    *,
    decoded: Mapping[str, object],
    payload: bytes,
    port: int,
    heard: Iterable[Heard],
) -> Decoded:
    """The bytes together with the server's own decoding, or that decoding alone where there are
    none, and the radio's quality: `rssi` and `snr` of the gateway that heard it best, unless the
    device uses these names itself.

    Raises:
        DecodeError: the decoding is too deep or too large.
    """
    values = readings(device, measured_at, decoded)
    taken = {value.parameter for value in values if isinstance(value, Reading)}
    radio = [each for each in _radio(device, measured_at, heard) if each.parameter not in taken]
    if payload:
        return Decoded([*radio, Raw(device, measured_at, payload, port, tuple(values))])
    return Decoded([*values, *radio])


def _radio(device: str, measured_at: int, heard: Iterable[Heard]) -> list[Reading]:
    signals = [(each.rssi, each.snr or 0.0) for each in heard if each.rssi is not None]
    if not signals:
        return []
    rssi, snr = max(signals)
    return [
        Reading(device, "rssi", measured_at, rssi, "dBm"),
        Reading(device, "snr", measured_at, snr, "dB"),
    ]
