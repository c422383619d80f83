"""What a dialect found, in the city's own words: our devices, our parameters, our units.

Pure: the registry's facts come in as `Known`, what comes out is readings, or a refusal with its
reason for each item that cannot be taken. What a profile ignores is no item at all.
"""

from collections.abc import Iterator

from core.catalogue import CATALOGUE
from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.codecs.table import CODECS
from ingest.dialects.shape import Item, Raw, Refused
from ingest.profiles import Channel, Profile
from ingest.units import UnknownUnitError, conversion


def translate(item: Item, device: str, profile: Profile) -> Iterator[Reading | Refused]:
    """The readings of one item of `device`, by its profile."""
    if isinstance(item, Refused):
        yield item
    elif isinstance(item, Raw):
        yield from _decoded(item, device, profile)
    else:
        found = _reading(item, device, profile)
        if found is not None:
            yield found


def _decoded(raw: Raw, device: str, profile: Profile) -> Iterator[Reading | Refused]:
    codec = CODECS.get(profile.codec)
    if codec is None:
        for item in raw.decoded:  # what the network server made of the bytes
            yield from translate(item, device, profile)
        if not raw.decoded:
            words = f"{device} sends raw bytes, and its model has no profile with a codec"
            yield Refused(Refusal.UNKNOWN_PAYLOAD, words)
        return
    try:
        values = codec(raw.data, raw.port)
    except DecodeError as error:
        yield Refused(error.reason, error.detail)
        return
    for key, (value, unit) in values.items():
        found = _reading(Reading(device, key, raw.measured_at, value, unit), device, profile)
        if found is not None:
            yield found


def _reading(reading: Reading, device: str, profile: Profile) -> Reading | Refused | None:
    """The reading by its parameter's name and unit; None for what is not kept."""
    key, value = reading.parameter, reading.value
    channel = profile.channels.get(key)
    if channel is None:
        if key in profile.ignored:
            return None
        parameter = CATALOGUE.get(key)
        if parameter is None:
            words = f"{key} of {device} is neither in the catalogue nor in its profile"
            return Refused(Refusal.UNKNOWN_PARAMETER, words)
        channel = Channel(parameter=key, unit=parameter.unit)
    if value in channel.missing:
        return None
    try:
        value = _converted(value, reading.unit or channel.unit, channel.parameter)
    except UnknownUnitError as error:
        return Refused(Refusal.UNKNOWN_UNIT, f"{key} of {device}: {error}")
    return Reading(device, channel.parameter, reading.measured_at, value)


def _converted(value: float, unit: str, parameter: str) -> float:
    wanted = CATALOGUE[parameter].unit
    return value if unit == wanted else conversion(unit, wanted, parameter)(value)
