"""Values as devices write them: a number, a number with its unit in a text, a flag, a tree.

Words, nulls and empty texts are no readings and are passed over: firmware versions and modes stand
beside measurements in most formats. What looks like a number and is none is refused.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import FLAG, MOST_ITEMS, Refused, too_many

DEEPEST = 8  # levels of objects and lists around a value

_QUANTITY = re.compile(
    r"\s*(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"(?:(?P<space>\s*)(?P<unit>\S{1,16}))?\s*"
)
_NOT_FINITE = re.compile(r"\s*[+-]?(?:nan|inf|infinity)\s*", re.IGNORECASE)

# How people write units; what is not here is handed on as it is, for the profile to judge.
_UCUM: Mapping[str, str] = {
    "°": "deg",
    "°C": "Cel",
    "°F": "[degF]",
    "C": "Cel",
    "F": "[degF]",
    "NTU": "[NTU]",
    "PSU": "[psu]",
    "dBA": "dB[SPL]",
    "degC": "Cel",
    "lux": "lx",
    "mg/l": "mg/L",
    "pH": "[pH]",
    "ppb": "[ppb]",
    "ppm": "[ppm]",
    "psu": "[psu]",
    "ug/m³": "ug/m3",
    "º": "deg",
    "ºC": "Cel",
    "℃": "Cel",
}
# Those that may follow a number without a space. Others could as well be part of a name (6749D).
_ATTACHED = frozenset({"%", "Cel", "V", "[NTU]", "[degF]", "[ppb]", "[ppm]", "deg", "hPa", "mV"})


class Quantity(NamedTuple):
    """A finite number and its unit in UCUM, None where none is stated."""

    value: float
    unit: str | None = None


def ucum(unit: str) -> str:
    """The UCUM code of a unit as people write it; unknown spellings stay what they are.

    >>> ucum("°C"), ucum("µS/cm"), ucum("furlong")
    ('Cel', 'uS/cm', 'furlong')
    """
    plain = unit.replace("µ", "u").replace("μ", "u")  # the micro sign, and the Greek letter
    return _UCUM.get(plain, plain)


def number(stated: object) -> Quantity | None:
    """The quantity that is stated; None for words, nulls and trees. True and false are 1 and 0.

    >>> number("3.384 V"), number("100.00"), number("3.1.3")
    (Quantity(value=3.384, unit='V'), Quantity(value=100.0, unit=None), None)

    Raises:
        DecodeError: it is meant as a number, and is not finite.
    """
    if isinstance(stated, bool):
        return Quantity(float(stated), FLAG)
    if isinstance(stated, int | float):
        return Quantity(finite(stated))
    return _in_words(stated) if isinstance(stated, str) else None


def finite(value: float) -> float:
    """The same as a float.

    Raises:
        DecodeError: it is NaN, infinite, or larger than a float holds.
    """
    try:
        if math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise DecodeError(Refusal.NOT_A_NUMBER, "no finite number")


def flatten(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Each value in a tree with its path: keys, and places in lists, joined by dots.

    >>> dict(flatten({"BME280": {"Humidity": 24.4}, "list": [1, 2]}))
    {'BME280.Humidity': 24.4, 'list.0': 1, 'list.1': 2}

    Raises:
        DecodeError: more than `DEEPEST` levels, or more than `MOST_ITEMS` values.
    """
    for count, leaf in enumerate(_leaves(values.items(), "", 1)):
        if count == MOST_ITEMS:
            raise too_many()
        yield leaf


def readings(
    device: str,
    measured_at: int,
    values: Mapping[str, object],
    unit_of: Callable[[str], str | None] = lambda _: None,
) -> list[Reading | Refused]:
    """A reading for each quantity in a tree; `unit_of` knows what the format says of a key.

    Raises:
        DecodeError: the tree is too deep or too large.
    """
    found: list[Reading | Refused] = []
    for key, stated in flatten(values):
        try:
            quantity = number(stated)
        except DecodeError as error:
            found.append(Refused(error.reason, f"{key:.64}: {error.detail}"))
            continue
        if quantity is not None:
            value, unit = quantity
            found.append(Reading(device, key, measured_at, value, unit or unit_of(key)))
    return found


def _leaves(
    pairs: Iterable[tuple[object, object]], above: str, depth: int
) -> Iterator[tuple[str, object]]:
    if depth > DEEPEST:
        raise DecodeError(Refusal.TOO_DEEP, f"values in more than {DEEPEST} levels")
    for key, value in pairs:
        if isinstance(value, dict):
            yield from _leaves(value.items(), f"{above}{key}.", depth + 1)
        elif isinstance(value, list):
            yield from _leaves(enumerate(value), f"{above}{key}.", depth + 1)
        else:
            yield f"{above}{key}", value


def _in_words(text: str) -> Quantity | None:
    if len(text) > 64:
        return None
    if _NOT_FINITE.fullmatch(text):
        raise DecodeError(Refusal.NOT_A_NUMBER, f"{text} is no finite number")
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    unit = ucum(match["unit"]) if match["unit"] else None
    if unit is not None and not match["space"] and unit not in _ATTACHED:
        return None
    return Quantity(finite(float(match["number"])), unit)
